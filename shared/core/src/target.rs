//! Targets: the part of a monitor that the prober needs.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::choice::{CloseMode, IpFamily};
use crate::readiness::Readiness;

pub use crate::host::{Host, InvalidHost};

/// The maximum timeout of a check.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// One host and port, or a host to ping, with the options of its checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The host.
    pub host: Host,
    /// The TCP port, or the UDP port of a DNS server checked over UDP; never 0. If the host is the name of SRV records, these
    /// name the ports. `None` for a ping, which has no port.
    pub port: Option<u16>,
    /// The allowed address families.
    pub ip: IpFamily,
    /// The timeout for all phases together, at most [`MAX_TIMEOUT`].
    pub timeout: Duration,
    /// The response time above which a check fails although the service answered.
    pub fail_slower_than: Option<Duration>,
    /// The kind of check.
    pub check: Check,
}

impl fmt::Display for Target {
    /// `host:port`, with brackets around an IPv6 address; only the host of a ping, or of SRV records, which name the ports.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.host, self.port) {
            (host, None) => write!(f, "{host}"),
            (Host::Address(IpAddr::V6(address)), Some(port)) => write!(f, "[{address}]:{port}"),
            (host @ Host::Name(_), Some(_)) if host.is_srv() => write!(f, "{host}"),
            (Host::Name(_) | Host::Address(IpAddr::V4(_)), Some(port)) => write!(f, "{}:{port}", self.host),
        }
    }
}

/// The kind of a check, with its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// A timed TCP connect, closed by the given mode.
    Connect(CloseMode),
    /// A connect, then an exchange in the protocol of the service.
    Ready(Readiness),
    /// An ICMP echo (RFC 792, RFC 4443), instead of a connect.
    Ping,
}
