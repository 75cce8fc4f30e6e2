//! Reading files that other programs wrote (`tests/fixtures/make.py`), and files that are broken.

mod bad_values;
mod damage;
mod facts;
mod formats;
mod keys;
mod support;
mod types;
