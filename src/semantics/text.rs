//! Regular expressions over texts.

use hashbrown::HashMap;
use regex::Regex;
use std::cell::RefCell;

thread_local! {
    static COMPILED: RefCell<HashMap<String, Option<Regex>>> = RefCell::new(HashMap::new());
}

/// More patterns than this and the memory of compiled ones begins anew.
const MOST_COMPILED: usize = 1_000;

/// Whether a regular expression finds something in a text: Rust `regex` syntax, unanchored, in
/// linear time. A pattern that is none finds nothing (a checked program has no such pattern).
pub fn matches(pattern: &str, text: &str) -> bool {
    COMPILED.with_borrow_mut(|compiled| {
        if compiled.len() > MOST_COMPILED {
            compiled.clear();
        }
        if !compiled.contains_key(pattern) {
            compiled.insert(pattern.to_owned(), Regex::new(pattern).ok());
        }
        compiled.get(pattern).and_then(Option::as_ref).is_some_and(|regex| regex.is_match(text))
    })
}
