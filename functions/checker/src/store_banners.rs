//! Stores the banners of services once an hour, for the status page and the CLI.
//!
//! Like rollups, this is one of the last steps of a tick, and no other step depends on it.

use std::collections::BTreeMap;

use portpulse_alert::Publish;
use portpulse_core::banners::{banners_seen, remembered};
use portpulse_core::group::GroupId;
use portpulse_core::id::MonitorId;
use portpulse_core::outcome::Outcome;
use portpulse_core::round::Definitions;
use portpulse_core::time::Tick;
use portpulse_store::table::Table;

use crate::Error;
use crate::checker::Checker;
use crate::deadline::Deadline;
use crate::probe::{Clock, Probe};

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Replaces the stored banners with those of a tick.
    ///
    /// # Errors
    /// If the outcome of the write is unknown, or no time is left. A tick of the next hour stores new banners.
    pub(crate) async fn store_banners(
        &self,
        group: GroupId,
        tick: Tick,
        definitions: &Definitions,
        outcomes: &BTreeMap<MonitorId, Outcome>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let Some(banners_seen) = banners_seen(outcomes, tick) else {
            return Ok(());
        };
        let late = || Error::NoTimeToStoreBanners { group };
        let failed = |source| Error::StoreBanners { group, source };
        self.time_left(deadline).ok_or_else(late)?;
        let before = self
            .store
            .banners_of(group, &self.location)
            .await
            .map_err(failed)?;
        let Some(banners) = remembered(before.as_ref(), tick, definitions, &self.location, banners_seen)
        else {
            return Ok(());
        };
        self.time_left(deadline).ok_or_else(late)?;
        let before = before.map(|before| before.tick);
        // After a conflict, another checker has stored banners of the same tick.
        let stored = self
            .store
            .put_banners(group, &self.location, before, &banners)
            .await;
        stored.map(drop).map_err(failed)
    }
}
