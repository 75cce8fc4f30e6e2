//! Where bytes go: a nameless file beside the place, renamed into it at the end; or a device or
//! pipe, which there is no renaming over.

use super::ahead::Ahead;
use crate::diagnostic::{Diagnostic, codes::data};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tempfile::NamedTempFile;

/// What kept a file from being written, kept aside because the writers in between put it in their
/// own words or lose it.
#[derive(Clone, Debug)]
pub struct Trouble {
    path: PathBuf,
    cause: Arc<OnceLock<String>>,
}

impl Trouble {
    fn new(path: &Path) -> Self {
        Trouble { path: path.to_path_buf(), cause: Arc::default() }
    }

    /// The finding for a failure that some writer reports.
    pub fn finding(&self, error: &dyn std::fmt::Display) -> Diagnostic {
        let cause = self.cause.get().cloned().unwrap_or_else(|| error.to_string());
        cannot_write(&self.path, &cause)
    }
}

/// E0642 for a cause in plain words.
pub fn cannot_write(path: &Path, cause: &str) -> Diagnostic {
    Diagnostic::placeless(data::OUTPUT_FAILED, format!("cannot write `{}`: {cause}", path.display()))
        .help("no part of the output was kept; what stood there before is untouched")
}

/// E0642 for a URL: an output appears whole or not at all, which a folder of objects cannot.
pub fn local_only(path: &Path) -> Result<(), Diagnostic> {
    if !crate::data::read::is_url(&path.to_string_lossy()) {
        return Ok(());
    }
    let message = format!("cannot write `{}`: outputs are files of this machine", path.display());
    Err(Diagnostic::placeless(data::OUTPUT_FAILED, message)
        .help("name a file here, and copy it into the store when the run is done"))
}

/// The cause of a failed operation in plain words.
pub fn cause(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full".into(),
        io::ErrorKind::QuotaExceeded => "the disk quota is used up".into(),
        io::ErrorKind::PermissionDenied => "no permission to write there".into(),
        io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only".into(),
        io::ErrorKind::NotFound => "its folder does not exist".into(),
        io::ErrorKind::NotADirectory => "what should be its folder is a file".into(),
        io::ErrorKind::IsADirectory => "a folder of that name stands there".into(),
        io::ErrorKind::BrokenPipe => "the reader at the other end has gone".into(),
        _ => error.to_string(),
    }
}

enum Place {
    /// Renamed at the end.
    Beside(NamedTempFile, PathBuf),
    /// A device or a pipe.
    Direct(File),
}

/// An open target.
pub struct Target {
    place: Place,
    ahead: Ahead,
    trouble: Trouble,
}

impl Target {
    /// Opens it; the folder must be there.
    pub fn open(path: &Path) -> Result<Target, Diagnostic> {
        let trouble = Trouble::new(path);
        let place = place(path).map_err(|error| cannot_write(path, &cause(&error)))?;
        Ok(Target { place, ahead: Ahead::default(), trouble })
    }

    /// What to ask when a writer fails.
    pub fn trouble(&self) -> Trouble {
        self.trouble.clone()
    }

    fn file(&mut self) -> &mut File {
        match &mut self.place {
            Place::Beside(file, _) => file.as_file_mut(),
            Place::Direct(file) => file,
        }
    }

    fn noted<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() != io::ErrorKind::Interrupted
        {
            let _ = self.trouble.cause.set(cause(error));
        }
        result
    }

    /// Brings the bytes to the disk.
    pub fn sync(&mut self) -> Result<(), Diagnostic> {
        let result = match &mut self.place {
            Place::Beside(file, _) => self.ahead.finish().and_then(|()| file.as_file().sync_all()),
            Place::Direct(file) => file.flush(),
        };
        self.noted(result).map_err(|error| self.trouble.finding(&error))
    }

    /// Renames it into its place.
    pub fn publish(self) -> Result<(), Diagnostic> {
        let Place::Beside(file, path) = self.place else { return Ok(()) };
        file.persist(&path).map_err(|error| cannot_write(&self.trouble.path, &cause(&error.error)))?;
        sync_folder(&path);
        Ok(())
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.file().write(bytes);
        if let (Ok(written), Place::Beside(file, _)) = (&result, &self.place) {
            self.ahead.wrote(file.as_file(), *written);
        }
        self.noted(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.file().flush();
        self.noted(result)
    }
}

/// A rename lasts through a power cut only once its folder is on the disk. Not all systems can do
/// that, and the data themselves are safe by then.
pub fn sync_folder(path: &Path) {
    if let Ok(folder) = File::open(folder_of(path)) {
        let _ = folder.sync_all();
    }
}

/// The folder that a path lies in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn place(path: &Path) -> io::Result<Place> {
    // Through a link to what it means, so that the link itself stays.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    match fs::metadata(&path) {
        Ok(there) if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(there) if !there.is_file() => Ok(Place::Direct(fs::OpenOptions::new().write(true).open(&path)?)),
        Ok(there) if there.permissions().readonly() => Err(io::ErrorKind::PermissionDenied.into()),
        _ => Ok(Place::Beside(beside(&path)?, path)),
    }
}

fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".strata-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What any program's new file has; the umask takes its share.
        let mode = fs::metadata(path).map_or(0o666, |there| there.permissions().mode() & 0o777);
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    builder.tempfile_in(folder_of(path))
}

/// A target behind a buffer.
pub type Buffered = BufWriter<Target>;

/// Opens a target behind a buffer.
pub fn buffered(path: &Path) -> Result<(Buffered, Trouble), Diagnostic> {
    let target = Target::open(path)?;
    let trouble = target.trouble();
    Ok((BufWriter::with_capacity(1 << 18, target), trouble))
}

/// Empties the buffer and brings the bytes to the disk.
pub fn settle(buffer: Buffered, trouble: &Trouble) -> Result<Target, Diagnostic> {
    let mut target = buffer.into_inner().map_err(|error| trouble.finding(error.error()))?;
    target.sync()?;
    Ok(target)
}
