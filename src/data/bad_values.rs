//! Values that break their column's declaration: counted, with a few examples.

/// What a run does with a value that breaks its declaration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BadValueMode {
    /// It counts as missing, and is counted.
    #[default]
    Missing,
    /// The first one stops the reading.
    Error,
}

/// The bad values of one column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadValues {
    /// Name of the table.
    pub table: String,
    /// Name of the column in the rules.
    pub column: String,
    /// How many there are.
    pub count: u64,
    /// The first of them, three at most.
    pub examples: Vec<BadValue>,
}

/// One bad value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadValue {
    /// The value as the file has it; none where a required value is missing.
    pub value: Option<String>,
    /// Its row in the file, from 1, a header line not counted.
    pub row: u64,
    /// The file.
    pub file: String,
}

/// How many examples are kept.
pub(super) const EXAMPLES: usize = 3;

/// The bad rows of one column of one batch: how many, and the first few.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BadRows {
    /// How many.
    pub count: u64,
    /// Row numbers within the batch, ascending, [`EXAMPLES`] at most.
    pub first: Vec<usize>,
}

impl BadRows {
    /// Counts one more row.
    pub fn push(&mut self, row: usize) {
        self.count += 1;
        if self.first.len() < EXAMPLES {
            self.first.push(row);
        }
    }

    /// Counts rows of another check; `rows` are the first of them at least.
    pub fn add(&mut self, count: usize, rows: impl Iterator<Item = usize>) {
        self.count += count as u64;
        self.first.extend(rows.take(EXAMPLES));
        self.first.sort_unstable();
        self.first.truncate(EXAMPLES);
    }
}
