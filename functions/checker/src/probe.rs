//! The checker's view of the world outside: sockets and the time.

use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::outcome::Outcome;
use portpulse_core::target::Target;
use portpulse_prober::Prober;

/// Checks targets.
#[expect(
    async_fn_in_trait,
    reason = "the handler is never spawned, so its futures need not be Send"
)]
pub trait Probe {
    /// One outcome for each target, in the same order, within `budget`.
    async fn probe(&self, targets: &[Target], budget: Duration) -> Vec<Outcome>;
}

impl Probe for Prober {
    async fn probe(&self, targets: &[Target], budget: Duration) -> Vec<Outcome> {
        Prober::probe(self, targets, tokio::time::Instant::now() + budget).await
    }
}

/// Tells the time.
#[expect(
    async_fn_in_trait,
    reason = "the handler is never spawned, so its futures need not be Send"
)]
pub trait Clock {
    /// The time.
    fn now(&self) -> Timestamp;

    /// How long ago `began` was, in the time in which an invocation's is measured: not that of a clock that runs faster.
    fn passed_since(&self, began: Timestamp) -> Duration {
        Duration::try_from(self.now().duration_since(began)).unwrap_or_default()
    }

    /// Returns after this much time of the machine's.
    async fn sleep(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
