//! A value for each phase of a check except the connect.

use crate::outcome::Phase;

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
