//! What stands in for AWS on this machine: an embedded DynamoDB, kept in a file, and an SNS topic, both within this
//! process and spoken to with the real SDK. Other commands reach those of a running watch over a Unix socket in its folder.

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
use crate::folder::{Claimed, Face, Folder, Neighbour, Running};
use crate::output::Stopped;

/// How often items that have expired are removed.
const SWEEP: Duration = Duration::from_secs(3_600);

/// The stand-ins. Their folder is held for as long as this lives.
pub(crate) struct StandIns {
    aws: LocalAws,
    /// What is done while they are announced; it ends with this.
    tasks: JoinSet<()>,
    folder: Folder,
}

/// Stand-ins that a command has found.
pub(crate) enum Reached {
    /// Those of a running watch.
    Running(Running, Neighbour),
    /// Our own.
    Started(StandIns),
}

impl StandIns {
    /// Starts them on the data in this folder; nobody else may use it meanwhile. What is published comes out of the
    /// receiver.
    pub(crate) async fn start(path: &Path) -> Result<(Self, mpsc::UnboundedReceiver<Published>), Stopped> {
        match Folder::claim(path).await? {
            Claimed::Ours(folder) => Self::open(folder),
            Claimed::Running(..) => {
                let what = format!("use the data in {}", path.display());
                let help = "another portpulse is using them (end it, or choose another --data)";
                Err(Stopped::unable(what, help))
            }
        }
    }

    /// Finds those of the watch that uses the folder, or starts some on its data.
    pub(crate) async fn reach(path: &Path) -> Result<Reached, Stopped> {
        Ok(match Folder::claim(path).await? {
            Claimed::Running(running, neighbour) => Reached::Running(running, neighbour),
            // Nobody hears what is published where no watch runs.
            Claimed::Ours(folder) => Reached::Started(Self::open(folder)?.0),
        })
    }

    fn open(folder: Folder) -> Result<(Self, mpsc::UnboundedReceiver<Published>), Stopped> {
        let opened = LocalAws::open(&folder.database());
        let (aws, published) =
            opened.map_err(|error| Stopped::unable("start the embedded DynamoDB", error))?;
        let stand_ins = Self {
            aws,
            tasks: JoinSet::new(),
            folder,
        };
        Ok((stand_ins, published))
    }

    /// The way to them in this process.
    pub(crate) fn route(&self) -> Route {
        Route::InProcess(self.aws.clone())
    }

    /// Lets other commands reach them, and says in the folder what the clock of their watch shows.
    pub(crate) fn announce(&mut self, clock: &FastClock) -> Result<(), Stopped> {
        let listener = socket::listen(&self.folder.socket());
        let listener = listener.map_err(|error| Stopped::unable("listen for other commands", error))?;
        self.tasks.spawn(socket::serve(listener, self.aws.clone()));
        self.tasks.spawn(sweep(self.aws.clone()));
        let clock = Face {
            shown: clock.now(),
            at: Timestamp::now(),
            speed: clock.speed(),
        };
        self.folder.announce(&Running { clock })
    }

    /// Who comes from now on waits until the folder is free.
    pub(crate) fn withdraw(&self) {
        // What is left there counts for nothing to the next who claims the folder.
        drop(self.folder.withdraw());
    }
}

/// Removes expired items now and then, until this future is dropped.
async fn sweep(aws: LocalAws) {
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        sweep.tick().await;
        let aws = aws.clone();
        // What cannot be removed now is removed the next time.
        drop(spawn_blocking(move || aws.dynamodb().remove_expired()).await);
    }
}
