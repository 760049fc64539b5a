//! How every TCP connection begins, so that one place tells our own faults from the target's.

use std::net::SocketAddr;
use std::time::Duration;

use portpulse_core::choice::CloseMode;
use portpulse_core::outcome::FailureClass;
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::socket_error::SocketError;

/// Sends the SYN; the stream is writable once the answer has come. The time is that of the SYN.
///
/// # Errors
/// What the system refused at once.
pub fn start_connect(address: SocketAddr, close: CloseMode) -> Result<(TcpStream, Instant), SocketError> {
    let local_error = |error| SocketError::from_call(&error, address);
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking(),
        Some(Protocol::TCP),
    )
    .map_err(local_error)?;
    match close {
        CloseMode::Fin => {}
        // Holds the last ACK of the handshake back, and makes the close send RST instead: the service never sees
        // the connection.
        CloseMode::Quiet => {
            socket.set_tcp_quickack(false).map_err(local_error)?;
            socket.set_linger(Some(Duration::ZERO)).map_err(local_error)?;
        }
    }
    let started = Instant::now();
    match socket.connect(&address.into()) {
        Err(error) if Errno::from_io_error(&error) != Some(Errno::INPROGRESS) => {
            return Err(local_error(error));
        }
        Ok(()) | Err(_) => {}
    }
    let stream = TcpStream::from_std(socket.into()).map_err(local_error)?;
    Ok((stream, started))
}

/// Connects, for an exchange that goes on elsewhere.
pub(crate) async fn connect(address: SocketAddr, deadline: Instant) -> Result<TcpStream, SocketError> {
    let (stream, _) = start_connect(address, CloseMode::Fin)?;
    match timeout_at(deadline, stream.writable()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(SocketError::from_call(&error, address)),
        Err(_) => return Err(SocketError::of_target(FailureClass::Timeout)),
    }
    match stream.take_error() {
        Ok(None) => Ok(stream),
        Ok(Some(error)) => Err(SocketError::from_network(&error, address)),
        Err(error) => Err(SocketError::from_call(&error, address)),
    }
}
