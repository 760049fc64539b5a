//! The socket, with or without TLS on it: reads and writes within one deadline, and a clean end.

use std::fmt;
use std::io::{self, Read, Write};
use std::time::Duration;

use rustls::ClientConnection;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::{Instant, timeout_at};

/// How much is read at once: so little that the TLS library always takes the whole of it in one go. Its buffer has 18,437
/// bytes, and a record that is not complete at most 16,644 (RFC 8446, section 5.2). It takes nothing more while it holds
/// more than 16 KiB of the conversation, which is read whenever it has taken something.
const READ_BUFFER_BYTES: usize = 1_536;
/// How much of a handshake's beginning is kept, to tell what answered if it was not TLS.
const MAX_HANDSHAKE_EXCERPT_BYTES: usize = 200;
/// What TLS may bring beside the conversation: certificates, some kilobytes of them, and session tickets.
const MAX_TLS_OVERHEAD_BYTES: usize = 128 * 1024;
/// The most pieces in which all of it may come. The smallest segments that a path of IPv4 makes carry 536 bytes
/// (RFC 9293, section 3.7.1), in which this is 268 KiB.
const MAX_READS: usize = 512;
/// After so many reads in a row others have their turn: a target that always has more to say holds up nobody.
const READS_PER_YIELD: usize = 8;
/// How long the target may take to end its side once we ended ours, and how much it may still say.
const LINGER_TIMEOUT: Duration = Duration::from_millis(300);
const LINGER_BUDGET: Budget = Budget {
    bytes: 64 * 1024,
    reads: 64,
    spent: 0,
};

/// A connected socket in use.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    deadline: Instant,
    budget: Budget,
}

/// What may still be read of a target, whatever layer it is meant for.
///
/// Processor time is bounded by it too: a record of TLS takes at least 22 bytes, and is decrypted once.
#[derive(Debug)]
struct Budget {
    bytes: usize,
    reads: usize,
    spent: usize,
}

/// How much came, without an end: more than any service has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadLimit {
    /// So many bytes, in all layers.
    Bytes(usize),
    /// So many pieces.
    Reads(usize),
}

impl fmt::Display for ReadLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} KiB", bytes / 1024),
            Self::Reads(reads) => write!(f, "{reads} pieces"),
        }
    }
}

impl Budget {
    fn new(max_conversation_bytes: usize) -> Self {
        Self {
            // TLS adds 22 bytes to each record: a quarter of what is in it, where that is 88 bytes.
            bytes: MAX_TLS_OVERHEAD_BYTES + max_conversation_bytes + max_conversation_bytes / 4,
            reads: MAX_READS,
            spent: 0,
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), ReadLimit> {
        if self.reads == 0 {
            return Err(ReadLimit::Reads(MAX_READS));
        }
        self.spent += bytes;
        self.reads -= 1;
        if self.spent > self.bytes {
            return Err(ReadLimit::Bytes(self.bytes));
        }
        Ok(())
    }
}

/// Why nothing more can be read or written.
#[derive(Debug)]
pub(crate) enum ConnectionError {
    /// The target ended its side.
    Closed,
    /// The time is over.
    Deadline,
    /// The socket failed.
    Io(io::Error),
    /// What came is not the TLS that was agreed on.
    Tls(rustls::Error),
    /// It does not come to an end.
    LimitExceeded(ReadLimit),
}

/// A handshake that failed, and the first bytes that came in it.
#[derive(Debug)]
pub(crate) struct HandshakeError {
    pub(crate) error: ConnectionError,
    pub(crate) received: Vec<u8>,
}

impl Connection {
    /// A socket from which a conversation of at most so many bytes is to be read.
    pub(crate) fn new(stream: TcpStream, deadline: Instant, max_conversation_bytes: usize) -> Self {
        Self {
            stream,
            tls: None,
            deadline,
            budget: Budget::new(max_conversation_bytes),
        }
    }

    /// The TLS under the conversation, once it has begun.
    pub(crate) fn tls(&self) -> Option<&ClientConnection> {
        self.tls.as_deref()
    }

    /// Completes a handshake; all that follows is within TLS.
    pub(crate) async fn start_tls(&mut self, tls: ClientConnection) -> Result<(), HandshakeError> {
        let mut tls = Box::new(tls);
        let mut received = Vec::new();
        let outcome = loop {
            if let Err(error) = self.flush(&mut tls).await {
                break Err(error);
            }
            if !tls.is_handshaking() {
                break Ok(());
            }
            let mut buffer = [0; READ_BUFFER_BYTES];
            let bytes = match self.read_raw(&mut buffer).await {
                Ok(count) => buffer.get(..count).unwrap_or_default(),
                Err(error) => break Err(error),
            };
            received.extend(
                bytes
                    .iter()
                    .take(MAX_HANDSHAKE_EXCERPT_BYTES.saturating_sub(received.len())),
            );
            if let Err(error) = decrypt(&mut tls, bytes) {
                // The alert that says so is a courtesy.
                let _ = self.flush(&mut tls).await;
                break Err(ConnectionError::Tls(error));
            }
        };
        match outcome {
            Ok(()) => {
                self.tls = Some(tls);
                Ok(())
            }
            Err(error) => Err(HandshakeError { error, received }),
        }
    }

    /// Sends all of it. A target that answered and left before it heard us has still answered: a failed write is no
    /// status, the next read is.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), ConnectionError> {
        let sent = match self.tls.take() {
            Some(mut tls) => {
                let encrypted = tls.writer().write_all(bytes).map_err(ConnectionError::Io);
                let sent = self.flush(&mut tls).await;
                self.tls = Some(tls);
                encrypted.and(sent)
            }
            None => self.write_raw(bytes).await,
        };
        match sent {
            Err(ConnectionError::Io(_)) | Ok(()) => Ok(()),
            Err(
                error @ (ConnectionError::Closed
                | ConnectionError::Deadline
                | ConnectionError::Tls(_)
                | ConnectionError::LimitExceeded(_)),
            ) => Err(error),
        }
    }

    /// Waits for bytes of the conversation and adds them to `into`.
    pub(crate) async fn receive(&mut self, mut into: impl FnMut(&[u8])) -> Result<(), ConnectionError> {
        let mut buffer = [0; READ_BUFFER_BYTES];
        let Some(mut tls) = self.tls.take() else {
            let count = self.read_raw(&mut buffer).await?;
            into(buffer.get(..count).unwrap_or_default());
            return Ok(());
        };
        let outcome = loop {
            let mut plain = [0; READ_BUFFER_BYTES];
            match tls.reader().read(&mut plain) {
                Ok(0) => break Err(ConnectionError::Closed),
                Ok(count) => {
                    into(plain.get(..count).unwrap_or_default());
                    break Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => break Err(ConnectionError::Io(error)),
            }
            let received = match self.read_raw(&mut buffer).await {
                Ok(count) => {
                    decrypt(&mut tls, buffer.get(..count).unwrap_or_default()).map_err(ConnectionError::Tls)
                }
                Err(error) => Err(error),
            };
            // An answer may have to go out, such as a key update or an alert.
            let flushed = self.flush(&mut tls).await;
            if let Err(error) = received.and(flushed) {
                break Err(error);
            }
        };
        self.tls = Some(tls);
        outcome
    }

    /// Takes leave: the last words, the end of TLS, FIN, and then the rest of what the target has to say is read, since
    /// closing over unread bytes would send RST.
    pub(crate) async fn close(mut self, closing_bytes: &[u8]) {
        self.deadline = self.deadline.min(Instant::now() + LINGER_TIMEOUT);
        if !closing_bytes.is_empty() {
            let _ = self.send(closing_bytes).await;
        }
        if let Some(mut tls) = self.tls.take() {
            tls.send_close_notify();
            let _ = self.flush(&mut tls).await;
        }
        let _ = self.stream.shutdown().await;
        self.budget = LINGER_BUDGET;
        let mut buffer = [0; READ_BUFFER_BYTES];
        while self.read_raw(&mut buffer).await.is_ok() {}
    }

    async fn flush(&mut self, tls: &mut ClientConnection) -> Result<(), ConnectionError> {
        let mut encrypted = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut encrypted).map_err(ConnectionError::Io)?;
        }
        self.write_raw(&encrypted).await
    }

    async fn write_raw(&mut self, bytes: &[u8]) -> Result<(), ConnectionError> {
        match timeout_at(self.deadline, self.stream.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(ConnectionError::Io(error)),
            Err(_) => Err(ConnectionError::Deadline),
        }
    }

    async fn read_raw(&mut self, buffer: &mut [u8]) -> Result<usize, ConnectionError> {
        let read = match timeout_at(self.deadline, self.stream.read(buffer)).await {
            Ok(read) => read,
            // A process that was not served in time may have missed what came: ask the kernel before blaming the target.
            Err(_) => match (&*SockRef::from(&self.stream)).read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(ConnectionError::Deadline);
                }
                read => read,
            },
        };
        match read {
            Ok(0) => Err(ConnectionError::Closed),
            Ok(count) => {
                self.budget.spend(count).map_err(ConnectionError::LimitExceeded)?;
                if self.budget.reads.is_multiple_of(READS_PER_YIELD) {
                    yield_now().await;
                }
                Ok(count)
            }
            Err(error) => Err(ConnectionError::Io(error)),
        }
    }
}

/// Hands bytes to TLS.
fn decrypt(tls: &mut ClientConnection, mut bytes: &[u8]) -> Result<(), rustls::Error> {
    while !bytes.is_empty() {
        match tls.read_tls(&mut bytes) {
            // After the end of TLS nothing counts any more (RFC 8446, section 6.1).
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(_) => return Err(rustls::Error::PeerSentOversizedRecord),
        }
        tls.process_new_packets()?;
    }
    Ok(())
}
