//! A directory that only the current user can access. Files in it are never opened through links.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Read as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};

use crate::output::{CommandError, with_help};

/// The permission bits of group and others, which are removed.
const OTHERS: u32 = 0o077;
/// The write permission bits of group and others.
const OTHERS_WRITE: u32 = 0o022;
/// The sticky bit: in such a directory users rename and delete only their own files.
const STICKY: u32 = 0o1000;

/// An open directory. File names are resolved in this directory even if its path is replaced meanwhile.
#[derive(Debug)]
pub(crate) struct PrivateDir {
    path: PathBuf,
    file: File,
}

impl PrivateDir {
    /// Opens the directory, creating it if necessary, and sets its mode to 0700. A directory that other users can access
    /// must be empty or contain the file `known`; any other may be shared and is refused.
    pub(crate) fn open(path: &Path, known: &str) -> Result<Self, CommandError> {
        let refused =
            |error: io::Error| CommandError::failed(format!("use the directory {}", path.display()), error);
        // Removes a trailing separator, which would hide a symbolic link.
        let path: PathBuf = path.components().collect();
        Self::opened(path, known).map_err(refused)
    }

    fn opened(path: PathBuf, known: &str) -> io::Result<Self> {
        if path.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
            return Err(refusal(
                "symbolic links are not supported",
                "use the path of its target",
            ));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(&path, flags, Mode::empty())?);
        let found = file.metadata()?;
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(refusal(
                "another user owns it",
                "run as that user, or use another directory",
            ));
        }
        if found.mode() & OTHERS_WRITE != 0 {
            let help = "if all its files are yours, run `chmod 700` on it; otherwise use another directory";
            return Err(refusal("other users can write to it", help));
        }
        let is_shared = found.mode() & OTHERS != 0;
        if is_shared && !contains(&file, known) && std::fs::read_dir(&path)?.next().is_some() {
            let help = "use a new or empty directory; or run `chmod 700` on it if no other user needs it";
            return Err(refusal(
                "other users can read it, and it contains unrelated files",
                help,
            ));
        }
        check_ancestors(&file)?;
        restrict_to_owner(&file, 0o700)?;
        Ok(Self { path, file })
    }

    /// The path, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A path to `name` in this directory, valid while the directory is open. It is short enough for a socket address.
    pub(crate) fn stable_path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{name}", self.file.as_raw_fd()))
    }

    /// Opens a file for reading and writing, and sets its mode to 0600.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<File> {
        self.file(name, OFlags::RDWR)
    }

    /// As [`Self::open_file`], creating the file if necessary.
    pub(crate) fn create_file(&self, name: &str) -> io::Result<File> {
        self.file(name, OFlags::RDWR | OFlags::CREATE)
    }

    /// Reads a file.
    pub(crate) fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open_file(name)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Removes a file, if it exists.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.file, name, AtFlags::empty()) {
            Err(error) if error != rustix::io::Errno::NOENT => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Renames a file, replacing `to`.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.file, from, &self.file, to)?)
    }

    fn file(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let refused = |what: &str| {
            refusal(
                &format!("its file {name} {what}"),
                "remove the file, or use another directory",
            )
        };
        let file = match rustix::fs::openat(&self.file, name, flags, Mode::RUSR | Mode::WUSR) {
            Err(rustix::io::Errno::LOOP) => return Err(refused("is a symbolic link")),
            opened => File::from(opened?),
        };
        let found = file.metadata()?;
        if !found.is_file() || found.nlink() > 1 {
            return Err(refused("is not a regular file with a single link"));
        }
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(refused("is owned by another user"));
        }
        restrict_to_owner(&file, 0o600)?;
        Ok(file)
    }
}

/// Whether a directory has an entry with this name.
fn contains(dir: &File, name: &str) -> bool {
    rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
}

/// Removes the permissions of group and others.
fn restrict_to_owner(file: &File, mode: u32) -> io::Result<()> {
    if file.metadata()?.mode() & OTHERS == 0 {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(mode))?;
    // Some file systems ignore modes without an error.
    if file.metadata()?.mode() & OTHERS == 0 {
        return Ok(());
    }
    Err(refusal(
        "its file system does not support permissions",
        "use a directory on another file system",
    ))
}

/// Refuses a directory that another user can move or replace. SQLite reopens its files by their real path, so every
/// ancestor must belong to root or to this user, and no other user may rename anything in it. The private group of this user
/// (the group id equals the user id) has no other members: with it, a umask of 002 is common.
fn check_ancestors(dir: &File) -> io::Result<()> {
    let real = std::fs::read_link(format!("/proc/self/fd/{}", dir.as_raw_fd()))?;
    for ancestor in real.ancestors().skip(1) {
        let found = ancestor.symlink_metadata()?;
        if ![0, rustix::process::geteuid().as_raw()].contains(&found.uid()) {
            let why = format!("another user owns its parent {}", ancestor.display());
            return Err(refusal(&why, "use a directory elsewhere"));
        }
        let is_private_group = found.gid() == rustix::process::geteuid().as_raw();
        let writers = if is_private_group {
            OTHERS_WRITE & 0o007
        } else {
            OTHERS_WRITE
        };
        if found.mode() & writers != 0 && found.mode() & STICKY == 0 {
            let why = format!("other users can write to its parent {}", ancestor.display());
            let help = "run `chmod go-w` on that directory, or use a directory elsewhere";
            return Err(refusal(&why, help));
        }
    }
    Ok(())
}

fn refusal(why: &str, help: &str) -> io::Error {
    io::Error::new(ErrorKind::PermissionDenied, with_help(why, help))
}
