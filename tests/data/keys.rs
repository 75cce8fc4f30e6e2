//! No user twice.

use crate::support::{Scratch, fixture, lines, options, program, read_with};
use strata::data::read::{KeyMode, ReadOptions};

fn checked(memory: usize) -> ReadOptions {
    ReadOptions { keys: KeyMode::Check { memory }, batch_rows: 100, ..options() }
}

#[test]
fn unique_keys_pass_in_any_order() {
    let scratch = Scratch::new();
    let shuffled: String = (0..3000).map(|n| format!("{}\n", n * 7919 % 3001)).collect();
    let path = scratch.write("x.csv", format!("id\n{shuffled}"));
    for memory in [0, 1 << 20] {
        assert_eq!(read_with(&program("id: int"), &path, &checked(memory)).unwrap().rows.len(), 3000);
        assert_eq!(read_with(&program("id: string"), &path, &checked(memory)).unwrap().rows.len(), 3000);
    }
    let ascending = program("id: int");
    assert_eq!(read_with(&ascending, &fixture("snappy.parquet"), &checked(0)).unwrap().rows.len(), 1000);
}

#[test]
fn the_first_duplicate_is_named_with_both_rows() {
    let scratch = Scratch::new();
    let keys: String = (0..500).map(|n| format!("{}\n", 1000 - n)).collect();
    let path = scratch.write("x.csv", format!("id\n{keys}700\n600\n"));
    for memory in [0, 1 << 20] {
        for ty in ["int", "string", "decimal(9,2)"] {
            let faults = read_with(&program(&format!("id: {ty}")), &path, &checked(memory)).unwrap_err();
            let shown = if ty.starts_with("dec") { "700.00" } else { "700" };
            let expected = format!("E0607: table `users`: rows 301 and 501 have the same key `{shown}`");
            assert_eq!(lines(&faults), [expected]);
        }
    }
    let side_by_side = scratch.write("y.csv", "id\n1\n2\n2\n");
    let faults = read_with(&program("id: int"), &side_by_side, &checked(0)).unwrap_err();
    assert_eq!(lines(&faults), ["E0607: table `users`: rows 2 and 3 have the same key `2`"]);
    let dates = scratch.write("z.csv", "id\n2024-01-02\n2024-01-01\n2024-01-02\n");
    let faults = read_with(&program("id: date"), &dates, &checked(0)).unwrap_err();
    assert_eq!(lines(&faults), ["E0607: table `users`: rows 1 and 3 have the same key `2024-01-02`"]);
}
