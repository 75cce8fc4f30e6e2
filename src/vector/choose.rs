//! Values by cases, the first that applies; points and counts over conditions.

use super::bits::{Bits, Pool};
use super::column::{Column, Data, Element, View};
use super::kernels;
use crate::program::{Quantifier, Type, Value};
use arrow::array::{StringArray, StringBuilder};
use arrow::buffer::ScalarBuffer;
use std::borrow::Cow;
use std::sync::Arc;

/// One outcome with the rows that it is for; no two share a row.
pub(super) struct Choice<'a> {
    pub rows: Bits,
    pub column: &'a Column,
}

/// Peels: each row goes to the first condition that holds for it, the rest to the last column.
pub(super) fn peel<'a>(
    arms: impl IntoIterator<Item = (Bits, &'a Column)>,
    otherwise: Option<&'a Column>,
    rows: usize,
) -> Vec<Choice<'a>> {
    let mut remaining = Bits::filled(rows, true);
    let mut choices = Vec::new();
    for (mut condition, column) in arms {
        condition.and(&remaining);
        if condition.is_empty() {
            continue;
        }
        remaining.and_not(&condition);
        choices.push(Choice { rows: condition, column });
    }
    if let Some(column) = otherwise
        && !remaining.is_empty()
    {
        choices.push(Choice { rows: remaining, column });
    }
    choices
}

/// The rows that go to each of some conditions, by its number: each row to the first that holds.
pub(super) fn first_match(conditions: impl Iterator<Item = Bits>, rows: usize) -> Vec<(usize, Bits)> {
    let mut remaining = Bits::filled(rows, true);
    let mut chosen = Vec::new();
    for (at, mut condition) in conditions.enumerate() {
        condition.and(&remaining);
        if !condition.is_empty() {
            remaining.and_not(&condition);
            chosen.push((at, condition));
        }
    }
    chosen
}

/// The code of the first condition that holds; of no condition, `otherwise`.
pub(super) fn labels<'a>(
    arms: impl Iterator<Item = (Cow<'a, Bits>, u32)>,
    otherwise: Option<u32>,
    rows: usize,
    pool: &mut Pool,
) -> Column {
    let mut codes = vec![otherwise.unwrap_or_default(); rows];
    let mut remaining = pool.filled(rows, true);
    let mut chosen = pool.bits(rows);
    for (condition, code) in arms {
        if kernels::peel(chosen.words_mut(), remaining.words_mut(), condition.words()) {
            for row in chosen.rows() {
                if let Some(place) = codes.get_mut(row) {
                    *place = code;
                }
            }
        }
    }
    pool.put(chosen);
    let known = match otherwise {
        None => {
            remaining.not();
            Some(remaining)
        }
        Some(_) => {
            pool.put(remaining);
            None
        }
    };
    Column { data: Data::Label(codes.into()), known }
}

/// The chosen values; rows of no choice are missing. `None` for kinds that no kernel knows.
pub(super) fn choose(choices: &[Choice], ty: &Type, rows: usize) -> Option<Column> {
    let data = match ty {
        Type::Bool => bools(choices, rows)?,
        Type::Int | Type::Timestamp | Type::Time => fill::<i64>(choices, ty, rows)?,
        Type::Float => fill::<f64>(choices, ty, rows)?,
        Type::Decimal { scale, .. } => {
            let same = |choice: &Choice| choice.column.scale().is_none_or(|other| other == *scale);
            choices.iter().all(same).then_some(())?;
            fill::<i128>(choices, ty, rows)?
        }
        Type::Date => fill::<i32>(choices, ty, rows)?,
        Type::Label(_) => fill::<u32>(choices, ty, rows)?,
        Type::Text => texts(choices, rows)?,
        Type::List(_) => return None,
    };
    let mut known = Bits::filled(rows, false);
    for Choice { rows: chosen, column } in choices {
        match (&column.data, &column.known) {
            (Data::Constant(value), _) if value.is_missing() => {}
            (Data::Constant(_), _) | (_, None) => known.or(chosen),
            (_, Some(bits)) => {
                let mut both = chosen.clone();
                both.and(bits);
                known.or(&both);
            }
        }
    }
    Some(Column { data, known: Some(known) })
}

/// Fixed-size values.
fn fill<T: Element>(choices: &[Choice], ty: &Type, rows: usize) -> Option<Data> {
    let mut values = vec![T::default(); rows];
    for Choice { rows: chosen, column } in choices {
        if matches!(column.data, Data::Constant(Value::Missing)) {
            continue;
        }
        let view = View::<T>::of(column)?;
        for row in chosen.rows() {
            if let Some(value) = values.get_mut(row) {
                *value = view.get(row);
            }
        }
    }
    T::wrap(values, ty)
}

/// Bools: bitmaps again.
fn bools(choices: &[Choice], rows: usize) -> Option<Data> {
    let mut bits = Bits::filled(rows, false);
    for Choice { rows: chosen, column } in choices {
        match &column.data {
            Data::Bool(values) => {
                let mut both = chosen.clone();
                both.and(values);
                bits.or(&both);
            }
            Data::Constant(Value::Bool(true)) => bits.or(chosen),
            Data::Constant(Value::Bool(false) | Value::Missing) => {}
            _ => return None,
        }
    }
    Some(Data::Bool(bits))
}

/// Texts: a dictionary where all are constants, else written out.
fn texts(choices: &[Choice], rows: usize) -> Option<Data> {
    let mut numbers = vec![-1i32; rows];
    for (choice, number) in choices.iter().zip(0..) {
        for row in choice.rows.rows() {
            if let Some(place) = numbers.get_mut(row) {
                *place = number;
            }
        }
    }
    let constant = |choice: &Choice| match &choice.column.data {
        Data::Constant(Value::Text(text)) => Some(text.clone()),
        Data::Constant(Value::Missing) => Some("".into()),
        _ => None,
    };
    if let Some(texts) = choices.iter().map(constant).collect::<Option<Vec<_>>>() {
        let texts: StringArray = texts.iter().map(|text| Some(&**text)).collect();
        return Some(Data::Dictionary(ScalarBuffer::from(numbers), Arc::new(texts)));
    }
    let mut builder = StringBuilder::with_capacity(rows, rows * 8);
    for (row, number) in numbers.iter().enumerate() {
        let choice = usize::try_from(*number).ok().and_then(|number| choices.get(number));
        builder.append_value(choice.and_then(|choice| choice.column.text(row)).unwrap_or(""));
    }
    Some(Data::Text(builder.finish()))
}

/// Sum of the points whose conditions hold; `None` where a sum may not fit.
pub(super) fn points(arms: &[(Bits, i64)], rows: usize) -> Option<Column> {
    arms.iter().try_fold(0i64, |sum, (_, points)| sum.checked_add(points.checked_abs()?))?;
    let mut sums = vec![0i64; rows];
    for (condition, points) in arms {
        for row in condition.rows() {
            if let Some(sum) = sums.get_mut(row) {
                *sum += points;
            }
        }
    }
    Some(Column { data: Data::Int(sums.into()), known: None })
}

/// So many of the conditions hold: binary counters, 64 rows at a time, one word per digit.
pub(super) fn count_of(quantifier: Quantifier, count: u32, conditions: &[Cow<Bits>], rows: usize) -> Bits {
    let digits = (usize::BITS - conditions.len().leading_zeros()).max(32 - count.leading_zeros()) as usize;
    let mut words = Vec::with_capacity(rows.div_ceil(64));
    let mut counter = vec![0u64; digits];
    for index in 0..rows.div_ceil(64) {
        counter.fill(0);
        for condition in conditions {
            let mut carry = condition.words().get(index).copied().unwrap_or(0);
            for digit in &mut counter {
                (*digit, carry) = (*digit ^ carry, *digit & carry);
            }
        }
        let (mut greater, mut equal) = (0u64, u64::MAX);
        for (place, digit) in counter.iter().enumerate().rev() {
            let wanted = if count >> place & 1 == 1 { u64::MAX } else { 0 };
            greater |= equal & digit & !wanted;
            equal &= !(digit ^ wanted);
        }
        words.push(match quantifier {
            Quantifier::AtLeast => greater | equal,
            Quantifier::AtMost => !greater,
            Quantifier::Exactly => equal,
        });
    }
    Bits::from_words(words, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_agrees_with_counting_row_by_row() {
        let condition = |by| Bits::from_fn(300, |row| row * 7 % by == 0 || row > 290);
        let conditions: Vec<Cow<Bits>> = (2..9).map(|by| Cow::Owned(condition(by))).collect();
        for count in 0..10 {
            let held = |row: usize| conditions.iter().filter(|bits| bits.get(row)).count();
            let expected =
                |holds: fn(usize, usize) -> bool| Bits::from_fn(300, |row| holds(held(row), count as usize));
            let actual = |quantifier| count_of(quantifier, count, &conditions, 300);
            assert_eq!(actual(Quantifier::AtLeast), expected(|held, count| held >= count));
            assert_eq!(actual(Quantifier::AtMost), expected(|held, count| held <= count));
            assert_eq!(actual(Quantifier::Exactly), expected(|held, count| held == count));
        }
    }
}
