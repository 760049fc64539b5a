//! Opens TCP connections, in one place, so that local errors and errors of the target are distinguished.

use std::net::SocketAddr;
use std::time::Duration;

use portpulse_core::choice::CloseMode;
use portpulse_core::outcome::FailureClass;
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::socket_error::SocketError;

/// Sends the SYN and returns the stream with the time of the SYN. The stream is writable when the target has answered.
///
/// # Errors
/// The system refused the connection immediately.
pub fn start_connect(address: SocketAddr, close: CloseMode) -> Result<(TcpStream, Instant), SocketError> {
    let local_error = |error| SocketError::from_call(&error, address);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP));
    let socket = socket.map_err(local_error)?;
    socket.set_nonblocking(true).map_err(local_error)?;
    match close {
        CloseMode::Fin => {}
        // Delays the ACK that completes the handshake, and makes the close send RST, so that the service never sees the
        // connection. Only Linux can delay the ACK: elsewhere the service sees a connection that is reset at once.
        CloseMode::Quiet => {
            #[cfg(target_os = "linux")]
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

/// Connects within the deadline, for a follow-up request of an exchange.
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
