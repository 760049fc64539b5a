//! `portpulse ack`: acknowledges the open incidents of monitors, which stops their reminders.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_alert::elapsed;
use portpulse_core::control::{Acknowledgement, Note};
use portpulse_core::group_state::{Incident, IncidentId};
use portpulse_core::id::MonitorId;
use serde_json::json;

use crate::ExitStatus;
use crate::control::{AuthorArgs, note_json, update_control};
use crate::monitor_selection::{ControlSelectionArgs, Selected};
use crate::output::{CommandError, Output, clock_time};
use crate::table_access::{MissingData, OpenTable, TableArgs, with_table};

const EXAMPLES: &str = "\
Examples:
  portpulse ack orders-db --reason \"restoring from the replica\"
  portpulse ack --all";

/// Acknowledge the open incidents of monitors; stops their reminders and escalation
///
/// Recovery notifications are still sent. Incidents that open later send notifications and reminders as usual.
///
/// Exit status: 0 acknowledged, 1 there is no open incident, 2 invalid usage (such as an unknown monitor) or an error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    selection: ControlSelectionArgs,

    /// The reason, such as what is being done
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

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
        let note = args.author.note(args.reason.as_deref(), table.now())?;
        let selected = args.selection.read(table).await?;
        let open = open_incidents(table, &selected).await?;
        for monitor in selected.keys() {
            let none = BTreeMap::new();
            let incidents = open.get(monitor).unwrap_or(&none);
            let ids: BTreeSet<_> = incidents.keys().map(ToString::to_string).collect();
            if !ids.is_empty() {
                acknowledge(table, monitor, &ids, &note).await?;
            }
            if args.json {
                let mut json = note_json(&note);
                json.insert("table".to_owned(), json!(table.to_string()));
                json.insert("monitor".to_owned(), json!(monitor.as_str()));
                json.insert("acknowledged".to_owned(), json!(ids));
                output.json(&json)?;
            } else if incidents.is_empty() && selected.len() == 1 {
                output.line(format_args!("{monitor} has no open incident."))?;
            } else {
                output.lines(incidents.iter().map(|(id, incident)| line(id, incident, &note)))?;
            }
        }
        if open.is_empty() && selected.len() > 1 && !args.json {
            output.line("None of the monitors has an open incident.")?;
        }
        Ok(ExitStatus::success_if(!open.is_empty()))
    })
}

type OpenIncidents = BTreeMap<MonitorId, BTreeMap<IncidentId, Incident>>;

/// The open incidents of the selected monitors.
async fn open_incidents(table: &OpenTable, selected: &Selected) -> Result<OpenIncidents, CommandError> {
    let mut open = OpenIncidents::new();
    let groups: BTreeSet<_> = selected.values().copied().collect();
    for group in groups {
        let what = || format!("read the open incidents of {table}");
        let read = table.store.group_state(group).await;
        let read = read.map_err(|error| CommandError::failed(what(), error))?;
        if let Some(error) = read.unreadable.into_values().next() {
            return Err(CommandError::failed(what(), error));
        }
        for ((monitor, track), incident) in read.group_state.decision.incidents {
            if selected.contains_key(&monitor) {
                let id = incident.id(&monitor, track);
                open.entry(monitor).or_default().insert(id, incident);
            }
        }
    }
    Ok(open)
}

async fn acknowledge(
    table: &OpenTable,
    monitor: &MonitorId,
    ids: &BTreeSet<String>,
    note: &Note,
) -> Result<(), CommandError> {
    let acknowledgement = Acknowledgement {
        incidents: ids.clone(),
        note: note.clone(),
    };
    let next = update_control(table, monitor, |control| {
        Some(control.acknowledged(acknowledgement.clone()))
    });
    next.await.map(drop)
}

fn line(id: &IncidentId, incident: &Incident, note: &Note) -> String {
    let since = incident.since.timestamp();
    format!(
        "Acknowledged {id} ({} since {}, {}). Reminders are stopped.",
        incident.status,
        clock_time(since),
        elapsed(since, note.at()),
    )
}
