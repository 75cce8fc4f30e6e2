//! Windows of anniversaries as text.

use super::{Printer, unit};
use crate::program::{Expr, NodeId, Value};
use std::collections::BTreeSet;

/// The days of 2024, which has all that a year can have.
const LEAP_YEAR: std::ops::Range<i32> = 19_723..20_089;

impl Printer<'_> {
    /// Whether an anniversary of the date is in the days from `start` to before `end`. Most windows begin
    /// or end today and go by their own words; another (of a value as it was) is spelled out.
    pub(super) fn anniversary(&self, date: NodeId, start: NodeId, end: NodeId) -> String {
        let today = self.calendar.today();
        let of = self.part(date);
        match (self.day(start), self.day(end)) {
            (Some(start), Some(end)) if start == today && end > start => {
                format!("anniversary of {of} in next {} days", end - start)
            }
            (Some(start), Some(end)) if end == today + 1 && end > start => {
                format!("anniversary of {of} in last {} days", end - start)
            }
            (Some(start), Some(end)) if end > start => self.days_of_the_year(&of, start, end),
            (Some(start), None) if start == today => match self.program.node(end).expr {
                Expr::Shift { amount, unit: by, .. } => {
                    format!("anniversary of {of} in next ({}) {}", self.expression(amount), unit(by))
                }
                _ => "false".to_owned(),
            },
            (None, Some(end)) if end == today + 1 => match self.program.node(start).expr {
                Expr::Shift { value, .. } => match self.program.node(value).expr {
                    Expr::Shift { amount, unit: by, .. } => {
                        format!("anniversary of {of} in last (-({})) {}", self.expression(amount), unit(by))
                    }
                    _ => "false".to_owned(),
                },
                _ => "false".to_owned(),
            },
            _ => "false".to_owned(),
        }
    }

    fn day(&self, id: NodeId) -> Option<i32> {
        match self.program.node(id).expr {
            Expr::Constant(Value::Date(day)) => Some(day),
            _ => None,
        }
    }

    /// Which days of a year the window takes, each as month × 100 + day. 29 February falls on
    /// 28 February in other years.
    fn days_of_the_year(&self, of: &str, start: i32, end: i32) -> String {
        if i64::from(end) - i64::from(start) > 366 {
            return format!("{of} is known");
        }
        let mut taken: BTreeSet<u32> = BTreeSet::new();
        for day in start..end {
            let month_day = self.month_day(day);
            taken.insert(month_day);
            if month_day == 228 && self.month_day(day.saturating_add(1)) != 229 {
                taken.insert(229);
            }
        }
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        let mut open = false;
        for day in LEAP_YEAR {
            let day = self.month_day(day);
            let in_window = taken.contains(&day);
            match ranges.last_mut() {
                Some((_, last)) if open && in_window => *last = day,
                _ if in_window => ranges.push((day, day)),
                _ => {}
            }
            open = in_window;
        }
        let place = format!("month({of}) * 100 + day({of})");
        let conditions: Vec<String> =
            ranges.iter().map(|(low, high)| format!("{place} between {low} and {high}")).collect();
        if conditions.len() == 1 { conditions.concat() } else { format!("({})", conditions.join(" or ")) }
    }

    fn month_day(&self, day: i32) -> u32 {
        let text = self.calendar.date(day);
        let mut parts = text.rsplit('-').map(|part| part.parse::<u32>().unwrap_or(0));
        let (day, month) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        month * 100 + day
    }
}
