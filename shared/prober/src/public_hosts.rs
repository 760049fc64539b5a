//! The hosts to which an HTTP redirect may lead: those with a public address.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use portpulse_core::address::is_public_address;
use portpulse_core::choice::IpFamily;
use portpulse_core::outcome::{DnsFailure, NoData};
use portpulse_core::target::Host;
use portpulse_ready::{HostError, OtherHosts};
use tokio::time::Instant;

use crate::resolve::{Found, NameResolver, Question, ResolveError};

/// Resolves the host of a redirect, and returns its public addresses, IPv4 first.
pub(crate) struct PublicHosts(Arc<NameResolver>);

impl PublicHosts {
    pub(crate) fn new(resolver: Arc<NameResolver>) -> Self {
        Self(resolver)
    }

    async fn look_up(&self, host: &Host, deadline: Instant) -> Result<Vec<IpAddr>, HostError> {
        let mut found = match host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => {
                let limit = deadline.saturating_duration_since(Instant::now());
                let question = Question {
                    name: name.clone(),
                    ip: IpFamily::Any,
                    limit,
                };
                let found = self.0.answer(&question).await.found;
                let found = found.map_err(|error| match error {
                    ResolveError::NotFound => HostError::Dns(DnsFailure::NotFound),
                    ResolveError::Refused | ResolveError::ServerFailure => {
                        HostError::Dns(DnsFailure::ServerFailure)
                    }
                    ResolveError::Timeout => HostError::Dns(DnsFailure::Timeout),
                    ResolveError::ResolverDown => HostError::NoData(NoData::ResolverDown),
                })?;
                match found {
                    Found::Addresses(addresses) => addresses,
                    // A redirect leads to a host.
                    Found::Servers(_) => return Err(HostError::Dns(DnsFailure::NotFound)),
                }
            }
        };
        found.retain(|address| is_public_address(*address));
        // A Lambda function outside a VPC has no IPv6.
        found.sort_by_key(IpAddr::is_ipv6);
        match found.is_empty() {
            true => Err(HostError::NotPublic),
            false => Ok(found),
        }
    }
}

impl OtherHosts for PublicHosts {
    fn addresses<'a>(
        &'a self,
        host: &'a Host,
        deadline: Instant,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, HostError>> + Send + 'a>> {
        Box::pin(self.look_up(host, deadline))
    }
}

impl fmt::Debug for PublicHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicHosts")
    }
}
