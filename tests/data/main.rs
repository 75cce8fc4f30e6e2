//! Reading files that other programs wrote (`tests/fixtures/make.py`), and files that are broken.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at what it does not expect"
)]

mod bad_values;
mod blocks;
mod damage;
mod facts;
mod formats;
mod keys;
mod parts;
mod support;
mod types;
