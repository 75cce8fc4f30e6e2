//! The standard files: ordinary rule files that come with the program.

/// A standard file.
#[derive(Clone, Copy, Debug)]
pub struct StandardFile {
    /// Its name after `std:`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

impl StandardFile {
    /// What it is for: the first line of its text, which is a comment.
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or("").trim_start_matches(['#', ' '])
    }
}

macro_rules! files {
    ($($name:literal),*) => {
        &[$(StandardFile {
            name: $name,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/std/", $name)),
        }),*]
    };
}

/// All of them.
pub fn standard_files() -> &'static [StandardFile] {
    files!["rfm_segments.seg", "rfm_value8.seg", "lifecycle.seg"]
}
