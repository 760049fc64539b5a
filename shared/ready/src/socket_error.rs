//! From an error of the system to whose fault it is: a class of failure, or no data.

use std::io;
use std::net::SocketAddr;

use portpulse_core::outcome::{Detail, FailureClass, NoData};
use rustix::io::Errno;

/// Why there is no connection to an address, or no more.
#[derive(Debug, Clone, PartialEq)]
pub enum SocketError {
    /// The target, or the network before it.
    Target {
        /// What kind of failure it is.
        class: FailureClass,
        /// More in the system's own words.
        detail: Option<Detail>,
    },
    /// This machine.
    Local(NoData),
}

impl SocketError {
    /// A failure of the target for which the class says everything.
    pub const fn of_target(class: FailureClass) -> Self {
        Self::Target { class, detail: None }
    }

    /// Reads an error that a call returned at once: `socket`, `bind`, `connect`, the first `send` of a datagram.
    ///
    /// Nothing has come over the network yet, so most of these are this machine's own. On loopback the answer can be
    /// there before `connect` returns: what only an answer can say is read as [`SocketError::reported`] reads it.
    pub fn from_call(error: &io::Error, address: SocketAddr) -> Self {
        match Errno::from_io_error(error) {
            Some(errno) => meaning(errno).0.socket_error(error, address),
            None => internal(error),
        }
    }

    /// Reads an error that came later: `SO_ERROR`, a failed read or write.
    ///
    /// The network and the target report these, by ICMP or by a segment, so they are the target's, or its path's. Ours
    /// are only those that no packet can bring about.
    pub fn from_network(error: &io::Error, address: SocketAddr) -> Self {
        match Errno::from_io_error(error) {
            Some(errno) => meaning(errno).1.socket_error(error, address),
            // An error of a library about what the target sent, such as an end in the middle.
            None => Self::Target {
                class: FailureClass::Reset,
                detail: Detail::new(&error.to_string()),
            },
        }
    }
}

/// What an error means at one of the two moments.
#[derive(Clone, Copy)]
enum Meaning {
    /// The class says everything.
    Target(FailureClass),
    /// A router, or the host itself, says that nothing gets there; the error's own words say why.
    Path,
    Local(NoData),
    /// Over IPv4 the checker has no port left, over IPv6 no address to send from.
    NoSource,
    /// No call or packet that is known to bring it about.
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
    tracing::warn!(%error, "a socket ended in an error that has no class");
    SocketError::Local(NoData::Internal)
}

/// What each error means when a call returns it at once, and when it is reported later.
///
/// Sources: connect(2), socket(2), bind(2), send(2), ip(7), tcp(7), udp(7), icmp(7), epoll_ctl(2); for what packets
/// turn into, `icmp_err_convert` in `net/ipv4/icmp.c` and `icmpv6_err_convert` in `net/ipv6/icmp.c` of Linux 6.12; for
/// routes that refuse, `fib_props` in `net/ipv4/fib_semantics.c`.
fn meaning(errno: Errno) -> (Meaning, Meaning) {
    use FailureClass as C;
    use Meaning::{Local, NoSource, Path, Target, Unknown};
    use NoData::{Internal, NoRoute, OutOfResources};
    let both = |meaning| (meaning, meaning);
    match errno {
        // RST to a SYN, or ICMP's port unreachable (ICMPv6 1/4, and 3/3 to a datagram).
        Errno::CONNREFUSED => both(Target(C::Refused)),
        // The kernel sent the segment as often as tcp_syn_retries and tcp_retries2 allow.
        Errno::TIMEDOUT => both(Target(C::Timeout)),
        // RST after the handshake; EPIPE is the write after it.
        Errno::CONNRESET | Errno::PIPE => both(Target(C::Reset)),

        // At once: no route, or one of type `unreachable` (`fib_props`). Later: network unreachable (3/0), unknown
        // (3/6), prohibited (3/9) or not for this type of service (3/11); no route (ICMPv6 1/0).
        Errno::NETUNREACH => (Local(NoRoute), Path),
        // At once: a route of type `unreachable`. Later: host unreachable (3/1), prohibited (3/10), not for this type
        // of service (3/12), filtered (3/13) or of too low precedence (3/14, 3/15); address unreachable (ICMPv6 1/3);
        // time exceeded (11, ICMPv6 3). The kernel says so too when nobody on its own network answers ARP or neighbour
        // discovery, which is the target's silence where the target is on it.
        Errno::HOSTUNREACH => (Local(NoRoute), Path),
        // At once: a route of type `prohibit`, a broadcast address, a local firewall (connect(2)). Later: prohibited
        // (ICMPv6 1/1), against policy (1/5) or a rejected route (1/6): a router's firewall, and no other source.
        Errno::ACCESS => (Local(NoRoute), Path),
        // Later alone, for no call of ours returns them unless an answer has come: protocol unreachable (3/2), host
        // unknown (3/7), host isolated (3/8), source route failed (3/5), a parameter problem (12, ICMPv6 4 and codes
        // of type 1 that Linux does not know).
        Errno::NOPROTOOPT | Errno::HOSTDOWN | Errno::NONET | Errno::OPNOTSUPP | Errno::PROTO => both(Path),
        // At once: the datagram is longer than our own link takes. Later: than a link of the path does (3/4, ICMPv6 2).
        Errno::MSGSIZE => (Local(NoRoute), Path),

        // A local firewall, or a BPF program on connect or send. No packet brings it about, so it is ours whenever.
        Errno::PERM => both(Local(NoRoute)),
        // The interface is down; likewise.
        Errno::NETDOWN => both(Local(NoRoute)),
        // IPv6 is not in this kernel, or switched off.
        Errno::AFNOSUPPORT => (Local(NoRoute), Unknown),
        // A route of type `blackhole` (`fib_props`); a link-local address without its interface.
        Errno::INVAL => (Local(NoRoute), Unknown),
        // connect(2): all ports in use; with IPv6 switched off, no address either.
        Errno::ADDRNOTAVAIL => both(NoSource),
        // bind(2): all ports in use. connect(2), AGAIN: likewise, where `connect` binds by itself.
        Errno::ADDRINUSE | Errno::AGAIN => both(Local(OutOfResources)),
        // Too many open files here or on the whole machine, no memory, too many files watched (epoll_ctl(2)).
        Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::NOSPC => {
            both(Local(OutOfResources))
        }
        // Only this machine aborts a connection (`ss --kill`, a BPF program): a peer resets it.
        Errno::CONNABORTED => both(Local(Internal)),
        _ => both(Unknown),
    }
}

#[cfg(test)]
mod tests;
