//! The tests of a program: each expectation evaluated by the reference interpreter and by the
//! vectorised engine, which must agree, and held against what is left out of the made-up rows.

pub mod coverage;
mod possible;
mod rows;

pub use coverage::Coverage;

use super::why;
use crate::diagnostic::Sources;
use crate::interpret::{self, Evaluation, UserRows};
use crate::program::{CompareOp, Expectation, Expr, NodeId, Program, Scope, Test, Value};
use crate::semantics::{Dated, Facts};
use crate::vector::{NodeColumns, Plan, array_of};
use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema};
use possible::Possibilities;
use rows::Rows;
use serde::Serialize;
use std::sync::Arc;

/// Why an expectation is not met.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// The expectation as written.
    pub expected: String,
    /// The line of its file.
    pub line: usize,
    /// In words.
    pub reason: String,
    /// What stands on the left of its `=`, where it is a comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
    /// Columns that it needs and that were left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// The row: column and value.
    pub row: Vec<(String, String)>,
    /// The rule's tree with its values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tree: Vec<why::Trace>,
}

/// The outcome of a test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: usize,
    /// Whether all its expectations are met.
    pub passed: bool,
    /// Those that are not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
}

/// Runs one program's tests.
pub struct Runner<'a> {
    program: &'a Program,
    facts: &'a Facts,
    sources: &'a Sources,
    /// What the tests have reached; only where that is asked for.
    pub coverage: Option<Coverage>,
    /// How many trees are still shown.
    trees: usize,
}

/// The most failures whose rules are shown as trees.
const MOST_TREES: usize = 50;

impl<'a> Runner<'a> {
    /// A runner that has run nothing.
    pub fn new(program: &'a Program, facts: &'a Facts, sources: &'a Sources, coverage: bool) -> Self {
        let coverage = coverage.then(|| Coverage::new(program));
        Runner { program, facts, sources, coverage, trees: MOST_TREES }
    }

    /// Runs one test.
    pub fn run(&mut self, test: &Test) -> Outcome {
        let roots: Vec<NodeId> = test.expectations.iter().map(|of| of.condition).collect();
        let slice = self.program.slice(&roots);
        let rows = Rows::new(self.program, test);
        // A test without a moment depends on none; the check has seen to that.
        let now = test.now.or(self.program.now).unwrap_or(0);
        let mut part = slice.program.clone();
        part.guards.clear();
        let wanted: Vec<NodeId> = roots.iter().map(|root| slice.number(*root)).collect();
        let (dated, wanted) = at(part, now, &wanted);
        let evaluations = interpret::evaluate_all(&dated, self.facts, &rows.users);
        let Some(first) = evaluations.first() else { return self.outcome(test, Vec::new()) };
        let vector = by_vector(&dated, self.facts, &rows.users, &evaluations, &wanted);
        let possibilities = Possibilities::new(&dated, self.facts, first, &rows);
        let mut failures = Vec::new();
        for (at, (expectation, id)) in test.expectations.iter().zip(&wanted).enumerate() {
            let holds = first.value(*id).is_true();
            let needs = possibilities.needs(*id);
            let engine = vector.as_ref().map(|found| found.get(at).copied().unwrap_or_default());
            let failure = match engine {
                Err(problem) => Some((format!("the vectorised engine cannot evaluate it: {problem}"), None)),
                Ok(engine) if engine != holds => {
                    let says = |holds: bool| if holds { "it holds" } else { "it does not hold" };
                    Some((
                        format!(
                            "the engines disagree, which is a fault of strata: the reference says that {}, the vectorised one that {}",
                            says(holds),
                            says(engine)
                        ),
                        None,
                    ))
                }
                Ok(_) if !needs.is_empty() => Some((needed(&needs), None)),
                Ok(_) if !holds => Some(self.unmet(&dated, first, *id)),
                Ok(_) => None,
            };
            if let Some((reason, got)) = failure {
                failures.push(self.failure(test, expectation, &rows, now, reason, got, needs));
            }
        }
        if let Some(coverage) = &mut self.coverage {
            coverage.add(self.program, &slice, now, self.facts, &rows);
        }
        self.outcome(test, failures)
    }

    fn outcome(&self, test: &Test, failures: Vec<Failure>) -> Outcome {
        let file = self.sources.get(test.place.file).map(|file| file.path.clone()).unwrap_or_default();
        Outcome {
            name: test.name.clone(),
            file,
            line: self.line(test.place),
            passed: failures.is_empty(),
            failures,
        }
    }

    fn line(&self, place: crate::diagnostic::Span) -> usize {
        let file = self.sources.get(place.file);
        file.map_or(0, |file| file.line_column(place.start as usize).line)
    }

    /// An expectation that does not hold: in words, and what stands on its left.
    fn unmet(&self, dated: &Dated, evaluation: &Evaluation, id: NodeId) -> (String, Option<String>) {
        let program = &dated.program;
        let got = match &program.node(id).expr {
            Expr::Compare { op: CompareOp::Eq, left, .. } => {
                let node = program.node(*left);
                let zone = program.zone();
                Some(crate::semantics::show::value_text(program, &zone, &node.ty, evaluation.value(*left)))
            }
            _ => None,
        };
        ("it does not hold".to_owned(), got)
    }

    #[expect(clippy::too_many_arguments, reason = "they are the parts of a failure")]
    fn failure(
        &mut self,
        test: &Test,
        expectation: &Expectation,
        rows: &Rows,
        now: i64,
        reason: String,
        got: Option<String>,
        needs: Vec<String>,
    ) -> Failure {
        let tree = if self.trees == 0 || !needs.is_empty() {
            Vec::new()
        } else {
            self.trees -= 1;
            self.tree(test, expectation, rows, now)
        };
        Failure {
            expected: expectation.text.clone(),
            line: self.line(expectation.place),
            reason,
            got,
            needs,
            row: rows.shown(self.program),
            tree,
        }
    }

    /// The rule's tree, with the values of the whole program.
    fn tree(&self, test: &Test, expectation: &Expectation, rows: &Rows, now: i64) -> Vec<why::Trace> {
        let mut program = self.program.clone();
        program.tests = vec![Test { expectations: vec![expectation.clone()], ..test.clone() }];
        let dated = program.at(now);
        let Some(id) = dated.program.tests.first().and_then(|test| test.expectations.first()) else {
            return Vec::new();
        };
        let evaluations = interpret::evaluate_all(&dated, self.facts, &rows.users);
        let (Some(values), Some(user)) = (evaluations.first(), rows.users.first()) else { return Vec::new() };
        vec![why::condition(&dated, self.facts, self.sources, user, values, id.condition)]
    }
}

/// A part of a program at a moment, and where some of its nodes are then.
fn at(mut part: Program, now: i64, nodes: &[NodeId]) -> (Dated, Vec<NodeId>) {
    // Guards carry conditions through the renumbering.
    let place = crate::diagnostic::Span { file: crate::diagnostic::FileId(0), start: 0, end: 0 };
    part.guards = nodes
        .iter()
        .map(|id| crate::program::Guard {
            text: String::new(),
            measure: crate::program::Measure::Count,
            condition: *id,
            low: None,
            high: None,
            place,
        })
        .collect();
    let dated = part.at(now);
    let nodes = dated.program.guards.iter().map(|guard| guard.condition).collect();
    (dated, nodes)
}

fn needed(needs: &[String]) -> String {
    let named: Vec<String> = needs.iter().map(|name| format!("`{name}`")).collect();
    match named.split_last() {
        Some((last, [])) => format!("it needs {last}, which the test leaves out and which is never missing"),
        Some((last, rest)) => {
            format!(
                "it needs {} and {last}, which the test leaves out and which are never missing",
                rest.join(", ")
            )
        }
        None => String::new(),
    }
}

/// What the vectorised engine says of the first user; values of events and of the population are those
/// of the interpreter.
fn by_vector(
    dated: &Dated,
    facts: &Facts,
    users: &[UserRows],
    evaluations: &[Evaluation],
    wanted: &[NodeId],
) -> Result<Vec<bool>, String> {
    let plan = Plan::of_nodes(dated, Scope::User, wanted);
    let columns = dated.program.users.as_ref().map(|users| users.columns.as_slice()).unwrap_or(&[]);
    let mut fields = Vec::new();
    let mut arrays = Vec::new();
    for at in plan.columns() {
        let Some(column) = columns.get(*at) else { continue };
        let values: Vec<Value> =
            users.iter().map(|user| user.columns.get(*at).cloned().unwrap_or(Value::Missing)).collect();
        let array = array_of(&values, &column.ty);
        fields.push(Field::new(&column.name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(users.len()));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(|error| error.to_string())?;
    let mut given = NodeColumns::new();
    for id in plan.given() {
        let values: Vec<Value> = evaluations.iter().map(|of| of.value(*id).clone()).collect();
        given.insert(*id, array_of(&values, &dated.program.node(*id).ty));
    }
    let found = plan.nodes(&batch, &given, facts).map_err(|error| error.to_string())?;
    Ok(found
        .iter()
        .map(|array| {
            array
                .as_boolean_opt()
                .is_some_and(|holds| !holds.is_empty() && holds.is_valid(0) && holds.value(0))
        })
        .collect())
}
