//! Rows that cannot matter: row groups and pages of Parquet files whose statistics show that no value
//! lies within a wanted range are not decoded.

use super::table::BoundTable;
use crate::data::bind::{self, Binding, Clock, Origin};
use crate::data::facts::value_at;
use crate::program::{Column, Value};
use crate::semantics::compare::order;
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, RowSelection};
use std::cmp::Ordering;
use std::ops::Range;

/// The values of a column that matter, both ends in. A missing value does not.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnRange {
    /// Index in the table's columns; a range of a column that is not read has no effect.
    pub column: usize,
    /// The least value that matters, of the column's type.
    pub low: Option<Value>,
    /// The greatest.
    pub high: Option<Value>,
}

impl ColumnRange {
    /// Whether no value from `least` to `greatest` is in the range.
    fn excludes(&self, least: &Value, greatest: &Value) -> bool {
        let beyond = |end: &Option<Value>, value: &Value, side: Ordering| {
            end.as_ref().is_some_and(|end| order(value, end) == Some(side))
        };
        beyond(&self.high, least, Ordering::Greater) || beyond(&self.low, greatest, Ordering::Less)
    }
}

/// What is left of a part.
pub(super) struct Kept {
    /// Row groups that are read.
    pub groups: Vec<usize>,
    /// Rows of the part that are read, ascending.
    pub rows: Vec<Range<u64>>,
    /// The same, counted within the groups that are read, and how many rows these have.
    selected: Vec<Range<usize>>,
    total: usize,
}

impl Kept {
    /// None where all rows of the groups are read.
    pub fn selection(&self) -> Option<RowSelection> {
        let rows: usize = self.selected.iter().map(ExactSizeIterator::len).sum();
        let ranges = self.selected.iter().cloned();
        (rows < self.total).then(|| RowSelection::from_consecutive_ranges(ranges, self.total))
    }

    fn add(&mut self, group: usize, start: u64, rows: usize, kept: &[Range<usize>]) {
        if kept.is_empty() {
            return;
        }
        self.groups.push(group);
        for range in kept {
            self.rows.push(start + range.start as u64..start + range.end as u64);
            self.selected.push(self.total + range.start..self.total + range.end);
        }
        self.total += rows;
    }
}

/// Finds out which rows of these row groups may matter.
pub(super) fn kept(
    bound: &BoundTable,
    binding: &Binding,
    footer: &ArrowReaderMetadata,
    groups: &[usize],
) -> Kept {
    let ranges: Vec<Statistics> = bound
        .options
        .ranges
        .iter()
        .filter_map(|range| Statistics::of(bound, binding, footer, range))
        .collect();
    let mut clock = bound.clock();
    let mut kept = Kept { groups: Vec::new(), rows: Vec::new(), selected: Vec::new(), total: 0 };
    let mut start = 0;
    for group in groups {
        let Some(found) = footer.metadata().row_groups().get(*group) else { continue };
        let rows = usize::try_from(found.num_rows()).unwrap_or(0);
        let mut left = std::iter::once(0..rows).collect::<Vec<_>>();
        for range in &ranges {
            if range.group(*group, &mut clock) {
                left.clear();
                break;
            }
            left = common(&left, &range.pages(*group, rows, &mut clock));
        }
        left.retain(|range| !range.is_empty());
        kept.add(*group, start, rows, &left);
        start += rows as u64;
    }
    kept
}

/// The rows that are in both.
fn common(left: &[Range<usize>], right: &[Range<usize>]) -> Vec<Range<usize>> {
    let both = left.iter().flat_map(|a| right.iter().map(|b| a.start.max(b.start)..a.end.min(b.end)));
    both.filter(|range| range.start < range.end).collect()
}

/// Whether values of that type stand in the order of what they are read as. Texts do not stand in that of
/// the dates that they may be read as, and a local time may be moved by a change of the clock.
pub(super) fn ordered(ty: &DataType) -> bool {
    match ty {
        DataType::Timestamp(_, zone) => zone.is_some(),
        ty => ty.is_numeric() || matches!(ty, DataType::Date32 | DataType::Date64),
    }
}

/// What a file's statistics say of a column, for one range.
struct Statistics<'a> {
    bound: &'a BoundTable,
    range: &'a ColumnRange,
    column: &'a Column,
    footer: &'a ArrowReaderMetadata,
    converter: StatisticsConverter<'a>,
}

impl<'a> Statistics<'a> {
    /// None where they say nothing that can be used.
    fn of(
        bound: &'a BoundTable,
        binding: &'a Binding,
        footer: &'a ArrowReaderMetadata,
        range: &'a ColumnRange,
    ) -> Option<Self> {
        let column = bound.table.columns.get(range.column)?;
        let found = binding.columns.iter().find(|found| found.column == range.column)?;
        let Origin::Field(at) = found.origin else { return None };
        let field = footer.schema().fields().get(*binding.fields.get(at)?)?;
        let descriptor = footer.parquet_schema();
        let converter = StatisticsConverter::try_new(field.name(), footer.schema(), descriptor).ok()?;
        ordered(field.data_type()).then_some(Statistics { bound, range, column, footer, converter })
    }

    /// Whether the whole row group is outside.
    fn group(&self, group: usize, clock: &mut Clock) -> bool {
        let found = self.footer.metadata().row_groups().get(group..=group).unwrap_or_default();
        let (Ok(least), Ok(greatest)) =
            (self.converter.row_group_mins(found), self.converter.row_group_maxes(found))
        else {
            return false;
        };
        self.outside(&least, &greatest, clock).first().copied().unwrap_or(false)
    }

    /// The rows of a group whose pages may matter.
    fn pages(&self, group: usize, rows: usize, clock: &mut Clock) -> Vec<Range<usize>> {
        let mut read = || {
            let metadata = self.footer.metadata();
            let (columns, offsets) = (metadata.column_index()?, metadata.offset_index()?);
            let least = self.converter.data_page_mins(columns, offsets, [&group]).ok()?;
            let greatest = self.converter.data_page_maxes(columns, offsets, [&group]).ok()?;
            let counts =
                self.converter.data_page_row_counts(offsets, metadata.row_groups(), [&group]).ok()??;
            let counts: Option<Vec<usize>> =
                counts.iter().map(|count| usize::try_from(count?).ok()).collect();
            Some((self.outside(&least, &greatest, clock), counts?))
        };
        let all = std::iter::once(0..rows).collect::<Vec<_>>();
        let Some((outside, counts)) = read() else { return all };
        if outside.len() != counts.len() || counts.iter().sum::<usize>() != rows {
            return all;
        }
        let mut kept: Vec<Range<usize>> = Vec::new();
        let mut start = 0;
        for (outside, count) in outside.iter().zip(counts) {
            let end = start + count;
            match kept.last_mut() {
                _ if *outside => {}
                Some(last) if last.end == start => last.end = end,
                _ => kept.push(start..end),
            }
            start = end;
        }
        kept
    }

    /// By entry, whether no value between these ends matters.
    fn outside(&self, least: &ArrayRef, greatest: &ArrayRef, clock: &mut Clock) -> Vec<bool> {
        let mut convert = |ends: &ArrayRef| {
            let converted = bind::convert(&self.bound.program, self.column, ends, clock).ok()?;
            Some(converted.array)
        };
        let (Some(low), Some(high)) = (convert(least), convert(greatest)) else {
            return vec![false; least.len()];
        };
        // An end that is not known excludes nothing.
        (0..low.len()).map(|at| self.range.excludes(&value_at(&low, at), &value_at(&high, at))).collect()
    }
}
