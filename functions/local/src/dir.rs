//! A folder that belongs to this user alone. Nothing in it is opened through a link, and nobody else can put anything
//! there.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Read as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};

use crate::output::Stopped;

/// What others may do with a file: these bits are taken off.
const OTHERS: u32 = 0o077;
/// Writing, by others than the owner.
const OTHERS_WRITE: u32 = 0o022;
/// The sticky bit: in such a folder users rename and delete only what is theirs.
const STICKY: u32 = 0o1000;

/// An open folder. What is named in it stays in this very folder, even if its path comes to lead elsewhere.
#[derive(Debug)]
pub(crate) struct Dir {
    path: PathBuf,
    file: File,
}

impl Dir {
    /// Opens the folder, which is made if it is not there, and closes it to others. One that is open to others must be
    /// empty or have a file `known` in it: closing any other would take a folder away from those who share it.
    pub(crate) fn open(path: &Path, known: &str) -> Result<Self, Stopped> {
        let refused = |error: io::Error| Stopped::unable(format!("use the folder {}", path.display()), error);
        // Without a separator at its end, so that a link is seen as one.
        let path: PathBuf = path.components().collect();
        Self::opened(path, known).map_err(refused)
    }

    fn opened(path: PathBuf, known: &str) -> io::Result<Self> {
        if path.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
            return Err(refusal(
                "it is a symbolic link",
                "name the folder that it leads to",
            ));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(&path, flags, Mode::empty())?);
        let found = file.metadata()?;
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(refusal(
                "it belongs to another user",
                "run as that user, or choose another folder",
            ));
        }
        if found.mode() & OTHERS_WRITE != 0 {
            let help = "if everything in it is yours, `chmod 700` it; or choose another folder";
            return Err(refusal("other users can write to it", help));
        }
        let is_open_to_others = found.mode() & OTHERS != 0;
        if is_open_to_others && !holds(&file, known) && std::fs::read_dir(&path)?.next().is_some() {
            let help = "choose a new or an empty folder; or `chmod 700` it, if nobody else uses it";
            return Err(refusal("others can read it, and it has other files", help));
        }
        check_ancestors(&file)?;
        close_to_others(&file, 0o700)?;
        Ok(Self { path, file })
    }

    /// Its path, for people.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A path that leads to `name` in this very folder while it is open, short enough for a socket.
    pub(crate) fn lasting(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{name}", self.file.as_raw_fd()))
    }

    /// Opens a file in it for reading and writing, and closes it to others.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<File> {
        self.file(name, OFlags::RDWR)
    }

    /// The same, of one that is made if it is not there.
    pub(crate) fn make_file(&self, name: &str) -> io::Result<File> {
        self.file(name, OFlags::RDWR | OFlags::CREATE)
    }

    /// What is in a file.
    pub(crate) fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open_file(name)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Sees to it that there is nothing of that name.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.file, name, AtFlags::empty()) {
            Err(error) if error != rustix::io::Errno::NOENT => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Gives a file another name, and removes what had it.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.file, from, &self.file, to)?)
    }

    fn file(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let strange = |what: &str| {
            refusal(
                &format!("{name} in it {what}"),
                "remove it, or choose another folder",
            )
        };
        let file = match rustix::fs::openat(&self.file, name, flags, Mode::RUSR | Mode::WUSR) {
            Err(rustix::io::Errno::LOOP) => return Err(strange("is a symbolic link")),
            opened => File::from(opened?),
        };
        let found = file.metadata()?;
        if !found.is_file() || found.nlink() > 1 {
            return Err(strange("is no file of its own"));
        }
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(strange("belongs to another user"));
        }
        close_to_others(&file, 0o600)?;
        Ok(file)
    }
}

/// Refuses a folder that other users can move away or replace. SQLite opens its files again by their real path, so
/// everything above the folder must belong to root or to this user, and nobody else may rename anything in it.
fn check_ancestors(folder: &File) -> io::Result<()> {
    let real = std::fs::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd()))?;
    for above in real.ancestors().skip(1) {
        let found = above.symlink_metadata()?;
        let help = "choose a folder elsewhere";
        if ![0, rustix::process::geteuid().as_raw()].contains(&found.uid()) {
            let why = format!("{} above it belongs to another user", above.display());
            return Err(refusal(&why, help));
        }
        if found.mode() & OTHERS_WRITE != 0 && found.mode() & STICKY == 0 {
            let why = format!("other users can write to {} above it", above.display());
            return Err(refusal(
                &why,
                "`chmod go-w` that folder, or choose a folder elsewhere",
            ));
        }
    }
    Ok(())
}

/// Whether a folder has an entry of this name.
fn holds(folder: &File, name: &str) -> bool {
    rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
}

/// Takes from others what they may do with an open file.
fn close_to_others(file: &File, mode: u32) -> io::Result<()> {
    if file.metadata()?.mode() & OTHERS == 0 {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(mode))?;
    // Some file systems have no modes, and say nothing when they are set.
    if file.metadata()?.mode() & OTHERS == 0 {
        return Ok(());
    }
    Err(refusal(
        "its file system cannot keep others out",
        "choose a folder on another",
    ))
}

fn refusal(why: &str, help: &str) -> io::Error {
    io::Error::new(ErrorKind::PermissionDenied, format!("{why} ({help})"))
}
