//! Every example, run with the real binary: its summary and the first rows of its output are those
//! in its `expected/` folder. `UPDATE_EXAMPLES=1 cargo test --test examples` rewrites them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

use arrow::util::display::{ArrayFormatter, FormatOptions};
use indexmap::IndexMap;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::path::{Path, PathBuf};
use std::process::Command;
use strata::run::{Layout, RunOptions};

const ROWS: usize = 25;

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("rules.seg").exists())
        .collect();
    found.sort();
    found
}

fn strata(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_strata")).args(arguments).output().unwrap();
    assert!(output.status.success(), "strata {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn expect(path: &Path, found: &str) {
    if std::env::var_os("UPDATE_EXAMPLES").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, found).unwrap();
    }
    let expected =
        std::fs::read_to_string(path).unwrap_or_else(|_| panic!("{} is not there", path.display()));
    assert_eq!(found, expected, "{} differs", path.display());
}

/// The summary without what differs from run to run.
fn lasting(summary: &str) -> String {
    let mut summary: serde_json::Value = serde_json::from_str(summary).unwrap();
    let fields = summary.as_object_mut().unwrap();
    for passing in
        ["seconds", "seconds_by_stage", "rows_per_second", "output", "program", "version", "strata"]
    {
        fields.remove(passing);
    }
    serde_json::to_string_pretty(&summary).unwrap() + "\n"
}

#[test]
fn each_gives_what_it_is_expected_to() {
    let examples = examples();
    assert!(examples.len() >= 6, "the examples are not all there");
    for example in examples {
        let rules = example.join("rules.seg");
        let rules = rules.to_str().unwrap();
        strata(&["check", "--data", "--deny", "warnings", "--quiet", rules]);
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out.csv");
        let summary =
            strata(&["run", rules, "--summary", "json", "--with-traits", "-o", output.to_str().unwrap()]);
        expect(&example.join("expected/summary.json"), &lasting(&summary));
        let rows = std::fs::read_to_string(&output).unwrap();
        let head: String = rows.lines().take(ROWS + 1).flat_map(|line| [line, "\n"]).collect();
        expect(&example.join("expected/first_rows.csv"), &head);
    }
}

/// Each is what a careful author would hand on: rows with what is expected of them, what must hold for
/// everybody, and sizes outside of which nothing is published.
#[test]
fn each_has_tests_that_pass_assertions_and_guards() {
    for example in examples() {
        let rules = example.join("rules.seg");
        let report = strata(&["test", "--format", "json", rules.to_str().unwrap()]);
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let passed = report.get("passed").and_then(serde_json::Value::as_u64);
        assert!(passed >= Some(3), "{} has too few tests: {passed:?}", example.display());
        let built = tempfile::tempdir().unwrap();
        let built = built.path().join("rules.ir.json");
        strata(&["build", "--quiet", rules.to_str().unwrap(), "-o", built.to_str().unwrap()]);
        let built: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(built).unwrap()).unwrap();
        for what in ["assertions", "guards"] {
            let declared = built.pointer(&format!("/program/{what}")).and_then(serde_json::Value::as_array);
            assert!(declared.is_some_and(|all| !all.is_empty()), "{} has no {what}", example.display());
        }
        // None of them is left to the data.
        let undecided = built.pointer("/program/undecided/assertions").and_then(serde_json::Value::as_array);
        assert!(undecided.is_none_or(Vec::is_empty), "{} has assertions without proof", example.display());
    }
}

/// The whole method stands on either base: one word of the rules is another, and everything checks, passes
/// its tests, keeps its guards and gives everybody a path and a text.
#[test]
fn the_base_of_the_method_is_switched_by_one_word() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/method");
    let folder = tempfile::tempdir().unwrap();
    for name in ["rules.seg", "lifecycle.seg", "rfm.seg", "users.csv"] {
        std::fs::copy(example.join(name), folder.path().join(name)).unwrap();
    }
    let rules = folder.path().join("rules.seg");
    let text = std::fs::read_to_string(&rules).unwrap();
    let switched = text.replace("use \"lifecycle.seg\"", "use \"rfm.seg\"");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let differing = words(&text).iter().zip(&words(&switched)).filter(|(a, b)| a != b).count();
    assert_eq!(differing, 1);
    let path = rules.to_str().unwrap();
    let summary = || -> serde_json::Value {
        serde_json::from_str(&strata(&["run", path, "--summary", "json"])).unwrap()
    };
    let first = summary();
    std::fs::write(&rules, switched).unwrap();
    strata(&["check", "--data", "--deny", "warnings", "--quiet", path]);
    strata(&["test", path]);
    let second = summary();
    let users = |summary: &serde_json::Value, place: &str| {
        summary.pointer(place).and_then(serde_json::Value::as_u64).unwrap_or(0)
    };
    for summary in [&first, &second] {
        for member in ["newcomer", "growing", "valuable", "dormant"] {
            assert!(users(summary, &format!("/layers/base/{member}")) > 0, "nobody is {member}");
        }
        assert_eq!(users(summary, "/layers/base/") + users(summary, "/stacks/plan/"), 0);
        assert_eq!(users(summary, "/plays/welcome/"), 0);
    }
    assert_ne!(first.pointer("/layers/base"), second.pointer("/layers/base"), "the bases are two");
}

#[test]
fn the_expanded_rules_and_the_built_ones_give_the_same_answer() {
    for example in examples() {
        let folder = tempfile::tempdir().unwrap();
        let rules = example.join("rules.seg");
        let text = strata(&["run", rules.to_str().unwrap(), "--summary", "json"]);
        let built = folder.path().join("rules.ir.json");
        strata(&["build", "--quiet", rules.to_str().unwrap(), "-o", built.to_str().unwrap()]);
        let from_built = strata(&["run", built.to_str().unwrap(), "--summary", "json"]);
        assert_eq!(lasting(&from_built), lasting(&text), "{} built", example.display());

        let expanded = folder.path().join("expanded.seg");
        // Its paths are seen from the working folder of `expand`: they are absolute here.
        std::fs::write(&expanded, strata(&["expand", rules.to_str().unwrap()])).unwrap();
        let counts = |summary: &str| {
            let summary: serde_json::Value = serde_json::from_str(summary).unwrap();
            (summary.get("rows").cloned(), summary.get("segments").cloned(), summary.get("layers").cloned())
        };
        let from_expanded = strata(&["run", expanded.to_str().unwrap(), "--summary", "json"]);
        assert_eq!(counts(&from_expanded), counts(&text), "{} expanded", example.display());
    }
}

/// The users of an example in several files, as many readers take them: what one reader gives.
#[test]
fn many_readers_give_what_one_gives() {
    for example in examples() {
        let folder = tempfile::tempdir().unwrap();
        let rules = example.join("rules.seg");
        let program = strata::check::check(&rules, &strata::check::Options::default()).program.unwrap();
        let users = program.users.as_ref().unwrap();
        let table = strata::data::read::path_of(users, None).unwrap();
        let parts = in_parts(Path::new(&table), &folder.path().join("users"));
        for layout in [Layout::Wide, Layout::Long, Layout::Lists] {
            let output = |one_reader: bool| {
                let path = folder.path().join(if one_reader { "one.parquet" } else { "many.parquet" });
                let options = RunOptions {
                    tables: IndexMap::from([(users.name.clone(), parts.display().to_string())]),
                    output: Some(path.clone()),
                    layout,
                    threads: 2,
                    force: true,
                    one_reader,
                    ..RunOptions::default()
                };
                let summary = strata::run::run(&program, &options, &mut |_| {}).unwrap();
                (lasting(&summary.to_json().unwrap()), rows(&path))
            };
            assert_eq!(output(false), output(true), "{} {layout:?}", example.display());
        }
    }
}

/// A CSV file as a folder of files, each with some of its lines.
fn in_parts(table: &Path, folder: &Path) -> PathBuf {
    std::fs::create_dir(folder).unwrap();
    let text = std::fs::read_to_string(table).unwrap();
    let (header, body) = text.split_once('\n').unwrap();
    let lines: Vec<&str> = body.lines().collect();
    for (number, lines) in lines.chunks(lines.len().div_ceil(4).max(1)).enumerate() {
        let part = format!("{header}\n{}\n", lines.join("\n"));
        std::fs::write(folder.join(format!("part-{number}.csv")), part).unwrap();
    }
    folder.to_owned()
}

/// The rows of a Parquet file as text.
fn rows(path: &Path) -> Vec<String> {
    let file = std::fs::File::open(path).unwrap();
    let format = FormatOptions::default().with_null("(missing)");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut rows = Vec::new();
    for batch in reader.map(Result::unwrap) {
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &format).unwrap()).collect();
        for row in 0..batch.num_rows() {
            rows.push(
                columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|"),
            );
        }
    }
    rows
}

/// The four types of the fund example are those that its generator planted.
#[test]
fn the_fund_example_finds_what_was_planted() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fund");
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.csv");
    strata(&["run", example.join("rules.seg").to_str().unwrap(), "--quiet", "-o", output.to_str().unwrap()]);
    let found = std::fs::read_to_string(&output).unwrap();
    let truth = std::fs::read_to_string(example.join("truth.csv")).unwrap();
    let header: Vec<&str> = found.lines().next().unwrap().split(',').collect();
    let column = header.iter().position(|name| *name == "fund").unwrap();
    let found: Vec<(&str, &str)> = found
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            (*fields.first().unwrap(), *fields.get(column).unwrap())
        })
        .collect();
    let truth: Vec<(&str, &str)> = truth.lines().skip(1).map(|line| line.split_once(',').unwrap()).collect();
    assert_eq!(truth.len(), 2_000);
    assert_eq!(found, truth);
}

/// Quintiles of a real purchase history with answers that are known from elsewhere: the R package `rfm`
/// gives the same scores. Equal values score the same, so that nobody has 2 for frequency.
#[test]
fn the_cdnow_example_scores_as_is_known() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cdnow/rules.seg");
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.csv");
    let output = output.to_str().unwrap();
    strata(&["run", rules.to_str().unwrap(), "--quiet", "--with-traits", "-o", output]);
    let found = std::fs::read_to_string(output).unwrap();
    let header: Vec<&str> = found.lines().next().unwrap().split(',').collect();
    let users_by_score = |name: &str| {
        let column = header.iter().position(|known| *known == name).unwrap();
        let scores: Vec<&str> =
            found.lines().skip(1).map(|line| line.split(',').nth(column).unwrap()).collect();
        ["1", "2", "3", "4", "5"].map(|score| scores.iter().filter(|found| **found == score).count())
    };
    assert_eq!(users_by_score("value.f"), [11_908, 0, 4_079, 3_658, 3_925]);
    assert_eq!(users_by_score("value.r"), [4_539, 4_748, 4_844, 4_720, 4_719]);
    // Above the cuts 1, 1, 2 and 4.
    let column = |name: &str| header.iter().position(|known| *known == name).unwrap();
    for line in found.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |name: &str| fields.get(column(name)).unwrap().parse::<u64>().unwrap();
        let times = number("value.frequency");
        assert_eq!(number("value.f"), 1 + [1, 1, 2, 4].iter().filter(|cut| times > **cut).count() as u64);
    }
}
