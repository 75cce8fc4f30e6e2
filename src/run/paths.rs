//! The paths of a stack with their users, at every depth; leaves too small to be worth a campaign.

use super::tally::Count;
use crate::program::{Program, Stack, Type};
use crate::semantics::wording;
use indexmap::IndexMap;
use serde::Serialize;

/// A path that few users have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SmallPath {
    /// The stack.
    pub stack: String,
    /// The whole path.
    pub path: String,
    /// Its users.
    pub users: u64,
}

/// How a stack falls apart into its paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fragments {
    /// Whole paths that somebody has.
    pub paths: u64,
    /// Those of them with fewer users than asked for.
    pub small: u64,
    /// The users of those.
    pub users: u64,
}

/// Users by path and by every beginning of one, each before what is below it, in the file's order.
/// The base's members are all there, and so is `""` for those with no path.
pub fn tree(program: &Program, stack: &Stack, count: &Count) -> IndexMap<String, u64> {
    let mut sums: IndexMap<String, u64> = IndexMap::new();
    let mut leaves: Vec<(Vec<usize>, Vec<String>, u64)> = count
        .paths
        .iter()
        .map(|(path, users)| {
            let steps = wording::steps(path);
            (places(program, stack, &steps), beginnings(&steps), *users)
        })
        .collect();
    leaves.sort();
    let labels = match &program.node(stack.value).ty {
        Type::Label(ty) => program.label_type(*ty).map(|ty| ty.labels.as_slice()).unwrap_or(&[]),
        _ => &[],
    };
    let mut leaves = leaves.into_iter().peekable();
    for (place, label) in labels.iter().enumerate() {
        let mut base = String::new();
        wording::step(&mut base, label);
        sums.insert(base, 0);
        while let Some((_, beginnings, users)) = leaves.next_if(|(places, ..)| places.first() == Some(&place))
        {
            for beginning in beginnings {
                *sums.entry(beginning).or_default() += users;
            }
        }
    }
    sums.insert(String::new(), count.none);
    sums
}

/// Where each step stands among what may stand there.
fn places(program: &Program, stack: &Stack, steps: &[Option<String>]) -> Vec<usize> {
    let base: &[String] = match &program.node(stack.value).ty {
        Type::Label(ty) => program.label_type(*ty).map(|ty| ty.labels.as_slice()).unwrap_or(&[]),
        _ => &[],
    };
    let place = |members: &[String], step: &Option<String>| match step {
        Some(step) => members.iter().position(|member| member == step).unwrap_or(members.len()),
        None => usize::MAX,
    };
    let mut places = Vec::with_capacity(steps.len());
    let Some((first, rest)) = steps.split_first() else { return places };
    let member = place(base, first);
    places.push(member);
    let dimensions = stack.paths.get(member).map(Vec::as_slice).unwrap_or(&[]);
    places.extend(rest.iter().zip(dimensions).map(|(step, dimension)| place(&dimension.members, step)));
    places
}

/// `a`, `a/b`, `a/b/c`.
fn beginnings(steps: &[Option<String>]) -> Vec<String> {
    let mut path = String::new();
    let mut all = Vec::with_capacity(steps.len());
    for (at, step) in steps.iter().enumerate() {
        if at > 0 {
            path.push(wording::BETWEEN_STEPS);
        }
        match step {
            Some(step) => wording::step(&mut path, step),
            None => path.push(wording::NO_STEP),
        }
        all.push(path.clone());
    }
    all
}

/// The whole paths with fewer users than that, the smallest first.
pub fn small(stack: &str, count: &Count, least: u64) -> Vec<SmallPath> {
    let mut small: Vec<SmallPath> = count
        .paths
        .iter()
        .filter(|(_, users)| **users < least)
        .map(|(path, users)| SmallPath { stack: stack.to_owned(), path: path.clone(), users: *users })
        .collect();
    small.sort_by(|a, b| (a.users, &a.path).cmp(&(b.users, &b.path)));
    small
}

/// How a stack falls apart.
pub fn fragments(count: &Count, least: u64) -> Fragments {
    let small = || count.paths.values().filter(|users| **users < least);
    Fragments { paths: count.paths.len() as u64, small: small().count() as u64, users: small().sum() }
}
