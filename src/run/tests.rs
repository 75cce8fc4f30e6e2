//! The pipeline over made-up readers and sinks.

use super::layout::{Layout, Writer};
use super::pipeline::{Halt, Work, pump};
use super::select::Selection;
use super::stop::Stop;
use super::tally::Tally;
use crate::data::write::Sink;
use crate::diagnostic::{Diagnostic, codes::data};
use crate::program::Program;
use crate::semantics::Facts;
use crate::vector::{Plan, Wanted};
use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, Int64Array, ListArray, ListBuilder, RecordBatch,
    StringArray, UInt32Array, UInt32Builder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

const RULES: &str = "strata 1\nnow 2024-11-15\ntable users key id {\n  id : int\n  age : int?\n}\n\
    segment odd when age mod 2 = 1\nlayer band partial {\n  small when age < 10\n  large when age >= 90\n}\n";

fn program(rules: &str) -> Program {
    let checked = crate::check::check_text_without_proofs("rules.seg", rules);
    assert!(checked.program.is_some(), "{:?}", checked.diagnostics);
    checked.program.unwrap()
}

fn work(program: &Program, layout: Layout) -> Work {
    let selection = Selection::new(program, &[], false, layout).unwrap();
    let users = program.users.as_ref().unwrap();
    let plan = Plan::new(&program.at(program.now.unwrap()), &Wanted::all(program));
    let writer = Writer::new(program, users, &selection, layout);
    Work::new(
        plan.into(),
        Arc::default(),
        None,
        Tally::new(program, &selection),
        Some(writer),
        "id".to_owned(),
    )
}

fn batch(number: i64) -> RecordBatch {
    // Batches of unlike length take unlike time.
    let ids: Vec<i64> = (0..1 + number % 7 * 500).map(|row| number * 10_000 + row).collect();
    let ages = ids.iter().map(|id| (id % 5 != 0).then_some(id % 100));
    let fields = vec![Field::new("id", DataType::Int64, true), Field::new("age", DataType::Int64, true)];
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(ids.clone())), Arc::new(ages.collect::<Int64Array>())];
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// Keeps the keys; slow if asked.
struct Keeper {
    keys: Vec<i64>,
    written: Arc<AtomicI64>,
    pause: Duration,
}

impl Keeper {
    fn new(pause: Duration) -> Self {
        Keeper { keys: Vec::new(), written: Arc::default(), pause }
    }
}

impl Sink for Keeper {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Diagnostic> {
        std::thread::sleep(self.pause);
        self.keys.extend(batch.column(0).as_primitive::<Int64Type>().values());
        self.written.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Diagnostic> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Diagnostic> {
        Ok(())
    }
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, Diagnostic>> + Send>;

#[test]
fn rows_keep_their_order_and_counts_do_not_depend_on_threads() {
    let program = program(RULES);
    let mut outcomes = Vec::new();
    for threads in [1, 2, 7] {
        let reader: Batches = Box::new((0..60).map(|number| Ok(batch(number))));
        let mut sink = Keeper::new(Duration::ZERO);
        let work = work(&program, Layout::Wide);
        let mut seen = 0;
        let (_, tally, _) =
            pump(reader, work, threads, Some(&mut sink), &Stop::default(), &mut |rows| seen = rows).unwrap();
        assert!(sink.keys.is_sorted());
        assert_eq!(sink.keys.len() as u64, tally.rows);
        assert_eq!(seen, tally.rows);
        outcomes.push((sink.keys, tally));
    }
    let odd = outcomes[0].0.iter().filter(|id| *id % 5 != 0 && *id % 2 == 1).count() as u64;
    assert_eq!(outcomes[0].1.counts[0].members, [odd]);
    assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_slow_output_holds_the_reader_back() {
    let program = program(RULES);
    let mut sink = Keeper::new(Duration::from_millis(2));
    let written = sink.written.clone();
    let most = Arc::new(AtomicI64::new(0));
    let reader: Batches = Box::new((0..100).map({
        let most = most.clone();
        move |number| {
            most.fetch_max(number + 1 - written.load(Ordering::SeqCst), Ordering::SeqCst);
            Ok(batch(number))
        }
    }));
    let work = work(&program, Layout::Wide);
    let (_, tally, _) = pump(reader, work, 3, Some(&mut sink), &Stop::default(), &mut |_| ()).unwrap();
    assert_eq!(tally.rows, sink.keys.len() as u64);
    // Two a thread and two more; and the one just written, whose permit is back a moment later.
    assert!((1..=9).contains(&most.load(Ordering::SeqCst)), "{most:?}");
}

#[test]
fn the_first_fault_of_the_data_ends_it() {
    let program = program(RULES);
    let fault = || Diagnostic::placeless(data::BAD_VALUE, "a bad age");
    let reader: Batches =
        Box::new((0..).map(move |number| if number == 20 { Err(fault()) } else { Ok(batch(number)) }));
    let mut sink = Keeper::new(Duration::ZERO);
    let halt =
        pump(reader, work(&program, Layout::Wide), 2, Some(&mut sink), &Stop::default(), &mut |_| ()).err();
    assert!(matches!(halt, Some(Halt::Found(found)) if found.message == "a bad age"));
}

#[test]
fn a_request_to_stop_is_heard_soon_even_while_nothing_comes() {
    let program = program(RULES);
    let stop = Stop::default();
    let reader: Batches = Box::new((0..).map(|number| {
        if number == 3 {
            std::thread::sleep(Duration::from_secs(3600));
        }
        Ok(batch(number))
    }));
    let asker = std::thread::spawn({
        let stop = stop.clone();
        move || {
            std::thread::sleep(Duration::from_millis(100));
            stop.request(15);
        }
    });
    let start = Instant::now();
    let halt = pump(reader, work(&program, Layout::Wide), 2, None, &stop, &mut |_| ()).err();
    assert!(matches!(halt, Some(Halt::Stopped(15))));
    assert!(start.elapsed() < Duration::from_secs(1));
    asker.join().unwrap();
}

/// The rows of a layout for one batch, each as text.
fn rows(program: &Program, key: &ArrayRef, batch: &RecordBatch, layout: Layout, traits: bool) -> RecordBatch {
    let selection = Selection::new(program, &[], traits, layout).unwrap();
    let dated = program.at(program.now.unwrap_or_default());
    let assignment = Plan::new(&dated, &Wanted::all(program)).evaluate(batch, &Facts::default()).unwrap();
    let users = program.users.as_ref().unwrap();
    Writer::new(program, users, &selection, layout).rows(key, &assignment).unwrap()
}

fn texts(column: &ArrayRef) -> Vec<Option<String>> {
    let texts = cast(column, &DataType::Utf8).unwrap();
    texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
}

#[test]
fn labels_are_written_as_names_in_keys_traits_and_lists() {
    let program = program(
        "strata 1\ntype ware = \"3C\" | \"服饰\"\ntable users key stage {\n  stage : low < high\n  likes : list of ware\n}\n\
         trait best = likes\ntrait same = stage\nsegment all_of_them when stage >= low\n",
    );
    let mut likes = ListBuilder::new(UInt32Builder::new());
    likes.append_value([Some(1), Some(0)]);
    likes.append_null();
    let likes: ListArray = likes.finish();
    let stages: ArrayRef = Arc::new(UInt32Array::from(vec![1, 0]));
    let fields = vec![
        Field::new("stage", DataType::UInt32, true),
        Field::new("likes", likes.data_type().clone(), true),
    ];
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), vec![stages.clone(), Arc::new(likes)]);
    let out = rows(&program, &stages, &batch.unwrap(), Layout::Wide, true);
    let names: Vec<&str> = out.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["stage", "all_of_them", "best", "same"]);
    assert_eq!(texts(out.column(0)), [Some("high".into()), Some("low".into())]);
    assert_eq!(texts(out.column(3)), [Some("high".into()), Some("low".into())]);
    let lists = out.column(2).as_list::<i32>();
    assert_eq!(texts(&lists.value(0)), [Some("服饰".into()), Some("3C".into())]);
    assert!(lists.is_null(1));
}

#[test]
fn a_dictionary_of_keys_is_written_as_plain_text() {
    let program = program(
        "strata 1\ntable users key member {\n  member : string\n}\nsegment here when member is known\n",
    );
    let keys: ArrayRef = Arc::new(
        DictionaryArray::<Int32Type>::try_new(
            Int32Array::from(vec![1, 0]),
            Arc::new(StringArray::from(vec!["x", "李三"])),
        )
        .unwrap(),
    );
    let field = Field::new("member", keys.data_type().clone(), true);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![keys.clone()]).unwrap();
    let out = rows(&program, &keys, &batch, Layout::Long, false);
    assert_eq!(out.column(0).data_type(), &DataType::Utf8);
    // The key bears the name of one of the layout's columns, which gives way.
    let names: Vec<&str> = out.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["member", "kind", "name", "member_"]);
    assert_eq!(texts(out.column(0)), [Some("李三".into()), Some("x".into())]);
    assert_eq!(texts(out.column(3)), [None, None]);
}

#[test]
fn lists_name_the_segments_that_hold() {
    let program = program(
        "strata 1\nnow 2024-11-15\ntable users key id {\n  id : int\n  age : int?\n}\n\
         segment odd when age mod 2 = 1\nlayer segments partial {\n  small when age < 10\n}\n\
         segment grown when age >= 18\nsegment anybody when id >= 0\n",
    );
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, -2, 3]));
    let ages: ArrayRef = Arc::new(Int64Array::from(vec![Some(19), None, Some(5)]));
    let fields = vec![Field::new("id", DataType::Int64, true), Field::new("age", DataType::Int64, true)];
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), vec![ids.clone(), ages]).unwrap();
    let out = rows(&program, &ids, &batch, Layout::Lists, false);
    // A layer bears the list's name, and the list gives way.
    let names: Vec<&str> = out.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["id", "segments_", "segments"]);
    let lists = out.column(1).as_list::<i32>();
    let of = |row: usize| texts(&lists.value(row)).into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(of(0), ["odd", "grown", "anybody"]);
    assert_eq!(of(1), Vec::<String>::new());
    assert_eq!(of(2), ["odd", "anybody"]);
    assert_eq!(texts(out.column(2)), [None, None, Some("small".into())]);
}
