//! Lookups and calendars.

use crate::support::{Scratch, from_text, lines, options};
use indexmap::IndexMap;
use strata::data::facts::load;
use strata::program::{Program, Source, Value};

/// A program whose `from` paths start at that folder.
fn program_at(scratch: &Scratch, text: &str) -> Program {
    let mut program = from_text(&format!("strata 1\ntable users key id {{ id: int }}\n{text}"));
    let folder = scratch.path("").to_string_lossy().into_owned();
    let place = |source: &mut Source| source.folder.clone_from(&folder);
    program.lookups.iter_mut().filter_map(|table| table.source.as_mut()).for_each(place);
    program.calendar.as_mut().into_iter().for_each(place);
    program
}

const BABY: &str =
    "lookup baby key week from \"baby.csv\" { week : int, length_cm : float?, size : small | big }\n";

#[test]
fn lookups_are_read_by_key() {
    let scratch = Scratch::new();
    scratch.write("baby.csv", "week,length_cm,size\n20,25.6,small\n30,,big\n31,1,huge\n");
    let loaded = load(&program_at(&scratch, BABY), &IndexMap::new(), &options()).unwrap();
    let rows = &loaded.facts.lookups[0].rows;
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[&Value::Int(20)], [Value::Int(20), Value::Float(25.6), Value::Label(0)]);
    assert_eq!(rows[&Value::Int(30)], [Value::Int(30), Value::Missing, Value::Label(1)]);
    assert_eq!(rows[&Value::Int(31)][2], Value::Missing);
    assert_eq!((loaded.bad_values[0].table.as_str(), loaded.bad_values[0].count), ("baby", 1));
}

#[test]
fn the_command_line_wins_over_from() {
    let scratch = Scratch::new();
    let path = scratch.write("other.jsonl", "{\"week\": 1, \"length_cm\": 2, \"size\": \"big\"}\n");
    let given = IndexMap::from([("baby".to_owned(), path)]);
    let loaded = load(&program_at(&scratch, BABY), &given, &options()).unwrap();
    assert_eq!(loaded.facts.lookups[0].rows.len(), 1);
}

#[test]
fn a_key_may_stand_once() {
    let scratch = Scratch::new();
    scratch.write("baby.csv", "week,length_cm,size\n20,25.6,small\n21,1,big\n20,25.6,small\n");
    let faults = load(&program_at(&scratch, BABY), &IndexMap::new(), &options()).unwrap_err();
    let path = scratch.path("baby.csv").to_string_lossy().into_owned();
    let expected = format!("E0608: `baby` has two rows for `20`: row 3 of `{path}` repeats an earlier one");
    assert_eq!(lines(&faults), [expected]);
}

#[test]
fn a_missing_file_is_told_at_its_declaration() {
    let scratch = Scratch::new();
    let faults = load(&program_at(&scratch, BABY), &IndexMap::new(), &options()).unwrap_err();
    let path = scratch.path("baby.csv").to_string_lossy().into_owned();
    assert_eq!(lines(&faults), [format!("E0601: cannot read `{path}`: there is no such file or folder")]);
    assert!(faults[0].span.is_some());
}

#[test]
fn a_calendar_says_which_days_are_worked() {
    let scratch = Scratch::new();
    scratch.write("days.csv", "date,workday,why\n2024-10-01,0,国庆\n2024-10-12,1,调休\n");
    let program = program_at(&scratch, "calendar from \"days.csv\"\n");
    let loaded = load(&program, &IndexMap::new(), &options()).unwrap();
    assert_eq!(loaded.facts.calendar.get(&19_997), Some(&false));
    assert_eq!(loaded.facts.calendar.get(&20_008), Some(&true));
    scratch.write("days.csv", "date,workday\n2024-10-01,0\n2024-10-01,1\n");
    assert_eq!(load(&program, &IndexMap::new(), &options()).unwrap_err()[0].code.id(), "E0608");
    scratch.write("days.csv", "day,workday\n2024-10-01,0\n");
    assert_eq!(load(&program, &IndexMap::new(), &options()).unwrap_err()[0].code.id(), "E0603");
}
