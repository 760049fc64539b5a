//! What people have said of a monitor: silenced, acknowledged.

use portpulse_core::board::Control;

use super::{begin, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::Item;

pub(crate) fn encode(key: &Key, control: &Control) -> Item {
    begin(key)
        .optional_text("silenced_until", control.silenced_until)
        .optional_text("acknowledged", control.acknowledged.as_ref())
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<Control, Malformed> {
    let fields = open(item)?;
    let silenced = fields
        .has("silenced_until")
        .then(|| fields.time("silenced_until"));
    let acknowledged = fields.has("acknowledged").then(|| fields.str("acknowledged"));
    Ok(Control {
        silenced_until: silenced.transpose()?,
        acknowledged: acknowledged.transpose()?.map(str::to_owned),
    })
}
