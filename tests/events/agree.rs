//! Every aggregate and sequence over random tables, however the work is divided.

use crate::random::Random;
use crate::support::{World, computed, difference, interpreted, program};
use strata::events::EventOptions;
use strata::program::{Decimal, Value};
use strata::semantics::Facts;

const NOW: i64 = 1_731_600_000_000_000; // 2024-11-15T00:00+08:00
const DAY: i64 = 86_400_000_000;

/// Rules over a text key, so that every kind of value is summed up; `{key}` is the key's type.
const RULES: &str = r#"
strata 1
timezone "Asia/Shanghai"
now 2024-11-15T00:00
type level = low < mid < high
table users key id {
  id : KEY
  age : int?
  born : date?
  joined : timestamp?
  level : level?
}
events orders of users by user at at {
  user : KEY
  at : timestamp
  amount : decimal(18,2)?
  wide : decimal(38,4)?
  weight : float?
  count : int?
  category : string?
  status : paid | refunded | open
  level : level?
  gift : bool?
  due : date?
  tags : list of string?
  clock : string?
}
events visits of users by who at day {
  who : KEY
  day : date
  page : home | cart | pay
  seconds : int?
}
trait n = count(orders)
trait n_paid = count(orders where status = paid, last 90 days)
trait n_amount = count(amount of orders, 60 days ago to 30 days ago)
trait n_exact = count(orders, 30 days ago to 10 days ago)
trait s_amount = sum(amount of orders where status = paid)
trait s_wide = sum(wide of orders)
trait s_weight = sum(weight of orders)
trait s_count = sum(count of orders)
trait a_amount = avg(amount of orders)
trait a_wide = avg(wide of orders, last 40 days)
trait a_weight = avg(weight of orders where gift)
trait a_count = avg(count of orders, since 2024-09-01)
trait lo_amount = min(amount of orders)
trait hi_amount = max(amount of orders where amount < 5)
trait lo_weight = min(weight of orders)
trait hi_weight = max(weight of orders, last 30 days before joined)
trait lo_count = min(count of orders)
trait hi_count = max(count of orders)
trait lo_level = min(level of orders)
trait hi_due = max(due of orders)
trait hi_wide = max(wide of orders)
trait first_at = first(at of orders)
trait last_at = last(at of orders where status = paid)
trait first_category = first(category of orders)
trait last_category = last(category of orders, last 60 days)
trait last_weight = last(weight of orders)
trait last_wide = last(wide of orders)
trait last_gift = last(gift of orders)
trait first_level = first(level of orders)
trait kinds = distinct(category of orders)
trait days = distinct(date(at) of orders)
trait statuses = distinct(status of orders)
trait wides = distinct(wide of orders)
trait counts = distinct(count of orders where count > 0)
trait gifts = distinct(gift of orders)
trait usual = mode(category of orders)
trait usual_level = mode(level of orders)
trait usual_count = mode(count of orders)
trait usual_wide = mode(wide of orders)
trait usual_weight = mode(weight of orders)
trait usual_day = mode(weekday(at) of orders)
trait part_paid = share(orders where status = paid)
trait doubled = sum(amount * 2 of orders where users.age >= 18)
trait of_level = count(orders where level = users.level, last (users.age) days)
trait above_own = count(orders where amount > avg(amount of orders))
trait after_last = count(visits, since last_day)
trait last_day = last(day of visits where page = home)
trait first_page = first(page of visits)
trait pages = distinct(page of visits, last 3 weeks)
trait long = sum(seconds of visits where seconds > 10, 40 days ago to 20 days ago)
trait usual_page = mode(page of visits)
trait visit_days = distinct(day of visits)
trait r = score(n where age >= 18 into 4, lowest is best)
trait f = score(s_amount into 5)
trait w = score(s_weight into 3)
trait m = population median(a_weight)
trait q = population quantile(s_wide, 30%)
trait p = population avg(a_amount)
trait least_of_all = population min(lo_count)
trait most_of_all = population max(s_weight)
trait all_of_all = population sum(s_amount)
trait float_of_all = population sum(s_weight)
trait above = a_weight > m
trait orders_of_best = count(orders where users.f = 5)
rfm value from orders { recency at; monetary amount; where status = paid; window last 365 days; bins 5 }
segment any_orders when any(orders where gift)
segment no_orders when none(orders, last 2 weeks)
segment cart_only when sequence(visits where page = cart then no visits where page = pay, within 3 days)
segment bought when sequence(visits where page = home then orders where status = paid, within 7 days)
segment straight when sequence(visits where page = home then visits where page = cart without visits where page = pay then visits where page = pay, within 20 days)
segment twice when sequence(orders then orders without orders where gift then orders)
segment silent when sequence(orders where status = paid then no orders)
segment left when sequence(orders where status = open without visits where page = cart then orders where status = paid then no orders where status = refunded, within 30 days)
segment day_by_day when sequence(visits then visits then visits then no visits where page = cart, within 6 days)
segment was_many when n_paid as of 30 days ago > 1
layer cycle { some when n between 1 and 4  many when n >= 5  none otherwise }
segment was_some when cycle as of 20 days ago = some
"#;

fn maybe(random: &mut Random, percent: usize, value: impl FnOnce(&mut Random) -> Value) -> Value {
    if random.percent(percent) { value(random) } else { Value::Missing }
}

fn text(random: &mut Random, all: &[&str]) -> Value {
    Value::Text((*random.pick(all)).into())
}

/// A time, often right on the bound of a window.
fn time(random: &mut Random) -> i64 {
    let days = *random.pick(&[0, 10, 30, 40, 60, 90, 365, 20, 14, 1]);
    match random.between(0, 5) {
        0 => NOW - days * DAY,
        1 => NOW - days * DAY + random.between(-1, 1),
        2 => NOW + random.between(-2, 3) * DAY / 2,
        _ => NOW - random.between(0, 120) * DAY / 3,
    }
}

fn day(random: &mut Random) -> Value {
    Value::Date(((time(random) + 8 * 3_600_000_000).div_euclid(DAY)) as i32)
}

fn decimal(unscaled: i128, scale: u8) -> Value {
    Value::Decimal(Decimal { unscaled, scale })
}

fn key(text_keys: bool, number: i64) -> Value {
    if text_keys { Value::Text(format!("用户{number}").into()) } else { Value::Int(number * 3 + 7) }
}

fn world(random: &mut Random, text_keys: bool) -> World {
    let count = random.between(0, 40);
    let mut numbers: Vec<i64> = (0..count).collect();
    if random.percent(60) {
        for at in (1..numbers.len()).rev() {
            numbers.swap(at, random.between(0, at as i64) as usize);
        }
    }
    if random.percent(20) {
        numbers.iter_mut().for_each(|number| *number *= 1_000_000_000);
    }
    let users = numbers
        .iter()
        .map(|number| {
            vec![
                key(text_keys, *number),
                maybe(random, 80, |random| Value::Int(random.between(1, 60))),
                maybe(random, 80, day),
                maybe(random, 80, |random| Value::Timestamp(time(random))),
                maybe(random, 80, |random| Value::Label(random.between(0, 2) as u32)),
            ]
        })
        .collect();
    let own = |random: &mut Random| {
        let at = random.between(0, numbers.len().max(1) as i64 + 1) as usize;
        // Some have no event, some are orphans.
        let number = numbers.get(at).copied().unwrap_or(-5);
        maybe(random, 95, |_| key(text_keys, number / 2 * 2))
    };
    let most = if random.percent(15) { 0 } else { 300 };
    let mut orders: Vec<Vec<Value>> = (0..random.between(0, most))
        .map(|_| {
            vec![
                own(random),
                maybe(random, 95, |random| Value::Timestamp(time(random))),
                maybe(random, 85, |random| decimal(i128::from(random.between(-900, 900)), 2)),
                maybe(random, 85, |random| {
                    let near = i128::from(random.between(-9, 9));
                    let far = 10_i128.pow(38) - 1 - near.abs();
                    decimal(if random.percent(20) { far * near.signum() } else { near * 10_000 }, 4)
                }),
                maybe(random, 85, |random| {
                    let near = random.between(-4_000, 4_000) as f64 / 10.0;
                    Value::Float(if random.percent(10) {
                        *random.pick(&[1e308, -1e308, 1e-300, 3e16])
                    } else {
                        near + 0.0
                    })
                }),
                maybe(random, 85, |random| {
                    Value::Int(if random.percent(10) {
                        *random.pick(&[i64::MAX, i64::MIN])
                    } else {
                        random.between(-3, 9)
                    })
                }),
                maybe(random, 90, |random| text(random, &["A", "B", "服饰", "", "b"])),
                Value::Label(random.between(0, 2) as u32),
                maybe(random, 80, |random| Value::Label(random.between(0, 2) as u32)),
                maybe(random, 80, |random| Value::Bool(random.percent(50))),
                maybe(random, 80, day),
                maybe(random, 80, |random| {
                    Value::List((0..random.between(0, 2)).map(|_| text(random, &["x", "y"])).collect())
                }),
                Value::Missing,
            ]
        })
        .collect();
    if random.percent(50) {
        orders.sort_by_key(|row| if let Value::Timestamp(at) = row[1] { at } else { 0 });
    }
    if let Some(row) = orders.first().cloned() {
        orders.push(row);
    }
    let visits = (0..random.between(0, most))
        .map(|_| {
            vec![
                own(random),
                maybe(random, 95, day),
                Value::Label(random.between(0, 2) as u32),
                maybe(random, 80, |random| Value::Int(random.between(0, 60))),
            ]
        })
        .collect();
    World { users, events: vec![orders, visits] }
}

fn shuffled(random: &mut Random, world: &World) -> World {
    let mut world = world.clone();
    for rows in &mut world.events {
        for at in (1..rows.len()).rev() {
            rows.swap(at, random.between(0, at as i64) as usize);
        }
    }
    world
}

#[test]
fn the_engine_says_what_the_interpreter_says() {
    let programs = [program(&RULES.replace("KEY", "int")), program(&RULES.replace("KEY", "string"))];
    let cases = std::env::var("STRATA_EVENTS").ok().and_then(|cases| cases.parse().ok()).unwrap_or(60);
    let facts = Facts::default();
    for seed in 0..cases {
        let mut random = Random::new(seed);
        let text_keys = random.percent(40);
        let dated = programs[usize::from(text_keys)].at(NOW);
        let world = world(&mut random, text_keys);
        let expected = interpreted(&dated, &facts, &world);
        let mut counts = Vec::new();
        for (threads, part_users, batch_rows, memory) in
            [(1, 1 << 16, 1 << 16, None), (2, 4, 17, None), (3, 1, 3, None), (2, 8, 50, Some(1))]
        {
            let options = EventOptions { threads, part_users, memory, ..EventOptions::default() };
            let rows = if batch_rows == 3 { shuffled(&mut random, &world) } else { world.clone() };
            let (found, context) = computed(&dated, &facts, &rows, batch_rows, &options);
            if let Some(difference) = difference(&dated, &expected, &found) {
                panic!("seed {seed}, parts of {part_users}: {difference}");
            }
            let mut tables = context.map(|context| context.tables).unwrap_or_default();
            tables.iter_mut().for_each(|table| table.orphan_examples.clear());
            counts.push(tables);
        }
        assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "seed {seed}: {counts:?}");
        for (counts, rows) in counts[0].iter().zip(&world.events) {
            assert_eq!(counts.rows, rows.len() as u64);
            let parts = [counts.used, counts.later, counts.orphans, counts.missing_key, counts.missing_time];
            assert_eq!(parts.iter().sum::<u64>(), counts.rows, "{counts:?}");
        }
    }
}
