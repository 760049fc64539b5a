//! `portpulse import`: definitions from the files of other monitors, and what could not be carried over.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use portpulse_convert::{Format, Import, ImportError, Kind, Left, Source, import};
use rustix::fs::OFlags;

use crate::ExitStatus;
use crate::output::{Output, Stopped, counted, notify, read_text};

/// Make a definitions file from another monitor's files; what cannot be carried over is told
///
/// The definitions go to standard output or a file, what was left of the sources to standard error. Exit status:
/// 0 imported, 1 nothing in the files can be watched, 2 they cannot be read or the result cannot be written.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Whose files they are
    #[arg(long, value_enum)]
    from: From,

    /// The files; those of Prometheus may be several: its configuration, the exporter's, and files of targets
    #[arg(required = true)]
    files: Vec<PathBuf>,

    /// Write the definitions into this file
    #[arg(short, long)]
    output: Option<PathBuf>,

    /// Overwrite it if it is there
    #[arg(long, requires = "output")]
    force: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum From {
    /// Its configuration, YAML
    Gatus,
    /// Uptime Kuma 1.x: its backup, JSON
    UptimeKuma,
    /// Prometheus with its blackbox exporter
    Prometheus,
    /// UptimeFlare: what its uptime.config.ts exports, as JSON
    #[value(name = "uptimeflare")]
    UptimeFlare,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, Stopped> {
    let format = match args.from {
        From::Gatus => Format::Gatus,
        From::UptimeKuma => Format::UptimeKuma,
        From::Prometheus => Format::Prometheus,
        From::UptimeFlare => Format::UptimeFlare,
    };
    let mut texts = Vec::new();
    for file in &args.files {
        texts.push((file.display().to_string(), read_text(file)?));
    }
    let sources: Vec<_> = texts.iter().map(|(name, text)| Source { name, text }).collect();
    match import(format, &sources) {
        Ok(import) => {
            write(args, &import, output)?;
            report(&import.left);
            notify(&format!(
                "{} imported",
                counted(import.monitors as u64, "monitor")
            ));
            Ok(ExitStatus::Good)
        }
        Err(ImportError::Nothing { left }) => {
            report(&left);
            notify("nothing in it can be watched");
            Ok(ExitStatus::Bad)
        }
        Err(
            error @ (ImportError::Unreadable { .. }
            | ImportError::Foreign { .. }
            | ImportError::Invalid { .. }),
        ) => Err(Stopped::unable(format!("import from {format}"), error)),
    }
}

fn write(args: &Args, import: &Import, output: &mut Output) -> Result<(), Stopped> {
    let Some(path) = &args.output else {
        return output.line(import.text.trim_end());
    };
    put(path, &import.text, args.force).map_err(|error| {
        let help = if error.kind() == io::ErrorKind::AlreadyExists {
            "is there already: give --force to overwrite it"
        } else if path.is_symlink() {
            "is a symbolic link: name the file that it leads to"
        } else {
            return Stopped::unable(format!("write {}", path.display()), error);
        };
        let complaint = format!("{} {help}", path.display());
        Stopped::Usage { complaint }
    })
}

fn put(path: &Path, text: &str, force: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        // Somebody else may have put a link there that leads to a file of this user's.
        let nofollow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
        options.create(true).truncate(true).custom_flags(nofollow);
    } else {
        options.create_new(true);
    }
    options.open(path)?.write_all(text.as_bytes())
}

/// Tells what was left: the same of many monitors once.
pub(crate) fn report(left: &[Left]) {
    for (kind, title) in [
        (Kind::Lost, "Not carried over:"),
        (Kind::Changed, "Carried over, and different now:"),
        (Kind::Unknown, "Not known:"),
        (Kind::NotNeeded, "Not needed:"),
    ] {
        let mut same: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for each in left.iter().filter(|each| each.kind == kind) {
            same.entry((&each.field, &each.why)).or_default().push(&each.of);
        }
        if same.is_empty() {
            continue;
        }
        notify(title);
        for ((field, why), of) in same {
            let field = if field.is_empty() {
                String::new()
            } else {
                format!("{field}: ")
            };
            notify(&format!("  {field}{why} ({})", of.join(", ")));
        }
    }
}
