//! Shared by `ack`, `silence`, `unsilence` and `note`: the author, and conditional writes of silences and acknowledgements.

use jiff::Timestamp;
use portpulse_core::control::{Control, Note};
use portpulse_core::id::MonitorId;
use portpulse_store::chain;
use portpulse_store::store::Written;
use serde_json::{Map, Value, json};

use crate::output::{CommandError, print_note, with_help};
use crate::table_access::OpenTable;

/// The maximum attempts of an update that conflicts with other writers.
const MAX_ATTEMPTS: u32 = 5;

/// The author of a silence or an acknowledgement.
#[derive(Debug, clap::Args)]
pub(crate) struct AuthorArgs {
    /// Your name, stored with the entry [default: $USER, or the name of the user of this process]
    #[arg(long, value_name = "NAME", env = "USER", hide_env = true)]
    by: Option<String>,
}

impl AuthorArgs {
    /// The author's name.
    pub(crate) fn name(&self) -> String {
        let by = self.by.clone().filter(|name| !name.is_empty());
        let by = by.or_else(|| whoami::username().ok());
        by.unwrap_or_else(|| "unknown".to_owned())
    }

    /// A note with this reason; it must be short and on one line.
    pub(crate) fn note(&self, reason: Option<&str>, at: Timestamp) -> Result<Note, CommandError> {
        let note = Note::new(&self.name(), at, reason);
        note.map_err(|error| CommandError::usage_with_help(error, "use a short text without line breaks"))
    }
}

/// Author, time and reason of a silence or an acknowledgement, as JSON fields.
pub(crate) fn note_json(note: &Note) -> Map<String, Value> {
    let fields = [
        ("by", json!(note.by())),
        ("at", json!(note.at().to_string())),
        ("reason", json!(note.why())),
    ];
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Replaces a monitor's control with the result of `next`, or leaves it if that is `None`. Returns the stored control.
pub(crate) async fn update_control(
    table: &OpenTable,
    monitor: &MonitorId,
    next: impl Fn(&Control) -> Option<Control>,
) -> Result<Control, CommandError> {
    let failed = |error| CommandError::failed(format!("update {monitor} in {table}"), error);
    for _ in 0..MAX_ATTEMPTS {
        let control = table.store.control(monitor).await.map_err(failed)?;
        let Some(next) = next(&control) else {
            return Ok(control);
        };
        let written = table.store.put_control(monitor, &next, table.now()).await;
        match written.map_err(failed)? {
            Written::Done => {
                copy_control(table, monitor, &next).await;
                return Ok(next);
            }
            Written::Conflict => {}
        }
    }
    let source = with_help(
        "other writers changed it at the same time",
        "run the command again",
    );
    Err(CommandError::failed(format!("update {monitor}"), source))
}

/// Copies a control to the standby region, if there is one. The control counts without its copy.
async fn copy_control(table: &OpenTable, monitor: &MonitorId, control: &Control) {
    let failed = match table.standby().await {
        Ok(None) => return,
        Ok(Some(standby)) => {
            let copied = standby.copy_control(monitor, control, table.now()).await;
            copied.map_err(|error| ("but not its copy in the standby region", error))
        }
        Err(error) => Err((
            "but the table does not say whether a standby region needs a copy",
            error,
        )),
    };
    if let Err((what, error)) = failed {
        print_note(&format!(
            "Warning: {monitor} is updated, {what}: {}",
            chain(&error)
        ));
    }
}
