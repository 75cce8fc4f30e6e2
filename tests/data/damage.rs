//! Files that are cut, mixed up, or not what their name says: a finding, never a panic.

use crate::support::{Scratch, fixture, lines, options, program, read};
use strata::data::read::open;
use strata::program::Program;

fn table() -> Program {
    program("id: int\n age: int?\n city: string?")
}

fn first(path: &str) -> String {
    lines(&read(&table(), path).unwrap_err()).remove(0)
}

#[test]
fn paths_that_lead_nowhere() {
    let scratch = Scratch::new();
    let path = |name: &str| scratch.path(name).to_string_lossy().into_owned();
    assert_eq!(
        first(&path("x.csv")),
        format!("E0601: cannot read `{}`: there is no such file or folder", path("x.csv"))
    );
    assert_eq!(first(&path("*.csv")), format!("E0610: no file fits `{}`", path("*.csv")));
    scratch.write("folder/readme.txt", "hello");
    let folder = path("folder");
    assert_eq!(first(&folder), format!("E0610: the folder `{folder}` has no file that can be read in it"));
    let sheet = scratch.write("x.xlsx", "PK");
    let faults = read(&table(), &sheet).unwrap_err();
    assert_eq!(lines(&faults), [format!("E0602: `{sheet}` ends in no format that can be read")]);
    assert!(faults[0].help.as_ref().unwrap().contains("`.parquet`, `.csv`"));
}

#[test]
fn files_that_are_something_else() {
    let scratch = Scratch::new();
    for name in ["x.parquet", "x.arrow", "x.csv.gz", "x.csv.zst"] {
        for content in ["", "id,age,city\n1,2,3\n", "PAR1", "ARROW1\0\0garbage that is none"] {
            let path = scratch.write(name, content);
            let told = first(&path);
            assert!(told.starts_with("E0605") || told.starts_with("E0610"), "{name} {content:?}: {told}");
        }
    }
    let path = scratch.write("x.csv", "");
    assert_eq!(first(&path), format!("E0610: `{path}` is empty: not even a header line is there"));
}

/// Every cut of a file is told, whatever the reading stumbles over first.
#[test]
fn files_that_were_cut() {
    let scratch = Scratch::new();
    for name in ["snappy.parquet", "zstd.feather", "stream.arrows", "pandas.csv.gz", "duckdb.csv.zst"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        let length = whole.len();
        for cut in [1, 5, 9, length / 4, length / 2, length - 9, length - 3] {
            let path = scratch.write(name, &whole[..cut]);
            match read(&program("id: int"), &path) {
                Err(faults) => {
                    assert!(["E0605", "E0610"].contains(&faults[0].code.id()), "{name} {cut} {faults:?}")
                }
                // The end mark of a stream may be left out.
                Ok(rows) => assert!(name.ends_with("arrows") && rows.rows.len() == 1000, "{name} {cut}"),
            }
        }
    }
}

/// Bytes that were mixed up may be told or may be other values; they are never a panic that gets out.
#[test]
fn files_that_were_mixed_up() {
    let scratch = Scratch::new();
    for name in [
        "texts.parquet",
        "lists.parquet",
        "times.arrow",
        "list_views.arrow",
        "stream.arrows",
        "lz4.feather",
        "zstd.feather",
        "duckdb.jsonl",
    ] {
        let whole = std::fs::read(fixture(name)).unwrap();
        let step = (whole.len() / 60).max(1);
        for at in (0..whole.len()).step_by(step) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x5a;
            let path = scratch.write(name, &bytes);
            let program = program(
                "id: int\n utf8: string?\n d8: string?\n list: list of string?\n local_s: timestamp?\n view: list of string?",
            );
            let mut narrow = program.clone();
            let users = narrow.users.as_mut().unwrap();
            let known = strata::data::read::describe(&path, b',').unwrap_or_default();
            users
                .columns
                .retain(|column| known.iter().any(|field| field.name == column.name) || column.name == "id");
            if let Ok(reader) = open(narrow.users.as_ref().unwrap(), &narrow, &path, &options()) {
                let _ = reader.take(1000).filter(Result::is_ok).count();
            }
        }
    }
}

#[test]
fn csv_lines_that_do_not_fit() {
    let scratch = Scratch::new();
    let ragged = scratch.write("a.csv", "id,age,city\n1,2,\"x\ny\"\n2,3,Paris, France\n");
    assert_eq!(
        first(&ragged),
        format!("E0605: `{ragged}` is damaged: line 4 has 4 fields, but the header line has 3")
    );
    let latin = scratch.write("b.csv", b"id,age,city\n1,2,Berlin\n2,3,K\xf6ln\n");
    assert_eq!(first(&latin), format!("E0605: `{latin}` is damaged: line 3 is not UTF-8 text"));
    let twice = scratch.write("c.csv", "id,age,city,age\n1,2,3,4\n");
    assert_eq!(first(&twice), format!("E0612: `{twice}` has more than one column `age`"));
}

#[test]
fn json_lines_that_are_none() {
    let scratch = Scratch::new();
    let cut = scratch.write("a.jsonl", "{\"id\": 1}\n{\"id\": 2, \"ci");
    assert!(
        first(&cut).starts_with(&format!("E0605: `{cut}` is damaged: line 2, column ")),
        "{}",
        first(&cut)
    );
    let list = scratch.write("b.jsonl", "[{\"id\": 1}]\n");
    assert_eq!(
        first(&list),
        format!("E0605: `{list}` is damaged: line 1 begins a list, where each line must be one object")
    );
    let deep = scratch.write("c.jsonl", format!("{{\"id\": {}\n", "[".repeat(100_000)));
    assert!(first(&deep).starts_with("E0605"));
}
