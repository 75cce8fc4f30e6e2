//! Values as people read and write them.

use super::calendar;
use crate::program::print::Calendar;
use crate::program::{Program, Type, Value};

/// A value in the language's own notation; `missing` for one that is not known. Timestamps stand in
/// the program's zone.
pub fn value_text(program: &Program, zone: &jiff::tz::TimeZone, ty: &Type, value: &Value) -> String {
    match value {
        Value::Missing => "missing".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Decimal(value) => decimal_text(value.unscaled, value.scale),
        Value::Text(value) => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
        Value::Date(days) => {
            calendar::date(*days).map_or_else(|| format!("day {days}"), |date| date.to_string())
        }
        Value::Timestamp(micros) => match jiff::Timestamp::from_microsecond(*micros) {
            Ok(moment) => {
                let local = zone.to_datetime(moment);
                let text = local.to_string();
                text.strip_suffix(":00").filter(|_| local.second() == 0).unwrap_or(&text).to_owned()
            }
            Err(_) => format!("{micros} µs"),
        },
        Value::Time(micros) => {
            let seconds = micros / 1_000_000;
            let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            if rest == 0 {
                format!("{hours:02}:{minutes:02}")
            } else {
                format!("{hours:02}:{minutes:02}:{rest:02}")
            }
        }
        Value::Label(code) => match ty {
            Type::Label(ty) => program.label(*ty, *code).to_owned(),
            _ => code.to_string(),
        },
        Value::List(items) => {
            let item = match ty {
                Type::List(item) => item.as_ref(),
                other => other,
            };
            let items: Vec<String> =
                items.iter().map(|value| value_text(program, zone, item, value)).collect();
            format!("[{}]", items.join(", "))
        }
    }
}

/// `-12.50`
fn decimal_text(unscaled: i128, scale: u8) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = unscaled.unsigned_abs().to_string();
    let scale = usize::from(scale);
    let padded = format!("{digits:0>width$}", width = scale + 1);
    match padded.split_at_checked(padded.len() - scale) {
        Some((whole, fraction)) if scale > 0 => format!("{sign}{whole}.{fraction}"),
        _ => format!("{sign}{padded}"),
    }
}

/// Dates as they are written in rules, in a zone at a moment.
#[derive(Clone, Debug)]
pub struct Zoned {
    /// The zone.
    pub zone: jiff::tz::TimeZone,
    /// The moment, in microseconds since 1970-01-01T00:00Z.
    pub now: i64,
}

impl Calendar for Zoned {
    fn date(&self, days: i32) -> String {
        calendar::date(days).map_or_else(String::new, |date| date.to_string())
    }

    fn timestamp(&self, micros: i64) -> String {
        let Ok(moment) = jiff::Timestamp::from_microsecond(micros) else { return String::new() };
        let seconds = self.zone.to_offset(moment).seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.unsigned_abs() / 60;
        // Local mean time of old days has seconds in its offset, which no text holds.
        let whole = jiff::tz::Offset::from_seconds(seconds - seconds % 60).unwrap_or(jiff::tz::Offset::UTC);
        let local = whole.to_datetime(moment);
        format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    fn today(&self) -> i32 {
        calendar::local_date(&self.zone, self.now).unwrap_or(0)
    }

    fn now(&self) -> i64 {
        self.now
    }
}
