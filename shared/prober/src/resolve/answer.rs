//! The answers of name resolution: addresses in the order of attempts, or the reason why there are none.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;

/// The result of a lookup, with its time.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) addresses: Addresses,
    /// The time of the lookup, without the wait for a free query.
    pub(crate) elapsed: Duration,
}

/// The addresses of a name (at least one), or why there are none.
pub(crate) type Addresses = Result<Vec<IpAddr>, ResolveError>;

/// Why a name has no address. If both families fail, the greater error is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ResolveError {
    /// The name does not exist, or has no address in the family.
    NotFound,
    /// The name servers failed.
    ServerFailure,
    /// No answer arrived in time.
    Timeout,
    /// No resolver can be reached from here, or the resolver answers for no name at all.
    ResolverDown,
}

/// Converts the resolver library's result for one family.
pub(crate) fn read(result: Result<Lookup, NetError>) -> Addresses {
    match result {
        Ok(lookup) => {
            let found = addresses(&lookup);
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

/// Whether an answer shows that the resolver works and reaches other servers; a refusal shows this too.
pub(crate) fn shows_working_resolver(answer: &Result<Lookup, NetError>) -> bool {
    match answer {
        Ok(_) | Err(NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused))) => true,
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) => none.response_code != ResponseCode::ServFail,
        Err(_) => false,
    }
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
            (code(ResponseCode::Refused), ResolveError::ServerFailure),
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
