//! A second opinion: a decision diagram of the same condition over yes/no columns.

use crate::random::Random;
use biodivine_lib_bdd::{Bdd, BddVariable, BddVariableSet};
use strata::prove::{Possibility, Prover, Verdict};

const COLUMNS: usize = 10;

/// A condition as text and as a diagram.
fn condition(
    random: &mut Random,
    depth: usize,
    set: &BddVariableSet,
    columns: &[BddVariable],
) -> (String, Bdd) {
    if depth == 0 {
        let at = random.below(COLUMNS);
        return (format!("c{at}"), set.mk_var(columns[at]));
    }
    let (a, a_diagram) = condition(random, depth - 1, set, columns);
    let (b, b_diagram) = condition(random, depth - 1, set, columns);
    match random.below(4) {
        0 => (format!("({a} and {b})"), a_diagram.and(&b_diagram)),
        1 => (format!("({a} or {b})"), a_diagram.or(&b_diagram)),
        2 => (format!("({a} and not {b})"), a_diagram.and_not(&b_diagram)),
        _ => (format!("({a} implies {b})"), a_diagram.imp(&b_diagram)),
    }
}

#[test]
fn a_decision_diagram_agrees() {
    let set = BddVariableSet::new_anonymous(COLUMNS as u16);
    let variables = set.variables();
    let mut table = "strata 1\nnow 2024-11-15\ntable users key id {\n  id : int\n".to_owned();
    for at in 0..COLUMNS {
        table += &format!("  c{at} : bool\n");
    }
    table += "}\n";
    for seed in 0..crate::cases().min(2_000) {
        let mut random = Random::new(seed);
        let (a, a_diagram) = condition(&mut random, 4, &set, &variables);
        let (b, b_diagram) = condition(&mut random, 4, &set, &variables);
        let text = format!("{table}segment s when {a}\nsegment t when {b}\n");
        let program = crate::checked(&text, strata::check::Proofs::None).0.unwrap();
        let dated = program.at(crate::NOW);
        let id = |name: &str| dated.program.declaration(name).unwrap().value;
        let prover = Prover::new(&dated);
        assert_eq!(
            matches!(prover.possible(id("s")), Possibility::Somebody(_)),
            !a_diagram.is_false(),
            "{a}"
        );
        assert_eq!(matches!(prover.always(id("s")), Verdict::Proved), a_diagram.is_true(), "{a}");
        assert_eq!(
            matches!(prover.implies(id("s"), id("t")), Verdict::Proved),
            a_diagram.and_not(&b_diagram).is_false(),
            "{a}\n{b}"
        );
        assert_eq!(
            matches!(prover.equal(id("s"), id("t")), Verdict::Proved),
            a_diagram == b_diagram,
            "{a}\n{b}"
        );
    }
}
