//! Ports on loopback that answer in every way a port can.

use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};

/// A port that holds whatever keeps it as it is.
pub(crate) struct Peer<T> {
    pub(crate) address: SocketAddr,
    pub(crate) guard: T,
}

fn bound(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.bind(&address.into()).unwrap();
    socket
}

/// Accepts connections as fast as the kernel does; nobody takes them.
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

/// Refuses: bound so that nobody else can take the port, but never listening.
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

/// Says nothing: a queue of one connection, which is full, so that the kernel drops every further SYN.
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

/// An address that this machine has no route to, and so never sends to: TCP knows no multicast.
pub(crate) const UNROUTED_V4: &str = "224.0.0.1";
pub(crate) const UNROUTED_V6: &str = "ff02::1";
