//! Keeping what services say of themselves: their last words, once an hour, for those who look.
//!
//! Like summing up it comes last in a tick, and nothing waits for it.

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
use crate::probe::{Clock, Probe};
use crate::roll_up::Deadline;
use crate::tick::Checker;

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Keeps what was said in a tick, in the place of what was said before.
    ///
    /// # Errors
    /// When it is not known whether it is kept, or the time is up. The first tick of the next hour has words of its own.
    pub(crate) async fn keep_banners(
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
        let before = self.store.banners_of(group, &self.location).await.map_err(failed)?;
        let Some(banners) = remembered(before.as_ref(), tick, definitions, &self.location, banners_seen)
        else {
            return Ok(());
        };
        self.time_left(deadline).ok_or_else(late)?;
        let before = before.map(|before| before.tick);
        // A twin that was faster has words of the same tick.
        let kept = self
            .store
            .put_banners(group, &self.location, before, &banners)
            .await;
        kept.map(drop).map_err(failed)
    }
}
