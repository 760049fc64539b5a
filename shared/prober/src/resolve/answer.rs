//! The answers of name resolution: addresses, or the servers of SRV records, in the order of attempts; or why there are none.

use std::cmp::Reverse;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RData;
use portpulse_core::target::Host;

/// The result of a lookup, with its time.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) found: Result<Found, ResolveError>,
    /// The time of the lookup, without the wait for a free query.
    pub(crate) elapsed: Duration,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// Addresses, at least one.
    Addresses(Vec<IpAddr>),
    /// The servers of SRV records in the order of their priorities, at least one.
    Servers(Vec<Server>),
}

/// A server of an SRV record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// At least one.
    pub(crate) addresses: Vec<IpAddr>,
}

/// An SRV record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SrvRecord {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// The addresses of a name (at least one), or why there are none.
pub(crate) type Addresses = Result<Vec<IpAddr>, ResolveError>;

/// Why a name has no address. If both families fail, the greater error is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ResolveError {
    /// The name does not exist, or has no address in the family.
    NotFound,
    /// The name servers refused the question: they may not be asked, or have no server to ask.
    Refused,
    /// The name servers failed.
    ServerFailure,
    /// No answer arrived in time.
    Timeout,
    /// No resolver can be reached from here, or the resolver answers for no name at all.
    ResolverDown,
}

/// Converts the resolver library's result for one family.
pub(crate) fn read(result: Result<Lookup, NetError>) -> Addresses {
    read_records(result, addresses)
}

/// Converts the resolver library's result for SRV records.
pub(crate) fn read_srv(result: Result<Lookup, NetError>) -> Result<Vec<SrvRecord>, ResolveError> {
    read_records(result, srv_records)
}

/// The records of a result, at least one.
fn read_records<T>(
    result: Result<Lookup, NetError>,
    records: impl Fn(&Lookup) -> Vec<T>,
) -> Result<Vec<T>, ResolveError> {
    match result {
        Ok(lookup) => {
            let found = records(&lookup);
            if found.is_empty() {
                Err(ResolveError::NotFound)
            } else {
                Ok(found)
            }
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(NoRecords {
            response_code: ResponseCode::NoError | ResponseCode::NXDomain,
            ..
        }))) => Err(ResolveError::NotFound),
        Err(NetError::Timeout) => Err(ResolveError::Timeout),
        Err(NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused))) => Err(ResolveError::Refused),
        // The library reports every system error as `NoConnections`: nothing could be sent.
        Err(NetError::NoConnections | NetError::Busy | NetError::Io(_)) => Err(ResolveError::ResolverDown),
        Err(_) => Err(ResolveError::ServerFailure),
    }
}

/// The addresses in an answer.
pub(crate) fn addresses(lookup: &Lookup) -> Vec<IpAddr> {
    lookup
        .answers()
        .iter()
        .filter_map(|record| record.data.ip_addr())
        .collect()
}

/// What the answer for the root shows about the resolver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Control {
    /// Nothing shows that it works.
    Fails,
    /// It answers, but refuses this question: as an authoritative server does, and a forwarder without servers to ask.
    Refuses,
    /// It works, and reaches other servers.
    Works,
}

impl Control {
    /// Reads the answer for the root.
    pub(crate) fn read(answer: &Result<Lookup, NetError>) -> Self {
        match answer {
            Ok(_) => Self::Works,
            Err(NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused))) => Self::Refuses,
            Err(NetError::Dns(DnsError::NoRecordsFound(none)))
                if none.response_code != ResponseCode::ServFail =>
            {
                Self::Works
            }
            Err(_) => Self::Fails,
        }
    }

    /// Whether a failed lookup is the fault of its name: a resolver that refuses everything answers for no name.
    pub(crate) fn blames_the_name(self, error: ResolveError) -> bool {
        match self {
            Self::Works => true,
            Self::Refuses => error != ResolveError::Refused,
            Self::Fails => false,
        }
    }
}

/// The SRV records in an answer: by priority, those of one priority by descending weight, because all of them are tried.
/// The target `.` says that there is no such service (RFC 2782).
fn srv_records(lookup: &Lookup) -> Vec<SrvRecord> {
    let mut records: Vec<_> = lookup
        .answers()
        .iter()
        .filter_map(|record| {
            let RData::SRV(srv) = &record.data else {
                return None;
            };
            Some(srv)
        })
        .filter(|srv| srv.port != 0)
        .filter_map(|srv| {
            let host = srv.target.to_string().parse::<Host>().ok()?;
            let record = SrvRecord {
                host: host.without_final_dot(),
                port: srv.port,
            };
            Some((srv.priority, Reverse(srv.weight), record))
        })
        .collect();
    records.sort_by(|(a, b, _), (c, d, _)| (a, b).cmp(&(c, d)));
    records.into_iter().map(|(.., record)| record).collect()
}

/// Orders addresses for the attempts: alternating families, IPv6 first (RFC 8305, section 4).
pub(crate) fn interleave_families(addresses: Vec<IpAddr>, port: u16) -> Vec<SocketAddr> {
    let (v6, v4): (Vec<_>, Vec<_>) = addresses.into_iter().partition(IpAddr::is_ipv6);
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    let mut ordered = Vec::with_capacity(v6.len() + v4.len());
    while v6.len() + v4.len() > 0 {
        ordered.extend(
            v6.next()
                .into_iter()
                .chain(v4.next())
                .map(|address| SocketAddr::new(address, port)),
        );
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_alternate_and_keep_server_order() {
        let order = |texts: &[&str]| -> Vec<String> {
            let addresses = texts.iter().map(|text| text.parse().unwrap()).collect();
            interleave_families(addresses, 5)
                .iter()
                .map(|address| address.ip().to_string())
                .collect()
        };
        assert_eq!(
            order(&["10.0.0.1", "10.0.0.2", "::1", "::2", "::3"]),
            ["::1", "10.0.0.1", "::2", "10.0.0.2", "::3"]
        );
        assert_eq!(order(&["10.0.0.1", "10.0.0.2"]), ["10.0.0.1", "10.0.0.2"]);
    }

    #[test]
    fn local_errors_and_name_errors_are_distinguished() {
        let code = |code| NetError::Dns(DnsError::ResponseCode(code));
        let table = [
            (code(ResponseCode::ServFail), ResolveError::ServerFailure),
            (code(ResponseCode::Refused), ResolveError::Refused),
            (NetError::Timeout, ResolveError::Timeout),
            (
                NetError::from(std::io::Error::other("unsent")),
                ResolveError::ResolverDown,
            ),
            (NetError::NoConnections, ResolveError::ResolverDown),
        ];
        for (error, expected) in table {
            assert_eq!(read(Err(error.clone())), Err(expected), "{error}");
        }
    }
}
