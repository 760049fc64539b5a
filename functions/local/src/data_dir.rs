//! The data directory of `portpulse local`: locking, and how other commands reach a running instance.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::output::{CommandError, with_help};
use crate::private_dir::PrivateDir;

const DATABASE: &str = "portpulse.sqlite";
/// Files that SQLite creates beside the database.
const BESIDE_DATABASE: [&str; 3] = [
    "portpulse.sqlite-wal",
    "portpulse.sqlite-shm",
    "portpulse.sqlite-journal",
];
const LOCK: &str = "lock";
/// The Unix socket on which a running `portpulse local` serves other commands of this user.
const SOCKET: &str = "socket";
/// Exists while the socket is served; contains a [`RunningWatch`].
const RUNNING: &str = "running.json";
const RUNNING_DRAFT: &str = "running.json.draft";
/// How long to wait for the lock while its holder is a short command, or an instance that is starting.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(5);
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// A locked data directory; dropping the value releases the lock.
#[derive(Debug)]
pub(crate) struct DataDir {
    dir: PrivateDir,
    _lock: File,
}

/// What a running `portpulse local` publishes about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunningWatch {
    pub(crate) clock: WatchClock,
}

/// The clock of a running instance, which may run faster than the clock of this machine (`--speed`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WatchClock {
    /// The time of the clock …
    #[serde(with = "rfc3339")]
    pub(crate) clock_time: Timestamp,
    /// … at this machine time.
    #[serde(with = "rfc3339")]
    pub(crate) machine_time: Timestamp,
    pub(crate) speed: u32,
}

impl WatchClock {
    /// The time of the clock at a machine time.
    pub(crate) fn time_at(&self, at: Timestamp) -> Timestamp {
        let passed = at.duration_since(self.machine_time);
        let passed = passed.checked_mul(i32::try_from(self.speed).unwrap_or(i32::MAX));
        self.clock_time
            .saturating_add(passed.unwrap_or(SignedDuration::MAX))
            .unwrap_or(Timestamp::MAX)
    }
}

/// The result of claiming a data directory.
#[derive(Debug)]
pub(crate) enum Claim {
    /// This process holds the lock.
    Acquired(DataDir),
    /// A running `portpulse local` holds the lock.
    InUse(RunningWatch, RunningWatchDir),
}

/// The data directory of a running `portpulse local`.
#[derive(Debug)]
pub(crate) struct RunningWatchDir(PrivateDir);

impl RunningWatchDir {
    /// The path of the socket, valid while this value lives.
    pub(crate) fn socket(&self) -> PathBuf {
        self.0.stable_path(SOCKET)
    }
}

impl DataDir {
    /// Creates the directory if necessary and locks it, or finds the running instance that holds the lock.
    ///
    /// Files of an instance that crashed are removed as soon as the lock is held.
    pub(crate) async fn claim(path: &Path) -> Result<Claim, CommandError> {
        let dir = PrivateDir::open(path, LOCK)?;
        let failed = |error| CommandError::failed(format!("use the directory {}", path.display()), error);
        let deadline = Instant::now() + CLAIM_TIMEOUT;
        loop {
            let lock = dir.create_file(LOCK).map_err(failed)?;
            match lock.try_lock() {
                Ok(()) => {
                    let folder = Self { dir, _lock: lock };
                    folder
                        .withdraw()
                        .and_then(|()| folder.prepare())
                        .map_err(failed)?;
                    return Ok(Claim::Acquired(folder));
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            if let Some(running_watch) = read_running(&dir) {
                return Ok(Claim::InUse(running_watch, RunningWatchDir(dir)));
            }
            if Instant::now() > deadline {
                return Err(Self::in_use(path));
            }
            sleep(RETRY_PAUSE).await;
        }
    }

    /// The error if another process uses the directory.
    pub(crate) fn in_use(path: &Path) -> CommandError {
        let source = with_help(
            "another portpulse process is using it",
            "stop that process, or set another directory with --data",
        );
        CommandError::failed(format!("use the data in {}", path.display()), source)
    }

    /// Whether the directory may contain data; true if it cannot be read.
    pub(crate) fn has_data(path: &Path) -> bool {
        !matches!(path.join(DATABASE).try_exists(), Ok(false))
    }

    /// Copies the database of a directory that no process uses, so that it can be read without a write to the directory.
    /// Returns the path of the copy, or `None` if a process uses the directory.
    pub(crate) fn copy_database(path: &Path, to: &Path) -> io::Result<Option<PathBuf>> {
        let lock = match File::open(path.join(LOCK)) {
            Ok(lock) => Some(lock),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        match lock.as_ref().map(File::try_lock) {
            Some(Err(TryLockError::WouldBlock)) => return Ok(None),
            Some(Err(TryLockError::Error(error))) => return Err(error),
            Some(Ok(())) | None => {}
        }
        let journals = BESIDE_DATABASE.into_iter().filter(|name| !name.ends_with("-shm"));
        for name in std::iter::once(DATABASE).chain(journals) {
            match std::fs::copy(path.join(name), to.join(name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && name != DATABASE => {}
                copied => drop(copied?),
            }
        }
        Ok(Some(to.join(DATABASE)))
    }

    /// The path of the database file, valid while this value lives.
    pub(crate) fn database(&self) -> PathBuf {
        self.dir.stable_path(DATABASE)
    }

    /// The path for the socket, valid while this value lives. No file exists there yet.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.stable_path(SOCKET)
    }

    /// Ensures that only this user can access the files of SQLite, which gives new files the mode of the database.
    fn prepare(&self) -> io::Result<()> {
        self.dir.create_file(DATABASE)?;
        for name in BESIDE_DATABASE {
            match self.dir.open_file(name) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Records that the socket is served.
    pub(crate) fn announce(&self, running_watch: &RunningWatch) -> Result<(), CommandError> {
        let announce = || {
            // Readers must not see a partial file.
            let mut draft = self.dir.create_file(RUNNING_DRAFT)?;
            draft.write_all(&serde_json::to_vec(running_watch)?)?;
            self.dir.rename(RUNNING_DRAFT, RUNNING)
        };
        let failed =
            |error: io::Error| CommandError::failed(format!("write to {}", self.dir.path().display()), error);
        announce().map_err(failed)
    }

    /// Removes the record and the socket, at shutdown or after a crash.
    pub(crate) fn withdraw(&self) -> io::Result<()> {
        [RUNNING, RUNNING_DRAFT, SOCKET]
            .into_iter()
            .try_for_each(|name| self.dir.remove(name))
    }
}

/// Reads the record of the running instance, if it exists.
fn read_running(dir: &PrivateDir) -> Option<RunningWatch> {
    serde_json::from_slice(&dir.read(RUNNING).ok()?).ok()
}

/// Serializes timestamps as RFC 3339 text.
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

    fn running_watch() -> RunningWatch {
        let time: Timestamp = "2026-11-22T05:41:00Z".parse().unwrap();
        RunningWatch {
            clock: WatchClock {
                clock_time: time,
                machine_time: time,
                speed: 20,
            },
        }
    }

    #[test]
    fn fast_clock_multiplies_the_elapsed_time() {
        let clock = running_watch().clock;
        let later = clock.machine_time + SignedDuration::from_secs(3);
        assert_eq!(clock.time_at(later).to_string(), "2026-11-22T05:42:00Z");
        assert_eq!(clock.time_at(Timestamp::MAX), Timestamp::MAX);
    }

    #[tokio::test]
    async fn data_dir_has_one_user_and_leftovers_of_a_crash_are_removed() {
        let path = std::env::temp_dir().join(format!("portpulse-folder-{}", std::process::id()));
        let claim = async || DataDir::claim(&path).await.unwrap();
        let Claim::Acquired(first) = claim().await else {
            panic!("the directory is in use");
        };
        first.announce(&running_watch()).unwrap();
        let Claim::InUse(found, _) = claim().await else {
            panic!("the directory is not in use");
        };
        assert_eq!(found, running_watch());
        // A killed process leaves its files behind.
        drop(first);
        assert!(path.join(RUNNING).exists());
        let Claim::Acquired(second) = claim().await else {
            panic!("the directory is still in use");
        };
        assert!(!path.join(RUNNING).exists());
        drop(second);
        std::fs::remove_dir_all(&path).unwrap();
    }
}
