//! The folder in which a watch on this machine keeps its data: who has it in use, and how that one is reached.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::dir::Dir;
use crate::output::Stopped;

const DATABASE: &str = "portpulse.sqlite";
/// What SQLite keeps beside it.
const BESIDE_DATABASE: [&str; 3] = [
    "portpulse.sqlite-wal",
    "portpulse.sqlite-shm",
    "portpulse.sqlite-journal",
];
const LOCK: &str = "lock";
/// The Unix socket on which a running watch answers other commands of this user.
const SOCKET: &str = "socket";
/// The name of the file in which a running watch says that it answers.
const RUNNING: &str = "running.json";
const RUNNING_DRAFT: &str = "running.json.draft";
/// How long to wait for somebody who does not say so: a command that is soon done, or a watch that is starting.
const RETRY_POLICY: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// A folder that is ours alone for as long as this lives.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: Dir,
    _lock: File,
}

/// What a running watch says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    pub(crate) clock: Face,
}

/// What the clock of a watch shows, which may run faster than the machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Face {
    /// What it showed …
    #[serde(with = "rfc3339")]
    pub(crate) shown: Timestamp,
    /// … at this time of the machine's.
    #[serde(with = "rfc3339")]
    pub(crate) at: Timestamp,
    pub(crate) speed: u32,
}

impl Face {
    /// What it shows at a time of the machine's.
    pub(crate) fn shows(&self, at: Timestamp) -> Timestamp {
        let passed = at.duration_since(self.at);
        let passed = passed.checked_mul(i32::try_from(self.speed).unwrap_or(i32::MAX));
        self.shown
            .saturating_add(passed.unwrap_or(SignedDuration::MAX))
            .unwrap_or(Timestamp::MAX)
    }
}

/// Who may use a folder.
#[derive(Debug)]
pub(crate) enum Claimed {
    /// We may.
    Ours(Folder),
    /// A watch does.
    Running(Running, Neighbour),
}

/// The folder of a watch that runs.
#[derive(Debug)]
pub(crate) struct Neighbour(Dir);

impl Neighbour {
    /// Where the watch answers, for as long as this lives.
    pub(crate) fn socket(&self) -> PathBuf {
        self.0.lasting(SOCKET)
    }
}

impl Folder {
    /// Makes the folder where there is none, and sees to it that nobody else uses it; or finds who does.
    ///
    /// What a watch that is gone has left there counts for nothing: who holds the lock has removed it first.
    pub(crate) async fn claim(path: &Path) -> Result<Claimed, Stopped> {
        let dir = Dir::open(path, LOCK)?;
        let unable = |error| Stopped::unable(format!("use the folder {}", path.display()), error);
        let until = Instant::now() + RETRY_POLICY;
        loop {
            let lock = dir.make_file(LOCK).map_err(unable)?;
            match lock.try_lock() {
                Ok(()) => {
                    let folder = Self { dir, _lock: lock };
                    folder
                        .withdraw()
                        .and_then(|()| folder.prepare())
                        .map_err(unable)?;
                    return Ok(Claimed::Ours(folder));
                }
                Err(TryLockError::Error(error)) => return Err(unable(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            if let Some(running) = read(&dir) {
                return Ok(Claimed::Running(running, Neighbour(dir)));
            }
            if Instant::now() > until {
                let help = "another portpulse is using them (end it, or choose another --data)";
                return Err(Stopped::unable(
                    format!("use the data in {}", path.display()),
                    help,
                ));
            }
            sleep(PAUSE).await;
        }
    }

    /// Whether there may be data in the folder at this path: there may be where it cannot be looked into.
    pub(crate) fn has_data(path: &Path) -> bool {
        !matches!(path.join(DATABASE).try_exists(), Ok(false))
    }

    /// The file of the database, for as long as this lives.
    pub(crate) fn database(&self) -> PathBuf {
        self.dir.lasting(DATABASE)
    }

    /// Where a watch can answer other commands, for as long as this lives. There is nothing there yet.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.lasting(SOCKET)
    }

    /// Sees to it that SQLite finds files of this user's alone, or none; what it makes has the mode of the first.
    fn prepare(&self) -> io::Result<()> {
        self.dir.make_file(DATABASE)?;
        for name in BESIDE_DATABASE {
            match self.dir.open_file(name) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Says that the watch answers.
    pub(crate) fn announce(&self, running: &Running) -> Result<(), Stopped> {
        let announce = || {
            // Nobody may read half of it.
            let mut draft = self.dir.make_file(RUNNING_DRAFT)?;
            draft.write_all(&serde_json::to_vec(running)?)?;
            self.dir.rename(RUNNING_DRAFT, RUNNING)
        };
        let unable =
            |error: io::Error| Stopped::unable(format!("write to {}", self.dir.path().display()), error);
        announce().map_err(unable)
    }

    /// Says no more that the watch answers: it ends, or another has ended.
    pub(crate) fn withdraw(&self) -> io::Result<()> {
        [RUNNING, RUNNING_DRAFT, SOCKET]
            .into_iter()
            .try_for_each(|name| self.dir.remove(name))
    }
}

/// What the watch that uses the folder says, if it does already.
fn read(dir: &Dir) -> Option<Running> {
    serde_json::from_slice(&dir.read(RUNNING).ok()?).ok()
}

/// Times as text.
mod rfc3339 {
    use jiff::Timestamp;
    use serde::de::{Deserialize as _, Deserializer, Error as _};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(time)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> Running {
        let time: Timestamp = "2026-11-22T05:41:00Z".parse().unwrap();
        Running {
            clock: Face {
                shown: time,
                at: time,
                speed: 20,
            },
        }
    }

    #[test]
    fn a_fast_clock_shows_what_has_passed_many_times() {
        let face = running().clock;
        let later = face.at + SignedDuration::from_secs(3);
        assert_eq!(face.shows(later).to_string(), "2026-11-22T05:42:00Z");
        assert_eq!(face.shows(Timestamp::MAX), Timestamp::MAX);
    }

    #[tokio::test]
    async fn a_folder_is_used_by_one_and_what_the_dead_left_counts_for_nothing() {
        let path = std::env::temp_dir().join(format!("portpulse-folder-{}", std::process::id()));
        let claim = async || Folder::claim(&path).await.unwrap();
        let Claimed::Ours(first) = claim().await else {
            panic!("nobody uses it");
        };
        first.announce(&running()).unwrap();
        let Claimed::Running(found, _) = claim().await else {
            panic!("it is in use");
        };
        assert_eq!(found, running());
        // As a kill leaves it.
        drop(first);
        assert!(path.join(RUNNING).exists());
        let Claimed::Ours(second) = claim().await else {
            panic!("nobody uses it any more");
        };
        assert!(!path.join(RUNNING).exists());
        drop(second);
        std::fs::remove_dir_all(&path).unwrap();
    }
}
