//! What holds for the whole application, through its real router and database.

mod api_keys;
mod approvals;
mod arabic;
mod attention;
mod audit;
mod coverage;
mod doors;
mod escalation;
mod impersonation;
mod joining;
mod mail;
mod matrix;
mod nodes;
mod oracle;
mod people;
mod rights;
mod second_factor;
mod sessions;
mod shell;
mod sink;
mod source;
mod tamper;
mod what_if;
