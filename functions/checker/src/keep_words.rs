//! Keeping what services say of themselves: their last words, once an hour, for those who look.
//!
//! Like summing up it comes last in a tick, and nothing waits for it.

use std::collections::BTreeMap;

use portpulse_alert::Publish;
use portpulse_core::group::GroupId;
use portpulse_core::id::MonitorId;
use portpulse_core::outcome::Outcome;
use portpulse_core::round::Definitions;
use portpulse_core::time::Tick;
use portpulse_core::words::{remembered, spoken};
use portpulse_store::table::Table;

use crate::Error;
use crate::probe::{Clock, Probe};
use crate::roll_up::Until;
use crate::tick::Checker;

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Keeps what was said in a tick, in the place of what was said before.
    ///
    /// # Errors
    /// When it is not known whether it is kept, or the time is up. The first tick of the next hour has words of its own.
    pub(crate) async fn keep_words(
        &self,
        group: GroupId,
        tick: Tick,
        definitions: &Definitions,
        outcomes: &BTreeMap<MonitorId, Outcome>,
        until: Until,
    ) -> Result<(), Error> {
        let Some(spoken) = spoken(outcomes, tick) else {
            return Ok(());
        };
        let late = || Error::NoTimeToKeepWords { group };
        let failed = |source| Error::KeepWords { group, source };
        self.time_left(until).ok_or_else(late)?;
        let before = self.store.words_of(group, &self.region).await.map_err(failed)?;
        let Some(words) = remembered(before.as_ref(), tick, definitions, &self.region, spoken) else {
            return Ok(());
        };
        self.time_left(until).ok_or_else(late)?;
        let before = before.map(|before| before.tick);
        // A twin that was faster has words of the same tick.
        let kept = self.store.put_words(group, &self.region, before, &words).await;
        kept.map(drop).map_err(failed)
    }
}
