//! How values are written in texts: of plays, of paths, of keys.

use super::{Environment, calendar};
use crate::program::{Decimal, TextFormat, TextPart, Value};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::fmt::strtime;
use std::fmt::Write;

/// The most digits after the point that a format may ask for.
pub const MOST_DIGITS: u8 = 30;

/// A text from its parts; `values` are those of its values, in order.
pub fn text<'v>(
    parts: &[TextPart],
    mut values: impl Iterator<Item = &'v Value>,
    environment: &Environment<'_>,
) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            TextPart::Literal(literal) => out.push_str(literal),
            TextPart::Value(_, format) => {
                write(&mut out, values.next().unwrap_or(&Value::Missing), format, environment)
            }
        }
    }
    out
}

/// Writes one value. Labels have no text here: a checked program has turned them into texts.
pub fn write(out: &mut String, value: &Value, format: &TextFormat, environment: &Environment<'_>) {
    match format {
        TextFormat::Plain => plain(out, value, environment),
        TextFormat::Digits(digits) => out.push_str(&with_digits(value, *digits)),
        TextFormat::Time(pattern) => out.push_str(&by_pattern(pattern, value, environment)),
        TextFormat::Step => match value {
            Value::Text(member) => step(out, member),
            _ => out.push(NO_STEP),
        },
    }
}

/// What stands in a path for a step that the user has no value for.
pub const NO_STEP: char = '-';

/// What parts the steps of a path.
pub const BETWEEN_STEPS: char = '/';

/// Writes a member as a step of a path: `/`, `-` and `\` with a `\` before them.
pub fn step(out: &mut String, member: &str) {
    for letter in member.chars() {
        if matches!(letter, BETWEEN_STEPS | NO_STEP | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
}

/// The steps of a path, as members; none for `-`.
pub fn steps(path: &str) -> Vec<Option<String>> {
    let mut steps = Vec::new();
    let mut step = String::new();
    let mut plain = true;
    let mut letters = path.chars();
    loop {
        let letter = letters.next();
        match letter {
            Some('\\') => {
                step.extend(letters.next());
                plain = false;
            }
            None | Some(BETWEEN_STEPS) => {
                let none = plain && step == "-";
                let done = std::mem::take(&mut step);
                steps.push((!none).then_some(done));
                plain = true;
                if letter.is_none() {
                    return steps;
                }
            }
            Some(other) => step.push(other),
        }
    }
}

fn plain(out: &mut String, value: &Value, environment: &Environment<'_>) {
    let _ = match value {
        Value::Missing | Value::Label(_) => Ok(()),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        // The shortest digits that read back as the same double, never with an exponent.
        Value::Float(value) => write!(out, "{value}"),
        Value::Decimal(value) => write!(out, "{value}"),
        Value::Text(value) => write!(out, "{value}"),
        Value::Date(days) => calendar::date(*days).map_or(Ok(()), |date| write!(out, "{date}")),
        Value::Timestamp(micros) => match calendar::local(&environment.zone, *micros) {
            Some(local) => write!(out, "{} {}", local.date(), local.time()),
            None => Ok(()),
        },
        Value::Time(micros) => time(*micros).map_or(Ok(()), |time| write!(out, "{time}")),
        Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                plain(out, item, environment);
            }
            Ok(())
        }
    };
}

fn time(micros: i64) -> Option<Time> {
    let seconds = micros / 1_000_000;
    Time::new(
        i8::try_from(seconds / 3600).ok()?,
        i8::try_from(seconds / 60 % 60).ok()?,
        i8::try_from(seconds % 60).ok()?,
        i32::try_from(micros % 1_000_000 * 1000).ok()?,
    )
    .ok()
}

/// A number with so many digits after the point, half away from zero. What rounds to zero has no
/// sign.
fn with_digits(value: &Value, digits: u8) -> String {
    let scale = digits.min(MOST_DIGITS);
    let written = match value {
        Value::Int(value) => decimal_with(Decimal { unscaled: i128::from(*value), scale: 0 }, scale),
        Value::Decimal(value) => decimal_with(*value, scale),
        Value::Float(value) => float_with(*value, usize::from(scale)),
        _ => String::new(),
    };
    match written.strip_prefix('-') {
        Some(rest) if rest.chars().all(|letter| matches!(letter, '0' | '.')) => rest.to_owned(),
        _ => written,
    }
}

fn decimal_with(value: Decimal, scale: u8) -> String {
    if scale >= value.scale {
        let mut text = value.to_string();
        if value.scale == 0 && scale > 0 {
            text.push('.');
        }
        text.extend(std::iter::repeat_n('0', usize::from(scale - value.scale)));
        return text;
    }
    let unit = 10_i128.pow(u32::from(value.scale - scale));
    let (whole, rest) = (value.unscaled / unit, value.unscaled % unit);
    // A remainder is below 10^38, so twice it may be beyond 128 bits: compare with the half.
    let up = rest.unsigned_abs() >= unit.unsigned_abs().div_ceil(2);
    Decimal { unscaled: whole + if up { value.unscaled.signum() } else { 0 }, scale }.to_string()
}

/// The library rounds the exact value of the double, but a tie to the even digit: ties are those whose
/// exact value ends right after the digit 5, so that it has one binary digit more.
fn float_with(value: f64, digits: usize) -> String {
    let rounded = format!("{value:.digits$}");
    let scaled = value.abs() * 2_f64.powi(i32::try_from(digits + 1).unwrap_or(i32::MAX));
    if !scaled.is_finite() || scaled.fract() != 0.0 {
        return rounded;
    }
    let exact = format!("{value:.places$}", places = digits + 1);
    let Some(kept) = exact.strip_suffix('5') else { return rounded };
    let mut carried: Vec<char> = Vec::with_capacity(kept.len() + 1);
    let mut carry = true;
    for letter in kept.trim_end_matches('.').chars().rev() {
        match letter.to_digit(10) {
            Some(9) if carry => carried.push('0'),
            Some(digit) if carry => {
                carried.extend(char::from_digit(digit + 1, 10));
                carry = false;
            }
            None if letter == '-' && carry => {
                carried.push('1');
                carried.push('-');
                carry = false;
            }
            _ => carried.push(letter),
        }
    }
    if carry {
        carried.push('1');
    }
    carried.iter().rev().collect()
}

fn by_pattern(pattern: &str, value: &Value, environment: &Environment<'_>) -> String {
    let written = match value {
        Value::Date(days) => calendar::date(*days).and_then(|date| of_date(pattern, date)),
        Value::Timestamp(micros) => Timestamp::from_microsecond(*micros).ok().and_then(|moment| {
            strtime::format(pattern, &moment.to_zoned_datetime(environment.zone.clone())).ok()
        }),
        Value::Time(micros) => time(*micros).and_then(|time| strtime::format(pattern, time).ok()),
        _ => None,
    };
    written.unwrap_or_default()
}

fn of_date(pattern: &str, date: Date) -> Option<String> {
    strtime::format(pattern, date).ok()
}

/// Whether a pattern can write a date (else a time of day, else a moment).
pub fn pattern_fits(pattern: &str, example: &Value) -> bool {
    let written = match example {
        Value::Date(_) => strtime::format(pattern, jiff::civil::date(2024, 11, 15)),
        Value::Time(_) => strtime::format(pattern, jiff::civil::time(8, 5, 9, 0)),
        _ => strtime::format(pattern, &Timestamp::UNIX_EPOCH.to_zoned_datetime(jiff::tz::TimeZone::UTC)),
    };
    written.is_ok()
}

/// A user's key as text, for splits: an int in digits, a decimal with the digits of its scale, a date
/// as `2024-11-15`, a timestamp as `2024-11-15T08:00:00Z` in UTC with a fraction of a second only where
/// there is one.
pub fn key(value: &Value) -> Option<String> {
    match value {
        Value::Int(value) => Some(value.to_string()),
        Value::Decimal(value) => Some(value.to_string()),
        Value::Text(value) => Some(value.to_string()),
        Value::Date(days) => calendar::date(*days).map(|date| date.to_string()),
        Value::Timestamp(micros) => {
            Timestamp::from_microsecond(*micros).ok().map(|moment| moment.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::Facts;

    fn written(value: Value, format: TextFormat) -> String {
        let facts = Facts::default();
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
        let environment = Environment { zone, now: 0, facts: &facts };
        let mut out = String::new();
        write(&mut out, &value, &format, &environment);
        out
    }

    #[test]
    fn values_as_they_are() {
        let plain = |value| written(value, TextFormat::Plain);
        assert_eq!(plain(Value::Float(0.1)), "0.1");
        assert_eq!(plain(Value::Float(5.0)), "5");
        assert_eq!(plain(Value::Float(1e21)), "1000000000000000000000");
        assert_eq!(plain(Value::Decimal(Decimal { unscaled: -5, scale: 2 })), "-0.05");
        assert_eq!(plain(Value::Missing), "");
        assert_eq!(plain(Value::Date(20_042)), "2024-11-15");
        assert_eq!(plain(Value::Timestamp(1_731_628_800_000_000)), "2024-11-15 08:00:00");
        assert_eq!(plain(Value::Time(29_100_000_000)), "08:05:00");
    }

    #[test]
    fn digits_round_half_away_from_zero() {
        let digits = |value, digits| written(value, TextFormat::Digits(digits));
        assert_eq!(digits(Value::Float(0.125), 2), "0.13");
        assert_eq!(digits(Value::Float(-0.125), 2), "-0.13");
        assert_eq!(digits(Value::Float(0.5), 0), "1");
        assert_eq!(digits(Value::Float(1.5), 0), "2");
        assert_eq!(digits(Value::Float(2.5), 0), "3");
        assert_eq!(digits(Value::Float(-9.5), 0), "-10");
        assert_eq!(digits(Value::Float(9.96875), 4), "9.9688");
        assert_eq!(digits(Value::Float(99.5), 0), "100");
        // The double is a little less than this.
        assert_eq!(digits(Value::Float(2.675), 2), "2.67");
        assert_eq!(digits(Value::Float(-0.001), 2), "0.00");
        assert_eq!(digits(Value::Float(1e22), 1), "10000000000000000000000.0");
        assert_eq!(digits(Value::Int(7), 2), "7.00");
        assert_eq!(digits(Value::Decimal(Decimal { unscaled: 12345, scale: 3 }), 2), "12.35");
        assert_eq!(digits(Value::Decimal(Decimal { unscaled: -12345, scale: 3 }), 2), "-12.35");
        assert_eq!(digits(Value::Decimal(Decimal { unscaled: 12344, scale: 3 }), 0), "12");
        assert_eq!(digits(Value::Decimal(Decimal { unscaled: 5, scale: 1 }), 0), "1");
        assert_eq!(digits(Value::Missing, 2), "");
    }

    #[test]
    fn dates_by_a_pattern() {
        let shown = |value, pattern: &str| written(value, TextFormat::Time(pattern.to_owned()));
        assert_eq!(shown(Value::Date(20_042), "%m月%d日"), "11月15日");
        assert_eq!(shown(Value::Timestamp(1_731_628_800_000_000), "%Y/%m/%d %H:%M"), "2024/11/15 08:00");
        assert!(pattern_fits("%m月%d日", &Value::Date(0)));
        assert!(!pattern_fits("%H:%M", &Value::Date(0)));
        assert!(!pattern_fits("%Q!%", &Value::Date(0)));
    }

    #[test]
    fn paths_read_back() {
        for members in [vec![Some("a/b"), None], vec![Some("-"), Some("\\"), Some("c-d")], vec![Some("专业")]]
        {
            let mut path = String::new();
            for (at, member) in members.iter().enumerate() {
                if at > 0 {
                    path.push(BETWEEN_STEPS);
                }
                match member {
                    Some(member) => step(&mut path, member),
                    None => path.push(NO_STEP),
                }
            }
            let read = steps(&path);
            let expected: Vec<Option<String>> =
                members.iter().map(|member| member.map(str::to_owned)).collect();
            assert_eq!(read, expected, "{path}");
        }
    }
}
