//! Placeholder replaced by the engine's table tests.
