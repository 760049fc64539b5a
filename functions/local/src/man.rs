//! `portpulse man`: writes the manual pages.

use std::path::PathBuf;

use clap_mangen::Man;

use crate::output::{CommandError, Output};
use crate::{ExitStatus, cli};

const EXAMPLES: &str = "\
Examples:
  portpulse man | man -l -
  portpulse man --output ~/.local/share/man/man1";

/// Print the manual page, or write the pages of all commands to a directory
///
/// Exit status: 0 written, 2 invalid usage or an error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Write `portpulse.1` and a page for each command to this directory
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    if let Some(dir) = &args.output {
        let failed = |error| CommandError::failed(format!("write to {}", dir.display()), error);
        std::fs::create_dir_all(dir).map_err(failed)?;
        clap_mangen::generate_to(cli(), dir).map_err(failed)?;
    } else {
        let mut page = Vec::new();
        let rendered = Man::new(cli()).render(&mut page);
        rendered.map_err(|error| CommandError::failed("make the manual page", error))?;
        output.raw(&page)?;
    }
    Ok(ExitStatus::Success)
}
