//! Parts of dates and the time between them, without a detour over calendar objects.

use super::column::{Column, View, all_known};
use super::numbers::{Slow, map};
use crate::program::{DatePart, Type, Unit};

/// The calendar's first and last day, -9999-01-01 and 9999-12-31; others are left to the scalar
/// definition.
const CALENDAR: std::ops::RangeInclusive<i32> = -4_371_587..=2_932_896;

/// The year of the calendar's first day.
const FIRST_YEAR: i64 = -9999;

/// A date of the Gregorian calendar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Civil {
    year: i64,
    month: i64,
    day: i64,
}

impl Civil {
    /// The date of so many days since 1970-01-01 (Howard Hinnant's `civil_from_days`: eras of 400
    /// years, years that begin in March so that the leap day is the last).
    fn of(days: i32) -> Option<Self> {
        if !CALENDAR.contains(&days) {
            return None;
        }
        let since = i64::from(days) + 719_468;
        let (era, day) = (since.div_euclid(146_097), since.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let march = (5 * day + 2) / 153;
        let month = if march < 10 { march + 3 } else { march - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        Some(Civil { year, month, day: day - (153 * march + 2) / 5 + 1 })
    }

    /// Months since the year 0.
    fn months(self) -> i64 {
        self.year * 12 + self.month - 1
    }

    fn days_in_month(self) -> i64 {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        match self.month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

/// A part of each date.
pub(super) fn part(part: DatePart, dates: &Column, ty: &Type, rows: usize, slow: Slow) -> Option<Column> {
    let values = View::<i32>::of(dates)?;
    let known = all_known(&[dates], rows);
    let civil = |row: usize| Civil::of(values.get(row));
    match part {
        DatePart::Year => map(rows, known, ty, slow, |row| Some(civil(row)?.year)),
        DatePart::Quarter => map(rows, known, ty, slow, |row| Some((civil(row)?.month - 1) / 3 + 1)),
        DatePart::Month => map(rows, known, ty, slow, |row| Some(civil(row)?.month)),
        DatePart::Day => map(rows, known, ty, slow, |row| Some(civil(row)?.day)),
        DatePart::Weekday => map(rows, known, ty, slow, |row| {
            let days = Some(values.get(row)).filter(|days| CALENDAR.contains(days))?;
            u32::try_from((days + 3).rem_euclid(7)).ok()
        }),
    }
}

/// Whole units between dates; `None` for the units that moments are counted in.
pub(super) fn elapsed(
    unit: Unit,
    from: &Column,
    to: &Column,
    ty: &Type,
    rows: usize,
    slow: Slow,
) -> Option<Column> {
    let known = all_known(&[from, to], rows);
    let (from, to) = (View::<i32>::of(from)?, View::<i32>::of(to)?);
    let days = |row: usize| i64::from(to.get(row)) - i64::from(from.get(row));
    let months = |row: usize, length: i64| {
        let (from, to) = (Civil::of(from.get(row))?, Civil::of(to.get(row))?);
        // Counting back may leave the calendar in its first year: the scalar definition knows.
        if to.year == FIRST_YEAR {
            return None;
        }
        let apart = to.months() - from.months();
        // In the month that is reached the day falls on the month's last at the latest.
        let early = apart.rem_euclid(length) == 0 && from.day.min(to.days_in_month()) > to.day;
        Some(apart.div_euclid(length) - i64::from(early))
    };
    match unit {
        Unit::Days => map(rows, known, ty, slow, |row| Some(days(row))),
        Unit::Weeks => map(rows, known, ty, slow, |row| Some(days(row) / 7)),
        Unit::Months => map(rows, known, ty, slow, |row| months(row, 1)),
        Unit::Years => map(rows, known, ty, slow, |row| months(row, 12)),
        Unit::Hours | Unit::Minutes => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::calendar;

    #[test]
    fn dates_agree_with_the_calendar() {
        for days in (*CALENDAR.start()..=*CALENDAR.end()).step_by(97).chain([*CALENDAR.end(), 0, -1]) {
            let date = calendar::date(days).unwrap();
            let civil = Civil::of(days).unwrap();
            let expected = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
            assert_eq!((civil.year, civil.month, civil.day), expected, "{days}");
            assert_eq!(civil.days_in_month(), i64::from(date.days_in_month()), "{days}");
        }
        assert_eq!(Civil::of(CALENDAR.end() + 1), None);
    }
}
