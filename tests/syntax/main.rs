//! What the parser makes of texts: the shapes of trees, and that no text makes it fail.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    clippy::indexing_slicing,
    reason = "a test may stop at what it does not expect"
)]

mod robust;
mod shapes;
mod show;
