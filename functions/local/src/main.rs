//! `portpulse`, the command line interface: parses the arguments, runs one command and exits with its status.

mod ack;
mod agent;
mod check;
mod completions;
mod control;
mod data_dir;
mod definitions;
mod export;
mod history;
mod import;
mod incident_list;
mod incidents;
mod list;
mod local;
mod man;
mod monitor_selection;
mod note;
mod output;
mod overview;
mod plan;
mod private_dir;
mod report;
mod seed;
mod show;
mod silence;
mod status;
mod table_access;
mod target_args;
mod test_alert;
mod text_table;
mod unsilence;
mod validate;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use jiff::tz::TimeZone;

use output::{CommandError, Output};

/// Monitor TCP ports: validate definitions, check ports, run a local monitor, manage a deployed one
#[derive(Parser)]
#[command(name = "portpulse", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Show times in UTC instead of the time zone of this machine; JSON is always in UTC
    #[arg(long, global = true)]
    utc: bool,
}

#[derive(Subcommand)]
enum Command {
    Validate(validate::Args),
    Show(show::Args),
    Check(check::Args),
    Local(local::Args),
    Agent(agent::Args),
    Plan(plan::Args),
    Import(import::Args),
    Export(export::Args),
    Seed(seed::Args),
    Status(status::Args),
    List(list::Args),
    Incidents(incidents::Args),
    History(history::Args),
    Report(report::Args),
    Silence(silence::Args),
    Unsilence(unsilence::Args),
    Ack(ack::Args),
    Note(note::Args),
    TestAlert(test_alert::Args),
    Completions(completions::Args),
    Man(man::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    output::use_time_zone(if cli.utc {
        TimeZone::UTC
    } else {
        TimeZone::system()
    });
    let mut output = Output::new();
    let ended = match cli.command {
        Command::Validate(args) => validate::run(&args, &mut output),
        Command::Show(args) => show::run(&args, &mut output),
        Command::Check(args) => check::run(&args, &mut output),
        Command::Local(args) => local::run(&args, &mut output),
        Command::Agent(args) => agent::run(&args, &mut output),
        Command::Plan(args) => plan::run(&args, &mut output),
        Command::Import(args) => import::run(&args, &mut output),
        Command::Export(args) => export::run(&args, &mut output),
        Command::Seed(args) => seed::run(&args, &mut output),
        Command::Status(args) => status::run(&args, &mut output),
        Command::List(args) => list::run(&args, &mut output),
        Command::Incidents(args) => incidents::run(&args, &mut output),
        Command::History(args) => history::run(&args, &mut output),
        Command::Report(args) => report::run(&args, &mut output),
        Command::Silence(args) => silence::run(&args, &mut output),
        Command::Unsilence(args) => unsilence::run(&args, &mut output),
        Command::Ack(args) => ack::run(&args, &mut output),
        Command::Note(args) => note::run(&args, &mut output),
        Command::TestAlert(args) => test_alert::run(&args, &mut output),
        Command::Completions(args) => completions::run(&args, &mut output),
        Command::Man(args) => man::run(&args, &mut output),
    };
    match ended.and_then(|status| output.flush().map(|()| status)) {
        Ok(status) => status.into(),
        Err(error) => error.report(),
    }
}

/// The commands and their options.
fn cli() -> clap::Command {
    Cli::command()
}

/// The result of a command that completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExitStatus {
    /// Exit status 0.
    Success,
    /// Exit status 1: the command completed and found a problem.
    Failure,
}

impl ExitStatus {
    /// `Success` if the condition holds, otherwise `Failure`.
    const fn success_if(condition: bool) -> Self {
        if condition { Self::Success } else { Self::Failure }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        match status {
            ExitStatus::Success => Self::SUCCESS,
            ExitStatus::Failure => Self::FAILURE,
        }
    }
}

impl CommandError {
    /// Prints the error and returns the exit status.
    fn report(&self) -> ExitCode {
        match self {
            Self::OutputClosed => ExitCode::SUCCESS,
            // The convention of shells: 128 plus the signal's number.
            Self::Interrupted => ExitCode::from(130),
            Self::Usage { .. } | Self::Output { .. } | Self::Failed { .. } => {
                output::print_error(self);
                ExitCode::from(2)
            }
        }
    }
}
