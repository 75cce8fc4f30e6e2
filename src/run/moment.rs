//! The moment of a run: where it comes from, how it is read and shown.

use crate::diagnostic::{Diagnostic, codes::data};
use crate::program::Program;
use crate::program::print::Calendar as _;
use crate::semantics::show::Zoned;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;

/// Who says what `now` is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NowFrom {
    /// `--now`.
    Option,
    /// The rule file's `now`.
    File,
    /// The clock, read once at the start.
    Clock,
}

/// The run's `now` in microseconds since 1970-01-01T00:00Z, and who says so.
pub fn settle(program: &Program, option: Option<&str>) -> Result<(i64, NowFrom), Diagnostic> {
    if let Some(text) = option {
        return Ok((read(text, &program.zone())?, NowFrom::Option));
    }
    Ok(match program.now {
        Some(now) => (now, NowFrom::File),
        None => (Timestamp::now().as_microsecond(), NowFrom::Clock),
    })
}

/// Reads a date or timestamp. Without an offset it is local time: one that does not exist moves
/// forward by the gap, one that occurs twice is the first.
fn read(text: &str, zone: &TimeZone) -> Result<i64, Diagnostic> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment.as_microsecond());
    }
    let local: Option<DateTime> = text.parse().ok().filter(|_| !text.contains('['));
    let moment = local.and_then(|local| zone.to_ambiguous_timestamp(local).compatible().ok());
    moment.map(|moment| moment.as_microsecond()).ok_or_else(|| {
        Diagnostic::placeless(data::BAD_NOW, format!("`--now {text}` is neither a date nor a timestamp"))
            .help("write it like `2024-11-15`, `2024-11-15T08:00` or `2024-11-15T08:00:00+08:00`")
    })
}

/// A moment as text in a zone, with its offset: `2024-11-15T08:00:00+08:00`.
pub fn show(now: i64, zone: &TimeZone) -> String {
    Zoned { zone: zone.clone(), now }.timestamp(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dates_and_timestamps_in_the_zone() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        let shown = |text| read(text, &shanghai).map(|now| show(now, &shanghai));
        assert_eq!(shown("2024-11-15").unwrap(), "2024-11-15T00:00:00+08:00");
        assert_eq!(shown("2024-11-15T08:30").unwrap(), "2024-11-15T08:30:00+08:00");
        assert_eq!(shown("2024-11-15 08:30:01.5").unwrap(), "2024-11-15T08:30:01.5+08:00");
        assert_eq!(shown("2024-11-15T08:30Z").unwrap(), "2024-11-15T16:30:00+08:00");
        assert_eq!(shown("2024-11-15T08:30:00-01:00").unwrap(), "2024-11-15T17:30:00+08:00");
        for wrong in ["2024-11-31", "yesterday", "", "08:30", "2024-11-15T08:30[Europe/Berlin]"] {
            assert_eq!(shown(wrong).unwrap_err().code, data::BAD_NOW, "{wrong}");
        }
    }

    #[test]
    fn a_local_time_that_does_not_exist_moves_forward() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let shown = |text| show(read(text, &berlin).unwrap(), &berlin);
        assert_eq!(shown("2024-03-31T02:30"), "2024-03-31T03:30:00+02:00");
        assert_eq!(shown("2024-10-27T02:30"), "2024-10-27T02:30:00+02:00");
    }
}
