//! Rows of a row group of which some columns need not be read: where a file has an index of its pages, what
//! it says of those of a batch settles comparisons that the row group as a whole leaves open.
//!
//! Numbers, dates, moments and bools settle something here, texts do not: the index may cut them off. Any
//! column may be left out.

use super::flat::Settled;
use super::settled::{NOTHING, OfColumn, Said, absence, comparable, judged, plain};
use crate::data::bind;
use crate::data::facts::value_at;
use crate::program::{Column, Type, Value};
use crate::semantics::compare::order;
use crate::semantics::{Absence, Extent};
use crate::vector::{Known, Plan};
use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::compute::{cast, filter, is_not_null};
use hashbrown::{HashMap, HashSet};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use std::cmp::Ordering;
use std::ops::Range;

/// What need not be read of the batches of a row group, beside the chunks that are not read at all.
pub(super) fn settled(plan: &Plan, said: &Said, chunks: &[Settled]) -> Vec<Settled> {
    let left_out: HashSet<usize> = chunks.iter().map(|chunk| chunk.field).collect();
    let columns = plan.column_numbers();
    let pages: HashMap<usize, Vec<Page>> = columns
        .filter(|column| said.binding.field_of(*column).is_some_and(|field| !left_out.contains(&field)))
        .filter_map(|column| Some((column, pages(said, column)?)))
        .collect();
    // What the pages of one column say alone says the row group.
    if pages.values().all(|pages| pages.len() < 2) {
        return Vec::new();
    }
    let rows = usize::try_from(said.group.num_rows()).unwrap_or(0);
    let batch = said.bound.options.batch_rows.max(1);
    let mut all = Vec::new();
    for start in (0..rows).step_by(batch) {
        let stretch = Stretch { said, pages: &pages, rows: start..rows.min(start + batch) };
        let tells_more = |column: &usize| {
            plan.tells_more(*column, &stretch.column(*column).extent, &said.column(*column).extent)
        };
        if pages.keys().any(tells_more) {
            let rows = Some(stretch.rows.clone());
            all.extend(said.settled(plan, &stretch, rows, &|column| stretch.column(column)));
        }
    }
    all.retain(|settled| !left_out.contains(&settled.field));
    all
}

/// A page of a column.
struct Page {
    rows: Range<usize>,
    of: OfColumn,
}

/// Rows of a row group.
struct Stretch<'a> {
    said: &'a Said<'a>,
    /// By column.
    pages: &'a HashMap<usize, Vec<Page>>,
    rows: Range<usize>,
}

impl Known for Stretch<'_> {
    fn extent(&self, column: usize) -> Extent {
        self.column(column).extent
    }

    fn has_none_of(&self, column: usize, values: &[Value]) -> bool {
        self.said.has_none_of(column, values)
    }
}

impl Stretch<'_> {
    /// What is known of a column in these rows.
    fn column(&self, column: usize) -> OfColumn {
        let Some(pages) = self.pages.get(&column) else { return self.said.column(column) };
        let first = pages.partition_point(|page| page.rows.end <= self.rows.start);
        let here = pages.get(first..).unwrap_or_default().iter();
        let here = here.take_while(|page| page.rows.start < self.rows.end).map(|page| page.of.clone());
        let found = here.reduce(both).unwrap_or(NOTHING);
        // What is known of all rows is known of these.
        let all = self.said.column(column);
        let missing =
            if all.extent.missing == Absence::Some { found.extent.missing } else { all.extent.missing };
        let sound = found.sound || all.sound;
        if found.extent.least.is_missing() && missing != Absence::All {
            return OfColumn { extent: Extent { missing, ..all.extent }, sound, least: all.least };
        }
        OfColumn { extent: Extent { missing, ..found.extent }, sound, ..found }
    }
}

/// What is known of the rows of both.
fn both(one: OfColumn, other: OfColumn) -> OfColumn {
    let (a, b) = (&one.extent, &other.extent);
    let missing = if a.missing == b.missing { a.missing } else { Absence::Some };
    let sound = one.sound && other.sound;
    // Where no row has a value, the ends are those of the other rows.
    if a.missing == Absence::All {
        return OfColumn { extent: Extent { missing, ..other.extent }, sound, least: other.least };
    }
    if b.missing == Absence::All {
        return OfColumn { extent: Extent { missing, ..one.extent }, sound, least: one.least };
    }
    let (least, first) = match order(&a.least, &b.least) {
        Some(Ordering::Greater) => (b.least.clone(), other.least.clone()),
        Some(_) => (a.least.clone(), one.least.clone()),
        None => (Value::Missing, None),
    };
    let greatest = match order(&a.greatest, &b.greatest) {
        Some(Ordering::Less) => b.greatest.clone(),
        Some(_) => a.greatest.clone(),
        None => Value::Missing,
    };
    if least.is_missing() || greatest.is_missing() {
        let extent = Extent { least: Value::Missing, greatest: Value::Missing, missing };
        return OfColumn { extent, sound, least: None };
    }
    OfColumn { extent: Extent { least, greatest, missing }, sound, least: first }
}

/// The pages of a column and what the file says of them; none where it says nothing.
fn pages(said: &Said, index: usize) -> Option<Vec<Page>> {
    let metadata = said.footer.metadata();
    let (indexes, offsets) = (metadata.column_index()?, metadata.offset_index()?);
    let column = said.bound.table.columns.get(index)?;
    let (field, leaf) = said.leaf(index)?;
    let locations = offsets.get(said.index)?.get(leaf)?.page_locations();
    let schema = said.footer.schema();
    let field = schema.fields().get(field)?;
    let converter = StatisticsConverter::try_new(field.name(), schema, said.footer.parquet_schema()).ok()?;
    let missing = converter.data_page_null_counts(indexes, offsets, [&said.index]).ok()?;
    let ty = plain(field.data_type());
    let ends = match comparable(&ty) {
        true => {
            let least = converter.data_page_mins(indexes, offsets, [&said.index]).ok()?;
            let greatest = converter.data_page_maxes(indexes, offsets, [&said.index]).ok()?;
            let least = cast(&least, &ty).ok()?;
            let values = (values(said, column, &least), values(said, column, &cast(&greatest, &ty).ok()?));
            values.0.zip(values.1).map(|(low, high)| (low, high, least))
        }
        false => None,
    };
    let total = usize::try_from(said.group.num_rows()).ok()?;
    let starts = locations.iter().map(|location| usize::try_from(location.first_row_index).ok());
    let mut starts: Vec<usize> = starts.collect::<Option<_>>()?;
    let fits = missing.len() == starts.len() && starts.first() == Some(&0);
    starts.push(total);
    if !fits || !starts.is_sorted() {
        return None;
    }
    let of = |(at, rows): (usize, &[usize])| {
        let [start, end] = rows else { return None };
        let count = count(&missing, at);
        let absent = absence(column, count, (end - start) as u64);
        let ends = || {
            let (low, high, least) = ends.as_ref()?;
            Some((low.get(at)?.clone(), high.get(at)?.clone(), least.slice(at, 1)))
        };
        Some(Page { rows: *start..*end, of: judged(column, &ty, absent, ends) })
    };
    starts.windows(2).enumerate().map(of).collect()
}

fn count(counts: &UInt64Array, at: usize) -> Option<u64> {
    counts.is_valid(at).then(|| counts.value(at))
}

/// Values of a file as those of a column, missing ones as missing; none where one of them breaks the
/// declaration.
fn values(said: &Said, column: &Column, found: &ArrayRef) -> Option<Vec<Value>> {
    let there = is_not_null(found).ok()?;
    let known = filter(found, &there).ok()?;
    let mut clock = said.bound.clock();
    let converted = bind::convert(&said.bound.program, column, &known, &mut clock).ok()?;
    if converted.bad.count > 0 || matches!(column.ty, Type::List(_)) {
        return None;
    }
    let mut next = 0..known.len();
    let value = |there: bool| if there { next.next().map(|at| value_at(&converted.array, at)) } else { None };
    Some(there.values().iter().map(value).map(|value| value.unwrap_or(Value::Missing)).collect())
}
