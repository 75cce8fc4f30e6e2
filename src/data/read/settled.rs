//! What need not be read: what a Parquet file's statistics and Bloom filters say of a row group, for a plan to
//! find out on which columns nothing turns ([`Plan::settle`]); and the same of the rows of a batch, where the
//! file says something of its pages ([`stretches`]).
//!
//! Values that break their declaration are counted even where nothing turns on them, so a column is left
//! out only where the statistics show that it has none.

use super::flat::{Settled, only_leaf};
use super::store::Opened;
use super::table::BoundTable;
use super::{prune, stretches};
use crate::data::bind::{self, Binding, Origin};
use crate::data::facts::value_at;
use crate::program::{Column, Type, Value};
use crate::semantics::{Absence, Extent};
use crate::vector::{Known, Plan, StandIn};
use arrow::array::{Array, ArrayRef, new_empty_array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use hashbrown::HashMap;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::RowGroupMetaData;
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

/// What need not be read of these row groups.
pub(super) fn all(
    bound: &BoundTable,
    binding: &Binding,
    footer: &ArrowReaderMetadata,
    groups: &[usize],
    file: &Opened,
) -> Vec<Settled> {
    let Some(plan) = &bound.options.plan else { return Vec::new() };
    let mut all = Vec::new();
    for index in groups {
        let Some(group) = footer.metadata().row_groups().get(*index) else { continue };
        let (columns, filters) = (RefCell::default(), RefCell::default());
        let said = Said { bound, binding, footer, index: *index, group, file, columns, filters };
        let chunks = said.settled(plan, &said, None, &|column| said.column(column));
        all.extend(stretches::settled(plan, &said, &chunks));
        all.extend(chunks);
    }
    all
}

/// What a file says of a row group.
pub(super) struct Said<'a> {
    pub bound: &'a BoundTable,
    pub binding: &'a Binding,
    pub footer: &'a ArrowReaderMetadata,
    /// The number of the row group.
    pub index: usize,
    pub group: &'a RowGroupMetaData,
    file: &'a Opened,
    columns: RefCell<HashMap<usize, OfColumn>>,
    filters: RefCell<HashMap<usize, Option<Rc<Filter>>>>,
}

/// The Bloom filter of a column, and the type of what it is asked for.
struct Filter {
    bits: Sbbf,
    ty: DataType,
}

/// What it says of a column.
#[derive(Clone)]
pub(super) struct OfColumn {
    pub extent: Extent,
    /// Whether it is sure that no value breaks the declaration.
    pub sound: bool,
    /// The least value as it stands in the file.
    pub least: Option<ArrayRef>,
}

pub(super) const NOTHING: OfColumn = OfColumn { extent: Extent::UNKNOWN, sound: false, least: None };

/// The type of values, for values that come as codes.
pub(super) fn plain(ty: &DataType) -> DataType {
    match ty {
        DataType::Dictionary(_, value) => value.as_ref().clone(),
        ty => ty.clone(),
    }
}

impl Known for Said<'_> {
    fn extent(&self, column: usize) -> Extent {
        self.column(column).extent
    }

    fn has_none_of(&self, column: usize, values: &[Value]) -> bool {
        self.filter(column).is_some_and(|filter| {
            let Filter { bits: filter, ty } = filter.as_ref();
            values.iter().all(|value| match (value, ty) {
                (Value::Int(value), DataType::Int64) => !filter.check(value),
                (Value::Int(value), DataType::Int32) => {
                    i32::try_from(*value).map_or(true, |value| !filter.check(&value))
                }
                (Value::Date(value), DataType::Date32) => !filter.check(value),
                (Value::Text(text), DataType::Utf8) => !filter.check(&**text),
                _ => false,
            })
        })
    }
}

impl Said<'_> {
    /// What need not be read of some of its rows, of which that much is known: of a column, where a plan
    /// can do without it, as `of` says.
    pub fn settled(
        &self,
        plan: &Plan,
        known: &dyn Known,
        rows: Option<Range<usize>>,
        of: &dyn Fn(usize) -> OfColumn,
    ) -> Vec<Settled> {
        let columns = plan.settle(known).into_iter().filter(|(column, _)| *column != self.bound.table.key);
        let settled = columns.filter_map(|(column, how)| {
            let found = of(column);
            let field = self.binding.field_of(column)?;
            let ty = plain(self.footer.schema().fields().get(field)?.data_type());
            let stand_in = match how {
                StandIn::Least => found.least.clone()?,
                StandIn::Missing => new_empty_array(&ty),
            };
            found.sound.then(|| Settled { group: self.index, field, rows: rows.clone(), stand_in })
        });
        settled.collect()
    }

    /// What is known of a column in the whole row group.
    pub fn column(&self, index: usize) -> OfColumn {
        if let Some(known) = self.columns.borrow().get(&index) {
            return known.clone();
        }
        let found = self.look(index).unwrap_or(NOTHING);
        self.columns.borrow_mut().insert(index, found.clone());
        found
    }

    fn look(&self, index: usize) -> Option<OfColumn> {
        let column = self.bound.table.columns.get(index)?;
        let origin = &self.binding.columns.iter().find(|found| found.column == index)?.origin;
        let Origin::Field(_) = origin else {
            let Origin::Folder(value) = origin else { return None };
            let least = self.value(column, &bind::folder_column(value.as_deref(), 1))?;
            let missing = if least.is_missing() { Absence::All } else { Absence::None };
            let extent = Extent { greatest: least.clone(), least, missing };
            return Some(OfColumn { extent, sound: false, least: None });
        };
        let (field, leaf) = self.leaf(index)?;
        let chunk = self.group.columns().get(leaf)?.statistics()?;
        let name = self.footer.schema().fields().get(field)?;
        let rows = u64::try_from(self.group.num_rows()).ok()?;
        let missing = absence(column, chunk.null_count_opt(), rows);
        let ty = plain(name.data_type());
        // Texts may be cut off there, and old files order them otherwise.
        let exact = chunk.min_is_exact() && chunk.max_is_exact() && !chunk.is_min_max_deprecated();
        let ordered = match &ty {
            DataType::Utf8 => exact && matches!(column.ty, Type::Text | Type::Label(_)),
            ty => comparable(ty),
        };
        let ends = || {
            let (least, greatest) = self.ends(field, &ty).filter(|_| ordered)?;
            let (low, high) = self.value(column, &least).zip(self.value(column, &greatest))?;
            Some((low, high, least))
        };
        Some(judged(column, &ty, missing, ends))
    }

    /// A value of the file as one of the column, if it is one; missing where it is missing.
    fn value(&self, column: &Column, one: &ArrayRef) -> Option<Value> {
        let mut clock = self.bound.clock();
        let converted = bind::convert(&self.bound.program, column, one, &mut clock).ok()?;
        (converted.bad.count == 0).then(|| value_at(&converted.array, 0))
    }

    fn ends(&self, field: usize, ty: &DataType) -> Option<(ArrayRef, ArrayRef)> {
        let schema = self.footer.schema();
        let name = schema.fields().get(field)?.name();
        let converter = StatisticsConverter::try_new(name, schema, self.footer.parquet_schema()).ok()?;
        let least = converter.row_group_mins([self.group]).ok()?;
        let greatest = converter.row_group_maxes([self.group]).ok()?;
        let ends = (cast(&least, ty).ok()?, cast(&greatest, ty).ok()?);
        (ends.0.null_count() + ends.1.null_count() == 0).then_some(ends)
    }

    /// The field of a column, which no other column is read from, and its only leaf.
    pub fn leaf(&self, column: usize) -> Option<(usize, usize)> {
        let field = self.binding.field_of(column)?;
        only_leaf(self.footer.parquet_schema(), field).map(|leaf| (field, leaf))
    }

    /// The Bloom filter of a column whose values are compared as they stand in the file.
    fn filter(&self, column: usize) -> Option<Rc<Filter>> {
        if let Some(known) = self.filters.borrow().get(&column) {
            return known.clone();
        }
        let found = self.read_filter(column).map(Rc::new);
        self.filters.borrow_mut().insert(column, found.clone());
        found
    }

    fn read_filter(&self, column: usize) -> Option<Filter> {
        let (field, leaf) = self.leaf(column)?;
        let ty = plain(self.footer.schema().fields().get(field)?.data_type());
        let same = matches!(
            (&self.bound.table.columns.get(column)?.ty, &ty),
            (Type::Int, DataType::Int64 | DataType::Int32)
                | (Type::Date, DataType::Date32)
                | (Type::Text, DataType::Utf8)
        );
        let chunk = self.group.columns().get(leaf).filter(|_| same)?;
        let bits = Sbbf::read_from_column_chunk(chunk, self.file).ok()??;
        Some(Filter { bits, ty })
    }
}

/// Whether the ends of values of that type tell something of those between them.
pub(super) fn comparable(ty: &DataType) -> bool {
    prune::ordered(ty) || *ty == DataType::Boolean
}

/// Which rows have no value, by how many have none.
pub(super) fn absence(column: &Column, missing: Option<u64>, rows: u64) -> Absence {
    match missing {
        // NaN is how files write a missing number, and no statistics count it.
        Some(0) if column.ty != Type::Float => Absence::None,
        Some(missing) if missing == rows => Absence::All,
        _ => Absence::Some,
    }
}

/// What follows for a column from its least and greatest value in a file, and from the least as it stands
/// there.
pub(super) fn judged(
    column: &Column,
    ty: &DataType,
    missing: Absence,
    ends: impl FnOnce() -> Option<(Value, Value, ArrayRef)>,
) -> OfColumn {
    let unseen = column.optional || missing == Absence::None;
    let unknown = Extent { least: Value::Missing, greatest: Value::Missing, missing };
    if missing == Absence::All {
        return OfColumn { extent: unknown, sound: unseen, least: None };
    }
    let text = *ty == DataType::Utf8;
    // Every text is one that a column of texts may have.
    let alone = OfColumn { extent: unknown, sound: text && column.ty == Type::Text && unseen, least: None };
    let known = |(low, high, _): &(Value, Value, ArrayRef)| !low.is_missing() && !high.is_missing();
    let Some((low, high, least)) = ends().filter(known) else { return alone };
    // What lies between two values that may be there may be there too, but for labels and for decimals that
    // lose digits.
    let between = match (&column.ty, ty) {
        (Type::Label(_), _) => low == high,
        (Type::Decimal { scale, .. }, DataType::Decimal128(_, from)) => i8::try_from(*scale) == Ok(*from),
        (Type::Decimal { .. }, ty) => ty.is_integer(),
        (Type::Text, _) => text,
        (Type::Int | Type::Float | Type::Date | Type::Timestamp | Type::Bool, _) => !text,
        _ => false,
    };
    if matches!(column.ty, Type::Label(_)) && !between {
        return alone;
    }
    let extent = Extent { least: low, greatest: high, missing };
    OfColumn { extent, sound: between && unseen, least: Some(least) }
}
