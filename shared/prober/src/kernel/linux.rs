//! Asks Linux for `TCP_INFO`, and for ICMP errors.

#![expect(
    unsafe_code,
    reason = "no safe crate reads TCP_INFO or sets IP_RECVERR; this module is the only one that needs unsafe"
)]

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use rustix::io::Errno;

use super::{TcpInfo, TcpState};

// include/net/tcp_states.h of Linux. The numbers are stable, because /proc/net/tcp shows them to user space.
const TCP_SYN_SENT: u8 = 2;
const TCP_SYN_RECV: u8 = 3;
const TCP_CLOSE: u8 = 7;

/// Reads `TCP_INFO` of a TCP socket.
///
/// # Errors
/// `getsockopt` failed: the descriptor is not a TCP socket.
pub(crate) fn tcp_info(socket: &impl AsFd) -> io::Result<TcpInfo> {
    // SAFETY: `tcp_info` has only integer fields, for which zero is a valid value.
    let mut info: libc::tcp_info = unsafe { mem::zeroed() };
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: the descriptor is open while `socket` is borrowed; the kernel writes at most `length` bytes to `info`,
    // and `info` has that length. An older kernel writes less and leaves the rest zero.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(TcpInfo {
        state: match info.tcpi_state {
            TCP_SYN_SENT | TCP_SYN_RECV => TcpState::Connecting,
            TCP_CLOSE => TcpState::Closed,
            _ => TcpState::Connected,
        },
        round_trip: (info.tcpi_rtt > 0).then(|| Duration::from_micros(info.tcpi_rtt.into())),
        resent: info.tcpi_total_retrans,
    })
}

/// Makes a datagram socket report each ICMP error, also those that may pass, such as an unreachable host (ip(7), ipv6(7)).
///
/// # Errors
/// `setsockopt` failed.
pub(crate) fn report_icmp_errors(socket: &impl AsFd, address: SocketAddr) -> io::Result<()> {
    let (level, option) = match address {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_RECVERR),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
    };
    let enabled: libc::c_int = 1;
    // SAFETY: the descriptor is open while `socket` is borrowed; the kernel reads an integer of the given length.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            option,
            (&raw const enabled).cast(),
            size_of_val(&enabled) as libc::socklen_t,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Whether a router reported a better route (RFC 792), which the kernel uses for the next packet: no failure.
pub(crate) fn is_redirect(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::REMOTEIO)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;

    #[test]
    fn open_connection_has_plausible_round_trip() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let started = std::time::Instant::now();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let clock = started.elapsed();
        let info = tcp_info(&stream).unwrap();
        assert_eq!((info.state, info.resent), (TcpState::Connected, 0));
        assert!(info.round_trip.unwrap() <= clock, "{info:?} {clock:?}");
    }

    #[test]
    fn non_tcp_socket_is_an_error() {
        assert!(tcp_info(&UdpSocket::bind("127.0.0.1:0").unwrap()).is_err());
    }
}
