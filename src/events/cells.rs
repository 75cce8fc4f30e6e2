//! Values of events as the engine keeps them: numbers whose order is that of the values, as narrow as
//! their type allows.

use super::texts::{Ranks, Texts};
use crate::program::Type;
use crate::semantics::columnar::column_type;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    Time64MicrosecondArray, TimestampMicrosecondArray, UInt32Array, new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType, UInt32Type,
};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// The values of one node for some events. Where a value is missing stands anything.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cells {
    /// Bools, dates, labels, and what [`Texts`] numbers.
    Small(Vec<u32>),
    /// Ints, times, floats, and decimals whose digits fit.
    Whole(Vec<i64>),
    /// Other decimals.
    Wide(Vec<i128>),
}

/// One of these numbers.
pub(super) trait Cell: Copy + Ord + Default + Send + Sync + 'static {
    const LEAST: Self;
    const GREATEST: Self;
    /// The numbers of those rows, where they are of this kind or narrower.
    fn of(cells: &Cells, rows: Range<usize>) -> Option<Cow<'_, [Self]>>;
    /// Values of that type as a canonical column; those that are not known are null.
    fn column(values: Vec<Self>, known: Vec<bool>, ty: &Type, ranks: Option<&Ranks>) -> ArrayRef;
}

impl Cell for u32 {
    const LEAST: Self = u32::MIN;
    const GREATEST: Self = u32::MAX;

    fn of(cells: &Cells, rows: Range<usize>) -> Option<Cow<'_, [Self]>> {
        let Cells::Small(values) = cells else { return None };
        values.get(rows).map(Cow::Borrowed)
    }

    fn column(values: Vec<Self>, known: Vec<bool>, ty: &Type, ranks: Option<&Ranks>) -> ArrayRef {
        let nulls = nulls(known);
        match ty {
            Type::Bool => {
                let bits = BooleanBuffer::from_iter(values.into_iter().map(|value| value != 0));
                Arc::new(BooleanArray::new(bits, nulls))
            }
            Type::Date => {
                let days: Vec<i32> = values.into_iter().map(cell_date).collect();
                Arc::new(Date32Array::new(days.into(), nulls))
            }
            Type::Label(_) => Arc::new(UInt32Array::new(values.into(), nulls)),
            ty => match ranks {
                Some(ranks) => ranks.values(&UInt32Array::new(values.into(), nulls), ty),
                None => new_null_array(&column_type(ty), values.len()),
            },
        }
    }
}

impl Cell for i64 {
    const LEAST: Self = i64::MIN;
    const GREATEST: Self = i64::MAX;

    fn of(cells: &Cells, rows: Range<usize>) -> Option<Cow<'_, [Self]>> {
        let Cells::Whole(values) = cells else { return None };
        values.get(rows).map(Cow::Borrowed)
    }

    fn column(values: Vec<Self>, known: Vec<bool>, ty: &Type, ranks: Option<&Ranks>) -> ArrayRef {
        match ty {
            Type::Float => {
                let values: Vec<f64> = values.into_iter().map(cell_float).collect();
                Arc::new(Float64Array::new(values.into(), nulls(known)))
            }
            Type::Timestamp => {
                let array = TimestampMicrosecondArray::new(values.into(), nulls(known));
                Arc::new(array.with_data_type(column_type(ty)))
            }
            Type::Time => Arc::new(Time64MicrosecondArray::new(values.into(), nulls(known))),
            Type::Decimal { .. } => {
                i128::column(values.into_iter().map(i128::from).collect(), known, ty, ranks)
            }
            _ => Arc::new(Int64Array::new(values.into(), nulls(known))),
        }
    }
}

impl Cell for i128 {
    const LEAST: Self = i128::MIN;
    const GREATEST: Self = i128::MAX;

    fn of(cells: &Cells, rows: Range<usize>) -> Option<Cow<'_, [Self]>> {
        match cells {
            Cells::Wide(values) => values.get(rows).map(Cow::Borrowed),
            Cells::Whole(values) => {
                values.get(rows).map(|values| values.iter().map(|value| i128::from(*value)).collect())
            }
            Cells::Small(_) => None,
        }
    }

    fn column(values: Vec<Self>, known: Vec<bool>, ty: &Type, _: Option<&Ranks>) -> ArrayRef {
        Arc::new(Decimal128Array::new(values.into(), nulls(known)).with_data_type(column_type(ty)))
    }
}

fn nulls(known: Vec<bool>) -> Option<NullBuffer> {
    let nulls = NullBuffer::from(known);
    (nulls.null_count() > 0).then_some(nulls)
}

/// A date in the order of dates.
pub(super) fn date_cell(day: i32) -> u32 {
    day.cast_unsigned() ^ 1 << 31
}

/// The date of such a number.
pub(super) fn cell_date(cell: u32) -> i32 {
    (cell ^ 1 << 31).cast_signed()
}

/// A double in the order of doubles; none of them is NaN or -0.
pub(super) fn float_cell(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// The double of such a number.
pub(super) fn cell_float(cell: i64) -> f64 {
    f64::from_bits((cell ^ ((cell >> 63).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
}

impl Cells {
    /// The values of those rows of a canonical column. Texts and lists get their number from `texts`.
    pub fn gather(array: &ArrayRef, ty: &Type, rows: &[u32], texts: Option<&Texts>) -> Cells {
        match ty {
            Type::Bool => {
                let bits = array.as_boolean();
                Cells::Small(rows.iter().map(|row| u32::from(bits.value(*row as usize))).collect())
            }
            Type::Int => Cells::Whole(pick(array.as_primitive::<Int64Type>().values(), rows, |x| x)),
            Type::Timestamp => {
                Cells::Whole(pick(array.as_primitive::<TimestampMicrosecondType>().values(), rows, |x| x))
            }
            Type::Time => {
                Cells::Whole(pick(array.as_primitive::<Time64MicrosecondType>().values(), rows, |x| x))
            }
            Type::Float => Cells::Whole(pick(array.as_primitive::<Float64Type>().values(), rows, float_cell)),
            Type::Date => Cells::Small(pick(array.as_primitive::<Date32Type>().values(), rows, date_cell)),
            Type::Label(_) => Cells::Small(pick(array.as_primitive::<UInt32Type>().values(), rows, |x| x)),
            Type::Decimal { .. } => decimals(array.as_primitive::<Decimal128Type>().values(), rows),
            Type::Text | Type::List(_) => match texts {
                Some(texts) => Cells::Small(texts.numbers(array, rows)),
                None => Cells::Small(vec![0; rows.len()]),
            },
        }
    }

    /// As a column.
    pub fn column(self) -> ArrayRef {
        match self {
            Cells::Small(values) => Arc::new(UInt32Array::from(values)),
            Cells::Whole(values) => Arc::new(Int64Array::from(values)),
            Cells::Wide(values) => Arc::new(Decimal128Array::from(values)),
        }
    }

    /// Of such a column.
    pub fn of_column(column: &ArrayRef) -> Option<Cells> {
        Some(match column.data_type() {
            DataType::UInt32 => Cells::Small(column.as_primitive::<UInt32Type>().values().to_vec()),
            DataType::Int64 => Cells::Whole(column.as_primitive::<Int64Type>().values().to_vec()),
            DataType::Decimal128(..) => {
                Cells::Wide(column.as_primitive::<Decimal128Type>().values().to_vec())
            }
            _ => return None,
        })
    }

    /// Those of some rows.
    pub fn slice(&self, rows: Range<usize>) -> Cells {
        match self {
            Cells::Small(values) => Cells::Small(values.get(rows).unwrap_or(&[]).to_vec()),
            Cells::Whole(values) => Cells::Whole(values.get(rows).unwrap_or(&[]).to_vec()),
            Cells::Wide(values) => Cells::Wide(values.get(rows).unwrap_or(&[]).to_vec()),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Cells::Small(values) => values.len(),
            Cells::Whole(values) => values.len(),
            Cells::Wide(values) => values.len(),
        }
    }

    /// What they take of memory.
    pub fn bytes(&self) -> usize {
        match self {
            Cells::Small(values) => values.len() * 4,
            Cells::Whole(values) => values.len() * 8,
            Cells::Wide(values) => values.len() * 16,
        }
    }

    /// No number is further from zero than this.
    pub fn reach(&self) -> u128 {
        match self {
            Cells::Small(_) => u128::from(u32::MAX),
            Cells::Whole(values) => {
                u128::from(values.iter().fold(0, |most, value| value.unsigned_abs().max(most)))
            }
            Cells::Wide(values) => values.iter().fold(0, |most, value| value.unsigned_abs().max(most)),
        }
    }
}

fn pick<T: Copy + Default, U>(values: &[T], rows: &[u32], mut cell: impl FnMut(T) -> U) -> Vec<U> {
    rows.iter().map(|row| cell(values.get(*row as usize).copied().unwrap_or_default())).collect()
}

/// Decimals, narrow where all of them are.
fn decimals(values: &[i128], rows: &[u32]) -> Cells {
    let mut wide = false;
    let narrow = pick(values, rows, |value| {
        let narrow = value as i64;
        wide |= i128::from(narrow) != value;
        narrow
    });
    if wide { Cells::Wide(pick(values, rows, |value| value)) } else { Cells::Whole(narrow) }
}

/// Whether values of that type get their number from [`Texts`].
pub(super) fn is_numbered(ty: &Type) -> bool {
    matches!(ty, Type::Text | Type::List(_))
}
