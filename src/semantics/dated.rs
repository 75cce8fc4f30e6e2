//! A program at a moment: every relative date has become a constant.

use crate::program::Program;

/// A program whose `now` is fixed: no node is `Now`, `Today` or a computation over constants only.
/// Made by [`Program::at`].
#[derive(Clone, Debug)]
pub struct Dated {
    /// The folded program. Node numbers differ from the original's.
    pub program: Program,
    /// The moment, in microseconds since 1970-01-01T00:00Z.
    pub now: i64,
}
