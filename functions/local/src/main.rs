//! `portpulse`: the commands that one types. This file only reads the command line and ends with its status.

mod ack;
mod archive;
mod check;
mod control;
mod dir;
mod export;
mod folder;
mod history;
mod import;
mod incidents;
mod local;
mod output;
mod overview;
mod place;
mod plan_cost;
mod seed;
mod silence;
mod status;
mod table;
mod targets;
mod test_alert;
mod unsilence;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::{Output, Stopped};

/// Watches TCP ports: definitions validated, ports checked now, outages told.
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
        Err(stopped) => stopped.notify(),
    }
}

/// How a command that ran to its end found things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExitStatus {
    /// All is as it should be: exit status 0.
    Good,
    /// Something is not: exit status 1.
    Bad,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        match status {
            ExitStatus::Good => Self::SUCCESS,
            ExitStatus::Bad => Self::FAILURE,
        }
    }
}

impl Stopped {
    /// Says why the command stopped, once, and gives its exit status.
    fn notify(&self) -> ExitCode {
        match self {
            Self::NobodyReads => ExitCode::SUCCESS,
            // As a shell has it: 128 and the signal's number.
            Self::Interrupted => ExitCode::from(130),
            Self::Usage { .. } | Self::Output { .. } | Self::Unable { .. } => {
                output::describe_chain(self);
                ExitCode::from(2)
            }
        }
    }
}
