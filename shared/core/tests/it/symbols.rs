//! The symbols of timelines: what a check finds.

use std::time::Duration;

use portpulse_core::diagnosis::FailurePoint;
use portpulse_core::observation::{Observation, Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::outcome::{DnsFailure, FailureClass, NoData, Phase};

/// The observation of a symbol.
pub(crate) fn observation(symbol: char) -> Observation {
    let open = |ms| Seen::Open {
        connect: Duration::from_millis(ms),
        others: OtherPhases::default(),
        remark: Remark::None,
    };
    let seen = match symbol {
        '.' => open(1),
        's' => open(200),
        // A late answer after a quick connect.
        'l' => Seen::Open {
            connect: Duration::from_millis(1),
            others: OtherPhases {
                dns: Some(Duration::from_millis(20)),
                tls: None,
                ready: Some(Duration::from_millis(180)),
            },
            remark: Remark::None,
        },
        'w' => Seen::Open {
            connect: Duration::from_millis(1),
            others: OtherPhases::default(),
            remark: Remark::Warning,
        },
        'c' => Seen::Open {
            connect: Duration::from_millis(1),
            others: OtherPhases::default(),
            remark: Remark::Certificate,
        },
        'x' => Seen::Failed(FailureClass::Refused),
        't' => Seen::Failed(FailureClass::Timeout),
        'u' => Seen::Failed(FailureClass::Unreachable),
        'r' => Seen::Failed(FailureClass::Reset),
        'n' => Seen::Failed(FailureClass::Dns(DnsFailure::NotFound)),
        'f' => Seen::Failed(FailureClass::Dns(DnsFailure::ServerFailure)),
        'd' => Seen::Failed(FailureClass::Dns(DnsFailure::Timeout)),
        'L' => Seen::Failed(FailureClass::Tls),
        'C' => Seen::Failed(FailureClass::Closed),
        'S' => Seen::Failed(FailureClass::Silent),
        'B' => Seen::Failed(FailureClass::Busy),
        'I' => Seen::Failed(FailureClass::Starting),
        'K' => Seen::Failed(FailureClass::Blocked),
        'W' => Seen::Failed(FailureClass::WrongService),
        'A' => Seen::Failed(FailureClass::WrongAnswer),
        'E' => Seen::Failed(FailureClass::ServiceError),
        'N' => Seen::Failed(FailureClass::NoBackend),
        // A time-out and a reset after the connect.
        'T' => Seen::Failed(FailureClass::Timeout),
        'R' => Seen::Failed(FailureClass::Reset),
        '?' => Seen::NoData(NoData::OutOfTime),
        other => panic!("unknown symbol `{other}`"),
    };
    let point = |phase| FailurePoint { phase, address: None };
    let point = match seen {
        Seen::Failed(FailureClass::Dns(_)) => Some(point(Phase::Dns)),
        Seen::Failed(FailureClass::Tls) => Some(point(Phase::Tls)),
        Seen::Failed(_) if symbol.is_ascii_lowercase() => Some(point(Phase::Connect)),
        Seen::Failed(_) => Some(point(Phase::Ready)),
        Seen::Open { .. } | Seen::NoData(_) => None,
    };
    Observation {
        point,
        ..Observation::from(seen)
    }
}
