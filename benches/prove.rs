//! How long proofs take and how much memory: `cargo run --release --example prove`. The numbers are in
//! docs/src/performance.md.

#![expect(clippy::print_stdout, reason = "a measurement prints what it finds")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};
use strata::check::{Options, Proofs, SingleText, check_with};

/// Chance that is the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn table(columns: usize) -> String {
    let mut text = "strata 1\nnow 2024-11-15\ntable users key id {\n  id : int\n".to_owned();
    for at in 0..columns {
        let _ = match at % 4 {
            0 | 1 => writeln!(text, "  c{at} : int between 0 and 1000"),
            2 => writeln!(text, "  c{at} : int? between 0 and 1000"),
            _ => writeln!(text, "  c{at} : a | b | c | d"),
        };
    }
    text + "}\n"
}

fn test(random: &mut Random, column: u64) -> String {
    match column % 4 {
        3 => format!(
            "c{column} {} {}",
            if random.below(2) == 0 { "=" } else { "!=" },
            ["a", "b", "c", "d"].get(random.below(4) as usize).unwrap_or(&"a")
        ),
        _ => {
            let low = random.below(900);
            format!("c{column} between {low} and {}", low + 20 + random.below(400))
        }
    }
}

/// Layers whose 50 members exclude each other and take everybody, by two columns each.
fn layers(count: usize) -> String {
    let mut text = table(40);
    for layer in 0..count {
        let (a, b) = ((layer * 4) % 40, (layer * 4 + 1) % 40);
        let _ = writeln!(text, "layer l{layer} {{");
        for member in 0..50 {
            let (row, column) = (member / 10, member % 10);
            let (a_low, b_low) = (row * 201, column * 101);
            let _ = writeln!(
                text,
                "  m{member} when c{a} between {a_low} and {} and c{b} between {b_low} and {}",
                a_low + 200,
                b_low + 100
            );
        }
        text += "}\n";
    }
    text
}

fn segments(count: usize) -> String {
    let mut random = Random(7);
    let mut text = table(30);
    for segment in 0..count {
        let tests: Vec<String> = (0..2 + random.below(3))
            .map(|_| {
                let column = random.below(30);
                test(&mut random, column)
            })
            .collect();
        let word = if random.below(4) == 0 { " or " } else { " and " };
        let _ = writeln!(text, "segment s{segment} when {}", tests.join(word));
    }
    text
}

/// So many pigeons in one hole less: nobody can be so, and every proof of it is long.
fn pigeons(pigeons: usize) -> String {
    let holes = pigeons - 1;
    let mut text = "strata 1\nnow 2024-11-15\ntable users key id {\n  id : int\n".to_owned();
    for pigeon in 0..pigeons {
        for hole in 0..holes {
            let _ = writeln!(text, "  p{pigeon}_{hole} : bool");
        }
    }
    text += "}\nsegment hard when ";
    let mut parts: Vec<String> = (0..pigeons)
        .map(|pigeon| {
            format!(
                "({})",
                (0..holes).map(|hole| format!("p{pigeon}_{hole}")).collect::<Vec<_>>().join(" or ")
            )
        })
        .collect();
    for hole in 0..holes {
        for a in 0..pigeons {
            for b in 0..a {
                parts.push(format!("not (p{a}_{hole} and p{b}_{hole})"));
            }
        }
    }
    text + &parts.join(" and ") + "\n"
}

fn measure(what: &str, text: &str, proofs: Proofs) {
    let single = SingleText { path: "rules.seg".into(), text: text.to_owned() };
    let path = std::path::Path::new("rules.seg");
    let start = Instant::now();
    let bare = check_with(path, &single, &Options { proofs: Proofs::None, ..Options::default() });
    let without = start.elapsed();
    assert!(bare.program.is_some(), "{:?}", bare.diagnostics.first());
    let start = Instant::now();
    let checked = check_with(path, &single, &Options { proofs, ..Options::default() });
    let all = start.elapsed();
    let mut codes = std::collections::BTreeMap::new();
    for finding in &checked.diagnostics {
        *codes.entry(finding.code.id()).or_insert(0) += 1;
    }
    println!(
        "{what}: {:.2} s, of which proofs {:.2} s; {codes:?}; peak memory {} MiB",
        all.as_secs_f64(),
        all.saturating_sub(without).as_secs_f64(),
        peak()
    );
}

/// The process's peak memory so far, where the system tells.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn main() {
    for count in [5, 10, 20, 40] {
        measure(
            &format!("{count} layers of 50 members over 40 attributes"),
            &layers(count),
            Proofs::Generous,
        );
    }
    measure("1,000 random segments", &segments(1_000), Proofs::Generous);
    measure("5,000 random segments", &segments(5_000), Proofs::Generous);
    measure("13 pigeons in 12 holes", &pigeons(13), Proofs::Generous);
    measure("13 pigeons in 12 holes, a run's budget", &pigeons(13), Proofs::Within(Duration::from_secs(1)));
}
