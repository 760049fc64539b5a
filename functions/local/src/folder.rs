//! The folder in which a watch on this machine keeps its data: who has it in use, and where that one is to be reached.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::output::Stopped;

/// The name of the file in which a running watch says where it is to be reached.
const RUNNING: &str = "running.json";
/// How long to wait for somebody who does not say so: a command that is soon done, or a watch that is starting.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// A folder that is ours alone for as long as this lives.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

/// What a running watch says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    pub(crate) endpoints: Endpoints,
    pub(crate) clock: Face,
}

/// Where the stand-ins of AWS listen, on loopback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    pub(crate) dynamodb: String,
    pub(crate) sns: String,
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
    /// A watch does, and is to be reached there.
    Running(Running),
}

impl Folder {
    /// Makes the folder where there is none, and sees to it that nobody else uses it; or finds who does.
    ///
    /// What a watch that is gone has left there counts for nothing: who holds the lock has removed it first.
    pub(crate) async fn claim(path: &Path) -> Result<Claimed, Stopped> {
        let what = |what: &str| format!("{what} {}", path.display());
        fs::create_dir_all(path).map_err(|error| Stopped::unable(what("make the folder"), error))?;
        let until = Instant::now() + PATIENCE;
        loop {
            let lock = File::create(path.join("lock"));
            let lock = lock.map_err(|error| Stopped::unable(what("write to"), error))?;
            match lock.try_lock() {
                Ok(()) => {
                    let folder = Self {
                        path: path.to_owned(),
                        _lock: lock,
                    };
                    folder
                        .withdraw()
                        .map_err(|error| Stopped::unable(what("write to"), error))?;
                    return Ok(Claimed::Ours(folder));
                }
                Err(TryLockError::Error(error)) => return Err(Stopped::unable(what("lock"), error)),
                Err(TryLockError::WouldBlock) => {}
            }
            if let Some(running) = read(path) {
                return Ok(Claimed::Running(running));
            }
            if Instant::now() > until {
                let mend = "another portpulse is using them (end it, or choose another --data)";
                return Err(Stopped::unable(what("use the data in"), mend));
            }
            sleep(PAUSE).await;
        }
    }

    /// Whether there are data in the folder at this path.
    pub(crate) fn has_data(path: &Path) -> bool {
        path.join(DATABASE).exists()
    }

    /// The file of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Says where the watch is to be reached.
    pub(crate) fn announce(&self, running: &Running) -> Result<(), Stopped> {
        let unable = |error| Stopped::unable(format!("write to {}", self.path.display()), error);
        let text = serde_json::to_vec(running).map_err(|error| unable(error.into()))?;
        // Nobody may read half of it.
        let draft = self.path.join(format!("{RUNNING}.draft"));
        fs::write(&draft, text).map_err(unable)?;
        fs::rename(&draft, self.path.join(RUNNING)).map_err(unable)
    }

    /// Says no more where the watch is to be reached: it ends, or another has ended.
    pub(crate) fn withdraw(&self) -> io::Result<()> {
        match fs::remove_file(self.path.join(RUNNING)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

const DATABASE: &str = "portpulse.sqlite";

/// What the watch that uses the folder says, if it does already.
fn read(path: &Path) -> Option<Running> {
    let text = fs::read(path.join(RUNNING)).ok()?;
    serde_json::from_slice(&text).ok()
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
            endpoints: Endpoints {
                dynamodb: "http://127.0.0.1:1".to_owned(),
                sns: "http://127.0.0.1:2".to_owned(),
            },
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
        let Claimed::Running(found) = claim().await else {
            panic!("it is in use");
        };
        assert_eq!(found, running());
        // As a kill leaves it.
        drop(first);
        assert!(read(&path).is_some());
        let Claimed::Ours(second) = claim().await else {
            panic!("nobody uses it any more");
        };
        assert_eq!(read(&path), None);
        drop(second);
        fs::remove_dir_all(&path).unwrap();
    }
}
