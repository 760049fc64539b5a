//! A folder for data that nobody needs any more when the watch ends: the demo's.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// How many folders that others have left there are passed over.
const MAX_LEFT: u32 = 100;

/// A folder that is gone when this is.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one among the temporary files, for this user alone.
    pub(crate) fn make() -> io::Result<Self> {
        let mut made = Err(io::ErrorKind::AlreadyExists.into());
        for number in 0..MAX_LEFT {
            let name = match number {
                0 => format!("portpulse-demo-{}", std::process::id()),
                _ => format!("portpulse-demo-{}-{number}", std::process::id()),
            };
            let path = std::env::temp_dir().join(name);
            made = DirBuilder::new().mode(0o700).create(&path).map(|()| Self(path));
            if !matches!(&made, Err(error) if error.kind() == io::ErrorKind::AlreadyExists) {
                break;
            }
        }
        made
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is the system's to remove.
        drop(fs::remove_dir_all(&self.0));
    }
}
