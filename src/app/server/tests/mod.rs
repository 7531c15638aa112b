//! What holds for the whole application, through its real router and database.

mod attention;
mod audit;
mod coverage;
mod doors;
mod escalation;
mod matrix;
mod nodes;
mod oracle;
mod people;
mod rights;
mod source;
