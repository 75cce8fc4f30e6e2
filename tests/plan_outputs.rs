//! What stacks, plays and splits leave behind: parts by path or text, cells for spreadsheets and
//! programs, what tests reach of them.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const RULES: &str = r#"strata 1
table users key user_id from "users.csv" {
  user_id : int
  age     : int?
  channel : social | search | "a/b-c"
}
segment old when age >= 40
layer stage {
  new   when age < 18
  grown when 18 <= age < 60
  late  otherwise
}
stack plan on stage {
  new by channel
  others by old
}
play words for plan {
  new when channel = "a/b-c" -> "he said \"hi, {age or_else 0}\"\n=second, line\\ %2F"
  new -> "=1+1"
  grown -> "../../{channel}"
  late -> "@{user_id}"
}
split trial of old seed "one" {
  control 10%
  treated 90%
}
"#;

const USERS: &str = "user_id,age,channel\n1,10,social\n2,12,a/b-c\n3,30,search\n4,50,a/b-c\n5,70,search\n6,,social\n7,41,social\n";

/// The text of the second user's play, as users read it.
const QUOTED: &str = "he said \"hi, 12\"\n=second, line\\ %2F";

struct Case {
    folder: TempDir,
}

impl Case {
    fn new(rules: &str) -> Self {
        let case = Case { folder: tempfile::tempdir().unwrap() };
        std::fs::write(case.path("rules.seg"), rules).unwrap();
        std::fs::write(case.path("users.csv"), USERS).unwrap();
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn strata(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_strata"))
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.strata(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.text(arguments)).unwrap()
    }

    /// By line of a CSV file its cells, the head first.
    fn cells(&self, name: &str) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(self.path(name)).unwrap();
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }
}

fn folders(under: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(under)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn parts_by_a_stack_or_a_play_hold_what_one_file_holds() {
    let case = Case::new(RULES);
    case.text(&["run", "rules.seg", "-q", "-o", "whole.parquet"]);
    for column in ["plan", "words", "trial"] {
        case.text(&["run", "rules.seg", "-q", "-o", column, "--partition-by", column]);
        let changes = case.json(&["changes", "whole.parquet", column, "--format", "json"]);
        assert_eq!(changes["users"], serde_json::json!({ "both": 7, "only_before": 0, "only_after": 0 }));
        for (name, of) in changes["layers"].as_object().unwrap() {
            let moved = ["moved", "entered", "left"].map(|word| of[word].as_u64().unwrap());
            assert_eq!(moved, [0, 0, 0], "{name} by {column}: {of}");
        }
        assert_eq!(changes["names_only_before"], serde_json::json!([]));
    }
    // A path is one folder, whatever signs are in it, and no text leads out of the folder of parts.
    assert_eq!(
        folders(&case.path("plan")),
        [
            "plan=grown%2F-",
            "plan=grown%2Fold",
            "plan=late%2F-",
            "plan=late%2Fold",
            "plan=new%2Fa%5C%2Fb%5C-c",
            "plan=new%2Fsocial"
        ]
    );
    assert!(folders(&case.path("words")).contains(&"words=..%2F..%2Fsearch".to_owned()));
    assert!(folders(&case.path("trial")).contains(&"trial=__HIVE_DEFAULT_PARTITION__".to_owned()));
}

#[test]
fn a_text_too_long_for_a_folder_is_said_plainly() {
    let case = Case::new(&RULES.replace("=1+1", &"很".repeat(120)));
    let output = case.strata(&["run", "rules.seg", "-q", "-o", "parts", "--partition-by", "words"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("E0642") && said.contains("no part of the output was kept"), "{said}");
    assert!(!case.path("parts").exists());
}

/// Quotes, commas, line ends and backslashes come back as they were, from CSV and from JSON.
#[test]
fn texts_are_escaped_for_csv_and_json() {
    let case = Case::new(RULES);
    case.text(&["run", "rules.seg", "-q", "-o", "out.csv"]);
    case.text(&["run", "rules.seg", "-q", "-o", "out.jsonl"]);
    let cells = case.cells("out.csv");
    let words = cells.first().unwrap().iter().position(|name| name == "words").unwrap();
    assert_eq!(cells.get(2).unwrap().get(words).unwrap(), QUOTED);
    let lines = std::fs::read_to_string(case.path("out.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(lines.lines().nth(1).unwrap()).unwrap();
    assert_eq!(line["words"], QUOTED);
    assert_eq!(line["plan"], "new/a\\/b\\-c");
}

/// In both layouts what a spreadsheet would run is shown as text, unless the cells are wanted raw; a cell
/// with a formula on its second line runs nothing.
#[test]
fn formulas_are_neutralised_in_both_layouts_unless_raw() {
    let case = Case::new(RULES);
    for (layout, column) in [("wide", "words"), ("long", "member")] {
        for (raw, file) in [(false, "out.csv"), (true, "raw.csv")] {
            let mut arguments = vec!["run", "rules.seg", "-q", "-o", file, "--layout", layout];
            arguments.extend(raw.then_some("--raw-csv"));
            case.text(&arguments);
            let cells = case.cells(file);
            let place = cells.first().unwrap().iter().position(|name| name == column).unwrap();
            let texts: Vec<&str> = cells.iter().map(|row| row.get(place).unwrap().as_str()).collect();
            for formula in ["=1+1", "@5"] {
                let neutral = format!("'{formula}");
                assert_eq!(texts.contains(&formula), raw, "{formula} in {layout}, raw {raw}");
                assert_eq!(texts.contains(&neutral.as_str()), !raw, "{neutral} in {layout}, raw {raw}");
            }
            assert!(texts.contains(&QUOTED));
        }
    }
}

/// Whoever expects a path rests on the layers it is made of: their members and lines are reached, and
/// nothing that the path does not turn on.
#[test]
fn a_test_of_a_path_reaches_the_layers_of_the_stack() {
    let test =
        "test \"a path\" {\n  given users { age: 50, channel: social }\n  expect plan = \"grown/old\"\n}\n";
    let case = Case::new(&format!("{RULES}layer other {{ any when age > 5\n rest otherwise }}\n{test}"));
    let report = case.json(&["test", "rules.seg", "--coverage", "--format", "json"]);
    let coverage = report.pointer("/coverage/0").unwrap();
    // Of the stage one member of three; of the other layer and the split nothing.
    assert_eq!(coverage["members"], serde_json::json!({ "reached": 1, "of": 7 }), "{coverage}");
    let gap = |name: &str| {
        coverage["gaps"]
            .as_array()
            .unwrap()
            .iter()
            .find(|gap| gap["name"] == name)
            .cloned()
            .unwrap_or_default()
    };
    assert_eq!(gap("stage")["members"], serde_json::json!(["new", "late"]));
    assert_eq!(gap("stage")["lines"], serde_json::json!([1, 3]));
    assert_eq!(gap("old")["outcomes"], serde_json::json!([[0, false]]));
    assert_eq!(gap("other")["members"], serde_json::json!(["any", "rest"]));
    assert_eq!(gap("words")["lines"], serde_json::json!([1, 2, 3, 4]));
    assert!(gap("plan").is_null(), "a stack has no members of its own: {coverage}");
}
