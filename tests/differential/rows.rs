//! Random users: missing, ordinary, at the edge of the program's constants, and extreme.

use crate::model::Kind;
use crate::programs::Generated;
use crate::random::Random;
use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
    Int64Builder, ListBuilder, RecordBatch, RecordBatchOptions, StringArray, StringBuilder,
    TimestampMicrosecondArray, UInt32Array, UInt32Builder,
};
use arrow::datatypes::{Field, Int32Type, Schema};
use std::sync::Arc;
use strata::program::{Decimal, Program, Type, Value};
use strata::semantics::columnar::column_type;

/// A day's microseconds.
const DAY: i64 = 86_400_000_000;

/// A value per column of the user table, the key first.
pub fn rows(
    random: &mut Random,
    generated: &Generated,
    program: &Program,
    now: i64,
    count: usize,
) -> Vec<Vec<Value>> {
    let users = program.users.as_ref().unwrap();
    let moments = moments(program, now);
    (0..count)
        .map(|row| {
            let columns = users.columns.iter().map(|column| {
                if column.name == "id" {
                    return Value::Int(row as i64);
                }
                // Data may break their declaration: a required value may be missing.
                if random.percent(if column.optional { 20 } else { 3 }) {
                    return Value::Missing;
                }
                value(random, &column.ty, program, &generated.constants, &moments)
            });
            columns.collect()
        })
        .collect()
}

/// Moments at which something happens: `now`, midnights, changes of the clocks.
pub fn moments(program: &Program, now: i64) -> Vec<i64> {
    let zone = jiff::tz::TimeZone::get(&program.timezone).unwrap();
    let mut moments = vec![now, 0];
    let start = jiff::Timestamp::from_microsecond(now - 800 * DAY).unwrap();
    moments.extend(zone.following(start).take(8).map(|change| change.timestamp().as_microsecond()));
    let local = zone.to_datetime(jiff::Timestamp::from_microsecond(now).unwrap());
    for back in 0..6 {
        let date = local.date().saturating_sub(jiff::Span::new().days(back * 30));
        moments.push(zone.to_timestamp(date.at(0, 0, 0, 0)).unwrap().as_microsecond());
    }
    moments
}

pub fn value(
    random: &mut Random,
    ty: &Type,
    program: &Program,
    constants: &[(Kind, Value)],
    moments: &[i64],
) -> Value {
    let mentioned: Vec<&Value> = constants
        .iter()
        .map(|(_, value)| value)
        .filter(|value| {
            matches!(
                (ty, value),
                (Type::Int, Value::Int(_))
                    | (Type::Float, Value::Float(_) | Value::Int(_))
                    | (Type::Decimal { .. }, Value::Decimal(_) | Value::Int(_))
                    | (Type::Text, Value::Text(_))
                    | (Type::Date, Value::Date(_) | Value::Timestamp(_))
                    | (Type::Timestamp, Value::Timestamp(_) | Value::Date(_))
            )
        })
        .collect();
    let near = (!mentioned.is_empty() && random.percent(45)).then(|| (*random.pick(&mentioned)).clone());
    let step = *random.pick(&[0, 0, 1, -1]);
    match ty {
        Type::Bool => Value::Bool(random.percent(50)),
        Type::Int => Value::Int(match near {
            Some(Value::Int(n)) => n.saturating_add(step),
            _ => match random.below(12) {
                0 => *random.pick(&[i64::MIN, i64::MAX, i64::MIN + 1, 1 << 53, -(1 << 40)]),
                1 => random.between(-1_000_000_000, 1_000_000_000),
                _ => random.between(-10, 130),
            },
        }),
        Type::Float => Value::Float(match near {
            Some(Value::Float(x)) => [x, x.next_up(), x.next_down()][random.below(3)] + 0.0,
            Some(Value::Int(n)) => n as f64 + 0.0,
            _ => match random.below(12) {
                0 => *random.pick(&[f64::MAX, f64::MIN, f64::MIN_POSITIVE, 0.0, 1e300, f64::INFINITY]),
                1 => random.between(-1 << 60, 1 << 60) as f64 / 3.0,
                _ => random.between(-1_000, 10_000) as f64 / 64.0,
            },
        }),
        Type::Decimal { precision, scale } => {
            let most = 10i128.pow(u32::from(*precision)) - 1;
            let one = 10i128.pow(u32::from(*scale));
            let unscaled = match near {
                Some(Value::Decimal(near)) => {
                    near.unscaled * 10i128.pow(u32::from(scale.saturating_sub(near.scale))) + i128::from(step)
                }
                Some(Value::Int(n)) => i128::from(n) * one + i128::from(step),
                _ => match random.below(12) {
                    0 => *random.pick(&[most, -most, 0, 1, -1, most / 2 + 1]),
                    1 => i128::from(random.between(i64::MIN, i64::MAX)),
                    _ => i128::from(random.between(-2_000, 9_000)) * one / 100,
                },
            };
            Value::Decimal(Decimal { unscaled: unscaled.clamp(-most, most), scale: *scale })
        }
        Type::Text => match near {
            Some(Value::Text(text)) => Value::Text(match random.below(4) {
                0 => format!("{text}x").into(),
                1 => text.to_uppercase().into(),
                _ => text,
            }),
            _ => Value::Text((*random.pick(&["", "vip", "杭州", " x", "zz9", "ß", "a\tb", "北京"])).into()),
        },
        Type::Date => Value::Date(match near {
            Some(Value::Date(days)) => days + step as i32,
            Some(Value::Timestamp(at)) => at.div_euclid(DAY) as i32 + step as i32,
            _ => match random.below(14) {
                // The calendar's ends, and what no calendar has.
                0 => *random.pick(&[-4_371_587, 2_932_896, i32::MIN, i32::MAX, -719_528, 0]),
                1 => *random.pick(&[11_016, 12_477, 19_782, 20_147]),
                2..=5 => (random.pick(moments).div_euclid(DAY) + random.between(-3, 3)) as i32,
                6..=9 => (moments[0].div_euclid(DAY) + random.between(-400, 40)) as i32,
                _ => random.between(-10_000, 30_000) as i32,
            },
        }),
        Type::Timestamp => Value::Timestamp(match near {
            Some(Value::Timestamp(at)) => at + step,
            Some(Value::Date(days)) => i64::from(days) * DAY + step,
            _ => match random.below(14) {
                0 => {
                    *random.pick(&[i64::MIN, i64::MAX, -377_705_023_201_000_000, 253_402_207_200_999_999, 0])
                }
                1..=5 => random.pick(moments) + random.between(-2, 2) * *random.pick(&[1, 1, 3_600_000_000]),
                6..=9 => moments[0] + random.between(-400 * DAY, 40 * DAY),
                _ => random.between(-3_000_000, 5_000_000) * 1_000_000_000,
            },
        }),
        Type::Time => Value::Time(random.between(0, DAY - 1)),
        Type::Label(id) => Value::Label(random.below(program.types[id.0 as usize].labels.len()) as u32),
        Type::List(item) => {
            let count = random.below(4);
            Value::List((0..count).map(|_| value(random, item, program, constants, moments)).collect())
        }
    }
}

/// How text columns are laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Texts {
    Plain,
    Dictionary,
}

/// The rows as a batch in checked layout.
pub fn batch(program: &Program, rows: &[Vec<Value>], texts: Texts) -> RecordBatch {
    let users = program.users.as_ref().unwrap();
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (at, column) in users.columns.iter().enumerate() {
        let values: Vec<&Value> = rows.iter().map(|row| &row[at]).collect();
        let array = array(&values, &column.ty, texts);
        fields.push(Field::new(&column.name, arrow::array::Array::data_type(&array).clone(), true));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).unwrap()
}

fn array(values: &[&Value], ty: &Type, texts: Texts) -> ArrayRef {
    macro_rules! column {
        ($array:ty, $kind:pat => $value:expr) => {{
            let values = values.iter().map(|value| match value {
                $kind => Some($value),
                _ => None,
            });
            values.collect::<$array>()
        }};
    }
    match ty {
        Type::Bool => Arc::new(column!(BooleanArray, Value::Bool(x) => *x)),
        Type::Int => Arc::new(column!(Int64Array, Value::Int(x) => *x)),
        Type::Float => Arc::new(column!(Float64Array, Value::Float(x) => *x)),
        Type::Decimal { .. } => Arc::new(
            column!(Decimal128Array, Value::Decimal(x) => x.unscaled).with_data_type(column_type(ty)),
        ),
        Type::Text => {
            let texts_of = values.iter().map(|value| match value {
                Value::Text(text) => Some(&**text),
                _ => None,
            });
            match texts {
                Texts::Plain => Arc::new(texts_of.collect::<StringArray>()),
                Texts::Dictionary => Arc::new(texts_of.collect::<DictionaryArray<Int32Type>>()),
            }
        }
        Type::Date => Arc::new(column!(Date32Array, Value::Date(x) => *x)),
        Type::Timestamp => Arc::new(
            column!(TimestampMicrosecondArray, Value::Timestamp(x) => *x).with_data_type(column_type(ty)),
        ),
        Type::Label(_) => Arc::new(column!(UInt32Array, Value::Label(x) => *x)),
        Type::List(item) => match **item {
            Type::Text => {
                let mut builder = ListBuilder::new(StringBuilder::new());
                for value in values {
                    match value {
                        Value::List(items) => {
                            for item in items.iter() {
                                if let Value::Text(text) = item {
                                    builder.values().append_value(text);
                                }
                            }
                            builder.append(true);
                        }
                        _ => builder.append(false),
                    }
                }
                Arc::new(builder.finish())
            }
            Type::Int => {
                let mut builder = ListBuilder::new(Int64Builder::new());
                for value in values {
                    builder.append_option(match value {
                        Value::List(items) => Some(items.iter().map(|item| match item {
                            Value::Int(x) => Some(*x),
                            _ => None,
                        })),
                        _ => None,
                    });
                }
                Arc::new(builder.finish())
            }
            Type::Label(_) => {
                let mut builder = ListBuilder::new(UInt32Builder::new());
                for value in values {
                    builder.append_option(match value {
                        Value::List(items) => Some(items.iter().map(|item| match item {
                            Value::Label(x) => Some(*x),
                            _ => None,
                        })),
                        _ => None,
                    });
                }
                Arc::new(builder.finish())
            }
            _ => unreachable!("no such lists are generated"),
        },
        Type::Time => unreachable!("no column is a time of day"),
    }
}
