//! Interfaces of the checker to sockets and the clock.

use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::outcome::Outcome;
use portpulse_core::target::Target;
use portpulse_core::time::Tick;
use portpulse_prober::Prober;

/// Runs checks.
#[expect(
    async_fn_in_trait,
    reason = "the handler is never spawned, so its futures need not be Send"
)]
pub trait Probe {
    /// Checks all targets within `budget`, and returns one outcome for each, in the same order. Called once for the first
    /// checks of `tick`, and again for its retries.
    async fn probe(&self, tick: Tick, targets: &[Target], budget: Duration) -> Vec<Outcome>;
}

impl Probe for Prober {
    async fn probe(&self, _: Tick, targets: &[Target], budget: Duration) -> Vec<Outcome> {
        Prober::probe(self, targets, tokio::time::Instant::now() + budget).await
    }
}

/// A clock.
#[expect(
    async_fn_in_trait,
    reason = "the handler is never spawned, so its futures need not be Send"
)]
pub trait Clock {
    /// The current time.
    fn now(&self) -> Timestamp;

    /// The time since `began`, measured like the remaining time of the invocation. Clocks that run faster than real time
    /// override this function.
    fn passed_since(&self, began: Timestamp) -> Duration {
        Duration::try_from(self.now().duration_since(began)).unwrap_or_default()
    }

    /// Returns after `length` of this clock's time: the pause before a retry, or the time until the next tick. Clocks that
    /// run faster than real time override this function.
    async fn wait(&self, length: Duration) {
        self.sleep(length).await;
    }

    /// Returns after `length` of real time.
    async fn sleep(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}

/// The system clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
