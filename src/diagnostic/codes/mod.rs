//! The registry of diagnostic codes. A code is stable for ever and never used again for something
//! else; each has a page in `docs/src/codes/`, which is embedded here, so that a code without a
//! page does not compile.

pub mod data;
pub mod logic;
pub mod names;
pub mod syntax;
pub mod tests;
pub mod time;
pub mod types;

use super::Severity;

/// What kind of finding a diagnostic is.
#[derive(Clone, Copy)]
pub struct Code {
    id: &'static str,
    severity: Severity,
    title: &'static str,
    page: &'static str,
}

impl Code {
    /// `E0402`.
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// The severity that findings of this kind have unless told otherwise.
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// What it finds, in a few words.
    pub const fn title(&self) -> &'static str {
        self.title
    }

    /// The explain page, as Markdown.
    pub const fn page(&self) -> &'static str {
        self.page
    }

    /// The code of that name, whatever its case.
    pub fn find(id: &str) -> Option<Code> {
        all().find(|code| code.id.eq_ignore_ascii_case(id))
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Code {}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

/// Every code there is, in order of its number within each room.
pub fn all() -> impl Iterator<Item = Code> {
    [syntax::CODES, names::CODES, types::CODES, time::CODES, logic::CODES, tests::CODES, data::CODES]
        .into_iter()
        .flatten()
        .copied()
}

/// Declares the codes of one room: `NAME = "E0001", Error, "title";`.
macro_rules! codes {
    ($($name:ident = $id:literal, $severity:ident, $title:literal;)*) => {
        $(
            #[doc = concat!($id, ": ", $title, ".")]
            pub const $name: super::Code = super::Code {
                id: $id,
                severity: crate::diagnostic::Severity::$severity,
                title: $title,
                page: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src/codes/", $id, ".md")),
            };
        )*
        /// The codes of this room.
        pub const CODES: &[super::Code] = &[$($name),*];
    };
}
use codes;
