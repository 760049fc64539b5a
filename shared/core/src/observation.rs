//! An outcome in the compact form that is stored for every tick, and from which streaks are counted.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::outcome::{Detail, FailureClass, NoData, Outcome, Trust, UnknownCode, Warning};

/// What one tick saw of one monitor.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// What was seen.
    pub seen: Seen,
    /// In the service's or the system's own words; not kept with the results.
    pub detail: Option<Detail>,
}

/// What was seen, as far as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The check succeeded.
    Open {
        /// SYN to SYN-ACK, or over UDP question to answer, to a hundredth of a millisecond.
        connect: Duration,
        /// What is to be said against that time, or against the service.
        remark: Remark,
    },
    /// The check failed.
    Failed(FailureClass),
    /// We could not tell.
    NoData(NoData),
}

/// What is to be said against a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remark {
    /// Nothing.
    None,
    /// A SYN was lost on the way: the time includes the kernel's wait.
    Retransmitted,
    /// This process was starved: the time is an upper bound.
    Starved,
    /// The service works, and gave cause for a remark.
    Warning,
    /// The service works, and its certificate is about to expire.
    Certificate,
}

impl Observation {
    /// The compact form of an outcome.
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Open(opened) => {
                let remark = match (&opened.warning, opened.trust) {
                    (Some(Warning::CertificateExpiring { .. }), _) => Remark::Certificate,
                    (Some(Warning::Remark(_)), _) => Remark::Warning,
                    (None, Trust::Retransmitted) => Remark::Retransmitted,
                    (None, Trust::Starved) => Remark::Starved,
                    (None, Trust::Kernel | Trust::Clock) => Remark::None,
                };
                let answered = opened.phases.connect.or(opened.phases.ready);
                let connect = rounded(answered.unwrap_or_default());
                let warning = opened.warning.as_ref().and_then(Warning::detail);
                let detail = warning.or_else(|| opened.said.clone());
                Self {
                    seen: Seen::Open { connect, remark },
                    detail,
                }
            }
            Outcome::Failed(failure) => Self {
                seen: Seen::Failed(failure.class),
                detail: failure.detail.clone(),
            },
            Outcome::NoData(reason) => Self {
                seen: Seen::NoData(*reason),
                detail: None,
            },
        }
    }
}

/// Rounds to the hundredth of a millisecond that is stored.
fn rounded(duration: Duration) -> Duration {
    let hundredths = (duration.as_nanos() + 5_000) / 10_000;
    Duration::from_micros(u64::try_from(hundredths).unwrap_or(u64::MAX / 10) * 10)
}

/// A duration as milliseconds with at most two decimals, such as `0.31` or `12`.
pub fn milliseconds(duration: Duration) -> String {
    let hundredths = duration.as_micros() / 10;
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => whole.to_string(),
        (whole, part) if part.is_multiple_of(10) => format!("{whole}.{}", part / 10),
        (whole, part) => format!("{whole}.{part:02}"),
    }
}

impl fmt::Display for Seen {
    /// A time in milliseconds with its remark, or a code; [`FromStr`] reads it back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { connect, remark } => {
                f.write_str(&milliseconds(*connect))?;
                match remark {
                    Remark::None => Ok(()),
                    Remark::Retransmitted => f.write_str(" retransmitted"),
                    Remark::Starved => f.write_str(" starved"),
                    Remark::Warning => f.write_str(" warning"),
                    Remark::Certificate => f.write_str(" certificate"),
                }
            }
            Self::Failed(class) => f.write_str(class.code()),
            Self::NoData(reason) => f.write_str(reason.code()),
        }
    }
}

impl FromStr for Seen {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        if let Ok(reason) = text.parse() {
            return Ok(Self::NoData(reason));
        }
        let class = text.parse::<FailureClass>();
        let (number, remark) = text.split_once(' ').unwrap_or((text, ""));
        let remark = match remark {
            "" => Remark::None,
            "retransmitted" => Remark::Retransmitted,
            "starved" => Remark::Starved,
            "warning" => Remark::Warning,
            "certificate" => Remark::Certificate,
            _ => return class.map(Self::Failed),
        };
        match parse_milliseconds(number) {
            Some(connect) => Ok(Self::Open { connect, remark }),
            None => class.map(Self::Failed),
        }
    }
}

/// Reads what [`milliseconds`] writes, up to a day; `None` for any other text.
pub fn parse_milliseconds(text: &str) -> Option<Duration> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 8 || part.len() > 2 || !digits(whole) || !digits(part) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let part: u64 = format!("{part:0<2}").parse().ok()?;
    (whole <= 86_400_000).then(|| Duration::from_micros((whole * 100 + part) * 10))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_have_at_most_two_decimals() {
        for (micros, text) in [
            (0, "0"),
            (310, "0.31"),
            (12_000, "12"),
            (12_500, "12.5"),
            (12_050, "12.05"),
        ] {
            assert_eq!(milliseconds(Duration::from_micros(micros)), text);
        }
        assert_eq!(rounded(Duration::from_nanos(314_999)), Duration::from_micros(310));
        assert_eq!(rounded(Duration::from_nanos(315_000)), Duration::from_micros(320));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(hundredths in 0u64..8_640_000_000, remark in 0usize..5) {
            let remarks = [Remark::None, Remark::Retransmitted, Remark::Starved, Remark::Warning, Remark::Certificate];
            let remark = remarks[remark];
            let seen = Seen::Open { connect: Duration::from_micros(hundredths * 10), remark };
            prop_assert_eq!(seen.to_string().parse(), Ok(seen));
        }

        #[test]
        fn other_text_is_refused_without_a_panic(text in "[a-z0-9. ]{0,30}|.{0,30}") {
            if let Ok(seen) = text.parse::<Seen>() {
                prop_assert_eq!(seen.to_string().parse(), Ok(seen));
            }
        }
    }
}
