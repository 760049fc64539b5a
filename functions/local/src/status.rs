//! `portpulse status`: what is bad now.

mod findings;
mod shown;

use crate::ExitStatus;
use crate::output::{Output, Stopped, notify};
use crate::overview::Overview;
use crate::place::{Fresh, Which, with_table};
use findings::Findings;

pub(crate) use shown::cause;

const EXAMPLES: &str = "\
Examples:
  portpulse status
  portpulse status --table portpulse --region eu-west-1 --json";

/// Say what is bad now: monitors, locations, definitions; and what is silenced, acknowledged or in maintenance
///
/// The locations that the table lists count, or else those that have reported; how much was read is said on standard error.
///
/// Exit status: 0 all is well, 1 something is not, 2 wrong usage, or the table could not be read.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Write one JSON object, with all monitors
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Which,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, Stopped> {
    with_table(&args.place, Fresh::Refused, async |table| {
        let read = Overview::read(&table.store, table.now()).await;
        let overview = read.map_err(|error| Stopped::unable(format!("read {table}"), error))?;
        let findings = Findings::of(&overview);
        let lines = if args.json {
            vec![shown::json(&findings, &table.to_string())?]
        } else {
            shown::lines(&findings)
        };
        for line in lines {
            output.line(line)?;
        }
        notify(&format!("Read {} read units.", table.read_units()));
        Ok(if findings.is_well() {
            ExitStatus::Good
        } else {
            ExitStatus::Bad
        })
    })
}
