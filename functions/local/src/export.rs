//! `portpulse export`: converts definitions for other monitoring tools.

use std::path::PathBuf;

use portpulse_convert::{Report, export};
use portpulse_core::definition::NetworkAccess;

use crate::ExitStatus;
use crate::definitions::{DEFAULT_FILE, DefinitionFiles};
use crate::import::print_report;
use crate::output::{CommandError, Output, print_note};
use crate::validate;

/// Convert definitions to targets of the Prometheus blackbox exporter; unsupported settings are listed
///
/// Settings that the exporter does not support are listed on standard error.
///
/// Exit status: 0 exported, 1 the file contains mistakes, 2 the file cannot be read.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The definitions: files, folders of YAML files, or `-` for standard input
    #[arg(default_value = DEFAULT_FILE)]
    files: Vec<PathBuf>,

    /// Export a targets file for `file_sd_configs` of Prometheus
    #[arg(long, required = true)]
    prometheus: bool,

    /// Export the configuration of the blackbox exporter (the modules that the targets use) instead of the targets
    #[arg(long)]
    blackbox: bool,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let definitions = DefinitionFiles::read(&args.files)?;
    let file = match definitions.validate(NetworkAccess::OwnNetwork) {
        Ok(file) => file,
        Err(invalid) => {
            // Standard output has the export alone.
            let lines = validate::mistake_lines(&definitions.name(), &invalid);
            lines.iter().for_each(|line| print_note(line));
            return Ok(ExitStatus::Failure);
        }
    };
    let export = export(&file);
    let text = if args.blackbox {
        export.modules
    } else {
        export.targets
    };
    output.line(text.trim_end())?;
    print_report(&Report::new(
        file.monitors().len(),
        file.monitors().len(),
        &export.notes,
    ));
    Ok(ExitStatus::Success)
}
