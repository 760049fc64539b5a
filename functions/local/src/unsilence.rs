//! `portpulse unsilence`: lets a monitor's notifications go out again.

use serde_json::json;

use crate::ExitStatus;
use crate::control::{change, find};
use crate::output::{Output, Stopped};
use crate::place::{Fresh, Which, with_table};

const EXAMPLES: &str = "\
Example:
  portpulse unsilence orders-db";

/// Let a silenced monitor's notifications go out again; what is bad is told at its next tick
///
/// Exit status: 0 it is not silenced (any more), 2 wrong usage (such as an unknown monitor), or it could not be done.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The monitor
    #[arg(value_name = "ID")]
    id: String,

    /// Write one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Which,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, Stopped> {
    with_table(&args.place, Fresh::Refused, async |table| {
        let (monitor, _) = find(table, &args.id).await?;
        let now = table.now();
        let before = table.store.control(&monitor).await;
        let before =
            before.map_err(|error| Stopped::unable(format!("read the controls of {table}"), error))?;
        let ended = before.is_silenced(now);
        change(table, &monitor, |control| {
            control.silence.is_some().then(|| control.unsilenced())
        })
        .await?;
        output.line(if args.json {
            json!({ "table": table.to_string(), "monitor": monitor.as_str(), "ended": ended }).to_string()
        } else if ended {
            format!("{monitor} is silent no more.")
        } else {
            format!("{monitor} was not silenced.")
        })?;
        Ok(ExitStatus::Good)
    })
}
