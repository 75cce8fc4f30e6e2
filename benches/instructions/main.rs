//! One kind of work for the evaluator, small and always the same, whose instructions
//! `benches/instructions/run` counts: `instructions KIND plain|avx2`. Ends with 3 where the machine has not
//! that level.

use arrow::array::{
    ArrayRef, Date32Array, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    UInt16Array, UInt32Array,
};
use arrow::datatypes::{Int32Type, UInt16Type};
use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;
use strata::semantics::Facts;
use strata::vector::{Level, NodeColumns, Plan, Wanted, use_at_most};

const ROWS: usize = 1 << 16;

const TABLE: &str = "strata 1
now 2024-11-15T00:00
table users key id {
  id    : int
  score : int
  spend : float?
  tier  : bronze | silver | gold
  city  : string?
  born  : date
  visits: int?
}
";

/// The rules of a kind of work.
fn rules(kind: &str) -> Option<String> {
    let mut text = TABLE.to_owned();
    for n in 0..40 {
        match kind {
            "near" => writeln!(text, "segment s{n} when score >= {}", n * 5 + 3),
            "far" => writeln!(text, "segment s{n} when spend >= {}.5", n * 100 + 3),
            "texts" => writeln!(text, "segment s{n} when city in (\"city{n}\", \"city{}\")", n + 40),
            "logic" => writeln!(
                text,
                "segment s{n} when score >= {a} and (spend >= 500 or tier = gold) and not (score >= {b} or spend < {a})",
                a = n % 5 * 20,
                b = n % 7 * 20 + 100
            ),
            "dates" => writeln!(text, "segment s{n} when days since born >= {}", n * 30),
            "codes" => writeln!(text, "segment s{n} when visits >= {} or visits = {n}", n * 50),
            "layer" if n == 0 => writeln!(text, "layer all_scores first match partial {{\n  m0 when score < 5"),
            "layer" if n == 39 => writeln!(text, "  m39 when score < 199\n}}"),
            "layer" => writeln!(text, "  m{n} when score < {}", n * 5 + 5),
            _ => return None,
        }
        .ok()?;
    }
    Some(text)
}

fn batch() -> Result<RecordBatch, Box<dyn Error>> {
    let chance = |row: usize, below: u64| {
        let mixed = (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ below;
        (mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) % below
    };
    let number = |below: u64| (0..ROWS).map(move |row| chance(row, below));
    let cities: ArrayRef = Arc::new(StringArray::from_iter_values((0..200).map(|n| format!("city{n}"))));
    let codes = Int32Array::from_iter(number(200).map(|n| (n % 17 != 0).then_some(n as i32)));
    let visits: ArrayRef = Arc::new(Int64Array::from_iter_values(0..2000));
    let seen = UInt16Array::from_iter(number(2000).map(|n| (n % 13 != 0).then_some(n as u16)));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(0..ROWS as i64))),
        ("score", Arc::new(Int64Array::from_iter_values(number(230).map(|n| n as i64)))),
        ("spend", Arc::new(Float64Array::from_iter(number(5000).map(|n| (n % 11 != 0).then_some(n as f64))))),
        ("tier", Arc::new(UInt32Array::from_iter_values(number(3).map(|n| n as u32)))),
        ("city", Arc::new(DictionaryArray::<Int32Type>::try_new(codes, cities)?)),
        ("visits", Arc::new(DictionaryArray::<UInt16Type>::try_new(seen, visits)?)),
        ("born", Arc::new(Date32Array::from_iter_values(number(20_000).map(|n| n as i32)))),
    ];
    Ok(RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let kind = std::env::args().nth(1).unwrap_or_default();
    let level = match std::env::args().nth(2).as_deref() {
        Some("plain") => Level::Plain,
        Some("avx2") => Level::Avx2,
        _ => return Err("say plain or avx2".into()),
    };
    if use_at_most(level) != level {
        std::process::exit(3);
    }
    let rules = rules(&kind).ok_or("say one of near, far, texts, logic, dates, codes, layer")?;
    let program = strata::check("rules.seg", &rules)
        .map_err(|found| found.first().map_or(String::new(), |found| found.message.clone()))?;
    let dated = program.at(program.now.unwrap_or_default());
    let plan = Plan::new(&dated, &Wanted::assignments(&dated.program));
    let batch = batch()?;
    let (mut workspace, mut counts) = (plan.workspace(), plan.no_counts());
    let (given, facts) = (NodeColumns::new(), Facts::default());
    // Twice: the second time has registers and dictionaries at hand, as most of a run has.
    for _ in 0..2 {
        plan.count_in(&mut workspace, &batch, &given, &facts, &mut counts)?;
    }
    assert_eq!(counts.rows, 2 * ROWS as u64);
    Ok(())
}
