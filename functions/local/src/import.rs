//! `portpulse import`: converts the configuration of other monitoring tools to a definitions file.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use portpulse_convert::{Format, Import, ImportError, Note, NoteKind, Source, import};
use rustix::fs::OFlags;

use crate::ExitStatus;
use crate::output::{CommandError, Output, count_of, print_note, read_text, with_help};

/// Convert the configuration of another monitoring tool to a definitions file; unsupported settings are listed
///
/// The definitions go to standard output, or to the file of --output. Settings that have no equivalent or change their
/// meaning are listed on standard error.
///
/// Exit status: 0 imported, 1 the files contain nothing that can be monitored, 2 a file cannot be read or written.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The tool that the files belong to
    #[arg(long, value_enum)]
    from: SourceFormat,

    /// The configuration files; for Prometheus: its configuration, that of the blackbox exporter, and targets files
    #[arg(required = true)]
    files: Vec<PathBuf>,

    /// Write the definitions to this file
    #[arg(short, long)]
    output: Option<PathBuf>,

    /// Overwrite the output file if it exists
    #[arg(long, requires = "output")]
    force: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SourceFormat {
    /// Gatus: its configuration (YAML)
    Gatus,
    /// Uptime Kuma 1.x: its backup (JSON)
    UptimeKuma,
    /// Prometheus with its blackbox exporter
    Prometheus,
    /// UptimeFlare: the exports of its uptime.config.ts (JSON)
    #[value(name = "uptimeflare")]
    UptimeFlare,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let format = match args.from {
        SourceFormat::Gatus => Format::Gatus,
        SourceFormat::UptimeKuma => Format::UptimeKuma,
        SourceFormat::Prometheus => Format::Prometheus,
        SourceFormat::UptimeFlare => Format::UptimeFlare,
    };
    let mut texts = Vec::new();
    for file in &args.files {
        texts.push((file.display().to_string(), read_text(file)?));
    }
    let sources: Vec<_> = texts.iter().map(|(name, text)| Source { name, text }).collect();
    match import(format, &sources) {
        Ok(import) => {
            write(args, &import, output)?;
            print_conversion_notes(&import.notes);
            print_note(&format!(
                "Imported {}.",
                count_of(import.monitors as u64, "monitor")
            ));
            Ok(ExitStatus::Success)
        }
        Err(ImportError::NoMonitors { notes }) => {
            print_conversion_notes(&notes);
            print_note("error: the files contain nothing that can be monitored");
            Ok(ExitStatus::Failure)
        }
        Err(
            error @ (ImportError::Unreadable { .. }
            | ImportError::Foreign { .. }
            | ImportError::Invalid { .. }),
        ) => Err(CommandError::failed(format!("import from {format}"), error)),
    }
}

fn write(args: &Args, import: &Import, output: &mut Output) -> Result<(), CommandError> {
    let Some(path) = &args.output else {
        return output.line(import.text.trim_end());
    };
    write_file(path, &import.text, args.force).map_err(|error| {
        let (problem, help) = if error.kind() == io::ErrorKind::AlreadyExists {
            ("already exists", "add --force to overwrite it")
        } else if path.is_symlink() {
            ("is a symbolic link", "use the path of its target")
        } else {
            return CommandError::failed(format!("write {}", path.display()), error);
        };
        let message = with_help(format_args!("{} {problem}", path.display()), help);
        CommandError::Usage { message }
    })
}

fn write_file(path: &Path, text: &str, force: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        // Another user may have created a link to a file of this user.
        let nofollow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
        options.create(true).truncate(true).custom_flags(nofollow);
    } else {
        options.create_new(true);
    }
    options.open(path)?.write_all(text.as_bytes())
}

/// Prints the settings that were not converted, grouped by kind; equal entries of several monitors form one line.
pub(crate) fn print_conversion_notes(notes: &[Note]) {
    for (kind, title) in [
        (NoteKind::Lost, "Not converted:"),
        (NoteKind::Changed, "Converted with a different meaning:"),
        (NoteKind::Unknown, "Unknown settings:"),
        (NoteKind::NotNeeded, "Not needed:"),
    ] {
        let mut same: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for each in notes.iter().filter(|each| each.kind == kind) {
            same.entry((&each.field, &each.reason))
                .or_default()
                .push(&each.item);
        }
        if same.is_empty() {
            continue;
        }
        print_note(title);
        for ((field, reason), item) in same {
            let field = if field.is_empty() {
                String::new()
            } else {
                format!("{field}: ")
            };
            print_note(&format!("  {field}{reason} ({})", item.join(", ")));
        }
    }
}
