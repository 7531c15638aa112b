//! Pages that show several capabilities, and the frame around all of them.

pub mod account;
#[cfg(debug_assertions)]
pub mod design;
pub mod frame;
pub mod home;
pub mod lost;
pub mod missing;
mod palette;
pub mod person;
mod places;
mod shortcuts;
