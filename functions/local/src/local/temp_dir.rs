//! The temporary data directory of the demo.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// The maximum names to try if directories of earlier processes exist.
const MAX_NAMES: u32 = 100;

/// A directory that is removed on drop.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    /// Creates a directory that only this user can access.
    pub(crate) fn create() -> io::Result<Self> {
        let mut created = Err(io::ErrorKind::AlreadyExists.into());
        for number in 0..MAX_NAMES {
            let name = match number {
                0 => format!("portpulse-demo-{}", std::process::id()),
                _ => format!("portpulse-demo-{}-{number}", std::process::id()),
            };
            let path = std::env::temp_dir().join(name);
            created = DirBuilder::new().mode(0o700).create(&path).map(|()| Self(path));
            if !matches!(&created, Err(error) if error.kind() == io::ErrorKind::AlreadyExists) {
                break;
            }
        }
        created
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // The system removes temporary files that remain.
        drop(fs::remove_dir_all(&self.0));
    }
}
