//! What holds for the whole application, through its real router and database.

mod arabic;
mod attention;
mod audit;
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
mod people;
mod rights;
mod second_factor;
mod sessions;
mod shell;
mod sink;
mod source;
mod what_if;
