//! What stops `portpulse local` and `portpulse agent`: signals, and the time of --for.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use crate::output::CommandError;

/// What stops the command: SIGINT, SIGTERM, or the time of --for.
pub(crate) struct StopSignal {
    interrupted: Signal,
    terminated: Signal,
    /// The time of --for.
    pub(crate) at: Option<Instant>,
}

impl StopSignal {
    /// Installs the signal handlers.
    pub(crate) fn new() -> Result<Self, CommandError> {
        let failed = |error| CommandError::failed("listen for signals", error);
        Ok(Self {
            interrupted: signal(SignalKind::interrupt()).map_err(failed)?,
            terminated: signal(SignalKind::terminate()).map_err(failed)?,
            at: None,
        })
    }

    /// Resolves at each signal, and once at the time of --for.
    pub(crate) async fn wait(&mut self) {
        let time_is_up = async {
            match self.at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupted.recv() => {}
            _ = self.terminated.recv() => {}
            () = time_is_up => self.at = None,
        }
    }
}
