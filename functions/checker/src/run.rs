//! One invocation: runs the tick of its event, or with an interval below a minute all ticks of the minute, at their times.

use portpulse_alert::Publish;
use portpulse_core::round::Definitions;
use portpulse_core::schedule::{Turn, turn};
use portpulse_core::time::Tick;
use portpulse_store::table::Table;

use crate::checker::{Checker, Invocation};
use crate::deadline::RESERVE;
use crate::probe::{Clock, Probe};
use crate::report::TickReport;
use crate::{Error, TickEvent};

/// What the ticks of one invocation share.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The definitions, once read.
    pub(crate) definitions: Option<Definitions>,
    /// The location's tick before the first tick that this invocation counted.
    pub(crate) before: Option<Option<Tick>>,
}

/// Whether a tick is the last one of its invocation, which stores rollups and banners for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    Earlier,
    Last,
}

impl<T: Table, P: Probe, N: Publish, C: Clock> Checker<T, P, N, C> {
    /// Handles one tick of the event. Repeated deliveries of a tick only publish what is still pending.
    pub async fn handle(&self, event: &TickEvent, invocation: &Invocation) -> TickReport {
        let mut session = Session::default();
        self.handle_tick(
            event.group(),
            event.tick(),
            invocation,
            &mut session,
            Position::Last,
        )
        .await
    }

    /// Runs all ticks of the event at their times, and passes each report to `finished`. Ticks that are no longer fresh are
    /// left out; the last one completes what is left. Definitions are read once.
    pub async fn run(
        &self,
        event: &TickEvent,
        invocation: &Invocation,
        mut finished: impl FnMut(TickReport),
    ) {
        let (group, began) = (event.group(), self.clock.now());
        let ticks = event.ticks();
        let mut left = &ticks[..];
        let mut session = Session::default();
        while let (Some(turn), Some((tick, later))) =
            (turn(left, group.interval, self.clock.now()), left.split_first())
        {
            left = later;
            let took = self.clock.passed_since(began);
            match turn {
                Turn::Skip => continue,
                Turn::Run => {}
                Turn::Wait(length) if took + length + RESERVE > invocation.remaining => {
                    let mut report = TickReport::new(*tick, group, self.location.clone());
                    report.errors.push(Error::NoTimeForTick { tick: *tick, group });
                    finished(report);
                    return;
                }
                Turn::Wait(length) => self.clock.wait(length).await,
            }
            let invocation = Invocation {
                remaining: invocation
                    .remaining
                    .saturating_sub(self.clock.passed_since(began)),
                ..invocation.clone()
            };
            let position = if later.is_empty() {
                Position::Last
            } else {
                Position::Earlier
            };
            let report = self
                .handle_tick(group, *tick, &invocation, &mut session, position)
                .await;
            let is_in_future = matches!(report.errors.first(), Some(Error::FutureTick { .. }));
            finished(report);
            if is_in_future {
                return;
            }
        }
    }
}
