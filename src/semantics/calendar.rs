//! Calendar time: dates as days since 1970-01-01, moments as microseconds since then in UTC, local
//! time by a zone. What leaves the years -9999 to 9999 is missing.

use super::Facts;
use crate::program::{DatePart, Unit, Value};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Microseconds of a minute.
const MINUTE: i64 = 60_000_000;
/// Microseconds of an hour.
const HOUR: i64 = 60 * MINUTE;

/// The zone of that name; UTC where there is none. For UTC nobody looks through the zones of the system.
pub fn zone(name: &str) -> TimeZone {
    if name == "UTC" {
        return TimeZone::UTC;
    }
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// The date so many days after 1970-01-01.
pub fn date(days: i32) -> Option<Date> {
    jiff::civil::date(1970, 1, 1).checked_add(Span::new().try_days(days).ok()?).ok()
}

/// Days since 1970-01-01.
pub fn days(date: Date) -> i32 {
    jiff::civil::date(1970, 1, 1).until(date).map_or(0, |span| span.get_days())
}

/// Local date and time of a moment.
pub fn local(zone: &TimeZone, micros: i64) -> Option<DateTime> {
    Some(zone.to_datetime(Timestamp::from_microsecond(micros).ok()?))
}

/// Local date of a moment, in days.
pub fn local_date(zone: &TimeZone, micros: i64) -> Option<i32> {
    local(zone, micros).map(|local| days(local.date()))
}

/// Local time of day of a moment, in microseconds since midnight.
pub fn time_of_day(zone: &TimeZone, micros: i64) -> Option<i64> {
    let time = local(zone, micros)?.time();
    Some(
        i64::from(time.hour()) * HOUR
            + i64::from(time.minute()) * MINUTE
            + i64::from(time.second()) * 1_000_000
            + i64::from(time.subsec_nanosecond()) / 1_000,
    )
}

/// Local hour of a moment.
pub fn hour(zone: &TimeZone, micros: i64) -> Option<i64> {
    local(zone, micros).map(|local| i64::from(local.hour()))
}

/// The moment of a local time: one that does not exist moves forward by the length of the gap, one
/// that occurs twice is the first.
pub fn moment(zone: &TimeZone, local: DateTime) -> Option<i64> {
    Some(zone.to_ambiguous_timestamp(local).compatible().ok()?.as_microsecond())
}

/// The first moment of a day.
pub fn first_moment(day: i32, zone: &TimeZone) -> Option<i64> {
    moment(zone, date(day)?.at(0, 0, 0, 0))
}

/// A part of a date.
pub fn part(part: DatePart, day: i32) -> Value {
    let Some(date) = date(day) else { return Value::Missing };
    match part {
        DatePart::Year => Value::Int(i64::from(date.year())),
        DatePart::Quarter => Value::Int((i64::from(date.month()) + 2) / 3),
        DatePart::Month => Value::Int(i64::from(date.month())),
        DatePart::Day => Value::Int(i64::from(date.day())),
        DatePart::Weekday => Value::Label(weekday(day)),
    }
}

/// Monday is 0. The first of January 1970 was a Thursday.
fn weekday(day: i32) -> u32 {
    u32::try_from((i64::from(day) + 3).rem_euclid(7)).unwrap_or(0)
}

/// Whether a date is a working day: what the calendar says, else Monday to Friday.
pub fn is_workday(day: i32, facts: &Facts) -> bool {
    facts.calendar.get(&day).copied().unwrap_or(weekday(day) < 5) && date(day).is_some()
}

/// Whether an anniversary of `day` lies in `start <= a < end`. 29 February falls on 28 February in
/// other years.
pub fn anniversary_within(day: i32, start: i32, end: i32) -> bool {
    let (Some(day), Some(first), Some(last)) = (date(day), date(start), date(end)) else { return false };
    if i64::from(end) - i64::from(start) > 366 {
        return true;
    }
    (first.year()..=last.year()).any(|year| {
        let in_year = Date::new(year, day.month(), day.day()).or_else(|_| Date::new(year, day.month(), 28));
        in_year.is_ok_and(|anniversary| (start..end).contains(&days(anniversary)))
    })
}

/// A date so many units later. Hours and minutes do not apply.
fn shift_date(day: i32, amount: i64, unit: Unit) -> Option<i32> {
    match unit {
        Unit::Days | Unit::Weeks => {
            let amount = if unit == Unit::Weeks { amount.checked_mul(7)? } else { amount };
            let day = i32::try_from(i64::from(day).checked_add(amount)?).ok()?;
            date(day).map(|_| day)
        }
        Unit::Months | Unit::Years => {
            let months = if unit == Unit::Years { amount.checked_mul(12)? } else { amount };
            let span = Span::new().try_months(months).ok()?;
            Some(days(date(day)?.checked_add(span).ok()?))
        }
        Unit::Hours | Unit::Minutes => None,
    }
}

/// A date or timestamp `amount` units later.
pub fn shift(value: &Value, amount: i64, unit: Unit, zone: &TimeZone) -> Value {
    match value {
        Value::Date(day) => shift_date(*day, amount, unit).map_or(Value::Missing, Value::Date),
        Value::Timestamp(micros) => {
            shift_moment(*micros, amount, unit, zone).map_or(Value::Missing, Value::Timestamp)
        }
        _ => Value::Missing,
    }
}

fn shift_moment(micros: i64, amount: i64, unit: Unit, zone: &TimeZone) -> Option<i64> {
    let length = match unit {
        Unit::Minutes => MINUTE,
        Unit::Hours => HOUR,
        Unit::Days | Unit::Weeks | Unit::Months | Unit::Years => {
            let local = local(zone, micros)?;
            let day = shift_date(days(local.date()), amount, unit)?;
            if day == days(local.date()) {
                // No step keeps the moment, even the second of two equal local times.
                return Some(micros);
            }
            return moment(zone, date(day)?.to_datetime(local.time()));
        }
    };
    let shifted = micros.checked_add(amount.checked_mul(length)?)?;
    Timestamp::from_microsecond(shifted).ok().map(|_| shifted)
}

/// Whole units from one date or moment to another, toward zero; of months and years the largest n
/// with `from + n <= to`.
pub fn elapsed(unit: Unit, from: &Value, to: &Value) -> Option<i64> {
    match (from, to) {
        (Value::Date(from), Value::Date(to)) => {
            let apart = i64::from(*to) - i64::from(*from);
            match unit {
                Unit::Days => Some(apart),
                Unit::Weeks => Some(apart / 7),
                Unit::Months | Unit::Years => whole_months(unit, *from, *to),
                Unit::Hours | Unit::Minutes => None,
            }
        }
        (Value::Timestamp(from), Value::Timestamp(to)) => match unit {
            Unit::Hours => Some(to.checked_sub(*from)? / HOUR),
            Unit::Minutes => Some(to.checked_sub(*from)? / MINUTE),
            _ => None,
        },
        _ => None,
    }
}

/// The largest n with `from + n units <= to`.
fn whole_months(unit: Unit, from: i32, to: i32) -> Option<i64> {
    let (start, end) = (date(from)?, date(to)?);
    let years = i64::from(end.year()) - i64::from(start.year());
    let mut n = match unit {
        Unit::Years => years,
        _ => years * 12 + i64::from(end.month()) - i64::from(start.month()),
    };
    // The guess is at most one too many; beyond the calendar nothing is reached.
    let reaches = |n: i64| shift_date(from, n, unit).is_some_and(|day| day <= to);
    if !reaches(n) {
        n -= 1;
    }
    reaches(n).then_some(n)
}

/// The latest date (moment for hours and minutes) x with `elapsed(x, to) >= at_least`. Where that
/// lies past the calendar's end it is the calendar's last day, where it lies before its start the
/// day before the first: a comparison with it still has the right answer for every date there is.
pub fn elapsed_bound(unit: Unit, at_least: i64, to: &Value) -> Value {
    match (unit, to) {
        (Unit::Hours, Value::Timestamp(to)) => Value::Timestamp(moment_bound(HOUR, at_least, *to)),
        (Unit::Minutes, Value::Timestamp(to)) => Value::Timestamp(moment_bound(MINUTE, at_least, *to)),
        (Unit::Hours | Unit::Minutes, _) => Value::Missing,
        (_, Value::Date(to)) if date(*to).is_some() => {
            let beyond = if at_least > 0 { days(Date::MIN) - 1 } else { days(Date::MAX) };
            Value::Date(date_bound(unit, at_least, *to).unwrap_or(beyond))
        }
        _ => Value::Missing,
    }
}

/// None where it lies outside the calendar.
fn date_bound(unit: Unit, at_least: i64, to: i32) -> Option<i32> {
    match unit {
        Unit::Days => shift_date(to, at_least.checked_neg()?, Unit::Days),
        // Toward zero: -6 days are still 0 weeks.
        Unit::Weeks => shift_date(to, toward_zero(at_least, 7)?.checked_neg()?, Unit::Days),
        Unit::Months | Unit::Years => {
            // A shift may end on an earlier day of the month, so the answer lies a few days on.
            let near = shift_date(to, at_least.checked_neg()?, unit)?;
            (0..=4)
                .rev()
                .filter_map(|more| near.checked_add(more))
                .find(|day| shift_date(*day, at_least, unit).is_some_and(|end| end <= to))
        }
        Unit::Hours | Unit::Minutes => None,
    }
}

fn moment_bound(length: i64, at_least: i64, to: i64) -> i64 {
    let beyond = if at_least > 0 { i64::MIN } else { i64::MAX };
    toward_zero(at_least, length).and_then(|least| to.checked_sub(least)).unwrap_or(beyond)
}

/// The smallest difference d with `d / length >= n`, where the division goes toward zero.
fn toward_zero(n: i64, length: i64) -> Option<i64> {
    if n > 0 { n.checked_mul(length) } else { n.checked_sub(1)?.checked_mul(length)?.checked_add(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> i32 {
        days(text.parse().unwrap())
    }

    fn whole(unit: Unit, from: &str, to: &str) -> Option<i64> {
        elapsed(unit, &Value::Date(day(from)), &Value::Date(day(to)))
    }

    #[test]
    fn units_between_dates() {
        assert_eq!(whole(Unit::Days, "2024-02-28", "2024-03-01"), Some(2));
        assert_eq!(whole(Unit::Weeks, "2024-01-15", "2024-01-02"), Some(-1));
        assert_eq!(whole(Unit::Years, "2000-02-29", "2023-02-28"), Some(23));
        assert_eq!(whole(Unit::Years, "2000-02-29", "2023-02-27"), Some(22));
        assert_eq!(whole(Unit::Months, "2024-01-31", "2024-02-29"), Some(1));
        assert_eq!(whole(Unit::Months, "2024-01-31", "2024-02-28"), Some(0));
        assert_eq!(whole(Unit::Months, "2024-03-01", "2024-02-29"), Some(-1));
        assert_eq!(whole(Unit::Months, "2024-03-31", "2024-02-29"), Some(-1));
        assert_eq!(whole(Unit::Months, "2024-04-01", "2024-02-29"), Some(-2));
    }

    #[test]
    fn anniversaries_of_a_leap_day() {
        let born = day("2000-02-29");
        assert!(anniversary_within(born, day("2023-02-28"), day("2023-03-01")));
        assert!(!anniversary_within(born, day("2023-03-01"), day("2023-03-08")));
        assert!(anniversary_within(born, day("2024-02-29"), day("2024-03-01")));
        assert!(!anniversary_within(born, day("2024-02-28"), day("2024-02-29")));
        assert!(anniversary_within(day("1990-01-02"), day("2023-12-30"), day("2024-01-06")));
    }

    #[test]
    fn local_times_in_gaps_and_overlaps() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text: &str| moment(&berlin, text.parse().unwrap()).unwrap();
        let utc = |text: &str| text.parse::<Timestamp>().unwrap().as_microsecond();
        assert_eq!(at("2024-03-31T02:30:00"), utc("2024-03-31T01:30:00Z"), "moves forward by the gap");
        assert_eq!(at("2024-10-27T02:30:00"), utc("2024-10-27T00:30:00Z"), "the first of the two");
        let shifted = shift(&Value::Timestamp(utc("2024-03-30T01:30:00Z")), 1, Unit::Days, &berlin);
        assert_eq!(shifted, Value::Timestamp(utc("2024-03-31T01:30:00Z")));
        let apia = TimeZone::get("Pacific/Apia").unwrap();
        assert_eq!(
            moment(&apia, "2011-12-30T10:00:00".parse().unwrap()),
            Some(utc("2011-12-31T10:00:00+14:00")),
            "the day that Samoa left out"
        );
    }

    proptest! {
        #[test]
        fn the_bound_is_the_latest_that_reaches(
            to in -40_000..60_000_i32, n in -900..900_i64,
            unit in prop::sample::select(vec![Unit::Days, Unit::Weeks, Unit::Months, Unit::Years]),
        ) {
            let Value::Date(bound) = elapsed_bound(unit, n, &Value::Date(to)) else { panic!("within the calendar") };
            for near in bound - 40..bound + 40 {
                let reaches = elapsed(unit, &Value::Date(near), &Value::Date(to)).unwrap() >= n;
                prop_assert_eq!(reaches, near <= bound, "{} {:?} {}", near, unit, n);
            }
        }

        #[test]
        fn the_bound_of_moments_too(to in -1_000_000_000..1_000_000_000_i64, n in -50..50_i64) {
            for unit in [Unit::Hours, Unit::Minutes] {
                let Value::Timestamp(bound) = elapsed_bound(unit, n, &Value::Timestamp(to)) else { panic!("in range") };
                for near in [bound - 1, bound, bound + 1] {
                    let reaches = elapsed(unit, &Value::Timestamp(near), &Value::Timestamp(to)).unwrap() >= n;
                    prop_assert_eq!(reaches, near <= bound);
                }
            }
        }
    }
}
