//! `portpulse unsilence`: ends the silences of monitors.

use serde_json::json;

use crate::ExitStatus;
use crate::control::update_control;
use crate::monitor_selection::ControlSelectionArgs;
use crate::output::{CommandError, Output};
use crate::table_access::{MissingData, TableArgs, with_table};

const EXAMPLES: &str = "\
Examples:
  portpulse unsilence orders-db
  portpulse unsilence --all";

/// End the silences of monitors; existing problems are reported after the next check
///
/// Exit status: 0 the monitors are not silenced, 2 invalid usage (such as an unknown monitor) or an error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    selection: ControlSelectionArgs,

    /// Print one JSON object for each monitor
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    table_args: TableArgs,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    with_table(&args.table_args, MissingData::Refuse, async |table| {
        let now = table.now();
        for monitor in args.selection.read(table).await?.keys() {
            let before = table.store.control(monitor).await.map_err(|error| {
                CommandError::failed(format!("read the silence of {monitor} in {table}"), error)
            })?;
            let ended = before.is_silenced(now);
            update_control(table, monitor, |control| {
                control.silence.is_some().then(|| control.unsilenced())
            })
            .await?;
            let table = table.to_string();
            match (args.json, ended) {
                (true, _) => {
                    output.json(&json!({ "table": table, "monitor": monitor.as_str(), "ended": ended }))?;
                }
                (false, true) => output.line(format_args!("Ended the silence of {monitor}."))?,
                (false, false) => output.line(format_args!("{monitor} was not silenced."))?,
            }
        }
        Ok(ExitStatus::Success)
    })
}
