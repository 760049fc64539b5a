//! A value for each phase of a check.

use std::time::Duration;

use crate::other_phases::OtherPhases;
use crate::outcome::Phase;
use crate::phase_times::PhaseTimes;

/// A value for each phase of a check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByPhase<T> {
    /// The value for name resolution.
    pub dns: T,
    /// The value for the connect; over UDP for the exchange, which takes its place.
    pub connect: T,
    /// The value for the TLS handshake.
    pub tls: T,
    /// The value for the readiness exchange.
    pub ready: T,
}

impl<T> ByPhase<T> {
    /// Each value with its phase, in chronological order.
    pub fn each(&self) -> [(Phase, &T); 4] {
        [
            (Phase::Dns, &self.dns),
            (Phase::Connect, &self.connect),
            (Phase::Tls, &self.tls),
            (Phase::Ready, &self.ready),
        ]
    }

    /// The value of a phase.
    pub const fn get(&self, phase: Phase) -> &T {
        match phase {
            Phase::Dns => &self.dns,
            Phase::Connect => &self.connect,
            Phase::Tls => &self.tls,
            Phase::Ready => &self.ready,
        }
    }

    /// Applies `make` to each value.
    pub fn map<U>(&self, make: impl Fn(&T) -> U) -> ByPhase<U> {
        ByPhase {
            dns: make(&self.dns),
            connect: make(&self.connect),
            tls: make(&self.tls),
            ready: make(&self.ready),
        }
    }
}

impl ByPhase<PhaseTimes> {
    /// Whether the checks had no phase but the connect, whose times are then those of the whole checks.
    pub fn is_connect_alone(&self) -> bool {
        self.dns.is_empty() && self.tls.is_empty() && self.ready.is_empty()
    }

    /// Records the times of one check.
    pub fn record(&mut self, connect: Duration, others: &OtherPhases<Option<Duration>>) {
        for (sum, time) in [
            (&mut self.dns, others.dns),
            (&mut self.connect, Some(connect)),
            (&mut self.tls, others.tls),
            (&mut self.ready, others.ready),
        ] {
            if let Some(time) = time {
                sum.record(time);
            }
        }
    }

    /// Adds the times of another instance.
    pub fn add(&mut self, other: &Self) {
        self.dns.add(&other.dns);
        self.connect.add(&other.connect);
        self.tls.add(&other.tls);
        self.ready.add(&other.ready);
    }
}
