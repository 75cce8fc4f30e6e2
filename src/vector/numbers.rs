//! Arithmetic on columns. A kernel computes what stays within bounds; where a row does not (an
//! overflow, a division by zero, an infinity), the scalar definition decides for that row alone.

use super::bits::Bits;
use super::column::{Column, Data, Element, View, all_known};
use crate::program::{ArithmeticOp, NumberFunction, Type, Value};

/// Most that a decimal's digits may be: 38 nines.
const DECIMAL_LIMIT: i128 = 10i128.pow(38) - 1;

/// The scalar definition's value of a row.
pub(super) type Slow<'a> = &'a dyn Fn(usize) -> Value;

/// `+ - * / mod`; `None` for kinds that no kernel knows.
pub(super) fn arithmetic(
    op: ArithmeticOp,
    left: &Column,
    right: &Column,
    ty: &Type,
    rows: usize,
    slow: Slow,
) -> Option<Column> {
    use ArithmeticOp::*;
    match ty {
        Type::Int => {
            let (a, b) = (View::<i64>::of(left)?, View::<i64>::of(right)?);
            let known = all_known(&[left, right], rows);
            match op {
                Add => map(rows, known, ty, slow, |row| a.get(row).checked_add(b.get(row))),
                Subtract => map(rows, known, ty, slow, |row| a.get(row).checked_sub(b.get(row))),
                Multiply => map(rows, known, ty, slow, |row| a.get(row).checked_mul(b.get(row))),
                Modulo => map(rows, known, ty, slow, |row| a.get(row).checked_rem(b.get(row))),
                Divide => None,
            }
        }
        Type::Float => {
            let (a, b) = (View::<f64>::of(left)?, View::<f64>::of(right)?);
            let known = all_known(&[left, right], rows);
            match op {
                Add => map(rows, known, ty, slow, |row| finite(a.get(row) + b.get(row))),
                Subtract => map(rows, known, ty, slow, |row| finite(a.get(row) - b.get(row))),
                Multiply => map(rows, known, ty, slow, |row| finite(a.get(row) * b.get(row))),
                Divide => map(rows, known, ty, slow, |row| finite(a.get(row) / b.get(row))),
                Modulo => None,
            }
        }
        Type::Decimal { scale, .. } => decimals(op, left, right, *scale, ty, rows, slow),
        _ => None,
    }
}

/// Decimal arithmetic, exact, at the scales that the operands bring along.
fn decimals(
    op: ArithmeticOp,
    left: &Column,
    right: &Column,
    scale: u8,
    ty: &Type,
    rows: usize,
    slow: Slow,
) -> Option<Column> {
    let (a, b) = (View::<i128>::of(left)?, View::<i128>::of(right)?);
    let (a_scale, b_scale) = (left.scale()?, right.scale()?);
    let known = all_known(&[left, right], rows);
    if op == ArithmeticOp::Multiply {
        (a_scale.checked_add(b_scale)? == scale).then_some(())?;
        return map(rows, known, ty, slow, |row| within(a.get(row).checked_mul(b.get(row))?));
    }
    let factor = |from: u8| 10i128.checked_pow(u32::from(scale.checked_sub(from)?));
    let (a_factor, b_factor) = (factor(a_scale)?, factor(b_scale)?);
    let both = |row: usize| Some((a.get(row).checked_mul(a_factor)?, b.get(row).checked_mul(b_factor)?));
    match op {
        ArithmeticOp::Add => map(rows, known, ty, slow, |row| {
            let (a, b) = both(row)?;
            within(a.checked_add(b)?)
        }),
        ArithmeticOp::Subtract => map(rows, known, ty, slow, |row| {
            let (a, b) = both(row)?;
            within(a.checked_sub(b)?)
        }),
        _ => None,
    }
}

/// Functions of one number; `None` for those that no kernel knows.
pub(super) fn function(
    function: NumberFunction,
    column: &Column,
    ty: &Type,
    rows: usize,
    slow: Slow,
) -> Option<Column> {
    use NumberFunction::*;
    let known = all_known(&[column], rows);
    match ty {
        Type::Int => {
            let values = View::<i64>::of(column)?;
            match function {
                Abs => map(rows, known, ty, slow, |row| values.get(row).checked_abs()),
                Negate => map(rows, known, ty, slow, |row| values.get(row).checked_neg()),
                Floor | Ceil => Some(column.clone()),
                Log | Sqrt => None,
            }
        }
        Type::Float => {
            let values = View::<f64>::of(column)?;
            match function {
                Abs => map(rows, known, ty, slow, |row| finite(values.get(row).abs())),
                Negate => map(rows, known, ty, slow, |row| finite(-values.get(row))),
                Floor => map(rows, known, ty, slow, |row| finite(values.get(row).floor())),
                Ceil => map(rows, known, ty, slow, |row| finite(values.get(row).ceil())),
                Sqrt => map(rows, known, ty, slow, |row| finite(values.get(row).sqrt())),
                Log => map(rows, known, ty, slow, |row| finite(values.get(row).ln())),
            }
        }
        Type::Decimal { scale, .. } if column.scale() == Some(*scale) => {
            let values = View::<i128>::of(column)?;
            match function {
                Abs => map(rows, known, ty, slow, |row| within(values.get(row).checked_abs()?)),
                Negate => map(rows, known, ty, slow, |row| within(values.get(row).checked_neg()?)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The least, or the greatest, of columns of the node's type; missing where one is.
pub(super) fn extreme(columns: &[&Column], greatest: bool, ty: &Type, rows: usize) -> Option<Column> {
    let data = match ty {
        Type::Int | Type::Timestamp | Type::Time => fold::<i64>(columns, greatest, ty, rows)?,
        Type::Float => fold::<f64>(columns, greatest, ty, rows)?,
        Type::Decimal { scale, .. } => {
            columns.iter().all(|column| column.scale() == Some(*scale)).then_some(())?;
            fold::<i128>(columns, greatest, ty, rows)?
        }
        Type::Date => fold::<i32>(columns, greatest, ty, rows)?,
        _ => return None,
    };
    Some(Column { data, known: all_known(columns, rows) })
}

fn fold<T: Element>(columns: &[&Column], greatest: bool, ty: &Type, rows: usize) -> Option<Data> {
    let views = columns.iter().map(|column| View::<T>::of(column)).collect::<Option<Vec<_>>>()?;
    let (first, rest) = views.split_first()?;
    let mut values: Vec<T> = (0..rows).map(|row| first.get(row)).collect();
    for view in rest {
        for (row, value) in values.iter_mut().enumerate() {
            let other = view.get(row);
            if (greatest && other > *value) || (!greatest && other < *value) {
                *value = other;
            }
        }
    }
    T::wrap(values, ty)
}

/// Changes of type that a kernel knows: int to float and to decimal, decimal to a larger scale.
pub(super) fn convert(column: &Column, ty: &Type, rows: usize, slow: Slow) -> Option<Column> {
    let known = all_known(&[column], rows);
    match (ty, &column.data) {
        (Type::Float, Data::Int(values)) => {
            map(rows, known, ty, slow, |row| Some(values.get(row).copied().unwrap_or(0) as f64))
        }
        (Type::Decimal { scale, precision }, Data::Int(values)) => {
            let factor = 10i128.checked_pow(u32::from(*scale))?;
            let limit = 10i128.checked_pow(u32::from(*precision))?;
            map(rows, known, ty, slow, |row| {
                let digits = i128::from(values.get(row).copied().unwrap_or(0)).checked_mul(factor)?;
                (-limit < digits && digits < limit).then_some(digits)
            })
        }
        (Type::Decimal { scale, precision }, Data::Decimal(values, from)) if from <= scale => {
            let factor = 10i128.checked_pow(u32::from(scale - from))?;
            let limit = 10i128.checked_pow(u32::from(*precision))?;
            map(rows, known, ty, slow, |row| {
                let digits = values.get(row).copied().unwrap_or(0).checked_mul(factor)?;
                (-limit < digits && digits < limit).then_some(digits)
            })
        }
        _ => None,
    }
}

/// A float that needs no second thought: finite, and zero without a sign.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value + 0.0)
}

/// A decimal's digits, where there are at most 38.
fn within(digits: i128) -> Option<i128> {
    (-DECIMAL_LIMIT..=DECIMAL_LIMIT).contains(&digits).then_some(digits)
}

/// A value per row: fast where `fast` has an answer, by the scalar definition elsewhere.
#[inline(always)]
pub(super) fn map<T: Element>(
    rows: usize,
    known: Option<Bits>,
    ty: &Type,
    slow: Slow,
    mut fast: impl FnMut(usize) -> Option<T>,
) -> Option<Column> {
    let mut unsettled = Vec::new();
    let mut values = Vec::with_capacity(rows);
    for row in 0..rows {
        let value = fast(row).unwrap_or_else(|| {
            unsettled.push(row);
            T::default()
        });
        values.push(value);
    }
    let mut known = known;
    for row in unsettled {
        if known.as_ref().is_some_and(|known| !known.get(row)) {
            continue;
        }
        match (T::one(&slow(row)), values.get_mut(row)) {
            (Some(value), Some(place)) => *place = value,
            _ => known.get_or_insert_with(|| Bits::filled(rows, true)).clear(row),
        }
    }
    Some(Column { data: T::wrap(values, ty)?, known })
}
