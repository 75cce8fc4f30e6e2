//! What is known of a column in some rows without reading these.

use crate::program::Value;

/// The least and the greatest of a column's known values, both [`Value::Missing`] where nobody knows them, and
/// which rows have none.
#[derive(Clone, Debug, PartialEq)]
pub struct Extent {
    /// No known value is less.
    pub least: Value,
    /// No known value is greater.
    pub greatest: Value,
    /// Which rows have no value.
    pub missing: Absence,
}

/// Which rows have no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absence {
    /// None of them.
    None,
    /// Perhaps some.
    Some,
    /// All of them.
    All,
}

impl Extent {
    /// Nothing is known.
    pub const UNKNOWN: Extent =
        Extent { least: Value::Missing, greatest: Value::Missing, missing: Absence::Some };

    /// The value of all rows, where they all have the same.
    pub fn only_value(&self) -> Option<&Value> {
        let same = self.missing == Absence::None && self.least == self.greatest;
        Some(&self.least).filter(|value| same && !value.is_missing())
    }

    /// What a condition that is known to have this outcome for each known value, and is false for a
    /// missing one, comes to for all rows.
    pub fn outcome(&self, holds: Option<bool>) -> Option<bool> {
        match self.missing {
            Absence::All => Some(false),
            Absence::None => holds,
            Absence::Some => holds.filter(|holds| !holds),
        }
    }
}
