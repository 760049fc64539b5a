//! A value for each phase of a check except the connect.

use std::time::Duration;

use crate::outcome::Phase;
use crate::phase_times::PhaseTimes;

/// A value for each phase except the connect, which every check has and which is stored separately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OtherPhases<T> {
    /// The value for name resolution.
    pub dns: T,
    /// The value for the TLS handshake.
    pub tls: T,
    /// The value for the readiness exchange.
    pub ready: T,
}

impl<T> OtherPhases<T> {
    /// Each value with its phase, in chronological order.
    pub fn each(&self) -> [(Phase, &T); 3] {
        [
            (Phase::Dns, &self.dns),
            (Phase::Tls, &self.tls),
            (Phase::Ready, &self.ready),
        ]
    }

    /// Applies `make` to each value.
    pub fn map<U>(&self, make: impl Fn(&T) -> U) -> OtherPhases<U> {
        OtherPhases {
            dns: make(&self.dns),
            tls: make(&self.tls),
            ready: make(&self.ready),
        }
    }
}

impl OtherPhases<PhaseTimes> {
    /// Whether no time was recorded.
    pub fn is_empty(&self) -> bool {
        self.each().iter().all(|(_, times)| times.is_empty())
    }

    /// Records the times of one check.
    pub fn record(&mut self, times: &OtherPhases<Option<Duration>>) {
        for (sum, time) in [
            (&mut self.dns, times.dns),
            (&mut self.tls, times.tls),
            (&mut self.ready, times.ready),
        ] {
            if let Some(time) = time {
                sum.record(time);
            }
        }
    }

    /// Adds the times of another instance.
    pub fn add(&mut self, other: &Self) {
        self.dns.add(&other.dns);
        self.tls.add(&other.tls);
        self.ready.add(&other.ready);
    }
}
