//! The result of an exchange, with its times.

use std::time::Duration;

use portpulse_core::outcome::{Detail, FailureClass, NoData, Phase, Warning};

/// The result of one exchange, with its times.
#[derive(Debug, Clone, PartialEq)]
pub struct ExchangeReport {
    /// Duration of the TLS handshake; absent without TLS.
    pub tls: Option<Duration>,
    /// Duration of the service's own exchange, without TLS; absent if the exchange did not start.
    pub ready: Option<Duration>,
    /// The result.
    pub result: ExchangeResult,
}

/// The result of an exchange.
#[derive(Debug, Clone, PartialEq)]
pub enum ExchangeResult {
    /// The service works.
    Healthy(Healthy),
    /// The service refuses to work, or is not the expected service.
    Failed(ExchangeFailure),
    /// The checker could not tell, because of a local problem.
    NoData(NoData),
}

/// A service that works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healthy {
    /// What the service says about itself.
    pub banner: Option<Detail>,
    /// A problem that does not keep the service from working.
    pub warning: Option<Warning>,
    /// Whole days until the first certificate of the server's chain expires; absent without a verified one.
    pub certificate_days: Option<i64>,
}

/// A failed exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeFailure {
    /// The failure class.
    pub class: FailureClass,
    /// The failed phase: [`Phase::Tls`] or [`Phase::Ready`].
    pub phase: Phase,
    /// What was sent and received.
    pub detail: Option<Detail>,
}
