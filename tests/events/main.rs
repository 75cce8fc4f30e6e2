//! The event engine against the reference interpreter.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that meets the unexpected is to stop"
)]

#[path = "../differential/random.rs"]
mod random;

mod agree;
mod support;
