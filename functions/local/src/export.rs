//! `portpulse export`: definitions for other monitors, and what they cannot express.

use std::path::PathBuf;

use portpulse_convert::export;
use portpulse_core::definition::NetworkAccess;

use crate::ExitStatus;
use crate::import::report;
use crate::output::{Output, Stopped, read_text};
use crate::validate;

/// Write definitions as targets of Prometheus's blackbox exporter; what it cannot express is told
///
/// What was left goes to standard error. Exit status: 0 written, 1 the file has mistakes, 2 it cannot be read.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The definitions file; `-` is standard input
    #[arg(default_value = "infra/monitors.yaml")]
    file: PathBuf,

    /// For Prometheus: a file of targets for `file_sd_configs`
    #[arg(long, required = true)]
    prometheus: bool,

    /// Instead of the targets, the modules that they name: the exporter's configuration
    #[arg(long)]
    blackbox: bool,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, Stopped> {
    let text = read_text(&args.file)?;
    let name = args.file.display().to_string();
    let file = match portpulse_monitors_file::read(&text, NetworkAccess::OwnNetwork) {
        Ok(file) => file,
        Err(mistakes) => return validate::complain(&name, &mistakes, false, output),
    };
    let export = export(&file);
    let text = if args.blackbox {
        export.modules
    } else {
        export.targets
    };
    output.line(text.trim_end())?;
    report(&export.left);
    Ok(ExitStatus::Good)
}
