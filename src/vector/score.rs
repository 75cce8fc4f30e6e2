//! Scores and their digits, a chunk at a time.

use super::bits::Bits;
use super::column::{Column, Data, Element, View, all_known};
use crate::program::Value;
use arrow::array::StringArray;
use std::sync::Arc;

/// Combinations of digits for which a list of texts is made beforehand.
const MOST_CODES: i64 = 4096;

/// [`crate::program::Expr::Score`] where the cuts are constants; `None` where one is not.
pub(super) fn score(value: &Column, cuts: &[&Column], lowest_is_best: bool, rows: usize) -> Option<Column> {
    let cuts: Vec<&Value> = cuts
        .iter()
        .map(|cut| match &cut.data {
            Data::Constant(cut) => Some(cut),
            _ => None,
        })
        .collect::<Option<_>>()?;
    if cuts.iter().any(|cut| cut.is_missing()) {
        return Some(Column::constant(Value::Missing));
    }
    let same_scale = |cut: &&Value| match cut {
        Value::Decimal(cut) => value.scale() == Some(cut.scale),
        _ => true,
    };
    if !cuts.iter().all(same_scale) {
        return None;
    }
    let scores = levels::<i64>(value, &cuts, lowest_is_best, rows)
        .or_else(|| levels::<f64>(value, &cuts, lowest_is_best, rows))
        .or_else(|| levels::<i128>(value, &cuts, lowest_is_best, rows))?;
    Some(Column { data: Data::Int(scores.into()), known: value.known.clone() })
}

fn levels<T: Element>(
    value: &Column,
    cuts: &[&Value],
    lowest_is_best: bool,
    rows: usize,
) -> Option<Vec<i64>> {
    // A constant is left to the definition.
    let values = T::many(&value.data)?;
    let cuts: Vec<T> = cuts.iter().map(|cut| T::one(cut)).collect::<Option<_>>()?;
    let (first, step) = if lowest_is_best { (i64::try_from(cuts.len()).ok()? + 1, -1) } else { (1, 1) };
    let mut levels = vec![first; rows];
    for cut in cuts {
        for (level, value) in levels.iter_mut().zip(values) {
            *level += if *value > cut { step } else { 0 };
        }
    }
    Some(levels)
}

/// [`crate::program::Expr::Digits`] of ints that are near each other, as numbers in a list of texts;
/// `None` for others.
pub(super) fn digits(operands: &[&Column], rows: usize) -> Option<Column> {
    let known: Option<Bits> = all_known(operands, rows);
    let is_known = |row: usize| known.as_ref().is_none_or(|known| known.get(row));
    let mut codes = vec![0_i64; rows];
    let mut ranges: Vec<(i64, i64)> = Vec::with_capacity(operands.len());
    let mut count = 1_i64;
    for operand in operands {
        let values = View::<i64>::of(operand)?;
        let each = || (0..rows).filter(|row| is_known(*row)).map(|row| values.get(row));
        let (least, greatest) = each().fold((i64::MAX, i64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        if least > greatest {
            return Some(Column::constant(Value::Missing));
        }
        let width = greatest.checked_sub(least)?.checked_add(1)?;
        count = count.checked_mul(width).filter(|count| *count <= MOST_CODES)?;
        for (row, code) in codes.iter_mut().enumerate() {
            // What stands where a value is missing may be anything.
            *code = *code * width + values.get(row).wrapping_sub(least).clamp(0, width - 1);
        }
        ranges.push((least, width));
    }
    let texts: StringArray = (0..count).map(|code| Some(text(code, &ranges))).collect();
    let codes: Vec<i32> = codes.into_iter().map(|code| i32::try_from(code).unwrap_or(0)).collect();
    Some(Column { data: Data::Dictionary(codes.into(), Arc::new(texts)), known })
}

/// The digits of a combination, which is a number whose places have these ranges.
fn text(mut code: i64, ranges: &[(i64, i64)]) -> String {
    let mut values: Vec<String> = Vec::with_capacity(ranges.len());
    for (least, width) in ranges.iter().rev() {
        values.push((least + code % width).to_string());
        code /= width;
    }
    values.reverse();
    values.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_each_value() {
        let ints = |values: Vec<i64>, known: Option<Bits>| Column { data: Data::Int(values.into()), known };
        let known = Bits::from_fn(3, |row| row != 1);
        let (a, b) = (ints(vec![5, 900, -1], Some(known)), ints(vec![4, 2, 10], None));
        let found = digits(&[&a, &b], 3).unwrap();
        assert_eq!([found.text(0), found.text(1), found.text(2)], [Some("54"), None, Some("-110")]);
        assert!(digits(&[&ints(vec![0, 5000], None)], 2).is_none());
    }

    #[test]
    fn equal_to_a_cut_is_below_it() {
        let value = Column { data: Data::Int(vec![1, 2, 3, 9].into()), known: None };
        let cuts = [Column::constant(Value::Int(2)), Column::constant(Value::Int(3))];
        let cuts: Vec<&Column> = cuts.iter().collect();
        let values = |column: Column| (0..4).map(|row| column.value(row)).collect::<Vec<_>>();
        let ints = |values: [i64; 4]| values.map(Value::Int).to_vec();
        assert_eq!(values(score(&value, &cuts, false, 4).unwrap()), ints([1, 1, 2, 3]));
        assert_eq!(values(score(&value, &cuts, true, 4).unwrap()), ints([3, 3, 2, 1]));
    }
}
