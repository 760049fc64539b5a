//! `portpulse ack`: somebody is at work on a monitor's open incidents, and needs no more reminders.

use portpulse_alert::lasting;
use portpulse_core::control::Acknowledgement;
use portpulse_core::group_state::{Incident, IncidentId};
use serde_json::json;

use crate::ExitStatus;
use crate::control::{Speaker, change, find};
use crate::output::{Output, Stopped, clock_time};
use crate::place::{Fresh, Which, with_table};

const EXAMPLES: &str = "\
Example:
  portpulse ack orders-db --why \"restoring from the replica\"";

/// Say that you are at work on a monitor's open incident: no more reminders of it
///
/// That it is over is told all the same. An incident that opens later is told, and reminded of, anew.
///
/// Exit status: 0 done, 1 no incident is open, 2 wrong usage (such as an unknown monitor), or it could not be done.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The monitor
    #[arg(value_name = "ID")]
    id: String,

    /// What is being done
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,

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
        let note = args.speaker.note(args.why.as_deref(), now)?;
        let (monitor, group) = find(table, &args.id).await?;
        let read = table.store.group_state(group).await;
        let read =
            read.map_err(|error| Stopped::unable(format!("read the board of {group} in {table}"), error))?;
        if let Some(error) = read.unreadable.into_values().next() {
            return Err(Stopped::unable(format!("tell what is open of {monitor}"), error));
        }
        let incidents = read.group_state.status.incidents;
        let open: Vec<(IncidentId, &Incident)> = incidents
            .iter()
            .filter(|((id, _), _)| *id == monitor)
            .map(|((id, track), incident)| (incident.id(id, *track), incident))
            .collect();
        let ids: Vec<_> = open.iter().map(|(id, _)| id.to_string()).collect();
        if !ids.is_empty() {
            let acknowledgement = Acknowledgement {
                incidents: ids.iter().cloned().collect(),
                note: note.clone(),
            };
            change(table, &monitor, |control| {
                Some(control.acknowledged(acknowledgement.clone()))
            })
            .await?;
        }
        let lines = if args.json {
            let (table, monitor) = (table.to_string(), monitor.as_str());
            let (by, at, why) = (note.by(), note.at().to_string(), note.why());
            vec![
                json!({
                    "table": table, "monitor": monitor, "acknowledged": ids, "by": by, "at": at, "why": why,
                })
                .to_string(),
            ]
        } else if open.is_empty() {
            vec![format!(
                "{monitor} has no open incident: there is nothing to acknowledge."
            )]
        } else {
            let line = |(id, incident): &(IncidentId, &Incident)| {
                let since = incident.since.timestamp();
                format!(
                    "Acknowledged {id}: {} since {}, for {}. No more reminders of it.",
                    incident.status,
                    clock_time(since),
                    lasting(since, now),
                )
            };
            open.iter().map(line).collect()
        };
        for line in lines {
            output.line(line)?;
        }
        Ok(if ids.is_empty() {
            ExitStatus::Bad
        } else {
            ExitStatus::Good
        })
    })
}
