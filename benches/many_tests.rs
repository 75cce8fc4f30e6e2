//! How long ten thousand tests take, in both engines: `cargo run --release --example many_tests`. With the name of
//! a file, the rules are written there too, for `strata test`. The numbers are in docs/src/performance.md.

#![expect(clippy::print_stdout, reason = "a measurement prints what it finds")]

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;
use strata::check::{Options, Proofs, SingleText, check_with};
use strata::insight::testing::Runner;
use strata::semantics::Facts;

const TESTS: usize = 10_000;

/// Rules of all kinds, as a plan has them.
const RULES: &str = r#"strata 1
timezone "Asia/Shanghai"
now 2024-11-15
type level = low < mid < high
table users key user_id {
  user_id    : int
  age        : int? between 0 and 120
  channel    : social | search | ads | referral ?
  quiz_score : int between 0 and 100
  investable : decimal(18,2) >= 0
  signup_at  : timestamp past
}
events orders of users by user_id at ordered_at {
  user_id    : int
  ordered_at : timestamp
  amount     : decimal(18,2)
  status     : paid | refunded
}
trait orders_90d = count(orders where status = paid, last 90 days)
trait spent = sum(amount of orders where status = paid)
trait last_paid = last(ordered_at of orders where status = paid)
scale expertise : level {
  high when quiz_score >= 80
  mid  when quiz_score >= 50
  low  otherwise
}
scale intent : level {
  high when investable >= 50万 or orders_90d >= 5
  mid  when investable >= 5万 or orders_90d >= 1
  low  otherwise
}
segment pro_strong when expertise >= high and intent >= high
layer lifecycle {
  newcomer when days since signup_at <= 30
  growing  when days since signup_at > 30 and orders_90d between 1 and 4
  valuable when days since signup_at > 30 and orders_90d >= 5
  dormant  otherwise
}
grid fund by expertise, intent {
  low | mid, low | mid -> novice_weak
  low | mid, high      -> novice_strong
  high,      low | mid -> pro_weak
  high,      high      -> pro_strong
}
stack plan on lifecycle {
  newcomer          by channel
  growing, valuable by fund
}
play words for fund {
  novice_weak when orders_90d = 0 -> "an easy first product"
  novice_weak                     -> "the next of {orders_90d} orders, {spent:.2} so far"
  novice_strong                   -> "a plan of your own"
  pro_weak                        -> "the market this month"
  pro_strong                      -> "your portfolio"
}
"#;

/// A test whose users, orders and expectations differ from the last one's.
fn test(number: usize) -> String {
    let score = number % 101;
    let orders = number % 7;
    let mut text = format!("test \"number {number}\" {{\n  given users {{ age: {}, ", number % 121);
    let _ = writeln!(
        text,
        "channel: social, quiz_score: {score}, investable: {}, signup_at: 2020-01-01 }}",
        number % 40_000
    );
    if orders > 0 {
        let rows: Vec<String> = (1..=orders)
            .map(|day| format!("{{ ordered_at: 2024-11-0{day}, amount: {day}.5, status: paid }}"))
            .collect();
        let _ = writeln!(text, "  given orders {}", rows.join(", "));
    }
    let stage = if orders == 0 {
        "dormant"
    } else if orders < 5 {
        "growing"
    } else {
        "valuable"
    };
    let cell = match (score >= 80, orders >= 5) {
        (false, false) => "novice_weak",
        (false, true) => "novice_strong",
        (true, false) => "pro_weak",
        (true, true) => "pro_strong",
    };
    let path = if orders == 0 { stage.to_owned() } else { format!("{stage}/{cell}") };
    let _ = writeln!(
        text,
        "  expect orders_90d = {orders}\n  expect lifecycle = {stage}\n  expect fund = {cell}"
    );
    let not = if cell == "pro_strong" { "" } else { "not " };
    let _ =
        writeln!(text, "  expect plan = \"{path}\"\n  expect {not}pro_strong\n  expect words is known\n}}");
    text
}

fn main() {
    let mut rules = RULES.to_owned();
    (0..TESTS).for_each(|number| rules += &test(number));
    if let Some(file) = std::env::args().nth(1) {
        match std::fs::write(&file, &rules) {
            Ok(()) => println!("the rules are in {file}"),
            Err(error) => println!("cannot write {file}: {error}"),
        }
    }
    let start = Instant::now();
    let single = SingleText { path: "rules.seg".into(), text: rules };
    let options = Options { proofs: Proofs::Generous, ..Options::default() };
    let checked = check_with(Path::new("rules.seg"), &single, &options);
    let checking = start.elapsed();
    let Some(program) = checked.program else {
        println!("the rules are at fault: {:?}", checked.diagnostics.first());
        return;
    };
    for coverage in [false, true] {
        let facts = Facts::default();
        let start = Instant::now();
        let mut testing = Runner::new(&program, &facts, &checked.sources, coverage);
        let passed = program.tests.iter().filter(|test| testing.run(test).passed).count();
        let tests = program.tests.len();
        println!(
            "{passed} of {tests} tests passed{}: {:.2} s, and {:.2} s to check the rules",
            if coverage { ", with coverage" } else { "" },
            start.elapsed().as_secs_f64(),
            checking.as_secs_f64()
        );
    }
}
