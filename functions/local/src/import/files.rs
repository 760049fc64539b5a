//! Reads the files of an import: also folders, and databases of Uptime Kuma.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use portpulse_convert::Format;

use super::kuma_database;
use crate::output::{CommandError, read_text};

/// The maximum depth of folders in a folder.
const MAX_DEPTH: usize = 8;

/// The files with their names, in the order of the arguments; those of a folder in the order of their names.
pub(super) fn read(format: Format, paths: &[PathBuf]) -> Result<Vec<(String, String)>, CommandError> {
    let mut texts = Vec::new();
    for path in paths {
        if !path.is_dir() {
            texts.push((path.display().to_string(), read_file(format, path)?));
            continue;
        }
        let mut files = Vec::new();
        files_in(path, format, MAX_DEPTH, &mut files)?;
        if files.is_empty() {
            return Err(CommandError::usage_with_help(
                format_args!("{} contains no configuration", path.display()),
                "name the files",
            ));
        }
        for file in files {
            texts.push((file.display().to_string(), read_text(&file)?));
        }
    }
    Ok(texts)
}

/// The text of a file; the tables of a database as JSON.
fn read_file(format: Format, path: &Path) -> Result<String, CommandError> {
    const SQLITE: &[u8] = b"SQLite format 3\0";
    if format == Format::UptimeKuma && path.as_os_str() != "-" {
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(SQLITE.len() as u64).read_to_end(&mut head));
        if read.is_ok() && head == SQLITE {
            return kuma_database::read(path);
        }
    }
    read_text(path)
}

/// The configuration files in a folder and its folders.
fn files_in(
    folder: &Path,
    format: Format,
    depth: usize,
    files: &mut Vec<PathBuf>,
) -> Result<(), CommandError> {
    let failed = |error| CommandError::failed(format!("read {}", folder.display()), error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    for path in paths {
        // Kubernetes mounts files through folders and links whose names start with two dots.
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if is_hidden {
            continue;
        }
        if path.is_dir() {
            if depth > 0 {
                files_in(&path, format, depth - 1, files)?;
            }
        } else if is_configuration(&path, format) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_configuration(path: &Path, format: Format) -> bool {
    let ending = path
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    let is_yaml = matches!(ending, "yml" | "yaml");
    match format {
        Format::Gatus | Format::Upptime | Format::Compose => is_yaml,
        Format::UptimeKuma | Format::UptimeFlare | Format::Terraform => ending == "json",
        Format::Prometheus | Format::Kubernetes => is_yaml || ending == "json",
        Format::Cloudprober => is_yaml || matches!(ending, "cfg" | "textpb" | "json"),
    }
}
