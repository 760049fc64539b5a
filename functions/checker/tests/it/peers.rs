//! Real ports on loopback that tests open and close.

use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};

/// A port that stays bound, so that no other process can use it.
pub(crate) struct Port {
    address: SocketAddr,
    state: PortState,
}

enum PortState {
    /// Listening: the kernel accepts connections; no code handles them.
    Open { _listener: TcpListener },
    /// Bound and not listening: the kernel refuses connections.
    Closed(Socket),
    /// Between two states.
    Unbound,
}

impl Port {
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            address: listener.local_addr().unwrap(),
            state: PortState::Open { _listener: listener },
        }
    }

    pub(crate) fn closed() -> Self {
        let mut port = Self::open();
        port.close();
        port
    }

    pub(crate) fn close(&mut self) {
        self.state = PortState::Unbound;
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&self.address.into()).unwrap();
        self.state = PortState::Closed(socket);
    }

    pub(crate) fn reopen(&mut self) {
        if let PortState::Closed(socket) = std::mem::replace(&mut self.state, PortState::Unbound) {
            socket.listen(128).unwrap();
            let listener = socket.into();
            self.state = PortState::Open { _listener: listener };
        }
    }

    pub(crate) fn number(&self) -> u16 {
        self.address.port()
    }
}

/// A port that never answers: its connection queue is full, so the kernel drops every SYN.
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
