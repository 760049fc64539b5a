//! The standby table: copies of decisions and controls, and what locations record while they cannot reach home.

use jiff::Timestamp;
use portpulse_core::control::Control;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::DecisionState;
use portpulse_core::home_loss::{HomeFailures, HomeLoss};
use portpulse_core::id::{Location, MonitorId};

use crate::codec;
use crate::error::Error;
use crate::keys;
use crate::store::{Store, Written, decode_current};
use crate::table::{Condition, Read, Table};

/// Where the standby table is, as the home table names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandbyTable {
    /// The AWS region.
    pub region: String,
    /// The name of the table.
    pub table: String,
}

impl<T: Table> Store<T> {
    /// The standby table of this home table; `None` without one.
    ///
    /// # Errors
    /// If the table or the item cannot be read.
    pub async fn standby(&self) -> Result<Option<StandbyTable>, Error> {
        let key = keys::standby();
        let item = self.table().get(&key.pk, &key.sk, Read::Eventual).await?;
        decode_current(key, item.as_ref(), codec::standby::decode)
    }

    /// Copies a decision state from home, unless the copy in place is as new.
    ///
    /// # Errors
    /// If the outcome of the write is unknown.
    pub async fn copy_decision(&self, group: GroupId, state: &DecisionState) -> Result<(), Error> {
        let key = keys::decision_state(group);
        let item = codec::decision_state::encode(&key, state);
        self.put(key, item, Condition::Before(state.revision)).await?;
        Ok(())
    }

    /// Copies the control of a monitor from home, unless the copy in place is as new.
    ///
    /// # Errors
    /// If the outcome of the write is unknown.
    pub async fn copy_control(
        &self,
        monitor: &MonitorId,
        control: &Control,
        now: Timestamp,
    ) -> Result<(), Error> {
        let key = keys::control(monitor);
        let item = codec::control::encode(&key, control, now);
        self.put(key, item, Condition::Before(control.revision)).await?;
        Ok(())
    }

    /// The failures of a location to reach home, strongly consistent.
    ///
    /// # Errors
    /// If the table or the item cannot be read.
    pub async fn home_failures(
        &self,
        group: GroupId,
        location: &Location,
    ) -> Result<Option<HomeFailures>, Error> {
        let key = keys::home_failures(group, location);
        let item = self.table().get(&key.pk, &key.sk, Read::Strong).await?;
        decode_current(key, item.as_ref(), codec::home_failures::decode)
    }

    /// Replaces the failures of a location to reach home. Writers of one tick write the same.
    ///
    /// # Errors
    /// If the outcome of the write is unknown.
    pub async fn put_home_failures(
        &self,
        group: GroupId,
        location: &Location,
        failures: &HomeFailures,
    ) -> Result<(), Error> {
        let key = keys::home_failures(group, location);
        let item = codec::home_failures::encode(&key, failures);
        self.put(key, item, Condition::Always).await?;
        Ok(())
    }

    /// The loss of home, strongly consistent; the default if there is no item.
    ///
    /// # Errors
    /// If the table or the item cannot be read.
    pub async fn home_loss(&self) -> Result<HomeLoss, Error> {
        let key = keys::home_loss();
        let item = self.table().get(&key.pk, &key.sk, Read::Strong).await?;
        Ok(decode_current(key, item.as_ref(), codec::home_loss::decode)?.unwrap_or_default())
    }

    /// Writes the loss of home if the one in place has the previous revision.
    ///
    /// # Errors
    /// As for [`Store::put_location_state`].
    pub async fn put_home_loss(&self, loss: &HomeLoss) -> Result<Written, Error> {
        let key = keys::home_loss();
        let item = codec::home_loss::encode(&key, loss);
        self.put_revision(key, item, loss.revision, codec::home_loss::decode)
            .await
    }
}
