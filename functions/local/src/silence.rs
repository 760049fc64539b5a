//! `portpulse silence`: holds back a monitor's notifications for a limited time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portpulse_alert::elapsed;
use portpulse_core::control::Silence;
use portpulse_core::time::{parse_duration, parse_time};
use serde_json::json;

use crate::ExitStatus;
use crate::control::{AuthorArgs, find_monitor, update_control};
use crate::output::{CommandError, Output, clock_time};
use crate::table_access::{MissingData, TableArgs, with_table};

const EXAMPLES: &str = "\
Examples:
  portpulse silence orders-db --for 2h --why \"new switch\"
  portpulse silence orders-db --until 2026-11-22T07:00:00Z --why \"new switch\" --table portpulse --region eu-west-1";

/// Silence a monitor: hold back its notifications for a limited time; checks continue
///
/// Problems that still exist when the silence ends are reported then. Recovery notifications of incidents that were
/// reported before are sent at once. A new silence replaces the current one. The maximum is 30 days.
///
/// Exit status: 0 silenced, 2 invalid usage (such as an unknown monitor) or an error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The id of the monitor
    #[arg(value_name = "ID")]
    id: String,

    /// The duration of the silence, such as 30m or 2h
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    #[arg(required_unless_present = "until", conflicts_with = "until")]
    length: Option<Duration>,

    /// The end of the silence, such as 2026-11-22T07:00:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Timestamp>,

    /// The reason
    #[arg(long, value_name = "TEXT")]
    why: String,

    #[command(flatten)]
    author: AuthorArgs,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    table_args: TableArgs,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    with_table(&args.table_args, MissingData::Refuse, async |table| {
        let now = table.now();
        let length = SignedDuration::try_from(args.length.unwrap_or_default()).unwrap_or(SignedDuration::MAX);
        let until = args
            .until
            .or_else(|| now.checked_add(length).ok())
            .unwrap_or(Timestamp::MAX);
        let note = args.author.note(Some(&args.why), now)?;
        let silence = Silence::new(until, note).map_err(|error| CommandError::Usage {
            message: format!("cannot silence {}: {error}", args.id.escape_debug()),
        })?;
        let (monitor, _) = find_monitor(table, &args.id).await?;
        update_control(table, &monitor, |control| Some(control.silenced(silence.clone()))).await?;
        output.line(if args.json {
            let note = &silence.note;
            json!({
                "table": table.to_string(), "monitor": monitor.as_str(), "silenced_until": until.to_string(),
                "by": note.by(), "at": note.at().to_string(), "why": note.why(),
            })
            .to_string()
        } else {
            let (end, length) = (clock_time(until), elapsed(now, until));
            format!("Silenced {monitor} until {end} ({length}). To end it: portpulse unsilence {monitor}")
        })?;
        Ok(ExitStatus::Success)
    })
}
