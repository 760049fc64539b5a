//! Shared by `ack`, `silence` and `unsilence`: finds a monitor by its id and updates its silence and acknowledgement with
//! a conditional write.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portpulse_core::control::{Control, Note};
use portpulse_core::definition::near_misses;
use portpulse_core::group::GroupId;
use portpulse_core::id::MonitorId;
use portpulse_store::store::Written;

use crate::output::{CommandError, with_help};
use crate::table_access::OpenTable;

/// The maximum attempts of an update that conflicts with other writers.
const MAX_ATTEMPTS: u32 = 5;

/// The author of a silence or an acknowledgement.
#[derive(Debug, clap::Args)]
pub(crate) struct AuthorArgs {
    /// Your name, stored with the entry [default: $USER]
    #[arg(
        long,
        value_name = "NAME",
        env = "USER",
        default_value = "unknown",
        hide_default_value = true,
        hide_env = true
    )]
    by: String,
}

impl AuthorArgs {
    /// A note with this reason; it must be short and on one line.
    pub(crate) fn note(&self, why: Option<&str>, at: Timestamp) -> Result<Note, CommandError> {
        Note::new(&self.by, at, why).map_err(|error| CommandError::Usage {
            message: with_help(error, "use a short text without line breaks"),
        })
    }
}

/// Finds a monitor and its group by id, including disabled monitors and invalid definitions.
pub(crate) async fn find_monitor(table: &OpenTable, id: &str) -> Result<(MonitorId, GroupId), CommandError> {
    let all = table.store.all_stored_definitions(&BTreeMap::new()).await;
    let all = all.map_err(|error| CommandError::failed(format!("read the definitions of {table}"), error))?;
    let group = all.iter().find(|(_, definitions)| definitions.contains_key(id));
    if let (Some((group, _)), Ok(monitor)) = (group, id.parse()) {
        return Ok((monitor, *group));
    }
    let ids = all.values().flat_map(BTreeMap::keys).map(String::as_str);
    let help = match near_misses(id, ids).as_slice() {
        [] => "`portpulse status --json` lists all monitors".to_owned(),
        near => format!("similar ids: {}", near.join(", ")),
    };
    let id = id.escape_debug();
    let message = with_help(format_args!("monitor `{id}` does not exist in {table}"), help);
    Err(CommandError::Usage { message })
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
            Written::Done => return Ok(next),
            Written::Conflict => {}
        }
    }
    let source = with_help(
        "other writers changed it at the same time",
        "run the command again",
    );
    Err(CommandError::failed(format!("update {monitor}"), source))
}
