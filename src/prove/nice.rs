//! The value of a stretch that a person reads most easily: a boundary that a rule names, a round
//! number, the first moment of a day.

use super::line::Line;
use super::rank::{self, MICROS_A_DAY};
use super::world::World;
use crate::program::{Type, Value};
use crate::semantics::calendar;

/// A rank of a line between two others, both in.
pub(super) fn choose(world: &World<'_>, line: &Line, low: i128, high: i128) -> i128 {
    // The ends of the calendar are nothing that a rule names.
    let near = if line.ty == Type::Timestamp { 4 * MICROS_A_DAY } else { 0 };
    if low > line.low.saturating_add(near) {
        return rounded(world, &line.ty, low, high, true);
    }
    if high < line.high.saturating_sub(near) {
        return rounded(world, &line.ty, low, high, false);
    }
    let natural = match line.ty {
        Type::Date => calendar::local_date(&world.zone, world.dated.now).map_or(0, i128::from),
        Type::Timestamp => i128::from(world.dated.now),
        // A text that no rule names.
        Type::Text => high,
        _ => 0,
    };
    natural.clamp(low, high)
}

/// The roundest rank near one end.
fn rounded(world: &World<'_>, ty: &Type, low: i128, high: i128, up: bool) -> i128 {
    let end = if up { low } else { high };
    let within = |rank: &i128| (low..=high).contains(rank);
    let found = match ty {
        Type::Float => double(ty, end, up).into_iter().find(within),
        Type::Decimal { scale, .. } => (0..=*scale)
            .rev()
            .filter_map(|digits| 10_i128.checked_pow(u32::from(digits)))
            .map(|unit| multiple(end, unit, up))
            .find(within),
        Type::Timestamp => day_start(world, end, up)
            .into_iter()
            .chain([3_600_000_000, 60_000_000, 1_000_000].map(|unit| multiple(end, unit, up)))
            .find(within),
        Type::Time => [3_600_000_000, 60_000_000, 1_000_000]
            .map(|unit| multiple(end, unit, up))
            .into_iter()
            .find(within),
        _ => None,
    };
    found.unwrap_or(end)
}

/// The nearest multiple of a unit, upward or downward.
fn multiple(rank: i128, unit: i128, up: bool) -> i128 {
    let down = rank.div_euclid(unit) * unit;
    if up && down < rank { down + unit } else { down }
}

/// Doubles with ever more digits, near one.
fn double(ty: &Type, end: i128, up: bool) -> Vec<i128> {
    let Some(Value::Float(x)) = rank::value(ty, end) else { return Vec::new() };
    (0..=15)
        .map(|digits| {
            let unit = 10_f64.powi(digits);
            let scaled = x * unit;
            let whole = if up { scaled.ceil() } else { scaled.floor() };
            let rounded = whole / unit;
            if rounded == 0.0 { 0.0 } else { rounded }
        })
        .filter(|rounded| rounded.is_finite())
        .filter_map(|rounded| rank::of(&Value::Float(rounded)))
        .collect()
}

/// The first moment of the day of one, or of the next where it comes after that.
fn day_start(world: &World<'_>, end: i128, up: bool) -> Option<i128> {
    let micros = i64::try_from(end).ok()?;
    let day = calendar::local_date(&world.zone, micros)?;
    let start = |day: i32| calendar::first_moment(day, &world.zone).map(i128::from);
    let own = start(day)?;
    if up && own < end { start(day.checked_add(1)?) } else { Some(own) }
}

/// Ranks worth trying of a line between two others: the nicest first, without repeats.
pub(super) fn candidates(
    world: &World<'_>,
    line: &Line,
    (low, high): (i128, i128),
    hints: &[i128],
    most: i128,
) -> (Vec<i128>, bool) {
    let mut found = vec![choose(world, line, low, high)];
    found.extend(hints);
    // Decimals of 38 digits are almost as wide as the ranks.
    let all = high.saturating_sub(low) < most;
    if all {
        found.extend(low..=high);
    } else {
        // The ends of what a type holds come after what a person would think of.
        let low_is_said = low > line.low;
        let high_is_said = high < line.high;
        let lower = [low, low.saturating_add(1)];
        let upper = [high, high.saturating_sub(1)];
        found.extend(lower.into_iter().filter(|_| low_is_said));
        found.extend(upper.into_iter().filter(|_| high_is_said));
        found.extend([0, 1, 2, 5]);
        found.extend(lower.into_iter().chain(upper));
        found.extend((0..=12).chain([15, 20, 30, 50, 100, 1000]));
        if let Type::Float = line.ty {
            found.extend(
                [0.5, 1.0, 1.5, 2.0, 3.0, 10.0, 100.0, -1.0].map(Value::Float).iter().filter_map(rank::of),
            );
        }
        if let Type::Decimal { scale, .. } = line.ty
            && let Some(unit) = 10_i128.checked_pow(u32::from(scale))
        {
            found.extend([1, 2, 3, 5, 10, 100, 1000].map(|n| n * unit));
        }
        let near = found.first().copied().unwrap_or(low);
        let step = if line.ty == Type::Timestamp { MICROS_A_DAY } else { 1 };
        // A year of days has every month, weekday and anniversary.
        let around = (most / 2).min(800);
        found.extend((1..=around).flat_map(|n| [near + n * step, near - n * step]));
        if line.ty == Type::Timestamp {
            found.extend((1..=48).map(|n| near + n * 1_800_000_000));
        }
        // In this order nothing leaves the range, however wide it is.
        found.extend((1..32).map(|n| low - low / 32 * n + high / 32 * n));
    }
    let mut seen = hashbrown::HashSet::new();
    found.retain(|rank| (low..=high).contains(rank) && seen.insert(*rank));
    (found, all)
}
