//! What people say of one monitor, brought to its table: the monitor found by its id, its control changed and not
//! overwritten.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portpulse_core::control::{Control, Note};
use portpulse_core::definition::near_misses;
use portpulse_core::group::GroupId;
use portpulse_core::id::MonitorId;
use portpulse_store::store::Written;

use crate::output::Stopped;
use crate::place::Opened;

/// How often a change is tried again when somebody else writes at the same time.
const ATTEMPTS: u32 = 5;

/// Who says something, and why.
#[derive(Debug, clap::Args)]
pub(crate) struct Speaker {
    /// Who says so
    #[arg(
        long,
        value_name = "NAME",
        env = "USER",
        default_value = "somebody",
        hide_env = true
    )]
    by: String,
}

impl Speaker {
    /// The words, if they are few and on one line.
    pub(crate) fn note(&self, why: Option<&str>, at: Timestamp) -> Result<Note, Stopped> {
        Note::new(&self.by, at, why).map_err(|error| Stopped::Usage {
            complaint: format!("{error} (say it in a few words, on one line)"),
        })
    }
}

/// The monitor of this id and the group that it stands in, broken and disabled ones too.
pub(crate) async fn find(table: &Opened, id: &str) -> Result<(MonitorId, GroupId), Stopped> {
    let all = table.store.all_standing_definitions(&BTreeMap::new()).await;
    let all = all.map_err(|error| Stopped::unable(format!("read the definitions of {table}"), error))?;
    let group = all.iter().find(|(_, definitions)| definitions.contains_key(id));
    if let (Some((group, _)), Ok(monitor)) = (group, id.parse()) {
        return Ok((monitor, *group));
    }
    let ids = all.values().flat_map(BTreeMap::keys).map(String::as_str);
    let help = match near_misses(id, ids).as_slice() {
        [] => "`portpulse status --json` lists those there are".to_owned(),
        near => format!("did you mean {}?", near.join(", ")),
    };
    let id = id.escape_debug();
    let complaint = format!("there is no monitor `{id}` in {table} ({help})");
    Err(Stopped::Usage { complaint })
}

/// Changes what people have said of a monitor, unless `next` says that nothing is to change; what stands then.
pub(crate) async fn change(
    table: &Opened,
    monitor: &MonitorId,
    next: impl Fn(&Control) -> Option<Control>,
) -> Result<Control, Stopped> {
    let unable = |error| Stopped::unable(format!("change the control of {monitor} in {table}"), error);
    for _ in 0..ATTEMPTS {
        let control = table.store.control(monitor).await.map_err(unable)?;
        let Some(next) = next(&control) else {
            return Ok(control);
        };
        let written = table.store.put_control(monitor, &next, table.now()).await;
        match written.map_err(unable)? {
            Written::Done => return Ok(next),
            Written::Conflict => {}
        }
    }
    let what = format!("change the control of {monitor}");
    Err(Stopped::unable(what, "others keep changing it (try again)"))
}
