//! The faulty examples: each shows the finding that it says, and what `check` prints of it is in the file
//! beside it. `UPDATE_FAULTY=1 cargo test --release --test faulty` rewrites those.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/faulty");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .collect();
    found.sort();
    found
}

/// The code that a file says it shows.
fn promised(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("# shows "));
    line.unwrap_or_else(|| panic!("{} does not say what it shows", path.display())).trim().to_owned()
}

#[test]
fn each_shows_its_fault_and_nothing_else() {
    let examples = examples();
    assert_eq!(examples.len(), 10, "the faulty examples are not all there");
    for path in examples {
        let name = path.file_name().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_strata"))
            .current_dir(path.parent().unwrap())
            .arg("check")
            .arg(name)
            .output()
            .unwrap();
        let found = String::from_utf8(output.stderr).unwrap();
        let code = promised(&path);
        assert!(strata::diagnostic::Code::find(&code).is_some(), "{code} is no code");
        let is_error = code.starts_with('E');
        assert_eq!(output.status.code(), Some(i32::from(is_error)), "{}\n{found}", path.display());
        let codes: Vec<&str> = found
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .filter(|word| word.len() == 5 && (word.starts_with("E0") || word.starts_with("W1")))
            .collect();
        assert!(!codes.is_empty() && codes.iter().all(|found| *found == code), "{}\n{found}", path.display());
        let expected = path.with_extension("expected");
        if std::env::var_os("UPDATE_FAULTY").is_some() {
            std::fs::write(&expected, &found).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected)
            .unwrap_or_else(|_| panic!("{} is not there", expected.display()));
        assert_eq!(found, wanted, "{} differs", expected.display());
    }
}

#[test]
fn each_is_a_lesson_in_the_book() {
    let lessons = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/lessons.md");
    let lessons = std::fs::read_to_string(lessons).unwrap();
    for path in examples() {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(lessons.contains(&format!("examples/faulty/{name}")), "{name} is no lesson");
        assert!(lessons.contains(&format!("codes/{}.md", promised(&path))), "{name}: no link to its code");
    }
}
