//! Classifies socket errors: a failure class if the target or the network caused the error, no data if this machine
//! did.

use std::io;
use std::net::SocketAddr;

use portpulse_core::outcome::{Detail, FailureClass, NoData};
use rustix::io::Errno;

/// Why an address cannot be reached, or a connection was lost.
#[derive(Debug, Clone, PartialEq)]
pub enum SocketError {
    /// The target or the network caused the error.
    Target {
        /// The failure class.
        class: FailureClass,
        /// The system's error message, where the class alone is not enough.
        detail: Option<Detail>,
    },
    /// This machine caused the error.
    Local(NoData),
}

impl SocketError {
    /// Creates an error of the target without details.
    pub const fn of_target(class: FailureClass) -> Self {
        Self::Target { class, detail: None }
    }

    /// Classifies an error that a call returned immediately: `socket`, `bind`, `connect` or the first `send` of a
    /// datagram.
    ///
    /// Most of these errors are local, because nothing has been received yet. On loopback an answer can arrive before
    /// `connect` returns; errors that only an answer can cause are classified as in [`SocketError::from_network`].
    pub fn from_call(error: &io::Error, address: SocketAddr) -> Self {
        match Errno::from_io_error(error) {
            Some(errno) => meaning(errno).0.socket_error(error, address),
            None => internal(error),
        }
    }

    /// Classifies an error that was reported later: `SO_ERROR`, or a failed read or write.
    ///
    /// The network and the target cause these errors, by ICMP or by a segment. Only errors that no packet can cause are
    /// local.
    pub fn from_network(error: &io::Error, address: SocketAddr) -> Self {
        match Errno::from_io_error(error) {
            Some(errno) => meaning(errno).1.socket_error(error, address),
            // An error of a library about the received bytes, such as an unexpected end.
            None => Self::Target {
                class: FailureClass::Reset,
                detail: Detail::new(&error.to_string()),
            },
        }
    }
}

/// The meaning of an error, either returned immediately or reported later.
#[derive(Clone, Copy)]
enum Meaning {
    /// The class alone is enough.
    Target(FailureClass),
    /// A router or the host reports that packets cannot be delivered; the system's message gives the reason.
    Path,
    Local(NoData),
    /// Over IPv4 no local port is free; over IPv6 there is no source address.
    NoSource,
    /// No known call or packet causes this error.
    Unknown,
}

impl Meaning {
    fn socket_error(self, error: &io::Error, address: SocketAddr) -> SocketError {
        match self {
            Self::Target(class) => SocketError::of_target(class),
            Self::Path => SocketError::Target {
                class: FailureClass::Unreachable,
                detail: Detail::new(&error.to_string()),
            },
            Self::Local(no_data) => SocketError::Local(no_data),
            Self::NoSource if address.is_ipv6() => SocketError::Local(NoData::NoRoute),
            Self::NoSource => SocketError::Local(NoData::OutOfResources),
            Self::Unknown => internal(error),
        }
    }
}

fn internal(error: &io::Error) -> SocketError {
    tracing::warn!(%error, "unclassified socket error");
    SocketError::Local(NoData::Internal)
}

/// The meaning of each error when a call returns it immediately, and when it is reported later.
///
/// Sources: connect(2), socket(2), bind(2), send(2), ip(7), tcp(7), udp(7), icmp(7), epoll_ctl(2); the errors that
/// packets cause, `icmp_err_convert` in `net/ipv4/icmp.c` and `icmpv6_err_convert` in `net/ipv6/icmp.c` of Linux 6.12;
/// the errors of route types, `fib_props` in `net/ipv4/fib_semantics.c`.
fn meaning(errno: Errno) -> (Meaning, Meaning) {
    use FailureClass as C;
    use Meaning::{Local, NoSource, Path, Target, Unknown};
    use NoData::{Internal, NoRoute, OutOfResources};
    let both = |meaning| (meaning, meaning);
    match errno {
        // RST in answer to a SYN, or ICMP port unreachable (ICMPv6 1/4, and 3/3 in answer to a datagram).
        Errno::CONNREFUSED => both(Target(C::Refused)),
        // The kernel sent the segment as often as tcp_syn_retries or tcp_retries2 allow.
        Errno::TIMEDOUT => both(Target(C::Timeout)),
        // RST after the handshake; EPIPE is the next write.
        Errno::CONNRESET | Errno::PIPE => both(Target(C::Reset)),

        // Immediately: no route, or a route of type `unreachable` (`fib_props`). Later: network unreachable (3/0),
        // unknown (3/6), prohibited (3/9) or not for this type of service (3/11); no route (ICMPv6 1/0).
        Errno::NETUNREACH => (Local(NoRoute), Path),
        // Immediately: a route of type `unreachable`. Later: host unreachable (3/1), prohibited (3/10), not for this
        // type of service (3/12), filtered (3/13) or precedence too low (3/14, 3/15); address unreachable (ICMPv6 1/3);
        // time exceeded (11, ICMPv6 3). The kernel also reports this error if no host on the local network answers ARP
        // or neighbour discovery: if the target is on that network, the target is silent.
        Errno::HOSTUNREACH => (Local(NoRoute), Path),
        // Immediately: a route of type `prohibit`, a broadcast address, or a local firewall (connect(2)). Later:
        // prohibited (ICMPv6 1/1), against policy (1/5) or a rejected route (1/6). Only a router's firewall sends these
        // codes.
        Errno::ACCESS => (Local(NoRoute), Path),
        // Only later, because no call returns these errors before an answer arrives: protocol unreachable (3/2), host
        // unknown (3/7), host isolated (3/8), source route failed (3/5), a parameter problem (12, ICMPv6 4 and codes of
        // type 1 unknown to Linux).
        Errno::NOPROTOOPT | Errno::HOSTDOWN | Errno::OPNOTSUPP | Errno::PROTO => both(Path),
        #[cfg(target_os = "linux")]
        Errno::NONET => both(Path),
        // Immediately: the datagram exceeds the MTU of the local link. Later: of a link on the path (3/4, ICMPv6 2).
        Errno::MSGSIZE => (Local(NoRoute), Path),

        // A local firewall, or a BPF program on connect or send. No packet causes this error, so that it is always
        // local.
        Errno::PERM => both(Local(NoRoute)),
        // The local interface is down. No packet causes this error.
        Errno::NETDOWN => both(Local(NoRoute)),
        // This kernel has no IPv6, or IPv6 is disabled.
        Errno::AFNOSUPPORT => (Local(NoRoute), Unknown),
        // A route of type `blackhole` (`fib_props`), or a link-local address without an interface.
        Errno::INVAL => (Local(NoRoute), Unknown),
        // connect(2): all local ports are in use; with IPv6 disabled, there is no source address.
        Errno::ADDRNOTAVAIL => both(NoSource),
        // bind(2): all local ports are in use. connect(2) returns EAGAIN for the same reason when `connect` itself
        // binds.
        Errno::ADDRINUSE | Errno::AGAIN => both(Local(OutOfResources)),
        // Too many open files in this process or on this machine, no memory, or too many epoll watches (epoll_ctl(2)).
        Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::NOSPC => {
            both(Local(OutOfResources))
        }
        // Only this machine aborts a connection (`ss --kill`, a BPF program); a peer resets a connection.
        Errno::CONNABORTED => both(Local(Internal)),
        _ => both(Unknown),
    }
}

#[cfg(test)]
mod tests;
