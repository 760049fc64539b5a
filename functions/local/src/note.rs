//! `portpulse note`: adds an operator's note to an incident.

use portpulse_core::definition::Visibility;
use portpulse_core::group_state::IncidentId;
use portpulse_core::operator_note::OperatorNote;
use portpulse_core::time::parse_time;
use portpulse_history::view::IncidentView;
use serde_json::json;

use crate::ExitStatus;
use crate::control::AuthorArgs;
use crate::incident_list::{self, IncidentList};
use crate::output::{CommandError, Output};
use crate::overview::Overview;
use crate::table_access::{MissingData, OpenTable, TableArgs, with_table};

const EXAMPLES: &str = "\
Examples:
  portpulse note orders-db --text \"the disk is full, restoring from the replica\"
  portpulse note orders-db@2026-11-22T05:40:00Z.7 --text \"We are working on it.\" --public";

/// Add a note to an incident; incident pages and the API show it
///
/// The note is shown on private pages, with its author; with --public also on public pages, without the author.
///
/// Exit status: 0 added, 1 the monitor has no open incident, 2 invalid usage (such as an unknown incident) or an error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The id of the incident (ids are in notifications and in `portpulse incidents --json`), or of a monitor, for its latest
    /// open incident
    #[arg(value_name = "INCIDENT")]
    incident: String,

    /// The note, at most 500 bytes on one line
    #[arg(long, value_name = "TEXT")]
    text: String,

    /// Show the note on public pages too
    #[arg(long)]
    public: bool,

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
        let failed = |error| CommandError::failed(format!("update {table}"), error);
        let Some(incident) = args.find(table).await? else {
            output.line(format_args!("{} has no open incident.", args.incident))?;
            return Ok(ExitStatus::Failure);
        };
        let note = args.note(incident, table)?;
        if !table.store.put_operator_note(&note).await.map_err(failed)? {
            return Err(CommandError::usage("the incident has a note of the same time"));
        }
        let shown = match note.visibility {
            Visibility::Public => "on private and public pages",
            Visibility::Internal => "on private pages",
        };
        match args.json {
            true => output.json(&json!({
                "table": table.to_string(),
                "incident": note.incident.to_string(),
                "at": note.at.to_string(),
                "by": note.by(),
                "text": note.text(),
                "public": note.visibility == Visibility::Public,
            }))?,
            false => output.line(format_args!("Added a note to {}, shown {shown}.", note.incident))?,
        }
        Ok(ExitStatus::Success)
    })
}

impl Args {
    fn note(&self, incident: IncidentId, table: &OpenTable) -> Result<OperatorNote, CommandError> {
        let visibility = match self.public {
            true => Visibility::Public,
            false => Visibility::Internal,
        };
        let note = OperatorNote::new(incident, &self.author.name(), table.now(), &self.text, visibility);
        note.map_err(|error| CommandError::usage_with_help(error, "use a short text without line breaks"))
    }

    /// The incident that is named, or the latest open one of the monitor that is named; `None` if the monitor has none.
    async fn find(&self, table: &OpenTable) -> Result<Option<IncidentId>, CommandError> {
        let opened = self.incident.split_once('@');
        let opened = opened.and_then(|(_, rest)| parse_time(rest.split('.').next()?).ok());
        let overview = Overview::of_table(table).await?;
        let list = incident_list::read(&table.store, &overview, opened.unwrap_or(overview.now)).await;
        let IncidentList { entries, .. } =
            list.map_err(|error| CommandError::failed(format!("read {table}"), error))?;
        let id = |entry: &IncidentView| entry.id.clone();
        if let Some(named) = entries.iter().find(|entry| entry.id.to_string() == self.incident) {
            return Ok(Some(id(named)));
        }
        let is_defined = overview.snapshot.groups.values().any(|group| {
            let mut ids = group.definitions.monitors.keys();
            ids.any(|id| id.as_str() == self.incident)
        });
        let is_own =
            |entry: &&IncidentView| entry.closed.is_none() && entry.id.monitor.as_str() == self.incident;
        match is_defined {
            true => Ok(entries.iter().find(is_own).map(id)),
            false => Err(CommandError::usage_with_help(
                format_args!(
                    "there is no incident and no monitor {}",
                    self.incident.escape_debug()
                ),
                "`portpulse incidents --since 90d --json` lists the ids of incidents",
            )),
        }
    }
}
