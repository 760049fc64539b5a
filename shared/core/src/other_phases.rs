//! Something for each phase of a check but the connect.

use std::time::Duration;

use crate::outcome::Phase;
use crate::phase_times::PhaseTimes;

/// Something for each phase but the connect, which every monitor has and which stands apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OtherPhases<T> {
    /// For name resolution.
    pub dns: T,
    /// For the TLS handshake.
    pub tls: T,
    /// For the readiness exchange.
    pub ready: T,
}

impl<T> OtherPhases<T> {
    /// Each with its phase, in the order in which they come.
    pub fn each(&self) -> [(Phase, &T); 3] {
        [
            (Phase::Dns, &self.dns),
            (Phase::Tls, &self.tls),
            (Phase::Ready, &self.ready),
        ]
    }

    /// The same of what is made of each.
    pub fn map<U>(&self, make: impl Fn(&T) -> U) -> OtherPhases<U> {
        OtherPhases {
            dns: make(&self.dns),
            tls: make(&self.tls),
            ready: make(&self.ready),
        }
    }
}

impl OtherPhases<PhaseTimes> {
    /// Whether no time was counted.
    pub fn is_empty(&self) -> bool {
        self.each().iter().all(|(_, times)| times.is_empty())
    }

    /// Counts the times of one check.
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

    /// Counts all that another has counted.
    pub fn add(&mut self, other: &Self) {
        self.dns.add(&other.dns);
        self.tls.add(&other.tls);
        self.ready.add(&other.ready);
    }
}
