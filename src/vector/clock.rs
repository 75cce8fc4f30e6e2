//! Local time of many moments: the zone's offsets in a sorted table, made once per plan.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Microseconds of a day.
pub(super) const DAY: i64 = 86_400_000_000;
/// Microseconds of an hour.
pub(super) const HOUR: i64 = 3_600_000_000;
/// 1900-01-01T00:00Z; earlier moments are left to the scalar definition.
const FIRST: i64 = -2_208_988_800_000_000;
/// 2200-01-01T00:00Z; so are later ones.
const LAST: i64 = 7_258_118_400_000_000;

/// The offsets of a zone between 1900 and 2200.
#[derive(Debug)]
pub(super) struct Clock {
    /// From when each offset holds, ascending, in microseconds; the first is [`FIRST`].
    starts: Vec<i64>,
    /// Local time less UTC, in microseconds.
    offsets: Vec<i64>,
}

impl Clock {
    /// The table of a zone.
    pub fn new(zone: &TimeZone) -> Self {
        let mut clock = Clock { starts: Vec::new(), offsets: Vec::new() };
        if let Ok(first) = Timestamp::from_microsecond(FIRST) {
            clock.push(FIRST, zone.to_offset(first).seconds());
            for change in zone.following(first) {
                let at = change.timestamp().as_microsecond();
                if at >= LAST {
                    break;
                }
                clock.push(at, change.offset().seconds());
            }
        }
        clock
    }

    fn push(&mut self, start: i64, seconds: i32) {
        self.starts.push(start);
        self.offsets.push(i64::from(seconds) * 1_000_000);
    }

    /// Local microseconds since 1970-01-01T00:00 of a moment within the table. `hint` remembers
    /// where the last one was found.
    #[inline]
    pub fn local(&self, moment: i64, hint: &mut usize) -> Option<i64> {
        if !(FIRST..LAST).contains(&moment) {
            return None;
        }
        let here = self.starts.get(*hint).is_some_and(|start| *start <= moment)
            && self.starts.get(*hint + 1).is_none_or(|next| moment < *next);
        if !here {
            *hint = self.starts.partition_point(|start| *start <= moment).checked_sub(1)?;
        }
        Some(moment + self.offsets.get(*hint)?)
    }
}
