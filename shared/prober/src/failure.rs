//! From what the system says to whose fault it is: a class of failure, or no data.

use std::io;
use std::net::SocketAddr;

use portpulse_core::outcome::{Detail, FailureClass, NoData};
use rustix::io::Errno;

/// Why one address gave no connection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// The target, or the network before it.
    Target {
        class: FailureClass,
        detail: Option<Detail>,
    },
    /// This machine.
    Ours(NoData),
}

impl Fault {
    /// How much a fault tells of a name whose addresses all failed; the greatest is reported.
    ///
    /// What we could not try for want of resources might have been open, so it silences the rest. Then an answer
    /// beats silence: a refusal proves that the host lives, which silence does not disprove. A family without a
    /// route tells nothing as long as the other family tells anything.
    pub(crate) fn weight(&self) -> u8 {
        match self {
            Self::Ours(NoData::NoRoute) => 0,
            Self::Target {
                class: FailureClass::Timeout,
                ..
            } => 1,
            Self::Target {
                class: FailureClass::Unreachable,
                ..
            } => 2,
            Self::Target {
                class: FailureClass::Refused,
                ..
            } => 4,
            Self::Target { .. } => 3,
            Self::Ours(_) => 5,
        }
    }
}

/// Reads an error that `socket` or `connect` returned at once: mostly a fault of this machine.
pub(crate) fn at_once(error: &io::Error, address: SocketAddr) -> Fault {
    match Errno::from_io_error(error) {
        // Nothing was sent: the routing table or a local firewall said no.
        Some(
            Errno::NETUNREACH
            | Errno::HOSTUNREACH
            | Errno::NETDOWN
            | Errno::ACCESS
            | Errno::PERM
            | Errno::AFNOSUPPORT
            | Errno::INVAL,
        ) => Fault::Ours(NoData::NoRoute),
        // IPv6 has no address to send from where it is switched off; IPv4 says so only when it is out of ports.
        Some(Errno::ADDRNOTAVAIL) if address.is_ipv6() => Fault::Ours(NoData::NoRoute),
        _ => reported(error),
    }
}

/// Reads an error that the socket reported later (`SO_ERROR`): mostly what came over the network.
pub(crate) fn reported(error: &io::Error) -> Fault {
    let target = |class| Fault::Target { class, detail: None };
    match Errno::from_io_error(error) {
        Some(Errno::CONNREFUSED) => target(FailureClass::Refused),
        Some(Errno::TIMEDOUT) => target(FailureClass::Timeout),
        Some(Errno::CONNRESET | Errno::CONNABORTED | Errno::PIPE) => target(FailureClass::Reset),
        // ICMP errors, as Linux hands them on (icmp(7), `icmp_err_convert`).
        Some(
            Errno::HOSTUNREACH
            | Errno::NETUNREACH
            | Errno::HOSTDOWN
            | Errno::NONET
            | Errno::NOPROTOOPT
            | Errno::PROTO,
        ) => Fault::Target {
            class: FailureClass::Unreachable,
            detail: Detail::new(&error.to_string()),
        },
        Some(
            Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::ADDRNOTAVAIL | Errno::AGAIN,
        ) => Fault::Ours(NoData::OutOfResources),
        Some(Errno::ACCESS | Errno::PERM | Errno::NETDOWN) => Fault::Ours(NoData::NoRoute),
        _ => {
            tracing::warn!(%error, "a connect ended in an error that has no class");
            Fault::Ours(NoData::Internal)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(fault: &Fault) -> &'static str {
        match fault {
            Fault::Target { class, .. } => class.code(),
            Fault::Ours(no_data) => no_data.code(),
        }
    }

    #[test]
    fn every_error_has_its_class_by_when_it_came() {
        let v4: SocketAddr = "192.0.2.1:1".parse().unwrap();
        let v6: SocketAddr = "[2001:db8::1]:1".parse().unwrap();
        // error, at once to IPv4, at once to IPv6, reported later
        let table = [
            (Errno::CONNREFUSED, "refused", "refused", "refused"),
            (Errno::TIMEDOUT, "timeout", "timeout", "timeout"),
            (Errno::CONNRESET, "reset", "reset", "reset"),
            (Errno::PIPE, "reset", "reset", "reset"),
            (
                Errno::HOSTUNREACH,
                "no_data_no_route",
                "no_data_no_route",
                "unreachable",
            ),
            (
                Errno::NETUNREACH,
                "no_data_no_route",
                "no_data_no_route",
                "unreachable",
            ),
            (Errno::HOSTDOWN, "unreachable", "unreachable", "unreachable"),
            (Errno::NOPROTOOPT, "unreachable", "unreachable", "unreachable"),
            (
                Errno::AFNOSUPPORT,
                "no_data_no_route",
                "no_data_no_route",
                "no_data_internal",
            ),
            (
                Errno::ACCESS,
                "no_data_no_route",
                "no_data_no_route",
                "no_data_no_route",
            ),
            (
                Errno::PERM,
                "no_data_no_route",
                "no_data_no_route",
                "no_data_no_route",
            ),
            (
                Errno::NETDOWN,
                "no_data_no_route",
                "no_data_no_route",
                "no_data_no_route",
            ),
            (
                Errno::ADDRNOTAVAIL,
                "no_data_out_of_resources",
                "no_data_no_route",
                "no_data_out_of_resources",
            ),
            (
                Errno::MFILE,
                "no_data_out_of_resources",
                "no_data_out_of_resources",
                "no_data_out_of_resources",
            ),
            (
                Errno::NFILE,
                "no_data_out_of_resources",
                "no_data_out_of_resources",
                "no_data_out_of_resources",
            ),
            (
                Errno::NOBUFS,
                "no_data_out_of_resources",
                "no_data_out_of_resources",
                "no_data_out_of_resources",
            ),
            (
                Errno::NOMEM,
                "no_data_out_of_resources",
                "no_data_out_of_resources",
                "no_data_out_of_resources",
            ),
            (
                Errno::BADF,
                "no_data_internal",
                "no_data_internal",
                "no_data_internal",
            ),
        ];
        for (errno, to_v4, to_v6, later) in table {
            let error = io::Error::from(errno);
            assert_eq!(shown(&at_once(&error, v4)), to_v4, "{error} at once, IPv4");
            assert_eq!(shown(&at_once(&error, v6)), to_v6, "{error} at once, IPv6");
            assert_eq!(shown(&reported(&error)), later, "{error} later");
        }
    }

    #[test]
    fn an_answer_beats_silence_and_want_of_resources_beats_all() {
        let order = [
            at_once(&Errno::NETUNREACH.into(), "192.0.2.1:1".parse().unwrap()),
            reported(&Errno::TIMEDOUT.into()),
            reported(&Errno::HOSTUNREACH.into()),
            reported(&Errno::CONNRESET.into()),
            reported(&Errno::CONNREFUSED.into()),
            reported(&Errno::MFILE.into()),
        ];
        assert!(order.is_sorted_by(|a, b| a.weight() < b.weight()), "{order:?}");
    }
}
