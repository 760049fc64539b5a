//! Ports on loopback: open, refused and silent.

use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};

/// A port, with the object that keeps it in its state.
pub(crate) struct Peer<T> {
    pub(crate) address: SocketAddr,
    pub(crate) guard: T,
}

fn bound(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.bind(&address.into()).unwrap();
    socket
}

/// Open: the kernel accepts connections, and no process reads them.
pub(crate) fn open() -> Peer<TcpListener> {
    open_at("127.0.0.1:0".parse().unwrap())
}

pub(crate) fn open_at(address: SocketAddr) -> Peer<TcpListener> {
    let socket = bound(address);
    socket.listen(4096).unwrap();
    let guard = TcpListener::from(socket);
    Peer {
        address: guard.local_addr().unwrap(),
        guard,
    }
}

/// Refused: bound, so that no other process takes the port, but never listening.
pub(crate) fn refused_at(address: SocketAddr) -> Peer<Socket> {
    let guard = bound(address);
    Peer {
        address: guard.local_addr().unwrap().as_socket().unwrap(),
        guard,
    }
}

pub(crate) fn refused() -> Peer<Socket> {
    refused_at("127.0.0.1:0".parse().unwrap())
}

/// Silent: the accept queue of one connection is full, so that the kernel drops every further SYN.
pub(crate) fn silent() -> Peer<(Socket, TcpStream)> {
    silent_at("127.0.0.1:0".parse().unwrap())
}

pub(crate) fn silent_at(address: SocketAddr) -> Peer<(Socket, TcpStream)> {
    let socket = bound(address);
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let filler = TcpStream::connect(address).unwrap();
    Peer {
        address,
        guard: (socket, filler),
    }
}

/// Addresses to which this machine has no route. TCP cannot use multicast.
pub(crate) const UNROUTED_V4: &str = "224.0.0.1";
pub(crate) const UNROUTED_V6: &str = "ff02::1";
