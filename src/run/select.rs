//! Which declarations a run evaluates and shows.

use super::Layout;
use crate::diagnostic::{Diagnostic, codes::data, nearest};
use crate::program::{DeclarationKind, Program};

/// Declarations by their index in `Program::declarations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// In the order of their columns: segments, layers, grids, stacks, plays and splits, then traits
    /// and scales, each in declaration order.
    pub shown: Vec<usize>,
}

/// Whether it says where users belong or what they get, and is no mere attribute.
pub fn assigns(kind: &DeclarationKind) -> bool {
    !matches!(kind, DeclarationKind::Trait | DeclarationKind::Scale(_))
}

impl Selection {
    /// What `only` names, or everything; attributes on request, or if named.
    pub fn new(
        program: &Program,
        only: &[String],
        with_traits: bool,
        layout: Layout,
    ) -> Result<Selection, Vec<Diagnostic>> {
        let declarations = || program.declarations.iter().enumerate();
        let mut problems = Vec::new();
        for name in only {
            match program.declaration(name) {
                None => problems.push(unknown(program, name)),
                Some(found) if layout == Layout::Long && !assigns(&found.kind) => {
                    problems.push(Diagnostic::placeless(
                        data::UNKNOWN_REQUEST,
                        format!("the long layout has a row for each segment, layer, grid, stack, play or split that holds, and `{name}` is none"),
                    )
                    .help("use `--layout wide`"));
                }
                Some(_) => {}
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let named = |name: &String| only.is_empty() || only.contains(name);
        let shown = |attributes: bool| {
            declarations()
                .filter(move |(_, found)| assigns(&found.kind) != attributes)
                .filter(move |(_, found)| named(&found.heading.name))
                .filter(move |_| !attributes || with_traits || !only.is_empty())
                .map(|(index, _)| index)
        };
        Ok(Selection { shown: shown(false).chain(shown(true)).collect() })
    }
}

fn unknown(program: &Program, name: &str) -> Diagnostic {
    let names = program.declarations.iter().map(|found| found.heading.name.as_str());
    let message = format!("`--only {name}`: the rules declare nothing of that name to evaluate");
    let found = Diagnostic::placeless(data::UNKNOWN_REQUEST, message);
    match nearest(name, names) {
        Some(near) => found.help(format!("did you mean `{near}`?")),
        None => found,
    }
}
