//! The parameters of an exchange.

use portpulse_core::readiness::Readiness;
use portpulse_core::target::Host;

use crate::tls::TlsClient;

/// The parameters of an exchange. A request can be used any number of times.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) readiness: Readiness,
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) client: TlsClient,
}

impl Request {
    /// Creates a request for the service at `host` and `port`. Both are sent in HTTP's `Host` field, and the host in
    /// the TLS server name.
    pub fn new(readiness: Readiness, host: Host, port: u16, client: &TlsClient) -> Self {
        Self {
            readiness,
            host,
            port,
            client: client.clone(),
        }
    }
}
