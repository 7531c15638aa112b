//! What holds for the whole application, through its real router and database.

mod arabic;
mod attention;
mod audit;
mod authenticator;
mod coverage;
mod doors;
mod escalation;
mod explain;
mod groups;
mod heritage;
mod joining;
mod mail;
mod matrix;
mod nodes;
mod oracle;
mod own_account;
mod passkeys;
mod people;
mod rights;
mod second_factor;
mod sessions;
mod shell;
mod sink;
mod source;
mod what_if;
