//! `portpulse export`: converts definitions for other monitoring tools.

use std::path::PathBuf;

use portpulse_convert::export;
use portpulse_core::definition::NetworkAccess;

use crate::ExitStatus;
use crate::import::print_conversion_notes;
use crate::output::{CommandError, Output, read_text};
use crate::validate;

/// Convert definitions to targets of the Prometheus blackbox exporter; unsupported settings are listed
///
/// Settings that the exporter does not support are listed on standard error.
///
/// Exit status: 0 exported, 1 the file contains mistakes, 2 the file cannot be read.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The definitions file; `-` is standard input
    #[arg(default_value = "infra/monitors.yaml")]
    file: PathBuf,

    /// Export a targets file for `file_sd_configs` of Prometheus
    #[arg(long, required = true)]
    prometheus: bool,

    /// Export the configuration of the blackbox exporter (the modules that the targets use) instead of the targets
    #[arg(long)]
    blackbox: bool,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let text = read_text(&args.file)?;
    let name = args.file.display().to_string();
    let file = match portpulse_monitors_file::read(&text, NetworkAccess::OwnNetwork) {
        Ok(file) => file,
        Err(mistakes) => return validate::print_mistakes(&name, &mistakes, false, output),
    };
    let export = export(&file);
    let text = if args.blackbox {
        export.modules
    } else {
        export.targets
    };
    output.line(text.trim_end())?;
    print_conversion_notes(&export.notes);
    Ok(ExitStatus::Success)
}
