//! From text to [`ast`], with every syntax error of the file in one go.
//!
//! The way: `prepare` turns the text into one that the grammar can read on from (comments blank,
//! strings closed, look-alikes replaced), `recover` and `declarations` read it piece by piece with
//! the grammar, `build`, `expression`, `declare` and their kin make the tree, `answer` says what was wrong.

mod answer;
pub mod ast;
mod blocks;
mod build;
mod calls;
mod campaign;
mod declarations;
mod declare;
mod events;
mod expression;
mod grammar;
mod letters;
mod lexemes;
mod literals;
mod operators;
mod patterns;
mod prepare;
mod quotes;
mod recover;
mod slips;
mod texts;
mod words;

pub use prepare::MAX_DEPTH;

use crate::diagnostic::codes::syntax as codes;
use crate::diagnostic::{Diagnostic, FileId, Span, in_order};

/// The longest file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 16 << 20;

/// Brackets that nest deeper than this are read with a stack of their own.
const SHALLOW: usize = 24;

/// Stack for the deepest nesting that is allowed, with room to spare in an unoptimised build.
const DEEP_STACK_BYTES: usize = 128 << 20;

/// Parses one file. What could not be read is reported and left out of the tree, or stands in it
/// as [`ast::ExprKind::Error`], so that the rest can still be checked.
pub fn parse(file: FileId, text: &str) -> (ast::File, Vec<Diagnostic>) {
    let mut tree =
        ast::File { edition: None, declarations: Vec::new(), allows: Vec::new(), comments: Vec::new() };
    if text.len() > MAX_FILE_BYTES {
        let finding = Diagnostic::new(
            codes::TOO_DEEP,
            Span::new(file, 0, 0),
            format!("this file is longer than {} MiB", MAX_FILE_BYTES >> 20),
        )
        .help("divide it into several files and join them with `use`");
        return (tree, vec![finding]);
    }
    let mut prepared = prepare::prepare(file, text);
    let read = |tree: &mut ast::File| {
        let mut reader = recover::Reader::new(file, &prepared);
        reader.file(tree);
        reader.builder.diagnostics.into_inner()
    };
    let mut diagnostics = if prepared.depth <= SHALLOW {
        read(&mut tree)
    } else {
        let deep = std::thread::scope(|scope| {
            let reading = std::thread::Builder::new()
                .stack_size(DEEP_STACK_BYTES)
                .spawn_scoped(scope, || read(&mut tree))
                .ok()?;
            reading.join().ok()
        });
        deep.unwrap_or_else(|| {
            vec![Diagnostic::placeless(
                codes::TOO_DEEP,
                "there is no memory to read rules nested as deep as these",
            )]
        })
    };
    diagnostics.append(&mut prepared.diagnostics);
    tree.comments = prepared.comments;
    tree.allows = prepared.allows;
    (tree, in_order(diagnostics))
}
