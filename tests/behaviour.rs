//! What users did, as a user of `strata` meets it: the binary, over files of events.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at what it does not expect"
)]

use assert_cmd::Command;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use tempfile::TempDir;

const TABLES: &str = r#"strata 1
timezone "Asia/Shanghai"
now 2024-11-15T12:00

table users key id from "users.csv" {
  id     : int
  joined : date?
}
events orders of users by id at at from "orders.csv" {
  id     : int?
  at     : timestamp?
  amount : decimal(10,2)?
  status : paid | refunded
}
"#;

const USERS: &str = "id,joined\n1,2024-11-10\n2,2024-01-01\n3,\n4,2024-02-29\n";

/// A folder with rules, users and orders.
struct Case(TempDir);

impl Case {
    fn new(rules: &str, orders: &str) -> Case {
        let case = Case(tempfile::tempdir().unwrap());
        case.write("rules.seg", &format!("{TABLES}{rules}"));
        case.write("users.csv", USERS);
        case.write("orders.csv", &format!("id,at,amount,status\n{orders}"));
        case
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Exit status, stdout, stderr.
    fn strata(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::cargo_bin("strata").unwrap();
        let output =
            command.current_dir(self.0.path()).env("NO_COLOR", "1").args(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
    }

    /// The output of a run: by name of the column, the users' values as text, in the order of the users.
    fn run(&self, more: &[&str]) -> BTreeMap<String, Vec<String>> {
        self.run_with_summary(more).0
    }

    fn run_with_summary(&self, more: &[&str]) -> (BTreeMap<String, Vec<String>>, Value) {
        let mut arguments = vec!["run", "rules.seg", "--with-traits", "--summary", "json", "-o", "out.csv"];
        arguments.extend(more);
        let (status, summary, errors) = self.strata(&arguments);
        assert_eq!(status, 0, "{more:?}: {errors}");
        let text = fs::read_to_string(self.0.path().join("out.csv")).unwrap();
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        let names = lines.next().unwrap();
        let rows: Vec<Vec<String>> = lines.collect();
        let column = |at: usize| rows.iter().map(|row| row[at].clone()).collect();
        let columns = names.iter().enumerate().map(|(at, name)| (name.clone(), column(at))).collect();
        (columns, serde_json::from_str(&summary).unwrap())
    }
}

/// The values of a column.
fn assert_column(found: &BTreeMap<String, Vec<String>>, name: &str, expected: [&str; 4]) {
    assert_eq!(found[name], expected, "{name}");
}

#[test]
fn expand_prints_every_window_as_a_half_open_interval() {
    let rules = "trait last_90 = count(orders, last 90 days)\n\
        trait hours = count(orders, last 36 hours)\n\
        trait ago = count(orders, 60 days ago to 30 days ago)\n\
        trait since_day = count(orders, since 2024-10-01)\n\
        trait before = count(orders, last 7 days before 2024-11-11)\n\
        trait always = count(orders)\n";
    let case = Case::new(rules, "");
    let (status, text, errors) = case.strata(&["expand", "rules.seg"]);
    assert_eq!(status, 0, "{errors}");
    let now = "2024-11-15T12:00:00+08:00";
    for expected in [
        format!("`at` > 2024-08-17T12:00:00+08:00 and `at` <= {now}"),
        format!("`at` > 2024-11-14T00:00:00+08:00 and `at` <= {now}"),
        format!("`at` > 2024-09-16T12:00:00+08:00 and `at` <= 2024-10-16T12:00:00+08:00 and `at` <= {now}"),
        format!("`at` >= 2024-10-01T00:00:00+08:00 and `at` <= {now}"),
        format!("`at` >= 2024-11-04T00:00:00+08:00 and `at` < 2024-11-11T00:00:00+08:00 and `at` <= {now}"),
        format!("count(orders where `at` <= {now})"),
    ] {
        assert!(text.contains(&expected), "{expected} is not in\n{text}");
    }
}

#[test]
fn events_on_the_bounds_are_in_or_out_as_the_window_says() {
    let rules = "trait last_90 = count(orders, last 90 days)\n\
        trait ago = count(orders, 90 days ago to 30 days ago)\n\
        trait ago_open = count(orders, 91 days ago to 90 days ago)\n\
        trait since_bound = count(orders, since 2024-08-17T12:00)\n\
        trait before = count(orders, last 1 day before 2024-08-18)\n";
    // User 1: on the bound; 2: a microsecond later; 3: a microsecond earlier; 4: now, and just after.
    let orders = "1,2024-08-17T12:00:00,1,paid\n2,2024-08-17T12:00:00.000001,1,paid\n\
        3,2024-08-17T11:59:59.999999,1,paid\n4,2024-11-15T12:00:00,1,paid\n4,2024-11-15T12:00:00.000001,1,paid\n\
        4,2024-08-18T00:00:00,1,paid\n4,2024-08-17T00:00:00,1,paid\n";
    let found = Case::new(rules, orders).run(&[]);
    assert_column(&found, "last_90", ["0", "1", "0", "2"]);
    assert_column(&found, "ago", ["0", "1", "0", "1"]);
    assert_column(&found, "ago_open", ["1", "0", "1", "1"]);
    assert_column(&found, "since_bound", ["1", "1", "0", "2"]);
    assert_column(&found, "before", ["1", "1", "1", "1"]);
}

#[test]
fn ties_duplicates_and_missing_values() {
    let rules = "trait first_amount = first(amount of orders)\n\
        trait last_amount = last(amount of orders)\n\
        trait common = mode(amount of orders)\n\
        trait rows = count(orders)\n\
        trait valued = count(amount of orders)\n\
        trait total = sum(amount of orders)\n\
        trait kinds = distinct(amount of orders)\n\
        trait days = distinct(date(at) of orders)\n\
        trait mean = avg(amount of orders)\n\
        segment some when any(orders)\n\
        segment nothing when none(orders where status = paid)\n";
    let orders = "1,2024-11-01 10:00,5.00,paid\n1,2024-11-01 10:00,3.00,paid\n1,2024-11-01 10:00,3.00,paid\n\
        1,2024-11-02 10:00,9.10,paid\n1,2024-11-02 10:00,9.05,refunded\n1,2024-11-03 10:00,,paid\n\
        2,2024-11-01 10:00,,refunded\n3,2024-11-01 10:00,0.10,paid\n3,2024-11-01 10:00,0.20,paid\n";
    let found = Case::new(rules, orders).run(&[]);
    assert_column(&found, "first_amount", ["3.00", "", "0.10", ""]);
    assert_column(&found, "last_amount", ["9.05", "", "0.10", ""]);
    assert_column(&found, "common", ["3.00", "", "0.10", ""]);
    assert_column(&found, "rows", ["6", "1", "2", "0"]);
    assert_column(&found, "valued", ["5", "0", "2", "0"]);
    assert_column(&found, "total", ["29.15", "0.00", "0.30", "0.00"]);
    assert_column(&found, "kinds", ["4", "0", "2", "0"]);
    assert_column(&found, "days", ["3", "1", "1", "0"]);
    assert_column(&found, "mean", ["5.83", "", "0.15", ""]);
    assert_column(&found, "some", ["true", "true", "true", "false"]);
    assert_column(&found, "nothing", ["false", "true", "false", "true"]);
}

#[test]
fn a_table_without_rows_is_a_table() {
    let rules = "trait rows = count(orders)\ntrait total = sum(amount of orders)\ntrait latest = last(at of orders)\n\
        segment part when share(orders where status = paid) >= 0\nsegment nothing when none(orders)\n";
    let found = Case::new(rules, "").run(&[]);
    assert_column(&found, "rows", ["0"; 4]);
    assert_column(&found, "total", ["0.00"; 4]);
    assert_column(&found, "latest", [""; 4]);
    assert_column(&found, "part", ["false"; 4]);
    assert_column(&found, "nothing", ["true"; 4]);
}

#[test]
fn a_window_longer_than_the_data_holds_all_of_them() {
    let rules = "trait rows = count(orders)\ntrait long = count(orders, last 900 years)\n";
    let found = Case::new(rules, "1,1999-01-01,1,paid\n1,2024-01-01,1,paid\n3,2024-11-15,1,paid\n").run(&[]);
    assert_eq!(found["rows"], found["long"]);
    assert_column(&found, "long", ["2", "0", "1", "0"]);
}

#[test]
fn the_users_day_bounds_a_window() {
    let rules = "trait before = count(orders, last 30 days before joined)\ntrait from_then = count(orders, since joined)\n\
        trait early = count(orders where at < users.joined + 1 week)\n";
    let orders = "1,2024-11-09T23:59:59,1,paid\n1,2024-11-10T00:00:00,1,paid\n1,2024-10-11T00:00:00,1,paid\n\
        1,2024-10-10T23:59:59,1,paid\n3,2024-11-01,1,paid\n4,2024-02-29,1,paid\n4,2024-03-07,1,paid\n";
    let found = Case::new(rules, orders).run(&[]);
    assert_column(&found, "before", ["2", "0", "0", "0"]);
    // User 3 has no such day: no event is in.
    assert_column(&found, "from_then", ["1", "0", "0", "2"]);
    assert_column(&found, "early", ["4", "0", "0", "1"]);
}

/// Rows in another order, in several files, by several threads, with little memory: the same file comes out.
#[test]
fn nothing_depends_on_how_the_events_are_laid_out() {
    let rules = "trait rows = count(orders)\ntrait total = sum(amount of orders, last 300 days)\n\
        trait first_amount = first(amount of orders)\ntrait last_status = last(status of orders)\n\
        trait common = mode(amount of orders)\ntrait kinds = distinct(amount of orders)\n\
        segment again when sequence(orders where status = paid without orders where status = refunded then orders where status = paid, within 20 days)\n\
        rfm value from orders { recency at; monetary amount }\n\
        use \"std:rfm_segments.seg\" with r = value.r, f = value.f\n";
    let users = 300;
    let mut lines: Vec<String> = Vec::new();
    let mut chance: u64 = 7;
    for _ in 0..5_000 {
        let mut next = |below: u64| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (chance >> 33) % below
        };
        let status = if next(3) == 0 { "refunded" } else { "paid" };
        let amount = next(900);
        lines.push(format!(
            "{},2024-{:02}-{:02} {:02}:00,{}.{:02},{status}\n",
            next(users + 20),
            1 + next(12),
            1 + next(28),
            next(24),
            amount / 20,
            next(100)
        ));
    }
    let case = Case::new(rules, &lines.concat());
    let all: String = (0..users).map(|user| format!("{user},\n")).collect();
    case.write("users.csv", &format!("id,joined\n{all}"));
    let expected = case.run(&["--threads", "1"]);
    assert!(
        expected["again"].iter().any(|value| value == "true")
            && expected["again"].iter().any(|value| value == "false")
    );
    for more in [&["--threads", "4"][..], &["--threads", "2", "--memory", "1MiB"]] {
        assert_eq!(case.run(more), expected, "{more:?}");
    }
    lines.reverse();
    case.write("orders.csv", &format!("id,at,amount,status\n{}", lines.concat()));
    assert_eq!(case.run(&[]), expected, "rows turned round");
    for (name, part) in ["parts/b.csv", "parts/a.csv", "parts/deeper/c.csv"].iter().zip(lines.chunks(1_700)) {
        case.write(name, &format!("id,at,amount,status\n{}", part.concat()));
    }
    assert_eq!(case.run(&["--table", "orders=parts"]), expected, "a folder");
    for (name, part) in ["glob/o1.csv", "glob/o2.csv"].iter().zip(lines.chunks(2_500)) {
        case.write(name, &format!("id,at,amount,status\n{}", part.concat()));
    }
    case.write("glob/another.csv", "nothing of the kind\n");
    assert_eq!(case.run(&["--table", "orders=glob/o*.csv"]), expected, "a pattern");
    // What a folder's name says is a column.
    for status in ["paid", "refunded"] {
        let own: String = lines
            .iter()
            .filter_map(|line| line.strip_suffix(&format!(",{status}\n")).map(|rest| format!("{rest}\n")))
            .collect();
        case.write(&format!("hive/status={status}/part.csv"), &format!("id,at,amount\n{own}"));
    }
    assert_eq!(case.run(&["--table", "orders=hive"]), expected, "hive partitions");
}

#[test]
fn whatever_is_left_out_is_counted() {
    let rules = "trait rows = count(orders)\ntrait total = sum(amount of orders)\n";
    let orders = "1,2024-11-01,5.00,paid\n1,yesterday,7.00,paid\n1,,1.00,paid\n,2024-11-01,1.00,paid\n\
        99,2024-11-01,1.00,paid\nabc,2024-11-01,1.00,paid\n2,2024-11-01,much,paid\n2,2024-11-01,2.00,stolen\n\
        2,2025-01-01,1.00,paid\n";
    let case = Case::new(rules, orders);
    let (found, summary) = case.run_with_summary(&[]);
    assert_column(&found, "rows", ["1", "2", "0", "0"]);
    assert_column(&found, "total", ["5.00", "2.00", "0.00", "0.00"]);
    let bad: Vec<(&str, u64)> = summary["bad_values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bad| (bad["column"].as_str().unwrap(), bad["count"].as_u64().unwrap()))
        .collect();
    for column in ["at", "id", "amount"] {
        assert!(bad.contains(&(column, 1)), "{column}: {bad:?}");
    }
    let counts = &summary["events"][0];
    for (what, expected) in
        [("rows", 9), ("used", 3), ("later", 1), ("orphans", 1), ("missing_key", 2), ("missing_time", 2)]
    {
        assert_eq!(counts[what], expected, "{what}: {counts}");
    }
    let (status, _, errors) =
        case.strata(&["run", "rules.seg", "--with-traits", "-o", "out.csv", "--bad-values", "error"]);
    assert_eq!(status, 2, "{errors}");
    assert!(errors.contains("orders.csv"), "{errors}");
}

#[test]
fn a_file_that_ends_in_the_middle_is_no_table() {
    let case = Case::new("trait rows = count(orders)\n", "");
    let text = "1,2024-11-01,5.00,paid\n".repeat(5_000);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    write!(packed, "id,at,amount,status\n{text}").unwrap();
    let packed = packed.finish().unwrap();
    fs::write(case.0.path().join("orders.csv.gz"), &packed[..packed.len() / 2]).unwrap();
    let (status, _, errors) = case.strata(&[
        "run",
        "rules.seg",
        "--table",
        "orders=orders.csv.gz",
        "--with-traits",
        "-o",
        "out.csv",
    ]);
    assert_eq!(status, 2, "{errors}");
    assert!(errors.contains("orders.csv.gz"), "{errors}");
    assert!(!case.0.path().join("out.csv").exists());
}

#[test]
fn what_the_table_does_not_have_is_told_before_it_is_read() {
    let case = Case::new("trait rows = count(orders)\ntrait total = sum(amount of orders)\n", "");
    case.write("orders.csv", "id,when,amuont,status\n1,2024-11-01,5,paid\n");
    let (status, _, errors) = case.strata(&["run", "rules.seg", "--with-traits", "-o", "out.csv"]);
    assert_eq!(status, 2, "{errors}");
    for word in ["`at`", "`amount`", "`amuont`"] {
        assert!(errors.contains(word), "{word} is not in\n{errors}");
    }
    for (rules, code) in [
        ("trait x = sum(status of orders)\n", "E0213"),
        ("trait x = sum(amuont of orders)\n", "E0319"),
        ("trait x = count(order)\n", "E0312"),
    ] {
        let (status, _, errors) = Case::new(rules, "").strata(&["check", "rules.seg"]);
        assert_eq!(status, 1, "{errors}");
        assert!(errors.contains(code), "{code} is not in\n{errors}");
    }
}

#[test]
fn a_level_of_a_score_that_nobody_has_is_told() {
    // Four users, three with one order each: two of the cuts are one and the same.
    let orders = "1,2024-11-01T08:00,1,paid\n2,2024-11-01T09:00,1,paid\n3,2024-11-01T10:00,1,paid\n\
                  4,2024-11-01T11:00,1,paid\n4,2024-11-02T11:00,1,paid\n";
    let case = Case::new("trait f = score(count(orders) into 3)\n", orders);
    assert_eq!(case.run(&[])["f"], ["1", "1", "1", "3"]);
    let (status, _, errors) = case.strata(&["run", "rules.seg", "--with-traits", "-o", "again.csv"]);
    assert!(status == 0 && errors.contains("W1602"), "{errors}");
    assert!(errors.contains("nobody has the level `2` of the score `f`"), "{errors}");
}

#[test]
fn threads_that_share_the_users_out_give_the_rows_of_one() {
    let rules = r#"strata 1
now 2024-11-15T12:00
table users key id from "users" {
  id : int
}
events orders of users by id at at from "orders.csv" {
  id     : int
  at     : timestamp
  amount : int
}
trait spent = sum(amount of orders)
trait rank  = score(spent into 4)
segment above when spent > population avg(spent)
layer how first match {
  often when count(orders) >= 2
  once  when count(orders) = 1
  never otherwise
}
"#;
    let case = Case(tempfile::tempdir().unwrap());
    case.write("rules.seg", rules);
    let mut orders = "id,at,amount\n".to_owned();
    for file in 0..6 {
        let mut users = "id\n".to_owned();
        for user in 0..=file * 3 {
            // Neither in the order of the keys nor of the events.
            let id = (file * 100 + user) * 37 % 1009;
            users += &format!("{id}\n");
            for order in 0..id % 4 {
                orders += &format!("{id},2024-11-0{},{}\n", order + 1, id * order % 50);
            }
        }
        case.write(&format!("users/{file}.csv"), &users);
    }
    case.write("orders.csv", &orders);
    let checked = strata::check::check(&case.0.path().join("rules.seg"), &strata::check::Options::default());
    let program = checked.program.unwrap();
    let rows = |one_reader: bool, threads: usize| {
        let output = case.0.path().join("out.parquet");
        let options = strata::run::RunOptions {
            output: Some(output.clone()),
            with_traits: true,
            one_reader,
            threads,
            ..strata::run::RunOptions::default()
        };
        strata::run::run(&program, &options, &mut |_| {}).unwrap();
        let file = fs::File::open(output).unwrap();
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let mut text = Vec::new();
        for batch in reader.build().unwrap() {
            arrow::csv::Writer::new(&mut text).write(&batch.unwrap()).unwrap();
        }
        String::from_utf8(text).unwrap()
    };
    let expected = rows(true, 1);
    assert!(expected.contains("often") && expected.contains("once") && expected.contains("never"));
    for (one_reader, threads) in [(true, 3), (false, 1), (false, 2), (false, 4)] {
        assert_eq!(rows(one_reader, threads), expected, "{threads}");
    }
}
