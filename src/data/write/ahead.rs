//! Bytes go to the disk while others are still made, so that the end need not wait for all of them.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

/// So many bytes are worth a walk to the disk.
const STEP: usize = 8 << 20;

/// Who brings a file's bytes to the disk as they come. Short files have none.
#[derive(Default)]
pub struct Ahead {
    /// Bytes since the last step.
    bytes: usize,
    worker: Option<Worker>,
}

struct Worker {
    steps: Sender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Ahead {
    /// Tells that so many more bytes were written. What fails is told by [`Ahead::finish`].
    pub fn wrote(&mut self, file: &File, bytes: usize) {
        self.bytes += bytes;
        if self.bytes < STEP {
            return;
        }
        self.bytes = 0;
        if self.worker.is_none() {
            // Without it all is done at the end.
            self.worker = file.try_clone().ok().map(|file| {
                let (steps, taken) = channel();
                Worker { steps, thread: thread::spawn(move || work(&file, &taken)) }
            });
        }
        if let Some(worker) = &self.worker {
            // One that failed has gone, and says why in the end.
            let _ = worker.steps.send(());
        }
    }

    /// Waits until nothing is on its way any more. The system tells of a failure only once, so that one
    /// that was told here is not told to whoever brings the rest to the disk.
    ///
    /// # Errors
    /// What kept bytes from the disk.
    pub fn finish(&mut self) -> io::Result<()> {
        let Some(Worker { steps, thread }) = self.worker.take() else { return Ok(()) };
        drop(steps);
        thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread broke off")))
    }
}

fn work(file: &File, steps: &Receiver<()>) -> io::Result<()> {
    while steps.recv().is_ok() {
        // Those that came meanwhile are done with this one.
        while steps.try_recv().is_ok() {}
        file.sync_data()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn long_files_are_brought_to_the_disk_as_they_come() {
        let mut file = tempfile::tempfile().unwrap();
        let mut ahead = Ahead::default();
        ahead.wrote(&file, STEP - 1);
        assert!(ahead.worker.is_none(), "not for so few");
        for _ in 0..3 {
            file.write_all(&[1; 100]).unwrap();
            ahead.wrote(&file, STEP);
        }
        assert!(ahead.worker.is_some());
        ahead.finish().unwrap();
        ahead.finish().unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn what_fails_is_told() {
        // No pipe can be brought to a disk.
        let (_reader, writer) = io::pipe().unwrap();
        let file = File::from(std::os::fd::OwnedFd::from(writer));
        let mut ahead = Ahead::default();
        ahead.wrote(&file, STEP);
        ahead.wrote(&file, STEP);
        assert!(ahead.finish().is_err());
    }
}
