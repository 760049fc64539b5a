//! `portpulse silence`: holds back the notifications of monitors for a limited time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portpulse_alert::elapsed;
use portpulse_core::control::Silence;
use portpulse_core::time::{parse_duration, parse_time};
use serde_json::json;

use crate::ExitStatus;
use crate::control::{AuthorArgs, note_json, update_control};
use crate::monitor_selection::ControlSelectionArgs;
use crate::output::{CommandError, Output, clock_time};
use crate::table_access::{MissingData, TableArgs, with_table};

const EXAMPLES: &str = "\
Examples:
  portpulse silence orders-db --for 2h --reason \"new switch\"
  portpulse silence 'orders-*' --tag eu --for 2h --reason \"new switch\"
  portpulse silence --all --until 2026-11-22T07:00:00Z --reason \"new switch\" --table portpulse --region eu-west-1";

/// Silence monitors: hold back their notifications for a limited time; checks continue
///
/// Problems that still exist when the silence ends are reported then. Recovery notifications of incidents that were
/// reported before are sent at once. A new silence replaces the current one. The maximum is 30 days.
///
/// Exit status: 0 silenced, 2 invalid usage (such as an unknown monitor) or an error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    selection: ControlSelectionArgs,

    /// The duration of the silence, such as 30m or 2h
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    #[arg(required_unless_present = "until", conflicts_with = "until")]
    length: Option<Duration>,

    /// The end of the silence, such as 2026-11-22T07:00:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Timestamp>,

    /// The reason
    #[arg(long, value_name = "TEXT")]
    reason: String,

    #[command(flatten)]
    author: AuthorArgs,

    /// Print one JSON object for each monitor
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    table_args: TableArgs,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    with_table(&args.table_args, MissingData::Refuse, async |table| {
        let now = table.now();
        let silence = args.silence(now)?;
        for monitor in args.selection.read(table).await?.keys() {
            update_control(table, monitor, |control| Some(control.silenced(silence.clone()))).await?;
            let until = silence.until;
            if args.json {
                let mut json = note_json(&silence.note);
                json.insert("table".to_owned(), json!(table.to_string()));
                json.insert("monitor".to_owned(), json!(monitor.as_str()));
                json.insert("silenced_until".to_owned(), json!(until.to_string()));
                output.json(&json)?;
            } else {
                let (end, length) = (clock_time(until), elapsed(now, until));
                output.line(format_args!(
                    "Silenced {monitor} until {end} ({length}). To end it: portpulse unsilence {monitor}"
                ))?;
            }
        }
        Ok(ExitStatus::Success)
    })
}

impl Args {
    fn silence(&self, now: Timestamp) -> Result<Silence, CommandError> {
        let length = SignedDuration::try_from(self.length.unwrap_or_default()).unwrap_or(SignedDuration::MAX);
        let until = self.until.or_else(|| now.checked_add(length).ok());
        let note = self.author.note(Some(&self.reason), now)?;
        Silence::new(until.unwrap_or(Timestamp::MAX), note)
            .map_err(|error| CommandError::usage(format!("cannot silence: {error}")))
    }
}
