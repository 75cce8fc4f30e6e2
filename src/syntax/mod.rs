//! From text to [`ast`], with every syntax error of the file in one go.

pub mod ast;

use crate::diagnostic::{Diagnostic, FileId};

/// Parses one file. What could not be read is reported and left out of the tree, or stands in it
/// as [`ast::ExprKind::Error`], so that the rest can still be checked.
pub fn parse(_file: FileId, _text: &str) -> (ast::File, Vec<Diagnostic>) {
    (
        ast::File { edition: None, declarations: Vec::new(), allows: Vec::new(), comments: Vec::new() },
        Vec::new(),
    )
}
