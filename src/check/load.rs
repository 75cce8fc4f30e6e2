//! The files of a program: the root file and all that it uses.

use super::Options;
use super::standard::standard_files;
use crate::diagnostic::codes::names as codes;
use crate::diagnostic::{Diagnostic, FileId, Sources, Span, nearest};
use crate::syntax::ast::{self, DeclarationKind};
use std::path::{Component, Path, PathBuf};

/// Where rule files come from: a file system, an editor's unsaved texts, a test.
pub trait Loader {
    /// The text of a file.
    ///
    /// # Errors
    /// In words, where it cannot be read.
    fn read(&self, path: &Path) -> Result<String, String>;

    /// Names of the rule files in a folder, for "did you mean".
    fn siblings(&self, folder: &Path) -> Vec<String>;

    /// The path with links and `..` resolved, so that a file has one name.
    fn canonical(&self, path: &Path) -> PathBuf;
}

/// The file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileSystem;

impl Loader for FileSystem {
    fn read(&self, path: &Path) -> Result<String, String> {
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            std::io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
            std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
            _ => error.to_string(),
        })?;
        String::from_utf8(bytes).map_err(|error| {
            format!("it is not UTF-8 text (byte {} is not)", error.utf8_error().valid_up_to() + 1)
        })
    }

    fn siblings(&self, folder: &Path) -> Vec<String> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with(".seg"))
            .collect();
        names.sort();
        names
    }

    fn canonical(&self, path: &Path) -> PathBuf {
        path.canonicalize().unwrap_or_else(|_| flattened(path))
    }
}

/// One text and nothing else.
#[derive(Clone, Debug)]
pub struct SingleText {
    /// Its name.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

impl Loader for SingleText {
    fn read(&self, path: &Path) -> Result<String, String> {
        if path == self.path { Ok(self.text.clone()) } else { Err("there is no such file".to_owned()) }
    }

    fn siblings(&self, _folder: &Path) -> Vec<String> {
        Vec::new()
    }

    fn canonical(&self, path: &Path) -> PathBuf {
        flattened(path)
    }
}

/// A path without `.` and `..`, as far as that can be told from the text.
fn flattened(path: &Path) -> PathBuf {
    let mut flat = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if flat.file_name().is_some() => {
                flat.pop();
            }
            part => flat.push(part),
        }
    }
    flat
}

/// What the paths of the standard files begin with; it stands for their folder too.
pub(super) const STANDARD: &str = "std:";

/// A `use` that was followed: which file it gives which names.
pub(super) struct Followed {
    pub file: FileId,
    pub with: Vec<(ast::Name, ast::Expr)>,
}

/// All files, read and parsed.
pub(super) struct Loaded {
    pub sources: Sources,
    /// By file: its folder, which `from` paths start from.
    pub folders: Vec<String>,
    /// All declarations: a used file's stand where its `use` stands.
    pub declarations: Vec<ast::Declaration>,
    pub uses: Vec<Followed>,
    pub allows: Vec<ast::Allow>,
    /// The root file's edition.
    pub edition: Option<(u32, Span)>,
    pub diagnostics: Vec<Diagnostic>,
    /// A file could not be read at all.
    pub unreadable: bool,
}

/// A file by its one name, with the `with` of its first use.
type Known = (PathBuf, FileId, Vec<(ast::Name, ast::Expr)>);

struct Reader<'a> {
    loader: &'a dyn Loader,
    options: &'a Options,
    root_folder: PathBuf,
    loaded: Loaded,
    /// Files by their one name, with the `with` of their first use.
    known: Vec<Known>,
    open: Vec<PathBuf>,
}

/// Reads a root file and everything that it uses.
pub(super) fn load(root: &Path, loader: &dyn Loader, options: &Options) -> Loaded {
    let canonical = loader.canonical(root);
    let mut reader = Reader {
        loader,
        options,
        root_folder: canonical.parent().map(Path::to_path_buf).unwrap_or_default(),
        loaded: Loaded {
            sources: Sources::new(),
            folders: Vec::new(),
            declarations: Vec::new(),
            uses: Vec::new(),
            allows: Vec::new(),
            edition: None,
            diagnostics: Vec::new(),
            unreadable: false,
        },
        known: Vec::new(),
        open: Vec::new(),
    };
    match loader.read(root) {
        Ok(text) => {
            reader.file(root, canonical, text, Vec::new());
        }
        Err(reason) => {
            let shown = slashes(root);
            reader.loaded.unreadable = true;
            let finding =
                Diagnostic::placeless(codes::FILE_NOT_FOUND, format!("cannot read `{shown}`: {reason}"));
            let siblings = loader.siblings(root.parent().unwrap_or(Path::new("")));
            let name = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let finding = match nearest(&name, siblings.iter().map(String::as_str)) {
                Some(near) => {
                    finding.help(format!("did you mean `{}`?", slashes(&root.with_file_name(near))))
                }
                None => finding,
            };
            reader.loaded.diagnostics.push(finding);
        }
    }
    reader.loaded
}

/// A path with `/` between folders.
pub(super) fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

impl Reader<'_> {
    fn file(
        &mut self,
        path: &Path,
        canonical: PathBuf,
        text: String,
        with: Vec<(ast::Name, ast::Expr)>,
    ) -> FileId {
        let file = self.loaded.sources.add(slashes(path), text.clone());
        self.loaded.folders.push(path.parent().map(slashes).unwrap_or_default());
        self.known.push((canonical.clone(), file, with.clone()));
        self.loaded.uses.push(Followed { file, with });
        self.open.push(canonical);
        let (tree, diagnostics) = crate::syntax::parse(file, &text);
        self.loaded.diagnostics.extend(diagnostics);
        self.loaded.allows.extend(tree.allows);
        if let Some((edition, span)) = tree.edition {
            if edition != 1 {
                self.loaded.diagnostics.push(
                    Diagnostic::new(
                        codes::EDITION,
                        span,
                        format!("this version of strata knows edition 1, not {edition}"),
                    )
                    .help("write `strata 1`, or use a newer strata"),
                );
            }
            if self.loaded.edition.is_none() {
                self.loaded.edition = Some((edition, span));
            }
        }
        for declaration in tree.declarations {
            match &declaration.kind {
                DeclarationKind::Use(used) => self.follow(used, path),
                _ => self.loaded.declarations.push(declaration),
            }
        }
        self.open.pop();
        file
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.loaded.diagnostics.push(diagnostic);
    }

    /// Whether a file is there already. Used from several files it is still one file; its names
    /// cannot mean two things.
    fn is_known(&mut self, canonical: &Path, used: &ast::Use) -> bool {
        let Some((_, _, with)) = self.known.iter().find(|(known, ..)| known == canonical) else {
            return false;
        };
        let same = with.len() == used.with.len()
            && with.iter().zip(&used.with).all(|((a, x), (b, y))| a.text == b.text && same_text(x, y));
        if !same {
            let written = &used.path.value;
            self.report(
                Diagnostic::new(
                    codes::BAD_WITH,
                    used.path.span,
                    format!("`{written}` is used elsewhere with other names"),
                )
                .help("give it the same `with` everywhere"),
            );
        }
        true
    }

    /// A file that is embedded in the program.
    fn follow_standard(&mut self, name: &str, used: &ast::Use) {
        let path = PathBuf::from(&used.path.value);
        if self.is_known(&path, used) {
            return;
        }
        if let Some(file) = standard_files().iter().find(|file| file.name == name) {
            self.file(&path, path.clone(), file.text.to_owned(), used.with.clone());
            if let Some(folder) = self.loaded.folders.last_mut() {
                *folder = STANDARD.to_owned();
            }
            return;
        }
        let names: Vec<&str> = standard_files().iter().map(|file| file.name).collect();
        let finding = Diagnostic::new(
            codes::FILE_NOT_FOUND,
            used.path.span,
            format!("there is no standard file `{name}`"),
        );
        self.report(match nearest(name, names.iter().copied()) {
            Some(near) => finding
                .help(format!("did you mean `{STANDARD}{near}`?"))
                .fix(used.path.span, format!("\"{STANDARD}{near}\"")),
            None => finding.help(format!("there are `{}`; `strata std` prints them", names.join("`, `"))),
        });
    }

    fn follow(&mut self, used: &ast::Use, user: &Path) {
        let span = used.path.span;
        let written = used.path.value.as_str();
        if let Some(standard) = written.strip_prefix(STANDARD) {
            return self.follow_standard(standard, used);
        }
        let path = user.parent().unwrap_or(Path::new("")).join(written);
        let canonical = self.loader.canonical(&path);
        if self.open.contains(&canonical) {
            let finding = if self.open.last() == Some(&canonical) {
                Diagnostic::new(codes::USE_CYCLE, span, "this file uses itself")
            } else {
                Diagnostic::new(codes::USE_CYCLE, span, format!("`{written}` uses this file already"))
            };
            self.report(finding.help("move what both need into a third file"));
            return;
        }
        let allowed = canonical.starts_with(&self.root_folder)
            || self
                .options
                .allow_paths
                .iter()
                .any(|folder| canonical.starts_with(self.loader.canonical(folder)));
        if !allowed {
            self.report(
                Diagnostic::new(
                    codes::OUTSIDE,
                    span,
                    format!("`{written}` lies outside the root file's folder"),
                )
                .help("move it there, or allow its folder with `--allow-path`"),
            );
            return;
        }
        if self.is_known(&canonical, used) {
            return;
        }
        match self.loader.read(&path) {
            Ok(text) => {
                self.file(&path, canonical, text, used.with.clone());
            }
            Err(reason) => {
                let folder = path.parent().unwrap_or(Path::new(""));
                let siblings = self.loader.siblings(folder);
                let name =
                    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let finding = Diagnostic::new(
                    codes::FILE_NOT_FOUND,
                    span,
                    format!("cannot read `{written}`: {reason}"),
                );
                let finding = match nearest(&name, siblings.iter().map(String::as_str)) {
                    Some(near) => {
                        let near = slashes(&Path::new(written).with_file_name(near));
                        finding.help(format!("did you mean `{near}`?")).fix(span, format!("\"{near}\""))
                    }
                    None => finding.help("the path starts from this file's folder"),
                };
                self.report(finding);
            }
        }
    }
}

/// Whether two expressions are written alike, but for their places.
fn same_text(a: &ast::Expr, b: &ast::Expr) -> bool {
    use ast::ExprKind::{Name, Number, Qualified, Text};
    match (&a.kind, &b.kind) {
        (Name(a), Name(b)) => a.text == b.text,
        (Qualified(a, x), Qualified(b, y)) => a.text == b.text && x.text == y.text,
        (Number(a), Number(b)) => a == b,
        (Text(a), Text(b)) => a == b,
        _ => a == b,
    }
}
