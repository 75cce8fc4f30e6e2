//! Values from text: CSV, JSON, folder names, and dates of typed files that come as text.

use super::cast::{Cast, bools, fits, in_reach, rescale, strings};
use super::clock::{Clock, FIRST_DAY, MICROS, days};
use crate::program::Type;
use crate::semantics::columnar::column_type;
use arrow::array::{
    Array, ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use jiff::fmt::strtime;
use std::sync::Arc;

/// Reads each text as the type; one that does not read becomes null.
pub(super) fn parse(ty: &Type, format: Option<&str>, texts: &StringArray, clock: &mut Clock) -> Cast {
    let trimmed = texts.iter().map(|text| text.map(str::trim));
    let array: ArrayRef = match ty {
        Type::Bool => bools(trimmed.map(|text| boolean(text?))),
        Type::Int => Arc::new(trimmed.map(|text| int(text?)).collect::<Int64Array>()),
        Type::Float => {
            let array: Float64Array = trimmed.map(|text| float(text?)).collect();
            let nan = |text: Option<&str>| text.is_some_and(|text| !text.trim().eq_ignore_ascii_case("nan"));
            let present = NullBuffer::new(BooleanBuffer::from_iter(texts.iter().map(nan)));
            return Cast::of(Arc::new(array), Some(present));
        }
        Type::Decimal { precision, scale } => {
            let array: Decimal128Array = trimmed.map(|text| decimal(text?, *precision, *scale)).collect();
            match array.with_precision_and_scale(*precision, i8::try_from(*scale).unwrap_or(i8::MAX)) {
                Ok(array) => Arc::new(array),
                Err(_) => new_null_array(&column_type(ty), texts.len()),
            }
        }
        Type::Date => Arc::new(trimmed.map(|text| date(text?, format)).collect::<Date32Array>()),
        Type::Timestamp => {
            let array: TimestampMicrosecondArray =
                trimmed.map(|text| timestamp(text?, format, clock)).collect();
            Arc::new(array.with_timezone("UTC"))
        }
        Type::Time => {
            let micros =
                trimmed.map(|text| time_of_day(text?.as_bytes()).filter(|(_, rest)| rest.is_empty()));
            Arc::new(micros.map(|time| time.map(|(micros, _)| micros)).collect::<Time64MicrosecondArray>())
        }
        // Labels and lists have readers of their own.
        Type::Text | Type::Label(_) | Type::List(_) => strings(texts),
    };
    Cast::of(array, texts.nulls().cloned())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A whole number; `5.0` and `5e3` are some too.
fn int(text: &str) -> Option<i64> {
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    let (unscaled, scale) = number(text)?;
    i64::try_from(rescale(unscaled, scale, 0)?).ok()
}

fn float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let written_infinite = value.is_infinite() && text.contains(['i', 'I']);
    (value.is_finite() || written_infinite).then_some(value + 0.0)
}

fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let (unscaled, from) = number(text)?;
    rescale(unscaled, from, i32::from(scale)).filter(|value| fits(*value, precision))
}

/// All digits of a number and how many of them stand after the point (fewer than none with an
/// exponent).
fn number(text: &str) -> Option<(i128, i32)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    // Zeros at the end say nothing, and might be more than 38 digits hold.
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() && !digits.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut unscaled: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = i128::from(char::from(digit).to_digit(10)?);
        unscaled = unscaled.checked_mul(10)?.checked_add(digit)?;
    }
    let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    Some((if negative { -unscaled } else { unscaled }, scale))
}

fn date(text: &str, format: Option<&str>) -> Option<i32> {
    let day = match format {
        None => {
            let (day, rest) = calendar_date(text.as_bytes())?;
            if !rest.is_empty() {
                return None;
            }
            day
        }
        Some(format) => {
            let date = strtime::parse(format, text).ok()?.to_date().ok()?;
            days(i64::from(date.year()), i64::from(date.month()), i64::from(date.day()))?
        }
    };
    i32::try_from(day).ok()
}

fn timestamp(text: &str, format: Option<&str>, clock: &mut Clock) -> Option<i64> {
    let Some(format) = format else { return iso(text.as_bytes(), clock) };
    let parsed = strtime::parse(format, text).ok()?;
    let micros = if parsed.offset().is_some() || parsed.timestamp().is_some() {
        parsed.to_timestamp().ok()?.as_microsecond()
    } else {
        let date = parsed.to_date().ok()?;
        // A format without a time of day means the day's first moment.
        let time = parsed.to_time().unwrap_or_default();
        let day = days(i64::from(date.year()), i64::from(date.month()), i64::from(date.day()))?;
        let seconds =
            i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
        let micros = i64::from(time.subsec_nanosecond()) / 1000;
        clock.moment((day * 86_400 + seconds) * MICROS + micros)?
    };
    in_reach(micros).then_some(micros)
}

/// `2024-11-15`, then perhaps `T` or a space and a time of day, then perhaps an offset.
fn iso(text: &[u8], clock: &mut Clock) -> Option<i64> {
    let (day, rest) = calendar_date(text)?;
    let start = day * 86_400 * MICROS;
    let Some((b'T' | b't' | b' ', rest)) = rest.split_first() else {
        return if rest.is_empty() { clock.moment(start) } else { None };
    };
    let (micros, rest) = time_of_day(rest)?;
    let local = start + micros;
    if rest.is_empty() {
        return clock.moment(local);
    }
    let moment = local - offset_seconds(rest)? * MICROS;
    (in_reach(moment) && day >= FIRST_DAY).then_some(moment)
}

/// So many digits as a number, and what follows.
fn digits(text: &[u8], count: usize) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let value = digits
        .iter()
        .try_fold(0i64, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))?;
    Some((value, rest))
}

fn after(text: &[u8], byte: u8) -> Option<&[u8]> {
    text.split_first().filter(|(first, _)| **first == byte).map(|(_, rest)| rest)
}

/// Days since 1970-01-01 of `YYYY-MM-DD`, and what follows.
fn calendar_date(text: &[u8]) -> Option<(i64, &[u8])> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(after(rest, b'-')?, 2)?;
    let (day, rest) = digits(after(rest, b'-')?, 2)?;
    Some((days(year, month, day)?, rest))
}

/// Microseconds since midnight of `HH:MM`, `HH:MM:SS` or `HH:MM:SS.ffffff`, and what follows.
/// Digits past the sixth are dropped.
fn time_of_day(text: &[u8]) -> Option<(i64, &[u8])> {
    let (hour, rest) = digits(text, 2)?;
    let (minute, rest) = digits(after(rest, b':')?, 2)?;
    let (mut second, mut fraction, mut rest) = (0, 0, rest);
    if let Some(seconds) = after(rest, b':') {
        (second, rest) = digits(seconds, 2)?;
        if let Some(digits) = after(rest, b'.') {
            let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if count == 0 {
                return None;
            }
            let (shown, tail) = digits.split_at_checked(count)?;
            let padded = shown.iter().chain(std::iter::repeat(&b'0')).take(6);
            fraction = padded.fold(0i64, |value, byte| value * 10 + i64::from(byte - b'0'));
            rest = tail;
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((((hour * 60 + minute) * 60 + second) * MICROS + fraction, rest))
}

/// `Z`, `+08`, `+0800`, `+08:00` in seconds.
fn offset_seconds(text: &[u8]) -> Option<i64> {
    let (sign, rest) = match text.split_first()? {
        (b'Z' | b'z', rest) => return rest.is_empty().then_some(0),
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = digits(rest, 2)?;
    let minutes = if rest.is_empty() {
        0
    } else {
        let (minutes, rest) = digits(after(rest, b':').unwrap_or(rest), 2)?;
        if !rest.is_empty() {
            return None;
        }
        minutes
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes) * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        assert_eq!(number("-12.340"), Some((-1234, 2)));
        assert_eq!(number(".5"), Some((5, 1)));
        assert_eq!(number("1.5e3"), Some((15, -2)));
        assert_eq!(number("."), None);
        assert_eq!(number(""), None);
        assert_eq!(number("1,000"), None);
        assert_eq!(number("1 000"), None);
        assert_eq!(int("5.0"), Some(5));
        assert_eq!(int("5.5"), None);
        assert_eq!(int("9223372036854775808"), None);
        assert_eq!(decimal("0.1", 4, 2), Some(10));
        assert_eq!(decimal("0.125", 4, 2), None);
        assert_eq!(decimal("123.45", 4, 2), None);
        assert_eq!(float("1e999"), None);
        assert_eq!(float("-0").map(f64::to_bits), Some(0));
    }

    #[test]
    fn moments_are_iso_with_or_without_offset() {
        let mut clock = Clock::new("Asia/Shanghai", 0);
        let noon = days(2024, 11, 15).unwrap() * 86_400 * MICROS + 12 * 3600 * MICROS;
        for text in [
            "2024-11-15T20:00",
            "2024-11-15 20:00:00",
            "2024-11-15T12:00Z",
            "2024-11-15 12:00:00+00",
            "2024-11-15T07:00:00.000-0500",
            "2024-11-15T20:00:00+08:00",
        ] {
            assert_eq!(iso(text.as_bytes(), &mut clock), Some(noon), "{text}");
        }
        assert_eq!(iso(b"2024-11-15T20:00:00.1234567", &mut clock), Some(noon + 123_456));
        for text in [
            "2024-11-15T",
            "2024-11-15T25:00",
            "2024-11-15T20:00 ",
            "2024-11-15x",
            "15.11.2024",
            "2024-02-30",
        ] {
            assert_eq!(iso(text.as_bytes(), &mut clock), None, "{text}");
        }
    }

    #[test]
    fn formats_are_strftime() {
        let mut clock = Clock::new("UTC", 0);
        let day = days(2024, 11, 15).unwrap();
        assert_eq!(date("20241115", Some("%Y%m%d")).map(i64::from), Some(day));
        assert_eq!(date("2024-11-15", Some("%Y%m%d")), None);
        assert_eq!(
            timestamp("15/11/2024 08:30", Some("%d/%m/%Y %H:%M"), &mut clock),
            Some((day * 86_400 + 30_600) * MICROS)
        );
        assert_eq!(timestamp("15/11/2024", Some("%d/%m/%Y"), &mut clock), Some(day * 86_400 * MICROS));
        let offset = timestamp("15/11/2024 08:30 +0800", Some("%d/%m/%Y %H:%M %z"), &mut clock);
        assert_eq!(offset, Some((day * 86_400 + 1_800) * MICROS));
    }
}
