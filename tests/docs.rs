//! What the documentation shows is true: every rule in it is checked, its results are evaluated, its pages and
//! dependencies are all there. CONTRIBUTING.md says how a block is marked.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages
}

/// Fenced blocks: what the fence says, and the text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(fence)) => open = Some((fence.trim().to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The whole rule file of a block.
fn rules(fence: &str, text: &str) -> String {
    if fence.contains("fragment") {
        let prelude = std::fs::read_to_string(root().join("docs/prelude.seg")).unwrap();
        // A block may declare what the prelude does not know.
        format!("{prelude}\n{text}")
    } else {
        text.to_owned()
    }
}

#[test]
fn every_rule_is_checked_and_every_result_is_true() {
    let mut checked = 0;
    let mut evaluated = 0;
    let readme = root().join("README.md");
    for page in pages(&root().join("docs/src")).into_iter().chain([readme]) {
        let shown = page.display();
        let text = std::fs::read_to_string(&page).unwrap();
        let mut current = String::new();
        let mut users = String::new();
        for (fence, block) in blocks(&text) {
            if fence == "strata" || fence.starts_with("strata,") {
                let options = fence.split(',').skip(1);
                for option in options {
                    assert!(
                        option == "fragment" || option.starts_with("error="),
                        "{shown}: unknown mark {option}"
                    );
                }
                current = rules(&fence, &block);
                users.clear();
                let found: BTreeSet<String> = strata::check::check_text("page.seg", &current)
                    .diagnostics
                    .iter()
                    .map(|finding| finding.code.to_string())
                    .collect();
                let expected: BTreeSet<String> = fence
                    .split("error=")
                    .nth(1)
                    .map(|codes| codes.split('+').map(str::to_owned).collect())
                    .unwrap_or_default();
                assert_eq!(found, expected, "{shown}:\n{block}");
                checked += 1;
            } else if fence == "json,users" {
                users = block;
            } else if fence == "text,expect" {
                evaluate(&current, &users, &block, &shown.to_string());
                evaluated += 1;
            }
        }
    }
    assert!(checked >= 20, "only {checked} rules were found");
    assert!(evaluated >= 4, "only {evaluated} results were found");
}

/// Runs the rules over the users and compares what holds for each.
fn evaluate(rules: &str, users: &str, expected: &str, page: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("rules.seg"), rules).unwrap();
    std::fs::write(path("baby.csv"), "week,length_cm\n8,1.6\n").unwrap();
    let users: Vec<serde_json::Value> = serde_json::from_str(users).unwrap();
    let mut lines = String::new();
    for user in &users {
        // What a user leaves out is as unremarkable as can be.
        let mut row = serde_json::json!({
            "age": null, "channel": null, "expertise": "low", "city": null, "orders": 0, "spend": "0.00", "weight": null,
            "is_vip": null, "opened_at": null, "signup_at": "2020-01-01", "birthday": null, "tags": null
        });
        for (name, value) in user.as_object().unwrap() {
            row.as_object_mut().unwrap().insert(name.clone(), value.clone());
        }
        writeln!(lines, "{row}").unwrap();
    }
    std::fs::write(path("users.jsonl"), lines).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_strata"))
        .current_dir(folder.path())
        .args(["run", "rules.seg", "--quiet", "--layout", "long", "-o", "out.csv"])
        .args(["--table", "users=users.jsonl", "--table", "baby=baby.csv"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{page}: {}", String::from_utf8_lossy(&output.stderr));
    let mut found: Vec<(String, BTreeSet<String>)> =
        users.iter().map(|user| (user.get("user_id").unwrap().to_string(), BTreeSet::new())).collect();
    for line in std::fs::read_to_string(path("out.csv")).unwrap().lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [key, _, name, member] = fields.as_slice() else { panic!("{line}") };
        let held = if member.is_empty() { (*name).to_owned() } else { format!("{name}={member}") };
        found.iter_mut().find(|(known, _)| known == key).unwrap().1.insert(held);
    }
    let expected: Vec<(String, BTreeSet<String>)> = expected
        .lines()
        .map(|line| {
            let (key, held) = line.split_once(':').unwrap();
            (key.trim().to_owned(), held.split_whitespace().map(str::to_owned).collect())
        })
        .collect();
    assert_eq!(found, expected, "{page}:\n{rules}");
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let source = root().join("docs/src");
    let summary = std::fs::read_to_string(source.join("SUMMARY.md")).unwrap();
    for page in pages(&source) {
        let name = page.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(
            name == "SUMMARY.md" || summary.contains(&format!("({name})")),
            "{name} is not in SUMMARY.md"
        );
    }
    let index = std::fs::read_to_string(source.join("codes/index.md")).unwrap();
    for code in strata::diagnostic::codes::all() {
        assert!(index.contains(&format!("({code}.md)")), "{code} is not in codes/index.md");
        assert!(index.contains(code.title()), "the title of {code} in codes/index.md is another");
    }
    for link in summary.split('(').skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(source.join(link).exists(), "{link} is not there");
    }
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let reasons = std::fs::read_to_string(root().join("docs/src/dependencies.md")).unwrap();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.contains("dependencies]");
        } else if let (true, Some((name, _))) = (inside, line.split_once('=')) {
            let name = name.trim();
            assert!(
                reasons.contains(&format!("| `{name}` |")),
                "docs/src/dependencies.md has no reason for {name}"
            );
        }
    }
}
