//! Reads the state of a TCP socket by POSIX calls: there is no round-trip time, so the clock of the process is the source of
//! times.

use std::io;
#[cfg(not(target_os = "linux"))]
use std::net::SocketAddr;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::getpeername;

use super::{TcpInfo, TcpState};

/// Reads the state of a socket.
///
/// # Errors
/// `poll` failed.
pub(crate) fn tcp_info(socket: &impl AsFd) -> io::Result<TcpInfo> {
    let mut events = [PollFd::new(socket, PollFlags::OUT)];
    let pending = poll(&mut events, Some(&Timespec::default()))? == 0;
    let state = match getpeername(socket) {
        Ok(_) => TcpState::Connected,
        Err(_) if pending => TcpState::Connecting,
        Err(_) => TcpState::Closed,
    };
    Ok(TcpInfo {
        state,
        round_trip: None,
        resent: 0,
    })
}

/// Refuses to ping: replies and errors have other forms than on Linux.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub(crate) fn report_icmp_errors(_: &impl AsFd, _: SocketAddr) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether a router reported a better route: only Linux reports it.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_redirect(_: &io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use socket2::{Domain, Socket, Type};

    use super::*;

    #[test]
    fn states_of_a_connection_are_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = |socket: &Socket| tcp_info(socket).unwrap().state;
        let connected = Socket::from(TcpStream::connect(address).unwrap());
        assert_eq!(state(&connected), TcpState::Connected);

        drop(listener);
        let refused = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        refused.set_nonblocking(true).unwrap();
        let _ = refused.connect(&address.into());
        assert_eq!(state(&refused), TcpState::Closed);
    }
}
