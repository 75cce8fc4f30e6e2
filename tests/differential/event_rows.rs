//! Random users with what they did: orphans, duplicates, missing keys and times, events later than
//! `now`, events on each bound of a window, several at one time.

use crate::programs::Generated;
use crate::random::Random;
use crate::rows;
use std::fmt::Write;
use strata::interpret::UserRows;
use strata::program::{Expr, Program, Table, Type, Value};

const DAY: i64 = 86_400_000_000;

/// The years 2 to 9998, so that no zone leads out of the calendar.
const DAYS: std::ops::Range<i32> = -718_000..2_932_000;

/// Users and the rows of each event table, in the order of the tables.
#[derive(Clone, Debug)]
pub struct World {
    pub users: Vec<Vec<Value>>,
    pub events: Vec<Vec<Vec<Value>>>,
}

/// A world for a program.
pub fn world(random: &mut Random, generated: &Generated, program: &Program, now: i64, count: usize) -> World {
    let mut users = rows::rows(random, generated, program, now, count);
    for value in users.iter_mut().flatten() {
        // Outside the years 1 to 9999 they are bad values, and never reach a rule.
        let outside = match value {
            Value::Date(day) => !DAYS.contains(day),
            Value::Timestamp(at) => !(i64::from(DAYS.start) * DAY..i64::from(DAYS.end) * DAY).contains(at),
            _ => false,
        };
        if outside {
            *value = Value::Missing;
        }
    }
    let mut times = rows::moments(program, now);
    times.extend(bounds(program, now));
    let mut events = Vec::new();
    for table in &program.events {
        let mut own: Vec<Vec<Value>> = Vec::new();
        // An empty table now and then.
        let rows = if random.percent(4) { 0 } else { count * (1 + random.below(8)) };
        while own.len() < rows {
            if !own.is_empty() && random.percent(6) {
                let same = random.pick(&own).clone();
                own.push(same);
                continue;
            }
            let before = random.percent(12).then(|| own.last().cloned()).flatten();
            let user = random.pick(&users).clone();
            let row = table.table.columns.iter().enumerate().map(|(at, column)| {
                if at == table.table.key {
                    return key(random, &user, count);
                }
                if at == table.at {
                    // Several events of one time.
                    return match &before {
                        Some(before) => before[at].clone(),
                        None => time(random, &column.ty, &times, &user, program, now),
                    };
                }
                if random.percent(if column.optional { 25 } else { 4 }) {
                    return Value::Missing;
                }
                match rows::value(random, &column.ty, program, &generated.constants, &times) {
                    Value::Date(day) if !DAYS.contains(&day) => Value::Missing,
                    Value::Timestamp(at) if !DAYS.contains(&((at / DAY) as i32)) => Value::Missing,
                    value => value,
                }
            });
            let mut row: Vec<Value> = row.collect();
            if let Some(before) = &before {
                row[table.table.key] = before[table.table.key].clone();
            }
            own.push(row);
        }
        events.push(own);
    }
    World { users, events }
}

/// Mostly the user's, else nobody's or none. Some users are never picked often: they have few events.
fn key(random: &mut Random, user: &[Value], count: usize) -> Value {
    match random.below(30) {
        0 => Value::Missing,
        1 => Value::Int(*random.pick(&[-1, i64::MIN, i64::MAX, count as i64, count as i64 + 7])),
        _ => user[0].clone(),
    }
}

/// Every constant moment of the program, bounds of windows among them, in microseconds.
fn bounds(program: &Program, now: i64) -> Vec<i64> {
    let dated = program.at(now);
    let zone = program.zone();
    let moment = |value: &Value| match value {
        Value::Timestamp(at) => Some(*at),
        Value::Date(days) => strata::semantics::calendar::first_moment(*days, &zone),
        _ => None,
    };
    let nodes = dated.program.nodes.iter();
    nodes
        .filter_map(|node| match &node.expr {
            Expr::Constant(value) => moment(value),
            _ => None,
        })
        .collect()
}

fn time(random: &mut Random, ty: &Type, times: &[i64], user: &[Value], program: &Program, now: i64) -> Value {
    let micros = match random.below(20) {
        0 => return Value::Missing,
        // On a bound, or as little as can be beside it.
        1..=6 => random.pick(times).saturating_add(*random.pick(&[0, 0, 0, 1, -1])),
        7 => now + random.between(0, 40 * DAY),
        8 => now,
        9 => {
            let columns = program.users.iter().flat_map(|users| &users.columns);
            let own = columns.zip(user).find(|(column, _)| column.name == "t1").map(|(_, value)| value);
            match own {
                Some(Value::Timestamp(at)) => at.saturating_sub(random.between(0, 3) * 10 * DAY),
                _ => now - random.between(0, 900 * DAY),
            }
        }
        10 | 11 => now - random.between(0, 20) * DAY / 4,
        _ => now - random.between(0, 420 * DAY),
    };
    // Data outside the years 1 to 9999 are bad values and never reach a rule.
    let micros = micros.clamp(-62_000_000_000_000_000, 253_000_000_000_000_000);
    match ty {
        Type::Date => {
            let local = strata::semantics::calendar::local_date(&program.zone(), micros);
            local.map_or(Value::Missing, |day| Value::Date(day + *random.pick(&[0, 0, 0, 0, 1, -1])))
        }
        _ => Value::Timestamp(micros),
    }
}

impl World {
    /// Each user's rows. What has no key, no user or no time is nobody's.
    pub fn by_user(&self, program: &Program) -> Vec<UserRows> {
        let key = program.users.as_ref().map_or(0, |users| users.key);
        let user = |columns: &Vec<Value>| UserRows {
            columns: columns.clone(),
            events: program
                .events
                .iter()
                .zip(&self.events)
                .map(|(table, rows)| {
                    let own = rows.iter().filter(|row| {
                        let of = &row[table.table.key];
                        !of.is_missing() && *of == columns[key] && !row[table.at].is_missing()
                    });
                    own.cloned().collect()
                })
                .collect(),
        };
        self.users.iter().map(user).collect()
    }

    /// The same for a program with some columns and tables less.
    pub fn of(&self, full: &Program, program: &Program) -> World {
        let project = |full: &Table, table: &Table, rows: &[Vec<Value>]| -> Vec<Vec<Value>> {
            let place = |name: &str| full.columns.iter().position(|column| column.name == name).unwrap();
            let places: Vec<usize> = table.columns.iter().map(|column| place(&column.name)).collect();
            rows.iter().map(|row| places.iter().map(|at| row[*at].clone()).collect()).collect()
        };
        let users = match (&full.users, &program.users) {
            (Some(full), Some(users)) => project(full, users, &self.users),
            _ => self.users.clone(),
        };
        let events = program.events.iter().map(|events| {
            let at = full.events.iter().position(|own| own.table.name == events.table.name).unwrap();
            project(&full.events[at].table, &events.table, &self.events[at])
        });
        World { users, events: events.collect() }
    }

    /// Worlds with a user or some events less, or a value missing.
    pub fn simpler(&self) -> Vec<World> {
        let mut simpler = Vec::new();
        for at in 0..self.users.len() {
            let mut less = self.clone();
            less.users.remove(at);
            simpler.push(less);
        }
        for (table, rows) in self.events.iter().enumerate() {
            for size in [rows.len(), rows.len() / 2, rows.len() / 8, 1] {
                for start in (0..rows.len()).step_by(size.max(1)) {
                    let mut less = self.clone();
                    less.events[table].drain(start..(start + size).min(rows.len()));
                    simpler.push(less);
                }
            }
        }
        if self.events.iter().map(Vec::len).sum::<usize>() < 6 && self.users.len() < 4 {
            for (table, rows) in self.events.iter().enumerate() {
                for (row, values) in rows.iter().enumerate() {
                    for at in (0..values.len()).filter(|at| !values[*at].is_missing()) {
                        let mut less = self.clone();
                        less.events[table][row][at] = Value::Missing;
                        simpler.push(less);
                    }
                }
            }
            for (user, values) in self.users.iter().enumerate() {
                for at in (1..values.len()).filter(|at| !values[*at].is_missing()) {
                    let mut less = self.clone();
                    less.users[user][at] = Value::Missing;
                    simpler.push(less);
                }
            }
        }
        simpler
    }

    /// The rows for people, without what is missing.
    pub fn text(&self, program: &Program) -> String {
        let mut out = String::new();
        let mut table = |table: &Table, rows: &[Vec<Value>]| {
            writeln!(out, "{}:", table.name).unwrap();
            for row in rows {
                let known = table.columns.iter().zip(row).filter(|(_, value)| !value.is_missing());
                let values: Vec<String> =
                    known.map(|(column, value)| format!("{} = {value:?}", column.name)).collect();
                writeln!(out, "  {}", values.join(", ")).unwrap();
            }
        };
        if let Some(users) = &program.users {
            table(users, &self.users);
        }
        for (events, rows) in program.events.iter().zip(&self.events) {
            table(&events.table, rows);
        }
        out
    }
}
