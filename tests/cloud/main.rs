//! Tables in object stores: the binary against a real server that speaks S3, on this machine.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod server;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use assert_cmd::Command;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const RULES: &str = r#"strata 1
timezone "UTC"

table users key id from "FROM" {
  id    : int
  score : int
}

segment good when score >= 50
"#;

/// A run over a URL, with nothing in the environment but what the test says.
fn strata(from: &str, environment: &[(&str, &str)]) -> Command {
    strata_with(&RULES.replace("FROM", from), environment)
}

fn strata_with(rules: &str, environment: &[(&str, &str)]) -> Command {
    let folder = TempDir::new().unwrap().keep();
    fs::write(folder.join("rules.seg"), rules).unwrap();
    let mut command = Command::cargo_bin("strata").unwrap();
    command.current_dir(&folder).env_clear().args(["run", "rules.seg", "--summary", "json"]);
    command.envs(environment.iter().copied()).timeout(Duration::from_secs(120));
    command
}

fn credentials(endpoint: &str) -> [(&str, &str); 5] {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
    ]
}

fn summary(mut command: Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Rows and how many are good, over a URL of the bucket.
fn counts(from: &str) -> (u64, u64) {
    let summary = summary(strata(from, &credentials(&server::s3().endpoint())));
    (summary["rows"].as_u64().unwrap(), summary["segments"]["good"].as_u64().unwrap())
}

/// What a run that cannot read its table says; and that it says it soon.
fn refusal(mut command: Command) -> String {
    let begun = Instant::now();
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(begun.elapsed() < Duration::from_secs(90), "it took {:?}", begun.elapsed());
    // As one line: messages are folded to the terminal's width.
    text.split_whitespace().filter(|word| *word != "|").collect::<Vec<_>>().join(" ")
}

fn csv(ids: std::ops::Range<i64>) -> String {
    let rows: String = ids.map(|id| format!("{id},{}\n", id % 100)).collect();
    format!("id,score\n{rows}")
}

fn batch(ids: std::ops::Range<i64>) -> RecordBatch {
    let columns: [(&str, ArrayRef); 2] = [
        ("id", Arc::new(Int64Array::from_iter_values(ids.clone()))),
        ("score", Arc::new(Int64Array::from_iter_values(ids.map(|id| id % 100)))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn parquet(batch: &RecordBatch, properties: WriterProperties) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn every_format_is_read_from_a_bucket() {
    let s3 = server::s3();
    s3.put("formats/users.csv", csv(0..1000));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(csv(0..1000).as_bytes()).unwrap();
    s3.put("formats/users.csv.gz", packed.finish().unwrap());
    s3.put("formats/users.csv.zst", zstd::encode_all(csv(0..1000).as_bytes(), 1).unwrap());
    let lines: String = (0..1000).map(|id| format!("{{\"id\":{id},\"score\":{}}}\n", id % 100)).collect();
    s3.put("formats/users.jsonl", lines);
    s3.put("formats/users.parquet", parquet(&batch(0..1000), WriterProperties::default()));
    let batch = batch(0..1000);
    let mut stream = arrow::ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    stream.write(&batch).unwrap();
    s3.put("formats/users.arrows", stream.into_inner().unwrap());
    let mut file = arrow::ipc::writer::FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    s3.put("formats/users.arrow", file.into_inner().unwrap());
    for ending in ["csv", "csv.gz", "csv.zst", "jsonl", "parquet", "arrows", "arrow"] {
        assert_eq!(counts(&format!("s3://lake/formats/users.{ending}")), (1000, 500), "{ending}");
    }
}

#[test]
fn a_text_longer_than_a_block_is_read_whole() {
    server::s3().put("long/users.csv", csv(0..2_000_000));
    assert_eq!(counts("s3://lake/long/users.csv"), (2_000_000, 1_000_000));
}

#[test]
fn a_folder_a_pattern_and_partitions_are_one_table() {
    let s3 = server::s3();
    s3.put("days/day=1/a.csv", csv(0..100));
    s3.put("days/day=1/_temporary/b.csv", "not,a,table\n1");
    s3.put("days/day=2/a.parquet", parquet(&batch(100..300), WriterProperties::default()));
    s3.put("days/day=3/a b%2F.csv", csv(300..400));
    s3.put("days/README.md", "no data");
    assert_eq!(counts("s3://lake/days"), (400, 200));
    assert_eq!(counts("s3://lake/days/"), (400, 200));
    assert_eq!(counts("s3://lake/days/*/*.csv"), (200, 100));
    assert_eq!(counts("s3://lake/days/day=[12]"), (300, 150));
    assert_eq!(counts("s3://lake/days/day=3/a b%2F.csv"), (100, 50));

    let rules = RULES.replace("FROM", "s3://lake/days").replace("score : int", "score : int\n  day : int")
        + "segment second when day = 2\n";
    let summary = summary(strata_with(&rules, &credentials(&s3.endpoint())));
    assert_eq!(summary["segments"]["second"], 200, "{summary}");
}

#[test]
fn only_the_wanted_columns_of_a_parquet_file_are_asked_for() {
    let s3 = server::s3();
    let rows = 400_000;
    let mut columns: Vec<(String, ArrayRef)> = batch(0..rows)
        .columns()
        .iter()
        .zip(["id", "score"])
        .map(|(column, name)| (name.to_owned(), column.clone()))
        .collect();
    // Texts that no packing makes small.
    let mut state = 1u64;
    let mut text = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("{state:016x}")
    };
    for at in 0..4 {
        let texts = StringArray::from_iter_values((0..rows).map(|_| text()));
        columns.push((format!("text{at}"), Arc::new(texts)));
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(200_000)).build();
    let bytes = parquet(&batch, properties);
    let size = bytes.len() as u64;
    assert!(size > 20_000_000, "{size}");
    s3.put("wide/users.parquet", bytes);

    let proxy = server::proxy(s3.port);
    let endpoint = format!("http://127.0.0.1:{}", proxy.port);
    let summary = summary(strata("s3://lake/wide/users.parquet", &credentials(&endpoint)));
    assert_eq!(summary["segments"]["good"], 200_000);
    let read = proxy.answered.load(Ordering::SeqCst);
    assert!(read < size / 4, "{read} of {size} bytes were read");
    // The footer twice (to bind, to read), then the one column of two row groups once: nobody asks for the
    // keys where the file says that none is missing.
    let ranges = proxy.ranges.lock().unwrap().clone();
    assert_eq!(ranges.len(), 4, "{ranges:?}");
}

#[test]
fn what_is_not_there_is_named() {
    let endpoint = server::s3().endpoint();
    let environment = credentials(&endpoint);
    let text = refusal(strata("s3://no-such-bucket/users.csv", &environment));
    assert!(text.contains("E0601") && text.contains("cannot read `s3://no-such-bucket/users.csv`"), "{text}");
    assert!(text.contains("there is no such bucket"), "{text}");
    let text = refusal(strata("s3://lake/nowhere/users.csv", &environment));
    assert!(text.contains("there is no such object or folder"), "{text}");
    let text = refusal(strata("s3://lake/nowhere/*.csv", &environment));
    assert!(text.contains("E0610") && text.contains("no file fits `s3://lake/nowhere/*.csv`"), "{text}");
    server::s3().put("plain/notes.txt", "hello");
    let text = refusal(strata("s3://lake/plain", &environment));
    assert!(text.contains("E0610"), "{text}");
    let text = refusal(strata("s3://lake/plain/notes.txt", &environment));
    assert!(text.contains("E0602"), "{text}");
    let text = refusal(strata("ftp://lake/users.csv", &environment));
    assert!(text.contains("E0622"), "{text}");
    let text = refusal(strata("s3:///users.csv", &environment));
    assert!(text.contains("E0622"), "{text}");
}

#[test]
fn a_damaged_object_is_said_to_be_damaged() {
    let s3 = server::s3();
    let mut bytes = parquet(&batch(0..1000), WriterProperties::default());
    bytes.truncate(bytes.len() / 2);
    s3.put("damaged/users.parquet", bytes);
    let text = refusal(strata("s3://lake/damaged/users.parquet", &credentials(&s3.endpoint())));
    assert!(text.contains("E0605"), "{text}");
}

#[test]
fn a_store_that_does_not_answer_is_given_up() {
    // A port where nobody listens: bound and let go again.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = refusal(strata("s3://lake/users.csv", &credentials(&format!("http://127.0.0.1:{port}"))));
    assert!(text.contains("its server cannot be reached"), "{text}");
    let endpoint = format!("http://127.0.0.1:{}", server::silent());
    let mut environment = credentials(&endpoint).to_vec();
    environment.push(("AWS_READ_TIMEOUT", "1 seconds"));
    let text = refusal(strata("s3://lake/users.csv", &environment));
    assert!(text.contains("does not answer in time"), "{text}");
}

#[test]
fn without_credentials_they_are_asked_for() {
    let endpoint = server::s3().endpoint();
    let metadata = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let metadata = format!("http://127.0.0.1:{metadata}");
    let environment = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_METADATA_ENDPOINT", &metadata),
    ];
    let text = refusal(strata("s3://lake/users.csv", &environment));
    assert!(text.contains("no credentials"), "{text}");
    assert!(text.contains("AWS_ACCESS_KEY_ID"), "{text}");
}

#[test]
fn one_file_of_a_web_server_is_read_even_without_ranges() {
    for (name, content) in [
        ("users.csv", csv(0..1000).into_bytes()),
        ("users.parquet", parquet(&batch(0..1000), WriterProperties::default())),
    ] {
        let port = server::whole_only(content);
        let summary = summary(strata(&format!("http://127.0.0.1:{port}/data/{name}?signature=secret"), &[]));
        assert_eq!(summary["segments"]["good"], 500, "{name}");
    }
    let port = server::whole_only(Vec::new());
    let text = refusal(strata(&format!("http://127.0.0.1:{port}/other/users.csv?signature=secret"), &[]));
    // The line of the rule file is shown as it is; what is said of it keeps the signature to itself.
    let said = text.split_once(",-[").map_or(text.as_str(), |(said, _)| said);
    assert!(said.contains("there is no such object") && !said.contains("secret"), "{text}");
}

#[test]
fn an_output_is_a_file_of_this_machine() {
    let s3 = server::s3();
    s3.put("output/users.csv", csv(0..10));
    let mut command = strata("s3://lake/output/users.csv", &credentials(&s3.endpoint()));
    command.args(["-o", "s3://lake/output/out.csv"]);
    let text = refusal(command);
    assert!(text.contains("E0642") && text.contains("outputs are files of this machine"), "{text}");
}
