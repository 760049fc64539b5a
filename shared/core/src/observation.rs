//! Observations: outcomes in the compact form that is stored for every tick and from which streaks are counted.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::diagnosis::FailurePoint;
use crate::other_phases::OtherPhases;
use crate::outcome::{Detail, FailureClass, NoData, Outcome, Phases, Trust, UnknownCode, Warning};

/// The observation of one monitor in one tick.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The stored part.
    pub seen: Seen,
    /// The number of retries that were made in the same tick before this result; 0 if the first check was enough.
    pub retries: u32,
    /// The message of the service or the system; not stored with the results.
    pub detail: Option<Detail>,
    /// Where the check failed; not stored with the results.
    pub point: Option<FailurePoint>,
}

/// The stored part of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The check succeeded.
    Open {
        /// The time from SYN to SYN-ACK, or over UDP from question to answer, rounded to 0.01 ms.
        connect: Duration,
        /// The times of other phases, rounded to 0.1 ms below 10 ms and to 1 ms above: an error of at most 5 % or 0.05
        /// ms.
        others: OtherPhases<Option<Duration>>,
        /// A qualification of the time or of the service.
        remark: Remark,
    },
    /// The check failed.
    Failed(FailureClass),
    /// The checker could not tell.
    NoData(NoData),
}

/// A qualification of a successful check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remark {
    /// No qualification.
    None,
    /// A SYN was lost: the time includes the kernel's retransmission delay.
    Retransmitted,
    /// The process was starved of processor time: the time is an upper bound.
    Starved,
    /// The service works and reported a warning.
    Warning,
    /// The service works, and its certificate is about to expire.
    Certificate,
}

impl From<Seen> for Observation {
    fn from(seen: Seen) -> Self {
        Self {
            seen,
            retries: 0,
            detail: None,
            point: None,
        }
    }
}

impl Seen {
    /// The time of all phases together; `None` unless the check succeeded.
    pub fn response_time(&self) -> Option<Duration> {
        let Self::Open { connect, others, .. } = self else {
            return None;
        };
        let others = others.each().into_iter().filter_map(|(_, time)| *time);
        Some(others.fold(*connect, Duration::saturating_add))
    }
}

impl Observation {
    /// The compact form of an outcome.
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Open(opened) => {
                let remark = match (&opened.warning, opened.trust) {
                    (Some(Warning::CertificateExpiring { .. }), _) => Remark::Certificate,
                    (Some(Warning::FromService(_)), _) => Remark::Warning,
                    (None, Trust::Retransmitted) => Remark::Retransmitted,
                    (None, Trust::Starved) => Remark::Starved,
                    (None, Trust::Kernel | Trust::Clock) => Remark::None,
                };
                let (connect, others) = times(&opened.phases);
                let warning = opened.warning.as_ref().and_then(Warning::detail);
                let detail = warning.or_else(|| opened.banner.clone());
                Self {
                    seen: Seen::Open {
                        connect,
                        others,
                        remark,
                    },
                    retries: 0,
                    detail,
                    point: None,
                }
            }
            Outcome::Failed(failure) => Self {
                seen: Seen::Failed(failure.class),
                retries: 0,
                detail: failure.detail.clone(),
                point: Some(FailurePoint {
                    phase: failure.phase,
                    address: failure.address.map(|address| address.ip()),
                }),
            },
            Outcome::NoData(reason) => Self {
                seen: Seen::NoData(*reason),
                retries: 0,
                detail: None,
                point: None,
            },
        }
    }
}

impl fmt::Display for Observation {
    /// The stored part: what was seen, and ` +2` after two retries. [`Observation::parse`] reads this text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seen)?;
        match self.retries {
            0 => Ok(()),
            retries => write!(f, " +{retries}"),
        }
    }
}

impl Observation {
    /// Parses the stored part.
    ///
    /// # Errors
    /// If the text is none that [`Display`](fmt::Display) writes.
    pub fn parse(text: &str) -> Result<Self, UnknownCode> {
        let (seen, retries) = match text.rsplit_once(" +") {
            Some((seen, retries)) => match retries.parse() {
                Ok(retries) => (seen, retries),
                Err(_) => (text, 0),
            },
            None => (text, 0),
        };
        Ok(Self {
            retries,
            ..Self::from(seen.parse::<Seen>()?)
        })
    }
}

/// The connect time, and the other phases.
fn times(phases: &Phases) -> (Duration, OtherPhases<Option<Duration>>) {
    let others = OtherPhases {
        dns: phases.dns.map(shortened),
        tls: phases.tls.map(shortened),
        ready: phases.ready.map(shortened),
    };
    match (phases.connect, phases.ready) {
        // Over UDP there is no connect. The exchange takes its place and is not stored twice.
        (None, Some(answered)) => (
            rounded(answered),
            OtherPhases {
                ready: None,
                ..others
            },
        ),
        (connect, _) => (rounded(connect.unwrap_or_default()), others),
    }
}

/// Rounds a connect time as stored, to 0.01 ms.
fn rounded(duration: Duration) -> Duration {
    to_unit(duration, 10_000)
}

/// Rounds the time of another phase as stored.
fn shortened(duration: Duration) -> Duration {
    if duration < Duration::from_millis(10) {
        to_unit(duration, 100_000)
    } else {
        to_unit(duration, 1_000_000)
    }
}

/// Rounds to a multiple of `unit` nanoseconds.
fn to_unit(duration: Duration, unit: u32) -> Duration {
    let units = (duration.as_nanos() + u128::from(unit / 2)) / u128::from(unit);
    let most = u64::MAX / u64::from(unit);
    Duration::from_nanos(u64::try_from(units).unwrap_or(most).min(most) * u64::from(unit))
}

/// Formats a duration as milliseconds with at most two decimals, such as `0.31` or `12`.
pub fn milliseconds(duration: Duration) -> String {
    let hundredths = duration.as_micros() / 10;
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => whole.to_string(),
        (whole, part) if part.is_multiple_of(10) => format!("{whole}.{}", part / 10),
        (whole, part) => format!("{whole}.{part:02}"),
    }
}

impl fmt::Display for Seen {
    /// Milliseconds with a remark, or a code. With other phases as `12.34/1/30/5`: connect, dns, tls, ready. A phase
    /// that did not happen is empty; trailing empty phases are omitted. [`FromStr`] parses this text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open {
                connect,
                others,
                remark,
            } => {
                let others = others
                    .each()
                    .map(|(_, time)| time.map(milliseconds).unwrap_or_default());
                let all = format!("{}/{}", milliseconds(*connect), others.join("/"));
                f.write_str(all.trim_end_matches('/'))?;
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
        let (numbers, remark) = text.split_once(' ').unwrap_or((text, ""));
        let remark = match remark {
            "" => Remark::None,
            "retransmitted" => Remark::Retransmitted,
            "starved" => Remark::Starved,
            "warning" => Remark::Warning,
            "certificate" => Remark::Certificate,
            _ => return class.map(Self::Failed),
        };
        match parse_times(numbers) {
            Some((connect, others)) => Ok(Self::Open {
                connect,
                others,
                remark,
            }),
            None => class.map(Self::Failed),
        }
    }
}

/// Parses the connect time and the times of the other phases.
fn parse_times(text: &str) -> Option<(Duration, OtherPhases<Option<Duration>>)> {
    let mut times = text.split('/');
    let connect = parse_milliseconds(times.next()?)?;
    let mut next = || match times.next() {
        None | Some("") => Some(None),
        Some(time) => parse_milliseconds(time).map(Some),
    };
    let others = OtherPhases {
        dns: next()?,
        tls: next()?,
        ready: next()?,
    };
    times.next().is_none().then_some((connect, others))
}

/// Parses the output of [`milliseconds`], up to a day; `None` for any other text.
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
    use proptest::option;
    use proptest::prelude::*;

    #[test]
    fn milliseconds_have_at_most_two_decimals() {
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

    fn phases(dns: u64, connect: u64, tls: u64, ready: u64) -> Phases {
        let micros = |micros| (micros > 0).then(|| Duration::from_micros(micros));
        Phases {
            dns: micros(dns),
            connect: micros(connect),
            tls: micros(tls),
            ready: micros(ready),
        }
    }

    #[test]
    fn phase_times_are_rounded_and_round_trip() {
        for (phases, text) in [
            (phases(0, 12_344, 0, 0), "12.34"),
            (phases(1_049, 12_344, 30_499, 5_050), "12.34/1/30/5.1"),
            (phases(430, 310, 0, 0), "0.31/0.4"),
            (phases(0, 310, 999, 0), "0.31//1"),
            (phases(0, 310, 0, 9_949), "0.31///9.9"),
            (phases(9_996, 310, 1_234_567, 4), "0.31/10/1235/0"),
            // Over UDP.
            (phases(2_000, 0, 0, 12_344), "12.34/2"),
        ] {
            let (connect, others) = times(&phases);
            let remark = Remark::None;
            let seen = Seen::Open {
                connect,
                others,
                remark,
            };
            assert_eq!(seen.to_string(), text);
            assert_eq!(text.parse(), Ok(seen));
        }
    }

    #[test]
    fn invalid_text_is_rejected() {
        for text in [
            "",
            "/",
            "/1",
            "1/2/3/4/5",
            "1/x",
            "1/2 3",
            "1 /2",
            "-1",
            "1/-2",
            "refused/1",
        ] {
            assert!(text.parse::<Seen>().is_err(), "{text}");
        }
    }

    fn time() -> impl Strategy<Value = Duration> {
        (0u64..8_640_000_000).prop_map(|hundredths| Duration::from_micros(hundredths * 10))
    }

    proptest! {
        #[test]
        fn seen_round_trips_through_text(
            connect in time(),
            (dns, tls, ready) in (option::of(time()), option::of(time()), option::of(time())),
            remark in 0usize..5,
            retries in 0u32..12,
        ) {
            let remarks = [Remark::None, Remark::Retransmitted, Remark::Starved, Remark::Warning, Remark::Certificate];
            let remark = remarks[remark];
            let seen = Seen::Open { connect, others: OtherPhases { dns, tls, ready }, remark };
            prop_assert_eq!(seen.to_string().parse(), Ok(seen));
            let retried = Observation { retries, ..Observation::from(seen) };
            prop_assert_eq!(Observation::parse(&retried.to_string()), Ok(retried));
        }

        #[test]
        fn phase_rounding_error_is_at_most_5_percent(micros in prop_oneof![0u64..20_000, 0u64..60_000_000]) {
            let time = Duration::from_micros(micros);
            let off = shortened(time).abs_diff(time);
            prop_assert!(off <= (time / 20).max(Duration::from_micros(50)), "{:?} for {:?}", shortened(time), time);
        }

        #[test]
        fn any_text_parses_without_panic(text in "[a-z0-9. /]{0,30}|.{0,30}") {
            if let Ok(seen) = text.parse::<Seen>() {
                prop_assert_eq!(seen.to_string().parse(), Ok(seen));
            }
            if let Ok(observation) = Observation::parse(&text) {
                prop_assert_eq!(Observation::parse(&observation.to_string()), Ok(observation));
            }
        }
    }
}
