//! `portpulse list`: lists the monitors of a table.

use portpulse_core::group::GroupId;
use portpulse_core::group_state::Status;
use portpulse_core::id::MonitorId;
use portpulse_history::state::State;
use portpulse_store::definitions::StoredDefinition;
use serde_json::{Value, json};

use crate::ExitStatus;
use crate::monitor_selection::{SelectionArgs, definitions, refused, tags};
use crate::output::{CommandError, DIM, Output, monitor_title, state_style};
use crate::overview::Overview;
use crate::status::StatusSummary;
use crate::table_access::{MissingData, TableArgs, with_table};
use crate::text_table::{self, Cell};

const EXAMPLES: &str = "\
Examples:
  portpulse list
  portpulse list 'orders-*' --tag eu --json";

/// List monitors with their state, interval, target and tags
///
/// Exit status: 0 listed, 2 invalid usage (such as an unknown monitor) or an error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    selection: SelectionArgs,

    /// Print one JSON object per line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    table_args: TableArgs,
}

/// A monitor of the list.
struct Listed<'a> {
    id: MonitorId,
    /// Its status and state; `None` if it is not checked.
    found: Option<(Status, State)>,
    group: GroupId,
    definition: &'a StoredDefinition,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    with_table(&args.table_args, MissingData::Refuse, async |table| {
        let definitions = definitions(table).await?;
        let selected = args
            .selection
            .select(&definitions)
            .map_err(|problem| refused(table, &problem))?;
        let summary = StatusSummary::of(&Overview::of_table(table).await?);
        let listed = selected.into_iter().filter_map(|(id, group)| {
            Some(Listed {
                found: summary.monitors.get(&id).map(|found| (found.status, found.state)),
                definition: definitions.get(&group)?.get(id.as_str())?,
                id,
                group,
            })
        });
        if args.json {
            listed
                .map(|listed| listed.json())
                .try_for_each(|line| output.json(&line))?;
        } else {
            let rows: Vec<_> = listed.map(|listed| listed.row()).collect();
            if rows.is_empty() {
                output.line("No monitors are defined.")?;
            }
            output.lines(text_table::titled(
                &["MONITOR", "STATE", "EVERY", "TARGET", "TAGS"],
                rows,
            ))?;
        }
        Ok(ExitStatus::Success)
    })
}

impl Listed<'_> {
    /// An attribute of the definition, as text.
    fn attribute(&self, name: &str) -> Option<String> {
        let attribute = self.definition.attributes.as_ref().ok()?.get(name)?;
        Some(
            attribute
                .as_str()
                .map_or_else(|| attribute.to_string(), str::to_owned),
        )
    }

    /// The status and the state; why the monitor is not checked if it has none.
    fn status_and_state(&self) -> (&'static str, &'static str) {
        match (self.found, self.attribute("enabled").as_deref()) {
            (Some((status, state)), _) => (status.as_str(), state.as_str()),
            (None, Some("false")) => ("disabled", "disabled"),
            (None, _) => ("invalid", "invalid"),
        }
    }

    /// The host, and the port if the definition contains one; otherwise the service.
    fn target(&self) -> String {
        let port = self.attribute("port").or_else(|| self.attribute("service"));
        [self.attribute("host"), port]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(":")
    }

    fn row(&self) -> Vec<Cell> {
        let (_, state) = self.status_and_state();
        let style = self.found.map_or(DIM, |(_, state)| state_style(state));
        vec![
            Cell::new(monitor_title(&self.id, self.attribute("name").as_deref())),
            Cell::new(state).styled(style),
            Cell::new(self.group.interval.as_str()).right(),
            Cell::new(self.target()),
            Cell::new(tags(self.definition).collect::<Vec<_>>().join(", ")),
        ]
    }

    fn json(&self) -> Value {
        let (status, state) = self.status_and_state();
        json!({
            "monitor": self.id.as_str(),
            "name": self.attribute("name"),
            "group": self.attribute("group"),
            "status": status,
            "state": state,
            "interval": self.group.interval.as_str(),
            "target": self.target(),
            "tags": tags(self.definition).collect::<Vec<_>>(),
        })
    }
}
