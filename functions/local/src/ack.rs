//! `portpulse ack`: acknowledges a monitor's open incidents, which stops their reminders.

use portpulse_alert::elapsed;
use portpulse_core::control::Acknowledgement;
use portpulse_core::group_state::{Incident, IncidentId};
use serde_json::json;

use crate::ExitStatus;
use crate::control::{AuthorArgs, find_monitor, update_control};
use crate::output::{CommandError, Output, clock_time};
use crate::table_access::{MissingData, TableArgs, with_table};

const EXAMPLES: &str = "\
Example:
  portpulse ack orders-db --why \"restoring from the replica\"";

/// Acknowledge a monitor's open incidents; stops their reminders and escalation
///
/// Recovery notifications are still sent. Incidents that open later send notifications and reminders as usual.
///
/// Exit status: 0 acknowledged, 1 the monitor has no open incident, 2 invalid usage (such as an unknown monitor) or an
/// error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The id of the monitor
    #[arg(value_name = "ID")]
    id: String,

    /// The reason, such as what is being done
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,

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
        let note = args.author.note(args.why.as_deref(), now)?;
        let (monitor, group) = find_monitor(table, &args.id).await?;
        let read = table.store.group_state(group).await;
        let read = read.map_err(|error| {
            CommandError::failed(format!("read the state of group {group} in {table}"), error)
        })?;
        if let Some(error) = read.unreadable.into_values().next() {
            return Err(CommandError::failed(
                format!("read the open incidents of {monitor}"),
                error,
            ));
        }
        let incidents = read.group_state.decision.incidents;
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
            update_control(table, &monitor, |control| {
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
            vec![format!("{monitor} has no open incident.")]
        } else {
            let line = |(id, incident): &(IncidentId, &Incident)| {
                let since = incident.since.timestamp();
                format!(
                    "Acknowledged {id} ({} since {}, {}). Reminders are stopped.",
                    incident.status,
                    clock_time(since),
                    elapsed(since, now),
                )
            };
            open.iter().map(line).collect()
        };
        for line in lines {
            output.line(line)?;
        }
        Ok(if ids.is_empty() {
            ExitStatus::Failure
        } else {
            ExitStatus::Success
        })
    })
}
