//! What only the server knows of the foundation: configuration, database, clock, keys, jobs, failures.

pub mod agents;
pub mod choice;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod crypto;
pub mod cursor;
pub mod data_keys;
pub mod db;
pub mod failure;
pub mod http;
pub mod input;
pub mod jobs;
pub mod mail;
pub mod metrics;
pub mod names;
pub mod passwords;
pub mod places;
pub mod puzzles;
pub mod search;
pub mod seldom;
pub mod settings;
