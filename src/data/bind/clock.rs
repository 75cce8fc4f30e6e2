//! Local time of the program's zone, fast enough for whole columns.

use crate::semantics::calendar;
use hashbrown::HashMap;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

pub(super) const MICROS: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;
/// 0001-01-01 and 9999-12-31 in days since 1970-01-01: what calendars reach.
pub(super) const FIRST_DAY: i64 = -719_162;
pub(super) const LAST_DAY: i64 = 2_932_896;

/// The zone, the moment of the run, and what is known of the zone's days.
#[derive(Debug)]
pub(in crate::data) struct Clock {
    zone: TimeZone,
    /// Moment of the run, in microseconds since 1970-01-01T00:00Z.
    pub now: i64,
    /// Its local date, in days since 1970-01-01.
    pub today: i32,
    /// By local day: the offset in seconds where no change is near.
    offsets: HashMap<i64, Option<i64>>,
}

impl Clock {
    /// A clock in that zone (UTC where its name is unknown), with `now` in microseconds.
    pub fn new(zone: &str, now: i64) -> Clock {
        let zone = calendar::zone(zone);
        let offset =
            Timestamp::from_microsecond(now).map_or(0, |now| i64::from(zone.to_offset(now).seconds()));
        let day = (now.div_euclid(MICROS) + offset).div_euclid(DAY_SECONDS);
        let today = i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX });
        Clock { zone, now, today, offsets: HashMap::new() }
    }

    /// The moment of a local time (microseconds since 1970-01-01T00:00 there). A time that a change
    /// of the clock skips moves forward by the gap; of one that occurs twice it is the first.
    pub fn moment(&mut self, local: i64) -> Option<i64> {
        let day = local.div_euclid(MICROS * DAY_SECONDS);
        if !(FIRST_DAY..=LAST_DAY).contains(&day) {
            return None;
        }
        let zone = &self.zone;
        match self.offsets.entry(day).or_insert_with(|| steady_offset(zone, day)) {
            Some(offset) => local.checked_sub(*offset * MICROS),
            None => {
                let seconds = local.div_euclid(MICROS);
                let nanos = i32::try_from(local.rem_euclid(MICROS) * 1000).ok()?;
                let utc = Timestamp::new(seconds, nanos).ok()?;
                let civil: DateTime = TimeZone::UTC.to_datetime(utc);
                let moment = zone.to_ambiguous_timestamp(civil).compatible().ok()?;
                Some(moment.as_microsecond())
            }
        }
    }
}

/// The offset of a local day that no change of the clock comes near.
fn steady_offset(zone: &TimeZone, day: i64) -> Option<i64> {
    let before = Timestamp::from_second((day - 1) * DAY_SECONDS).ok()?;
    let after = Timestamp::from_second((day + 2) * DAY_SECONDS).ok()?;
    let steady = zone.following(before).next().is_none_or(|change| change.timestamp() > after);
    steady.then(|| i64::from(zone.to_offset(before).seconds()))
}

/// Days since 1970-01-01 of a date; none where there is no such date.
pub(super) fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    // Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_days() {
        assert_eq!(days(1970, 1, 1), Some(0));
        assert_eq!(days(2000, 2, 29), Some(11_016));
        assert_eq!(days(1, 1, 1), Some(FIRST_DAY));
        assert_eq!(days(9999, 12, 31), Some(LAST_DAY));
        assert_eq!(days(2023, 2, 29), None);
    }

    #[test]
    fn follows_the_clock_over_its_changes() {
        let mut clock = Clock::new("Europe/Berlin", 0);
        let at = |day: i64, hour: i64, minute: i64| ((day * 24 + hour) * 60 + minute) * 60 * MICROS;
        let spring = days(2024, 3, 31).unwrap();
        // 02:30 does not exist and becomes 03:30 (+02:00).
        assert_eq!(clock.moment(at(spring, 2, 30)), Some(at(spring, 1, 30)));
        let autumn = days(2024, 10, 27).unwrap();
        // 02:30 occurs twice: the first is +02:00.
        assert_eq!(clock.moment(at(autumn, 2, 30)), Some(at(autumn, 0, 30)));
        assert_eq!(
            clock.moment(at(days(2024, 7, 1).unwrap(), 12, 0)),
            Some(at(days(2024, 7, 1).unwrap(), 10, 0))
        );
        assert_eq!(clock.moment(i64::MAX), None);
    }
}
