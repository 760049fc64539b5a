//! The local replacements of AWS services: an embedded DynamoDB, stored in a file, and an SNS topic. Both run in this
//! process and are used through the real SDK. Other commands reach those of a running `portpulse local` over a Unix socket
//! in its data directory.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_checker::Clock as _;
use portpulse_local_aws::sns::Published;
use portpulse_local_aws::{LocalAws, Route, socket};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};

use super::clock::FastClock;
use crate::data_dir::{Claim, DataDir, RunningWatch, RunningWatchDir, WatchClock};
use crate::output::CommandError;

/// How often expired items are removed.
const SWEEP: Duration = Duration::from_secs(3_600);

/// The embedded services on a locked data directory.
pub(crate) struct Backend {
    aws: LocalAws,
    /// The socket server and the removal of expired items; aborted on drop.
    tasks: JoinSet<()>,
    dir: DataDir,
}

/// How a command accesses a data directory.
pub(crate) enum BackendAccess {
    /// Over the socket of a running `portpulse local`.
    Running(RunningWatch, RunningWatchDir),
    /// With embedded services of its own.
    Started(Backend),
}

impl Backend {
    /// Starts the services on a data directory. The receiver gets every published message.
    ///
    /// # Errors
    /// If another process uses the directory.
    pub(crate) async fn start(
        path: &Path,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Published>), CommandError> {
        match DataDir::claim(path).await? {
            Claim::Acquired(dir) => Self::open(dir),
            Claim::InUse(..) => Err(DataDir::in_use(path)),
        }
    }

    /// Finds the running instance that uses the directory, or starts the services on it.
    pub(crate) async fn reach(path: &Path) -> Result<BackendAccess, CommandError> {
        Ok(match DataDir::claim(path).await? {
            Claim::InUse(running_watch, neighbour) => BackendAccess::Running(running_watch, neighbour),
            // Without a running instance, published messages are not delivered.
            Claim::Acquired(dir) => BackendAccess::Started(Self::open(dir)?.0),
        })
    }

    fn open(dir: DataDir) -> Result<(Self, mpsc::UnboundedReceiver<Published>), CommandError> {
        let opened = LocalAws::open(&dir.database());
        let (aws, published) =
            opened.map_err(|error| CommandError::failed("start the embedded DynamoDB", error))?;
        let backend = Self {
            aws,
            tasks: JoinSet::new(),
            dir,
        };
        Ok((backend, published))
    }

    /// The route to the services in this process.
    pub(crate) fn route(&self) -> Route {
        Route::InProcess(self.aws.clone())
    }

    /// Serves other commands on the socket, and publishes the clock in the data directory.
    pub(crate) fn announce(&mut self, clock: &FastClock) -> Result<(), CommandError> {
        let listener = socket::listen(&self.dir.socket());
        let listener = listener.map_err(|error| CommandError::failed("listen for other commands", error))?;
        self.tasks.spawn(socket::serve(listener, self.aws.clone()));
        self.tasks.spawn(sweep(self.aws.clone()));
        let clock = WatchClock {
            clock_time: clock.now(),
            machine_time: Timestamp::now(),
            speed: clock.speed(),
        };
        self.dir.announce(&RunningWatch { clock })
    }

    /// Removes the record of this instance: commands that start now wait for the lock.
    pub(crate) fn withdraw(&self) {
        // The next process that claims the directory removes leftovers.
        drop(self.dir.withdraw());
    }
}

/// Removes expired items periodically, until the future is dropped.
async fn sweep(aws: LocalAws) {
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        sweep.tick().await;
        let aws = aws.clone();
        // Failed removals are repeated at the next sweep.
        drop(spawn_blocking(move || aws.dynamodb().remove_expired()).await);
    }
}
