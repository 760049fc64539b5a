//! The parameters of an exchange.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use portpulse_core::outcome::{DnsFailure, NoData};
use portpulse_core::readiness::Readiness;
use portpulse_core::secret::SecretName;
use portpulse_core::target::Host;
use portpulse_secrets::Secret;
use tokio::time::Instant;

use crate::secrets::RequestSecrets;
use crate::tls::TlsClient;

/// The parameters of an exchange. A request can be used any number of times.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) readiness: Readiness,
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) client: TlsClient,
    pub(crate) secrets: RequestSecrets,
    pub(crate) other_hosts: Option<Arc<dyn OtherHosts>>,
}

/// Looks up the hosts to which a redirect leads, and decides which of their addresses may be contacted: a target must not
/// use the checker to reach hosts of a trusted network.
pub trait OtherHosts: fmt::Debug + Send + Sync {
    /// The addresses of a host, never empty.
    fn addresses<'a>(
        &'a self,
        host: &'a Host,
        deadline: Instant,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, HostError>> + Send + 'a>>;
}

/// Why a host has no address to contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostError {
    /// The name could not be resolved.
    Dns(DnsFailure),
    /// No address is public.
    NotPublic,
    /// The checker could not tell.
    NoData(NoData),
}

impl Request {
    /// Creates a request for the service at `host` and `port`. Both are sent in HTTP's `Host` field, and the host in
    /// the TLS server name unless the exchange has another one.
    pub fn new(readiness: Readiness, host: Host, port: u16, client: &TlsClient) -> Self {
        Self {
            readiness,
            host: host.without_final_dot(),
            port,
            client: client.clone(),
            secrets: RequestSecrets::default(),
            other_hosts: None,
        }
    }

    /// The request with the values of its secrets. Without them, a request that needs secrets is not made, and the result
    /// is [`NoData::SecretUnreadable`].
    #[must_use]
    pub fn with_secrets(self, secrets: BTreeMap<SecretName, Secret>) -> Self {
        Self {
            secrets: RequestSecrets::new(secrets),
            ..self
        }
    }

    /// The request that follows redirects to other hosts. Without this, redirects are followed on the same host only.
    #[must_use]
    pub fn with_other_hosts(self, other_hosts: Arc<dyn OtherHosts>) -> Self {
        Self {
            other_hosts: Some(other_hosts),
            ..self
        }
    }

    /// Whether all secrets are known.
    pub(crate) fn has_secrets(&self) -> bool {
        let needed = self.readiness.request_secrets();
        let certificate = self.readiness.client_certificate();
        needed.into_iter().all(|name| self.secrets.get(name).is_some())
            && certificate.is_none_or(|name| self.secrets.certificate(name).is_some())
    }
}
