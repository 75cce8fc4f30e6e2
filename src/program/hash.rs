//! What tells one checked program from another.

use super::Program;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;

impl Program {
    /// The SHA-256 digest of the program as hexadecimal digits. Tests, places, folders and what proofs
    /// left open play no part: the
    /// same rules laid out otherwise, or lying elsewhere, have the same digest.
    pub fn hash(&self) -> String {
        let mut json = serde_json::to_value(self.without_tests()).unwrap_or_default();
        forget_places(&mut json);
        let mut hex = String::new();
        for byte in Sha256::digest(json.to_string()) {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
}

fn forget_places(json: &mut Value) {
    match json {
        Value::Array(items) => items.iter_mut().for_each(forget_places),
        Value::Object(fields) => {
            fields.retain(|name, _| name != "place" && name != "folder" && name != "undecided");
            fields.values_mut().for_each(forget_places);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    fn hash(rules: &str) -> String {
        crate::check::check_text_without_proofs("rules.seg", rules).program.unwrap().hash()
    }

    #[test]
    fn goes_by_meaning_and_not_by_layout() {
        let rules = "strata 1\ntable users key id {\n  id : int\n}\nsegment few when id < 10\n";
        assert_eq!(hash(rules), hash(&rules.replace("segment", "# a remark\n\nsegment").replace(" < ", "<")));
        assert_ne!(hash(rules), hash(&rules.replace("10", "11")));
        assert_ne!(hash(rules), hash(&rules.replace("few", "many")));
        assert_eq!(hash(rules).len(), 64);
    }
}
