//! DuckDB as an independent witness: what `strata run` writes for two real data sets is recomputed, key by
//! key, from SQL written by hand (`tests/duckdb/*.sql`).

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test may stop at what it does not expect")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The tests' own Python, where it has DuckDB.
fn python() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let python = target.join("python/bin/python");
    let has = Command::new(&python).args(["-c", "import duckdb"]).output();
    if has.is_ok_and(|has| has.status.success()) {
        return Some(python);
    }
    let missing = "DuckDB is not there to be asked; `tests/python/setup` installs it from PyPI";
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    eprintln!("not tested: {missing}");
    None
}

/// Runs the rules over the tables and has the witness look at the output.
fn witness(name: &str, key: &str, tables: &[&str]) {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.parquet");
    let examples = root().join("examples");
    let mut run = Command::new(env!("CARGO_BIN_EXE_strata"));
    run.args(["run", "--quiet", "--with-traits", "-o"]).arg(&output);
    for table in tables {
        run.args(["--table", table]);
    }
    let run =
        run.arg(root().join(format!("tests/duckdb/{name}.seg"))).current_dir(&examples).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let witness = Command::new(python)
        .arg(root().join("tests/duckdb/witness.py"))
        .arg(root().join(format!("tests/duckdb/{name}.sql")))
        .arg(&output)
        .arg(key)
        .arg(&examples)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&witness.stdout);
    assert!(witness.status.success(), "{said}{}", String::from_utf8_lossy(&witness.stderr));
    let traits: usize =
        said.lines().last().and_then(|last| last.split(' ').next()?.parse().ok()).unwrap_or(0);
    assert!(traits >= 40, "only {traits} traits were compared:\n{said}");
}

#[test]
fn duckdb_says_the_same_of_the_purchases() {
    witness("cdnow", "customer_id", &["customers=cdnow/customers.csv", "purchases=cdnow/purchases.csv.gz"]);
}

#[test]
fn duckdb_says_the_same_of_the_shop() {
    witness("shop", "user_id", &["users=shop/users.csv", "actions=shop/events.csv.gz"]);
}

/// Columns that Strata encodes itself (bitmaps, codes, lists of codes) are read alike by others: DuckDB
/// counts from both layouts what the summary says.
#[test]
fn duckdb_reads_what_strata_writes() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    for layout in ["wide", "lists"] {
        let run = Command::new(env!("CARGO_BIN_EXE_strata"))
            .args(["run", "--summary", "json", "--layout", layout, "-o"])
            .arg(folder.path().join(format!("{layout}.parquet")))
            .arg(root().join("examples/method/rules.seg"))
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        std::fs::write(folder.path().join("summary.json"), run.stdout).unwrap();
    }
    let script = root().join("tests/duckdb/outputs.py");
    let witness = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&witness.stdout);
    assert!(witness.status.success(), "{said}{}", String::from_utf8_lossy(&witness.stderr));
    let counted: usize =
        said.lines().last().and_then(|last| last.split(' ').next()?.parse().ok()).unwrap_or(0);
    assert!(counted >= 20, "only {counted} counts were compared:\n{said}");
}
