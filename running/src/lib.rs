//! A real server on a database of its own, and a client of it: what `./dev bench` and `./dev faults` share.

mod http;
mod installation;

pub use http::{Answer, Client};
pub use installation::{ADMIN, Installation, MASTER_KEY, Node, PASSWORD, psql, rows};
