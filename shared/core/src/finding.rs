//! Findings: the causes of bad checks.

use crate::outcome::{Detail, FailureClass};

/// The result of a bad check, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The cause.
    pub cause: Cause,
    /// The message of the service or the system.
    pub detail: Option<Detail>,
}

/// The cause of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The check failed.
    Failed(FailureClass),
    /// The port is open and should be closed.
    Open,
    /// The connect took longer than `slow_after`.
    Slow,
    /// All phases together took longer than `slower_than`.
    SlowResponse,
    /// The service reported a warning.
    Warned,
    /// The server's certificate is about to expire.
    Certificate,
    /// No location had data.
    NoData,
}

impl Cause {
    /// The code in items, output and messages.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Failed(class) => class.code(),
            Self::Open => "open",
            Self::Slow => "slow",
            Self::SlowResponse => "slow_response",
            Self::Warned => "warned",
            Self::Certificate => "certificate",
            Self::NoData => "no_data",
        }
    }
}

impl std::str::FromStr for Cause {
    type Err = crate::outcome::UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "open" => Ok(Self::Open),
            "slow" => Ok(Self::Slow),
            "slow_response" => Ok(Self::SlowResponse),
            "warned" => Ok(Self::Warned),
            "certificate" => Ok(Self::Certificate),
            "no_data" => Ok(Self::NoData),
            _ => text.parse().map(Self::Failed),
        }
    }
}
