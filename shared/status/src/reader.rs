//! Whoever reads what pages show: the history, in a table.

use std::collections::BTreeSet;

use jiff::Timestamp;
use portpulse_core::id::MonitorId;
use portpulse_core::period::Period;
use portpulse_history::Reader as History;
use portpulse_history::view::{Audience, MonitorPage, Overview};
use portpulse_store::Error;
use portpulse_store::table::{PagedQuery, Table};

/// Whoever reads what pages show.
#[expect(
    async_fn_in_trait,
    reason = "used through generics, where the concrete type tells whether its futures are Send"
)]
pub trait Reader {
    /// Why it could not.
    type Error;

    /// The ids of all monitors, by their definitions alone.
    ///
    /// # Errors
    /// When they cannot be read.
    async fn ids(&self) -> Result<BTreeSet<MonitorId>, Self::Error>;

    /// All monitors at a glance, with their incidents.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn overview(&self, audience: Audience, now: Timestamp) -> Result<Overview, Self::Error>;

    /// One monitor over time, the phases but the connect `since` an hour or a day; `None` if there is none of that id.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn monitor(
        &self,
        audience: Audience,
        id: &MonitorId,
        since: Period,
        now: Timestamp,
    ) -> Result<Option<MonitorPage>, Self::Error>;
}

impl<T: Table + PagedQuery> Reader for History<T> {
    type Error = Error;

    async fn ids(&self) -> Result<BTreeSet<MonitorId>, Error> {
        self.ids().await
    }

    async fn overview(&self, audience: Audience, now: Timestamp) -> Result<Overview, Error> {
        self.overview(audience, now).await
    }

    async fn monitor(
        &self,
        audience: Audience,
        id: &MonitorId,
        since: Period,
        now: Timestamp,
    ) -> Result<Option<MonitorPage>, Error> {
        self.monitor(audience, id, since, now).await
    }
}
