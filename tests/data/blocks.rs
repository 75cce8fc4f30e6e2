//! Text files of several blocks, which several threads parse.

use crate::support::{options, program, read_with};
use std::fmt::Write as _;
use strata::data::read::ReadOptions;

/// Rows of some megabytes: texts with line ends, quotes and separators in them.
const ROWS: usize = 150_000;

fn note(row: usize) -> String {
    match row % 5 {
        0 => "two\nlines, \"quoted\"".to_owned(),
        1 => format!("5\" pipe {}", "x".repeat(row % 97)),
        2 => "用户分层".repeat(row % 11 + 1),
        3 => format!("\n\"\n{row}"),
        _ => "plain".to_owned(),
    }
}

fn csv(row: usize) -> String {
    let note = note(row);
    // A quote within a field that does not begin with one is a character like any other.
    match row % 5 {
        1 => format!("{row},{note},{}\n", row % 120),
        _ => format!("{row},\"{}\",{}\n", note.replace('"', "\"\""), row % 120),
    }
}

fn json(row: usize) -> String {
    let (note, age) = (serde_json::json!(note(row)), row % 120);
    match row % 3 {
        0 => format!("{{\"id\":{row},\"note\":{note},\"age\":{age}}}\n"),
        1 => {
            format!("{{ \"age\" : {age}, \"other\": [1, {{\"id\": 7}}], \"id\":{row} , \"note\":{note} }}\n")
        }
        _ => format!("\n{{\"id\":{row},\"note\":{note},\"age\":\"{age}\"}}\n"),
    }
}

fn file(name: &str, text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let path = path.to_string_lossy().into_owned();
    (folder, path)
}

fn text(name: &str) -> String {
    let mut text = if name.ends_with("csv") { "id,note,age\n".to_owned() } else { String::new() };
    for row in 0..ROWS {
        text.push_str(&if name.ends_with("csv") { csv(row) } else { json(row) });
    }
    assert!(text.len() > 5 << 20, "{}", text.len());
    text
}

#[test]
fn blocks_and_threads_change_nothing() {
    let program = program("id: int\n note: string?\n age: int between 0 and 118");
    let expected: Vec<String> = (0..ROWS)
        .map(|row| {
            let age = match row % 120 {
                119 => "-".to_owned(),
                age => age.to_string(),
            };
            format!("{row}|{}|{age}", note(row))
        })
        .collect();
    for name in ["users.csv", "users.jsonl"] {
        let (_folder, path) = file(name, &text(name));
        for threads in [1, 2, 5] {
            let options = ReadOptions { threads, batch_rows: 5000, ..options() };
            let read = read_with(&program, &path, &options).unwrap();
            assert!(read.rows == expected, "{name} by {threads}");
            assert_eq!(read.bad, ["age 1250: 119 (row 120), 119 (row 240), 119 (row 360)"], "{name}");
        }
    }
}

#[test]
fn a_fault_in_a_late_block_is_told_with_its_line() {
    let program = program("id: int\n note: string?\n age: int");
    for (name, wrong, said) in [
        ("users.csv", "7,x\n", "has 2 fields, but the header line has 3"),
        ("users.csv", "7,\"never closed,9\n", "has 2 fields, but the header line has 3"),
        ("users.jsonl", "{\"id\":7,\n", "EOF while parsing"),
        ("users.jsonl", "[1]\n", "begins a list"),
        ("users.jsonl", "{\"id\":7,\"note\":\"\\ud800\",\"age\":1}\n", "hex escape"),
    ] {
        let mut text = text(name);
        let line = text.matches('\n').count() + 1;
        let _ = write!(text, "{wrong}");
        let (_folder, path) = file(name, &text);
        for threads in [1, 3] {
            let options = ReadOptions { threads, ..options() };
            let found = read_with(&program, &path, &options).unwrap_err();
            let message = &found[0].message;
            assert!(message.contains(said), "{name}: {message}");
            assert!(message.contains(&format!("line {line}")), "{name}: {message} (not {line})");
        }
    }
}

#[test]
fn what_is_not_utf8_is_told_with_its_line() {
    let program = program("id: int\n note: string?\n age: int");
    for (name, wrong) in [
        ("users.csv", b"7,\xffx,9\n".as_slice()),
        ("users.jsonl", b"{\"id\":7,\"note\":\"\xff\",\"age\":1}\n".as_slice()),
    ] {
        let text = text(name);
        let line = text.matches('\n').count() + 1;
        let (_folder, path) = file(name, "");
        std::fs::write(&path, [text.as_bytes(), wrong].concat()).unwrap();
        let options = ReadOptions { threads: 3, ..options() };
        let found = read_with(&program, &path, &options).unwrap_err();
        assert!(found[0].message.contains(&format!("line {line} is not UTF-8")), "{}", found[0].message);
    }
}

#[test]
fn a_quote_that_is_never_closed_ends_with_a_finding() {
    let mut text = "id,note,age\n1,\"open,2\n".to_owned();
    while text.len() < 65 << 20 {
        text.push_str("2,plain text that goes on,3\n");
    }
    let (_folder, path) = file("users.csv", &text);
    let program = program("id: int\n note: string?\n age: int");
    let found = read_with(&program, &path, &options()).unwrap_err();
    assert!(found[0].message.contains("the row that begins at line 2 is longer than 64 MiB"), "{found:?}");
}
