//! Reads and writes of silences and acknowledgements, one item for each monitor.

use jiff::Timestamp;
use portpulse_core::control::Control;
use portpulse_core::id::MonitorId;

use crate::codec;
use crate::error::Error;
use crate::keys;
use crate::store::{Store, Written, decode_current};
use crate::table::{Read, Table};

impl<T: Table> Store<T> {
    /// The silence and the acknowledgement of a monitor, strongly consistent; the default if there is no item.
    ///
    /// # Errors
    /// If the table or the item cannot be read.
    pub async fn control(&self, monitor: &MonitorId) -> Result<Control, Error> {
        let key = keys::control(monitor);
        let item = self.table.get(&key.pk, &key.sk, Read::Strong).await?;
        Ok(decode_current(key, item.as_ref(), codec::control::decode)?.unwrap_or_default())
    }

    /// Writes the control of a monitor if the item in place has the previous revision.
    ///
    /// # Errors
    /// If the item in place cannot be read (it stays unchanged), or the outcome of the write is unknown.
    pub async fn put_control(
        &self,
        monitor: &MonitorId,
        control: &Control,
        now: Timestamp,
    ) -> Result<Written, Error> {
        let key = keys::control(monitor);
        let item = codec::control::encode(&key, control, now);
        self.put_revision(key, item, control.revision, codec::control::decode)
            .await
    }
}
