//! Stopping a run from outside.

use signal_hook::consts::{SIGINT, SIGTERM};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A request to stop, shared between whoever asks and the run. The default one is never asked.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    signal: Arc<AtomicUsize>,
    /// While no run listens, a signal does what it always does.
    deaf: Option<Arc<AtomicBool>>,
}

impl Stop {
    /// One that SIGINT and SIGTERM ask.
    ///
    /// # Errors
    /// Where the system refuses to hand the signals over.
    pub fn on_signals() -> io::Result<Stop> {
        let stop = Stop { signal: Arc::default(), deaf: Some(Arc::new(AtomicBool::new(true))) };
        for signal in [SIGINT, SIGTERM] {
            if let Some(deaf) = &stop.deaf {
                signal_hook::flag::register_conditional_default(signal, deaf.clone())?;
            }
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, stop.signal.clone(), number)?;
        }
        Ok(stop)
    }

    /// From now on the run looks at the requests.
    pub(super) fn listen(&self) {
        if let Some(deaf) = &self.deaf {
            deaf.store(false, Ordering::SeqCst);
        }
    }

    /// Asks the run to stop, as that signal would.
    pub fn request(&self, signal: i32) {
        self.signal.store(usize::try_from(signal).unwrap_or_default(), Ordering::SeqCst);
    }

    /// The signal that asks for an end, if one does.
    pub fn requested(&self) -> Option<i32> {
        match self.signal.load(Ordering::Relaxed) {
            0 => None,
            signal => i32::try_from(signal).ok(),
        }
    }
}
