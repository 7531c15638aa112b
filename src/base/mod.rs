//! What every capability stands on: ids, errors, time, paging, language; on the server also the database and the keys.

pub mod dates;
pub mod errors;
pub mod habits;
pub mod hijri;
pub mod ids;
pub mod language;
pub mod paging;
pub mod password;
pub mod puzzle;
pub mod search;
pub mod strength;
pub mod text;
pub mod time;

#[cfg(feature = "ssr")]
pub mod server;
