//! Small tables of facts that rules look things up in: loaded before the evaluation.

use crate::program::Value;
use hashbrown::HashMap;

/// All lookups of a program, in its order, and its calendar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// By the index of the lookup in `Program::lookups`.
    pub lookups: Vec<LookupFacts>,
    /// By date (days since 1970-01-01): whether it is a working day. A date that is not there goes
    /// by its weekday.
    pub calendar: HashMap<i32, bool>,
}

/// The rows of one lookup.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LookupFacts {
    /// By the key's value: the values of all columns, in the lookup's order.
    pub rows: HashMap<Value, Vec<Value>>,
}
