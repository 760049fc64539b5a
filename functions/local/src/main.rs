//! `portpulse`, the command line interface: parses the arguments, runs one command and exits with its status.

mod ack;
mod check;
mod control;
mod data_dir;
mod export;
mod history;
mod import;
mod incident_list;
mod incidents;
mod local;
mod output;
mod overview;
mod plan_cost;
mod private_dir;
mod seed;
mod silence;
mod status;
mod table_access;
mod target_args;
mod test_alert;
mod text_table;
mod unsilence;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::{CommandError, Output};

/// Monitor TCP ports: validate definitions, check ports, run a local monitor, manage a deployed one
#[derive(Parser)]
#[command(name = "portpulse", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Validate(validate::Args),
    Check(check::Args),
    Local(local::Args),
    PlanCost(plan_cost::Args),
    Import(import::Args),
    Export(export::Args),
    Seed(seed::Args),
    Status(status::Args),
    Incidents(incidents::Args),
    History(history::Args),
    Silence(silence::Args),
    Unsilence(unsilence::Args),
    Ack(ack::Args),
    TestAlert(test_alert::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut output = Output::new();
    let ended = match cli.command {
        Command::Validate(args) => validate::run(&args, &mut output),
        Command::Check(args) => check::run(&args, &mut output),
        Command::Local(args) => local::run(&args, &mut output),
        Command::PlanCost(args) => plan_cost::run(&args, &mut output),
        Command::Import(args) => import::run(&args, &mut output),
        Command::Export(args) => export::run(&args, &mut output),
        Command::Seed(args) => seed::run(&args, &mut output),
        Command::Status(args) => status::run(&args, &mut output),
        Command::Incidents(args) => incidents::run(&args, &mut output),
        Command::History(args) => history::run(&args, &mut output),
        Command::Silence(args) => silence::run(&args, &mut output),
        Command::Unsilence(args) => unsilence::run(&args, &mut output),
        Command::Ack(args) => ack::run(&args, &mut output),
        Command::TestAlert(args) => test_alert::run(&args, &mut output),
    };
    match ended.and_then(|status| output.flush().map(|()| status)) {
        Ok(status) => status.into(),
        Err(error) => error.report(),
    }
}

/// The result of a command that completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExitStatus {
    /// Exit status 0.
    Success,
    /// Exit status 1: the command completed and found a problem.
    Failure,
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
