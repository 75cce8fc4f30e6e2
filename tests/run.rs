//! `strata run` as a user meets it: the binary, over files.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use assert_cmd::Command;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const RULES: &str = r#"strata 1
timezone "Asia/Shanghai"
now 2024-11-15T00:00

type level = low < mid < high

table users key user_id from "users.csv" {
  user_id   : string
  age       : int? between 0 and 120
  channel   : social | search | ads
  score     : int between 0 and 100
  paid      : decimal(18,2) >= 0
  signup_at : timestamp past
  tags      : list of string
}

trait tenure = days since signup_at
trait double_paid = paid * 2

scale expertise : level {
  high when score >= 80
  mid  when score >= 50
  low  otherwise
}

segment pro "专业" when expertise >= high and paid >= 1000
segment vip when tags has "vip"

layer lifecycle "阶段" {
  newcomer "新手" when tenure <= 30
  growing  "成长" when tenure > 30 and paid < 1000
  valuable "高净值" when tenure > 30 and paid >= 1000
}

layer age_band partial {
  minor when age < 18
  adult when age >= 18
}

grid fund by expertise, channel {
  high, social     -> star  "明星"
  high, search | ads -> famous
  low | mid, _     -> other
}
"#;

const USERS: &str = "user_id,age,channel,score,paid,signup_at,tags\n\
    u1,17,social,85,1500.50,2024-11-01 08:00,\"[\"\"vip\"\",\"\"kol\"\"]\"\n\
    u2,,search,60,10,2024-01-01T00:00:00Z,[]\n\
    李三,200,ads,95,2000,2020-02-29,\"[\"\"vip\"\"]\"\n\
    u4,30,radio,10,0,2024-10-01,\n";

struct Case {
    folder: TempDir,
}

impl Case {
    fn new(rules: &str, users: &str) -> Case {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rules.seg"), rules).unwrap();
        fs::write(folder.path().join("users.csv"), users).unwrap();
        Case { folder }
    }

    fn usual() -> Case {
        Case::new(RULES, USERS)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn strata(&self, arguments: &str) -> Command {
        let mut command = Command::cargo_bin("strata").unwrap();
        command.current_dir(self.folder.path()).env("NO_COLOR", "1").args(arguments.split_whitespace());
        command
    }

    /// The run must be well; gives its stdout.
    fn run(&self, arguments: &str) -> String {
        let output = self.strata(&format!("run rules.seg {arguments}")).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The run must end with that status; gives its stderr.
    fn fail(&self, arguments: &str, status: i32) -> String {
        let output = self.strata(&format!("run rules.seg {arguments}")).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments}: {errors}");
        errors
    }

    fn json(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.run(&format!("--summary json {arguments}"))).unwrap()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn batches(path: &Path) -> Vec<RecordBatch> {
    let file = File::open(path).unwrap();
    match path.extension().unwrap().to_str().unwrap() {
        "parquet" => parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)
            .unwrap()
            .build()
            .unwrap()
            .map(Result::unwrap)
            .collect(),
        "arrows" => {
            arrow::ipc::reader::StreamReader::try_new(file, None).unwrap().map(Result::unwrap).collect()
        }
        _ => arrow::ipc::reader::FileReader::try_new(file, None).unwrap().map(Result::unwrap).collect(),
    }
}

/// A column as text, missing values as `-`.
fn column(batch: &RecordBatch, name: &str) -> Vec<String> {
    let texts = cast(batch.column_by_name(name).unwrap(), &DataType::Utf8).unwrap();
    texts.as_string::<i32>().iter().map(|text| text.unwrap_or("-").to_owned()).collect()
}

const WIDE: &str = "user_id,pro,vip,lifecycle,age_band,fund\n\
    u1,true,true,newcomer,minor,star\n\
    u2,false,false,growing,,other\n\
    李三,true,true,valuable,,famous\n\
    u4,false,false,growing,adult,other\n";

#[test]
fn the_wide_layout_has_a_row_per_user_in_the_input_s_order() {
    let case = Case::usual();
    case.run("-o out.csv");
    assert_eq!(case.text("out.csv"), WIDE);
}

#[test]
fn the_long_layout_has_a_row_per_thing_that_holds() {
    let case = Case::usual();
    case.run("-o out.csv --layout long --only vip,lifecycle,age_band,fund");
    assert_eq!(
        case.text("out.csv"),
        "user_id,kind,name,member\n\
         u1,segment,vip,\nu1,layer,lifecycle,newcomer\nu1,layer,age_band,minor\nu1,grid,fund,star\n\
         u2,layer,lifecycle,growing\nu2,grid,fund,other\n\
         李三,segment,vip,\n李三,layer,lifecycle,valuable\n李三,grid,fund,famous\n\
         u4,layer,lifecycle,growing\nu4,layer,age_band,adult\nu4,grid,fund,other\n"
    );
}

#[test]
fn the_layout_of_lists_has_a_row_per_user() {
    let case = Case::usual();
    case.run("-o out.csv --layout lists --only vip,pro,age_band");
    let expected = "user_id,segments,age_band\n\
        u1,\"[\"\"pro\"\",\"\"vip\"\"]\",minor\nu2,[],\n\
        李三,\"[\"\"pro\"\",\"\"vip\"\"]\",\nu4,[],adult\n";
    assert_eq!(case.text("out.csv"), expected);
    case.run("-o out.jsonl --layout lists --only vip,pro,age_band");
    let first = case.text("out.jsonl").lines().next().unwrap().to_owned();
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(first, json!({ "user_id": "u1", "segments": ["pro", "vip"], "age_band": "minor" }));
    for name in ["out.parquet", "out.arrow", "out.arrows"] {
        case.run(&format!("-o {name} --layout lists"));
        let rows = batches(&case.path(name));
        let lists = rows[0].column_by_name("segments").unwrap();
        let of = |row: usize| {
            let texts = cast(&lists.as_list::<i32>().value(row), &DataType::Utf8).unwrap();
            texts.as_string::<i32>().iter().flatten().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!((of(0), of(1)), (vec!["pro".to_owned(), "vip".to_owned()], Vec::new()), "{name}");
    }
}

#[test]
fn the_plan_can_be_looked_at() {
    let case = Case::usual();
    let plan = case.run("--explain-plan --only vip,age_band");
    assert!(plan.starts_with("reads 2 columns: "), "{plan}");
    assert!(plan.contains("keeps the outcome of 2 declarations"), "{plan}");
    // No data are needed for it.
    case.run("--explain-plan --table users=nowhere.csv");
}

#[test]
fn traits_and_scales_come_last_and_on_request() {
    let case = Case::usual();
    case.run("-o out.csv --with-traits");
    let text = case.text("out.csv");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "user_id,pro,vip,lifecycle,age_band,fund,tenure,double_paid,expertise");
    assert_eq!(lines[1], "u1,true,true,newcomer,minor,star,14,3001.00,high");
    // Named, a trait needs no flag.
    case.run("-o out.csv --only expertise,pro");
    assert_eq!(case.text("out.csv").lines().next(), Some("user_id,pro,expertise"));
}

#[test]
fn every_format_holds_the_same() {
    let case = Case::usual();
    for name in ["out.parquet", "out.arrow", "out.feather", "out.arrows"] {
        case.run(&format!("--with-traits -o {name}"));
        let batch = &batches(&case.path(name))[0];
        assert_eq!(column(batch, "user_id"), ["u1", "u2", "李三", "u4"]);
        assert_eq!(column(batch, "lifecycle"), ["newcomer", "growing", "valuable", "growing"]);
        assert_eq!(column(batch, "age_band"), ["minor", "-", "-", "adult"]);
        assert_eq!(column(batch, "double_paid"), ["3001.00", "20.00", "4000.00", "0.00"]);
        let pro = batch.column_by_name("pro").unwrap();
        assert_eq!(pro.data_type(), &DataType::Boolean);
        assert!(!batch.schema().field_with_name("pro").unwrap().is_nullable());
        assert!(matches!(batch.column_by_name("fund").unwrap().data_type(), DataType::Dictionary(..)));
    }
    case.run("-o out.jsonl --only pro,age_band");
    assert_eq!(
        case.text("out.jsonl").lines().nth(2),
        Some(r#"{"user_id":"李三","pro":true,"age_band":null}"#)
    );
    case.run("-o out.csv.gz");
    case.run("-o out.csv.zst");
    let mut text = String::new();
    let file = File::open(case.path("out.csv.gz")).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut text).unwrap();
    assert_eq!(text, WIDE);
    let file = File::open(case.path("out.csv.zst")).unwrap();
    assert_eq!(zstd::decode_all(file).unwrap(), WIDE.as_bytes());
}

#[test]
fn an_output_is_itself_readable_as_a_table() {
    let case = Case::usual();
    fs::write(
        case.path("second.seg"),
        "strata 1\ntable out key user_id from \"out.parquet\" {\n  user_id : string\n  pro : bool\n  \
         lifecycle : newcomer | growing | valuable\n}\nsegment both when pro and lifecycle = valuable\n",
    )
    .unwrap();
    for name in ["out.parquet", "out.csv", "out.jsonl", "out.arrow", "out.arrows", "out.ndjson.gz"] {
        case.run(&format!("-o {name}"));
        let output =
            case.strata(&format!("run second.seg --table out={name} --summary json")).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(summary["segments"], json!({"both": 1}), "{name}");
        assert_eq!(summary["bad_values"], json!([]), "{name}");
    }
}

#[test]
fn files_with_metadata_say_where_they_come_from() {
    let case = Case::usual();
    let summary = case.json("-o out.arrow");
    let file = File::open(case.path("out.arrow")).unwrap();
    let metadata = arrow::ipc::reader::FileReader::try_new(file, None).unwrap().schema().metadata().clone();
    assert_eq!(metadata["strata.program"], summary["program"].as_str().unwrap());
    assert_eq!(metadata["strata.now"], "2024-11-15T00:00:00+08:00");
    assert_eq!(metadata["strata.timezone"], "Asia/Shanghai");
    assert_eq!(metadata["strata.version"], env!("CARGO_PKG_VERSION"));
    case.run("-o out.parquet");
    let file = File::open(case.path("out.parquet")).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let found = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let now = found.iter().find(|pair| pair.key == "strata.now").unwrap();
    assert_eq!(now.value.as_deref(), Some("2024-11-15T00:00:00+08:00"));
}

#[test]
fn a_built_program_runs_like_its_text() {
    let case = Case::usual();
    let built = case.strata("build rules.seg -o rules.ir.json").output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    case.run("-o text.csv");
    let output = case.strata("run rules.ir.json -o built.csv --summary json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(case.text("built.csv"), case.text("text.csv"));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["program"], case.json("")["program"]);
}

#[test]
fn the_json_summary_keeps_its_schema() {
    let case = Case::usual();
    let mut summary = case.json("");
    let schema: Value =
        serde_json::from_str(include_str!("../docs/src/schemas/run-summary.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(&summary).map(|fault| fault.to_string()).collect();
    assert_eq!(faults, Vec::<String>::new());
    for part in ["program", "version", "seconds", "seconds_by_stage"] {
        summary.as_object_mut().unwrap().remove(part);
    }
    assert_eq!(
        summary,
        json!({
            "rows": 4,
            "events": [],
            "scores": {},
            "now": "2024-11-15T00:00:00+08:00",
            "now_from": "file",
            "timezone": "Asia/Shanghai",
            "segments": {"pro": 2, "vip": 2},
            "layers": {
                "lifecycle": {"newcomer": 1, "growing": 2, "valuable": 1, "": 0},
                "age_band": {"minor": 1, "adult": 1, "": 2},
                "fund": {"star": 1, "famous": 1, "other": 2, "": 0}
            },
            "stacks": {}, "splits": {}, "plays": {},
            "overlaps": {"lifecycle": 0, "age_band": 0, "fund": 0},
            "gaps": {"lifecycle": 0, "fund": 0},
            "bad_values": [
                {"table": "users", "column": "age", "count": 1,
                 "examples": [{"value": "200", "row": 3, "file": "users.csv"}]},
                {"table": "users", "column": "channel", "count": 1,
                 "examples": [{"value": "radio", "row": 4, "file": "users.csv"}]},
                {"table": "users", "column": "tags", "count": 1,
                 "examples": [{"value": null, "row": 4, "file": "users.csv"}]}
            ],
            "guards": [],
            "output": null
        })
    );
}

#[test]
fn members_stand_in_the_file_s_order() {
    let text = Case::usual().run("--summary json");
    let places: Vec<usize> =
        ["newcomer", "growing", "valuable", "age_band"].iter().map(|name| text.find(name).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn the_summary_for_people() {
    let text = Case::usual().run("");
    let seconds = text.lines().last().unwrap();
    insta::assert_snapshot!(text.replace(seconds, "[seconds]"));
    assert!(seconds.contains(" seconds"), "{seconds}");
    assert!(Case::usual().run("-v").contains("busy: read "));
    assert_eq!(Case::usual().run("-q"), "");
}

#[test]
fn only_reads_what_the_names_need() {
    // The bad ages and channels are in columns that `vip` does not look at.
    let summary = Case::usual().json("--only vip");
    assert_eq!(summary["segments"], json!({"vip": 2}));
    assert_eq!(summary["layers"], json!({}));
    assert_eq!(summary["bad_values"].as_array().unwrap().len(), 1);
    assert_eq!(summary["bad_values"][0]["column"], json!("tags"));
    // A summary alone does not need what only an output would show.
    assert_eq!(Case::usual().json("--only vip,tenure")["bad_values"].as_array().unwrap().len(), 1);
}

#[test]
fn names_that_are_not_there_are_answered_at_once() {
    let case = Case::usual();
    let errors = case.fail("--only vpi,lifecycle --table user=x.csv --now 2024-11-31", 2);
    for part in ["E0644", "`vip`", "did you mean `users`", "E0645", "2024-11-31"] {
        assert!(errors.contains(part), "{part} in {errors}");
    }
    let errors = case.fail("--layout long --only expertise -o out.csv", 2);
    assert!(errors.contains("the long layout"), "{errors}");
    assert!(case.fail("-o result", 2).contains("E0641"));
    assert!(case.fail("-o nowhere/out.csv", 2).contains("its folder does not exist"));
    assert!(case.fail("-o users.csv", 2).contains("the run reads its data there"));
    assert!(case.fail("--engine ballista", 2).contains("this build has no `ballista`"));
    assert_eq!(case.text("users.csv"), USERS);
}

#[test]
fn rules_without_users_cannot_run() {
    let case = Case::new("strata 1\ntype level = low < high\n", "");
    assert!(case.fail("", 2).contains("no user table"));
}

#[test]
fn now_comes_from_the_option_the_file_or_the_clock() {
    let case = Case::usual();
    let summary = case.json("--now 2025-01-01");
    assert_eq!(
        (&summary["now_from"], &summary["now"]),
        (&json!("option"), &json!("2025-01-01T00:00:00+08:00"))
    );
    assert_eq!(summary["layers"]["lifecycle"]["newcomer"], json!(0));
    assert!(case.run("").contains("fixed by the file"));
    assert!(case.run("--now 2025-01-01T08:00Z").contains("2025-01-01T16:00:00+08:00"));
    let case = Case::new(&RULES.replace("now 2024-11-15T00:00\n", ""), USERS);
    let summary = case.json("");
    assert_eq!(summary["now_from"], json!("clock"));
    assert!(!summary["now"].as_str().unwrap().starts_with("2024-11-15"));
}

#[test]
fn users_whom_many_or_none_claim_are_counted() {
    let rules = "strata 1\ntable users key user_id from \"users.csv\" {\n  user_id : int\n  a : int\n  b : int\n}\n\
        layer both {\n  one when a > b\n  two when a > 2 * b\n  six when b > a + 5\n}\n\
        layer first first match {\n  one when a > b\n  two when a > 2 * b\n  rest otherwise\n}\n";
    let case = Case::new(rules, "user_id,a,b\n1,10,1\n2,3,2\n3,1,9\n4,1,1\n5,90,1\n");
    let summary = case.json("--allow E0402,E0403,W1101");
    assert_eq!(summary["layers"]["both"], json!({"one": 3, "two": 0, "six": 1, "": 1}));
    assert_eq!(summary["overlaps"], json!({"both": 2}));
    assert_eq!(summary["gaps"], json!({"both": 1}));
    let text = case.run("--allow E0402,E0403");
    assert!(text.contains("claimed by more than one member: 2 (first in the file wins)"), "{text}");
    assert!(text.contains("taken by no member: 1"), "{text}");
}

#[test]
fn bad_values_stop_a_strict_run() {
    let errors = Case::usual().fail("--bad-values error -o out.csv", 2);
    for part in ["users.csv", "200", "age", "3"] {
        assert!(errors.contains(part), "{part} in {errors}");
    }
}

/// Some hundred thousand users; the last rows as given.
fn many(rows: usize, last: &str) -> String {
    let mut text = String::from("user_id,age,channel,score,paid,signup_at,tags\n");
    for n in 0..rows {
        let (age, score, paid) = (n % 90, n % 101, n % 3000);
        text.push_str(&format!("k{n:07},{age},search,{score},{paid}.5,2024-10-{:02},[]\n", n % 28 + 1));
    }
    text + last
}

#[test]
fn a_failure_in_the_last_batch_leaves_nothing() {
    for last in [",5,search,1,1,2024-01-01,[]\n", "k0000007,5,search,1,1,2024-01-01,[]\n"] {
        let case = Case::new(RULES, &many(100_000, last));
        fs::write(case.path("out.csv"), "old").unwrap();
        let before = case.names();
        for name in ["out.csv", "out.parquet"] {
            let errors = case.fail(&format!("-o {name}"), 2);
            assert!(errors.contains("E060"), "{errors}");
            assert_eq!(case.names(), before);
            assert_eq!(case.text("out.csv"), "old");
        }
    }
    // Whoever knows better may keep both rows of a key, but never a row without one.
    let case = Case::new(RULES, &many(10, "k0000007,5,search,1,1,2024-01-01,[]\n"));
    case.run("-o out.csv --keys skip");
    assert_eq!(case.text("out.csv").lines().count(), 12);
    assert_eq!(case.json("")["rows"], json!(11));
    let case = Case::new(RULES, &many(10, ",5,search,1,1,2024-01-01,[]\n"));
    case.fail("--keys skip", 2);
}

#[test]
fn the_output_does_not_depend_on_the_number_of_threads() {
    let case = Case::new(RULES, &many(200_000, ""));
    for ending in ["csv", "parquet", "jsonl.gz"] {
        case.run(&format!("--threads 1 --with-traits -o one.{ending}"));
        case.run(&format!("--threads 4 --with-traits -o four.{ending}"));
        let bytes = |name: &str| fs::read(case.path(&format!("{name}.{ending}"))).unwrap();
        assert!(bytes("one") == bytes("four"), "{ending}");
    }
    assert_eq!(case.text("one.csv").lines().count(), 200_001);
}

#[test]
fn parts_by_member_are_one_table_again() {
    let case = Case::usual();
    case.run("-o parts --partition-by lifecycle");
    let mut folders: Vec<String> = fs::read_dir(case.path("parts"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    folders.sort();
    assert_eq!(folders, ["lifecycle=growing", "lifecycle=newcomer", "lifecycle=valuable"]);
    let growing = &batches(&case.path("parts/lifecycle=growing/part-0.parquet"))[0];
    assert_eq!(column(growing, "user_id"), ["u2", "u4"]);
    case.run("-o parts --partition-by fund");
    assert!(!case.path("parts/lifecycle=growing").exists());
    assert!(case.fail("-o parts --partition-by user_id", 2).contains("E0643"));
    assert!(
        case.fail("-o . --partition-by fund", 2).contains("rules.seg") || case.path("rules.seg").exists()
    );
}

#[test]
fn no_users_give_an_empty_output() {
    let case = Case::new(RULES, "user_id,age,channel,score,paid,signup_at,tags\n");
    let summary = case.json("-o out.csv");
    assert_eq!(summary["rows"], json!(0));
    assert_eq!(case.text("out.csv"), "user_id,pro,vip,lifecycle,age_band,fund\n");
    assert!(case.run("").contains("–"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_plainly() {
    let case = Case::usual();
    std::os::unix::fs::symlink("/dev/full", case.path("out.csv")).unwrap();
    let errors = case.fail("-o out.csv", 2);
    assert!(errors.contains("E0642") && errors.contains("the disk is full"), "{errors}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing_and_says_by_what() {
    use std::process::Stdio;
    use std::time::{Duration, Instant};
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        // The same users hundreds of times: nobody waits for the end of that.
        let case = Case::new(RULES, &many(100_000, ""));
        fs::create_dir(case.path("data")).unwrap();
        for n in 0..500 {
            fs::hard_link(case.path("users.csv"), case.path(&format!("data/{n}.csv"))).unwrap();
        }
        fs::write(case.path("out.csv"), "old").unwrap();
        let before = case.names();
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("strata"))
            .current_dir(case.folder.path())
            .args(["run", "rules.seg", "--table", "users=data", "--keys", "skip", "-o", "out.csv"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let part = || case.names().iter().any(|name| name.ends_with(".part"));
        let waiting = Instant::now();
        while !part() && waiting.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(part(), "the run never began to write");
        let asked = Instant::now();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.arg(format!("-{signal}")).arg(child.id().to_string()).status().unwrap().success());
        let ended = child.wait().unwrap();
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        assert_eq!(ended.code(), Some(status));
        assert_eq!(case.names(), before);
        assert_eq!(case.text("out.csv"), "old");
    }
}

#[cfg(not(feature = "cloud"))]
#[test]
fn a_build_without_object_stores_says_which_has_them() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("rules.seg"), RULES).unwrap();
    let output = Command::cargo_bin("strata")
        .unwrap()
        .current_dir(folder.path())
        .args(["run", "rules.seg", "--table", "users=s3://lake/users.csv"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("E0621") && text.contains("--features cloud"), "{text}");
}

/// A count alone does not read keys of which the file says that none is missing; one that is missing stops
/// it all the same.
#[test]
fn a_missing_key_stops_a_count_too() {
    use arrow::array::{ArrayRef, Int64Array};
    let case = Case::usual();
    let rules = "strata 1\ntable users key id from \"users.parquet\" {\n  id : int\n  age : int\n}\n\
        segment grown when age >= 18\nsegment anybody when age >= 0\n";
    fs::write(case.path("rules.seg"), rules).unwrap();
    let ages: ArrayRef = std::sync::Arc::new(Int64Array::from(vec![17, 18, 19]));
    let write = |ids: Vec<Option<i64>>| {
        let ids: ArrayRef = std::sync::Arc::new(Int64Array::from(ids));
        let columns = [("id", ids, true), ("age", ages.clone(), true)];
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let file = File::create(case.path("users.parquet")).unwrap();
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    };
    write(vec![Some(1), Some(2), Some(3)]);
    let summary: Value = serde_json::from_str(&case.run("--summary json")).unwrap();
    assert_eq!((&summary["rows"], &summary["segments"]["grown"]), (&json!(3), &json!(2)));
    write(vec![Some(1), None, Some(3)]);
    assert!(case.fail("--summary json", 2).contains("row 2"));
}
