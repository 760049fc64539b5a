//! What only the kernel knows of a socket: the state and the round-trip time of a TCP socket, which are exact even if this
//! process is late, and ICMP errors. Other systems than Linux know the state alone, and send no pings.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(test, not(target_os = "linux")))]
mod portable;

use std::time::Duration;

#[cfg(target_os = "linux")]
pub(crate) use linux::{is_redirect, report_icmp_errors, tcp_info};
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{is_redirect, report_icmp_errors, tcp_info};

/// What is known of a TCP socket: on Linux from `TCP_INFO` (tcp(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TcpInfo {
    pub(crate) state: TcpState,
    /// The round-trip time measured by the kernel; absent if there is no measurement.
    pub(crate) round_trip: Option<Duration>,
    /// The number of retransmitted segments. These are SYNs if no data was sent.
    pub(crate) resent: u32,
}

/// The state of an outgoing connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TcpState {
    /// The SYN was sent.
    Connecting,
    /// The connection was established. Its current state may be later.
    Connected,
    /// The connection failed, or was torn down; `SO_ERROR` has the reason.
    Closed,
}
