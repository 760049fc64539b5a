//! What people have said of monitors, written on their behalf.

use jiff::Timestamp;
use portpulse_core::control::Control;
use portpulse_core::id::MonitorId;

use crate::codec;
use crate::error::Error;
use crate::keys;
use crate::store::{Store, Written, known};
use crate::table::{Condition, Put, Read, Table};

impl<T: Table> Store<T> {
    /// What people have said of a monitor, strongly consistent; nothing, where there is no item yet.
    ///
    /// # Errors
    /// When the table or the item cannot be read.
    pub async fn control(&self, monitor: &MonitorId) -> Result<Control, Error> {
        let key = keys::control(monitor);
        let item = self.table.get(&key.pk, &key.sk, Read::Strong).await?;
        Ok(known(key, item.as_ref(), codec::control::decode)?.unwrap_or_default())
    }

    /// Writes what people have said of a monitor, on condition that the item in place has the revision before its own.
    ///
    /// # Errors
    /// When the item in place cannot be read (it is left as it is), or it is not known whether this one is in place.
    pub async fn put_control(
        &self,
        monitor: &MonitorId,
        control: &Control,
        now: Timestamp,
    ) -> Result<Written, Error> {
        let key = keys::control(monitor);
        let item = codec::control::encode(&key, control, now);
        let condition = Condition::Revision(control.revision.saturating_sub(1));
        match self.put(key.clone(), item, condition).await? {
            Put::Done => Ok(Written::Done),
            Put::Refused { current } => {
                known(key, current.as_ref(), codec::control::decode)?;
                Ok(Written::Conflict)
            }
        }
    }
}
