//! What to ask of which target.

use portpulse_core::readiness::Readiness;
use portpulse_core::target::Host;

use crate::tls::TlsClient;

/// One exchange to be held, as often as wanted.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) readiness: Readiness,
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) client: TlsClient,
}

impl Request {
    /// What to ask of the service behind that port of that host: both are named in the exchange itself, in HTTP's
    /// `Host` and in TLS's server name.
    pub fn new(readiness: Readiness, host: Host, port: u16, client: &TlsClient) -> Self {
        Self {
            readiness,
            host,
            port,
            client: client.clone(),
        }
    }
}
