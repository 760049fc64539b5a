//! Real ports on loopback that open and close at the test's word.

use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};

/// A port that is always held, so that nobody else can answer on it.
pub(crate) struct Port {
    address: SocketAddr,
    held: Held,
}

enum Held {
    /// It accepts, as fast as the kernel does; nobody takes the connections.
    Open { _listener: TcpListener },
    /// Bound and never listening: the kernel refuses.
    Closed(Socket),
    /// In between.
    Nobody,
}

impl Port {
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            address: listener.local_addr().unwrap(),
            held: Held::Open { _listener: listener },
        }
    }

    pub(crate) fn closed() -> Self {
        let mut port = Self::open();
        port.close();
        port
    }

    pub(crate) fn close(&mut self) {
        self.held = Held::Nobody;
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&self.address.into()).unwrap();
        self.held = Held::Closed(socket);
    }

    pub(crate) fn reopen(&mut self) {
        if let Held::Closed(socket) = std::mem::replace(&mut self.held, Held::Nobody) {
            socket.listen(128).unwrap();
            let listener = socket.into();
            self.held = Held::Open { _listener: listener };
        }
    }

    pub(crate) fn number(&self) -> u16 {
        self.address.port()
    }
}

/// Says nothing: a queue of one connection, which is full, so that the kernel drops every further SYN.
pub(crate) struct BlackHole {
    pub(crate) port: u16,
    _held: (Socket, TcpStream),
}

impl BlackHole {
    pub(crate) fn new() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket
            .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .unwrap();
        socket.listen(0).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        let filler = TcpStream::connect(address).unwrap();
        Self {
            port: address.port(),
            _held: (socket, filler),
        }
    }
}
