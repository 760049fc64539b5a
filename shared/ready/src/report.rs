//! What an exchange found, with the time it took.

use std::time::Duration;

use portpulse_core::outcome::{Detail, FailureClass, NoData, Phase, Warning};

/// What one exchange found.
#[derive(Debug, Clone, PartialEq)]
pub struct ExchangeReport {
    /// How long the TLS handshake took; absent if there was none.
    pub tls: Option<Duration>,
    /// How long the service's own exchange took, TLS not counted; absent if it was not reached.
    pub ready: Option<Duration>,
    /// The finding.
    pub result: ExchangeResult,
}

/// The three ways an exchange can end.
#[derive(Debug, Clone, PartialEq)]
pub enum ExchangeResult {
    /// The service is at work.
    Healthy(Healthy),
    /// The service refuses work, or is not what it should be.
    Failed(ExchangeFailure),
    /// We could not tell: the fault was our own.
    NoData(NoData),
}

/// A service at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healthy {
    /// What the service said of itself.
    pub banner: Option<Detail>,
    /// What works but wants attention.
    pub warning: Option<Warning>,
    /// Whole days until the server's certificate expires; absent without TLS.
    pub certificate_days: Option<i64>,
}

/// A service that does not do its work, and how it showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeFailure {
    /// What kind of failure it is.
    pub class: FailureClass,
    /// [`Phase::Tls`] or [`Phase::Ready`].
    pub phase: Phase,
    /// What was sent and what came back.
    pub detail: Option<Detail>,
}
