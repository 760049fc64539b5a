//! The source of the data that pages show.

use std::collections::BTreeSet;

use jiff::Timestamp;
use portpulse_core::id::MonitorId;
use portpulse_history::report::{Month, Report};
use portpulse_history::view::{Audience, MonitorPage, Overview};
use portpulse_history::{Detail, Reader as History};
use portpulse_store::Error;
use portpulse_store::table::{PagedQuery, Table};

/// Reads the data that pages show.
#[expect(
    async_fn_in_trait,
    reason = "used through generics, where the concrete type determines whether its futures are Send"
)]
pub trait PageReader {
    /// The error of a failed read.
    type Error;

    /// The ids of all defined monitors.
    ///
    /// # Errors
    /// If the table cannot be read.
    async fn ids(&self) -> Result<BTreeSet<MonitorId>, Self::Error>;

    /// All monitors with their incidents.
    ///
    /// # Errors
    /// If the table cannot be read.
    async fn overview(&self, audience: Audience, now: Timestamp) -> Result<Overview, Self::Error>;

    /// The report of a month.
    ///
    /// # Errors
    /// If the table cannot be read.
    async fn report(&self, audience: Audience, month: Month, now: Timestamp) -> Result<Report, Self::Error>;

    /// One monitor with its history; `None` if the id is unknown. `detail` is for a private audience.
    ///
    /// # Errors
    /// If the table cannot be read.
    async fn monitor(
        &self,
        audience: Audience,
        id: &MonitorId,
        detail: Detail,
        now: Timestamp,
    ) -> Result<Option<MonitorPage>, Self::Error>;
}

impl<T: Table + PagedQuery> PageReader for History<T> {
    type Error = Error;

    async fn ids(&self) -> Result<BTreeSet<MonitorId>, Error> {
        self.ids().await
    }

    async fn overview(&self, audience: Audience, now: Timestamp) -> Result<Overview, Error> {
        self.overview(audience, now).await
    }

    async fn report(&self, audience: Audience, month: Month, now: Timestamp) -> Result<Report, Error> {
        self.report(month, audience, None, now).await
    }

    async fn monitor(
        &self,
        audience: Audience,
        id: &MonitorId,
        detail: Detail,
        now: Timestamp,
    ) -> Result<Option<MonitorPage>, Error> {
        self.monitor(audience, id, detail, now).await
    }
}
