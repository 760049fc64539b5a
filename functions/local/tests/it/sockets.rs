//! Loopback ports in known states.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

/// A port that accepts connections while it is held.
pub(crate) fn open() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// A reserved port that refuses connections while it is held.
pub(crate) fn refused() -> (Socket, String) {
    let socket = refused_at((Ipv4Addr::LOCALHOST, 0).into());
    let address = socket.local_addr().unwrap().as_socket().unwrap().to_string();
    (socket, address)
}

/// As [`refused`], at this address.
pub(crate) fn refused_at(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&address.into()).unwrap();
    socket
}
