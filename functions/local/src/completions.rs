//! `portpulse completions`: prints the completion script of a shell.

use clap_complete::{Shell, generate};

use crate::output::{CommandError, Output};
use crate::{ExitStatus, cli};

const EXAMPLES: &str = "\
Examples:
  portpulse completions bash > ~/.local/share/bash-completion/completions/portpulse
  portpulse completions zsh > ~/.zfunc/_portpulse
  portpulse completions fish > ~/.config/fish/completions/portpulse.fish";

/// Print the completion script of a shell
///
/// Exit status: 0 printed, 2 invalid usage.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let mut script = Vec::new();
    generate(args.shell, &mut cli(), "portpulse", &mut script);
    output.raw(&script)?;
    Ok(ExitStatus::Success)
}
