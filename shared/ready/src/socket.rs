//! How every TCP connection begins, so that one place tells our own faults from the target's.

use std::net::SocketAddr;
use std::time::Duration;

use portpulse_core::choice::CloseMode;
use portpulse_core::outcome::FailureClass;
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::fault::Fault;

/// Sends the SYN; the stream is writable once the answer has come. The time is that of the SYN.
///
/// # Errors
/// What the system refused at once.
pub fn begin_connect(address: SocketAddr, close: CloseMode) -> Result<(TcpStream, Instant), Fault> {
    let at_once = |error| Fault::at_once(&error, address);
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking(),
        Some(Protocol::TCP),
    )
    .map_err(at_once)?;
    match close {
        CloseMode::Fin => {}
        // Holds the last ACK of the handshake back, and makes the close send RST instead: the service never sees
        // the connection.
        CloseMode::Quiet => {
            socket.set_tcp_quickack(false).map_err(at_once)?;
            socket.set_linger(Some(Duration::ZERO)).map_err(at_once)?;
        }
    }
    let began = Instant::now();
    match socket.connect(&address.into()) {
        Err(error) if Errno::from_io_error(&error) != Some(Errno::INPROGRESS) => return Err(at_once(error)),
        Ok(()) | Err(_) => {}
    }
    let stream = TcpStream::from_std(socket.into()).map_err(at_once)?;
    Ok((stream, began))
}

/// Connects, for an exchange that goes on elsewhere.
pub(crate) async fn connect(address: SocketAddr, deadline: Instant) -> Result<TcpStream, Fault> {
    let (stream, _) = begin_connect(address, CloseMode::Fin)?;
    match timeout_at(deadline, stream.writable()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(Fault::at_once(&error, address)),
        Err(_) => return Err(Fault::of_target(FailureClass::Timeout)),
    }
    match stream.take_error() {
        Ok(None) => Ok(stream),
        Ok(Some(error)) => Err(Fault::reported(&error, address)),
        Err(error) => Err(Fault::at_once(&error, address)),
    }
}
