//! `portpulse status`: shows current problems.

mod render;
mod summary;

use crate::ExitStatus;
use crate::output::{CommandError, Output, print_note};
use crate::overview::Overview;
use crate::table_access::{MissingData, TableArgs, with_table};
pub(crate) use render::cause;
pub(crate) use summary::StatusSummary;

const EXAMPLES: &str = "\
Examples:
  portpulse status
  portpulse status --table portpulse --region eu-west-1 --json";

/// Show current problems of monitors, locations and definitions, and active silences, acknowledgements and maintenance
///
/// The consumed read units go to standard error.
///
/// Exit status: 0 no problems, 1 at least one problem, 2 invalid usage or an error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Print one JSON object with all monitors
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    table_args: TableArgs,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    with_table(&args.table_args, MissingData::Refuse, async |table| {
        let summary = StatusSummary::of(&Overview::of_table(table).await?);
        match args.json {
            true => output.json(&render::json(&summary, &table.to_string()))?,
            false => output.lines(render::lines(&summary))?,
        }
        print_note(&format!("Consumed read units: {}", table.read_units()));
        Ok(ExitStatus::success_if(summary.is_healthy()))
    })
}
