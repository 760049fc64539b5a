//! `portpulse silence`: holds a monitor's notifications back for a while.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portpulse_alert::lasting;
use portpulse_core::control::Silence;
use portpulse_core::time::{parse_duration, parse_time};
use serde_json::json;

use crate::ExitStatus;
use crate::control::{Speaker, change, find};
use crate::output::{Output, Stopped, clock_time};
use crate::place::{Fresh, Which, with_table};

const EXAMPLES: &str = "\
Examples:
  portpulse silence orders-db --for 2h --why \"new switch\"
  portpulse silence orders-db --until 2026-11-22T07:00:00Z --why \"new switch\" --table portpulse --region eu-west-1";

/// Hold a monitor's notifications back for a while; its checks go on
///
/// What is still bad when the silence ends is told then, and that an outage is over which was told before is told at
/// once. A new silence takes the place of an old one. It lasts 30 days at most.
///
/// Exit status: 0 done, 2 wrong usage (such as an unknown monitor), or it could not be done.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The monitor
    #[arg(value_name = "ID")]
    id: String,

    /// How long, such as 30m or 2h
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    #[arg(required_unless_present = "until", conflicts_with = "until")]
    length: Option<Duration>,

    /// Until when, such as 2026-11-22T07:00:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Timestamp>,

    /// Why: whoever looks later wants to know
    #[arg(long, value_name = "TEXT")]
    why: String,

    #[command(flatten)]
    speaker: Speaker,

    /// Write one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Which,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, Stopped> {
    with_table(&args.place, Fresh::Refused, async |table| {
        let now = table.now();
        let length = SignedDuration::try_from(args.length.unwrap_or_default()).unwrap_or(SignedDuration::MAX);
        let until = args
            .until
            .or_else(|| now.checked_add(length).ok())
            .unwrap_or(Timestamp::MAX);
        let note = args.speaker.note(Some(&args.why), now)?;
        let silence = Silence::new(until, note).map_err(|error| Stopped::Usage {
            complaint: format!("cannot silence {}: {error}", args.id.escape_debug()),
        })?;
        let (monitor, _) = find(table, &args.id).await?;
        change(table, &monitor, |control| Some(control.silenced(silence.clone()))).await?;
        output.line(if args.json {
            let note = &silence.note;
            json!({
                "table": table.to_string(), "monitor": monitor.as_str(), "silenced_until": until.to_string(),
                "by": note.by(), "at": note.at().to_string(), "why": note.why(),
            })
            .to_string()
        } else {
            let (end, length) = (clock_time(until), lasting(now, until));
            format!("{monitor} is silent until {end}, for {length}. `portpulse unsilence {monitor}` ends it.")
        })?;
        Ok(ExitStatus::Good)
    })
}
