//! What tools write on people's behalf: definitions and controls.

use std::collections::BTreeSet;

use portpulse_core::board::Control;
use portpulse_core::group::GroupId;
use portpulse_core::id::MonitorId;
use serde_json::{Map, Value};

use crate::codec;
use crate::error::Error;
use crate::keys::{self, SK};
use crate::store::Store;
use crate::table::{Condition, Delete, Read, Table};

impl<T: Table> Store<T> {
    /// The ids of a group's definitions, readable or not, disabled or not.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list_definitions(&self, group: GroupId) -> Result<BTreeSet<String>, Error> {
        let items = self.table.query(&keys::definitions(group), Read::Strong).await?;
        let ids = items.iter().filter_map(|item| item.get(SK)?.as_s().ok());
        Ok(ids.cloned().collect())
    }

    /// Writes a definition as it is, over any that is there. Nothing is checked: checkers name what is wrong.
    ///
    /// # Errors
    /// When the item is too large, or it is not known whether it is in place.
    pub async fn put_definition(
        &self,
        group: GroupId,
        id: &str,
        attributes: &Map<String, Value>,
    ) -> Result<(), Error> {
        let key = keys::definition(group, id);
        let item = codec::definition::encode(&key, attributes);
        self.put(key, item, Condition::Always).await?;
        Ok(())
    }

    /// Writes what people have said of a monitor.
    ///
    /// # Errors
    /// When it is not known whether it is in place.
    pub async fn put_control(&self, monitor: &MonitorId, control: &Control) -> Result<(), Error> {
        let key = keys::control(monitor);
        let item = codec::control::encode(&key, control);
        self.put(key, item, Condition::Always).await?;
        Ok(())
    }
}

impl<T: Delete> Store<T> {
    /// Deletes a definition, whatever it says; one that is not there is no error.
    ///
    /// # Errors
    /// When it is not known whether it is gone.
    pub async fn delete_definition(&self, group: GroupId, id: &str) -> Result<(), Error> {
        let key = keys::definition(group, id);
        Ok(self.table.delete(&key.pk, &key.sk).await?)
    }
}
