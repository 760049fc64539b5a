//! `portpulse unsilence`: ends the silence of a monitor.

use serde_json::json;

use crate::ExitStatus;
use crate::control::{find_monitor, update_control};
use crate::output::{CommandError, Output};
use crate::table_access::{MissingData, TableArgs, with_table};

const EXAMPLES: &str = "\
Example:
  portpulse unsilence orders-db";

/// End the silence of a monitor; existing problems are reported after its next check
///
/// Exit status: 0 the monitor is not silenced, 2 invalid usage (such as an unknown monitor) or an error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The id of the monitor
    #[arg(value_name = "ID")]
    id: String,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    table_args: TableArgs,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    with_table(&args.table_args, MissingData::Refuse, async |table| {
        let (monitor, _) = find_monitor(table, &args.id).await?;
        let now = table.now();
        let before = table.store.control(&monitor).await;
        let before = before.map_err(|error| {
            CommandError::failed(format!("read the silence of {monitor} in {table}"), error)
        })?;
        let ended = before.is_silenced(now);
        update_control(table, &monitor, |control| {
            control.silence.is_some().then(|| control.unsilenced())
        })
        .await?;
        output.line(if args.json {
            json!({ "table": table.to_string(), "monitor": monitor.as_str(), "ended": ended }).to_string()
        } else if ended {
            format!("Ended the silence of {monitor}.")
        } else {
            format!("{monitor} was not silenced.")
        })?;
        Ok(ExitStatus::Success)
    })
}
