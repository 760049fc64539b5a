//! A TCP connection with or without TLS: reads and writes within one deadline and a byte limit, and closes with a FIN.

use std::fmt;
use std::io::{self, Read, Write};
use std::time::Duration;

use rustls::ClientConnection;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::{Instant, timeout_at};

/// The size of one read. The TLS library always accepts that many bytes at once: its buffer has 18,437 bytes, and an
/// incomplete record has at most 16,644 (RFC 8446, section 5.2). The library accepts no further bytes while more than
/// 16 KiB of decrypted data is unread, but the decrypted data is read after every read from the socket.
const READ_BUFFER_BYTES: usize = 1_536;
/// How many bytes of a handshake are recorded, to report what answered if the answer is not TLS.
const MAX_HANDSHAKE_EXCERPT_BYTES: usize = 200;
/// The byte limit for TLS in addition to the conversation: certificates of some kilobytes, and session tickets.
const MAX_TLS_OVERHEAD_BYTES: usize = 128 * 1024;
/// The maximum number of reads in one exchange. The smallest segments of an IPv4 path carry 536 bytes (RFC 9293,
/// section 3.7.1), so that 512 of them carry 268 KiB.
const MAX_READS: usize = 512;
/// The task yields after this many reads, so that a target that sends without pause does not block other checks.
const READS_PER_YIELD: usize = 8;
/// How long and how much is still read from the target after this side sent its FIN.
const LINGER_TIMEOUT: Duration = Duration::from_millis(300);
const LINGER_BUDGET: Budget = Budget {
    bytes: 64 * 1024,
    reads: 64,
    spent: 0,
};

/// A connected socket with an optional TLS session.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// The end of the session, which is reported after the bytes that preceded the error.
    tls_error: Option<rustls::Error>,
    deadline: Instant,
    budget: Budget,
}

/// What may still be read from a target, in all layers together.
///
/// The budget limits processor time too: a TLS record takes at least 22 bytes and is decrypted once.
#[derive(Debug)]
struct Budget {
    bytes: usize,
    reads: usize,
    spent: usize,
}

/// The read limit that a target exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadLimit {
    /// The number of bytes, in all layers together.
    Bytes(usize),
    /// The number of reads.
    Reads(usize),
}

impl fmt::Display for ReadLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} KiB", bytes / 1024),
            Self::Reads(reads) => write!(f, "{reads} reads"),
        }
    }
}

impl Budget {
    fn new(max_conversation_bytes: usize) -> Self {
        Self {
            // TLS adds 22 bytes to each record, which is a quarter of a record of 88 bytes.
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

/// Why the connection cannot be used any more.
#[derive(Debug)]
pub(crate) enum ConnectionError {
    /// The target closed its side.
    Closed,
    /// The deadline passed.
    Deadline,
    /// The socket failed.
    Io(io::Error),
    /// The target violated the TLS protocol.
    Tls(rustls::Error),
    /// The target sent more than the limit.
    LimitExceeded(ReadLimit),
}

/// A failed handshake, and the first bytes received in it.
#[derive(Debug)]
pub(crate) struct HandshakeError {
    pub(crate) error: ConnectionError,
    pub(crate) received: Vec<u8>,
}

impl Connection {
    /// Wraps a connected socket for a conversation of at most `max_conversation_bytes`.
    pub(crate) fn new(stream: TcpStream, deadline: Instant, max_conversation_bytes: usize) -> Self {
        Self {
            stream,
            tls: None,
            tls_error: None,
            deadline,
            budget: Budget::new(max_conversation_bytes),
        }
    }

    /// The TLS session, once a handshake has completed.
    pub(crate) fn tls(&self) -> Option<&ClientConnection> {
        self.tls.as_deref()
    }

    /// Completes a TLS handshake. All later reads and writes use TLS.
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
                // Sends the TLS alert, if the target still accepts it.
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

    /// Sends all bytes.
    ///
    /// A failed write is not an error: a target may answer and close before it reads the request, so that the next read
    /// decides.
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

    /// Waits for bytes of the conversation and passes them to `into`.
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
            if let Some(error) = self.tls_error.take() {
                break Err(ConnectionError::Tls(error));
            }
            let received = self.read_raw(&mut buffer).await.map(|count| {
                // The bytes before the error count, however the target's bytes were split into reads.
                self.tls_error = decrypt(&mut tls, buffer.get(..count).unwrap_or_default()).err();
            });
            // TLS may have to answer, for example a key update.
            let flushed = self.flush(&mut tls).await;
            if let Err(error) = received.and(flushed)
                && self.tls_error.is_none()
            {
                break Err(error);
            }
        };
        self.tls = Some(tls);
        outcome
    }

    /// Waits up to `timeout` for any record of the TLS session, such as a ticket or an alert. Returns whether one arrived.
    pub(crate) async fn receive_record(&mut self, timeout: Duration) -> Result<bool, ConnectionError> {
        let Some(mut tls) = self.tls.take() else {
            return Ok(false);
        };
        let deadline = std::mem::replace(&mut self.deadline, Instant::now() + timeout);
        self.deadline = self.deadline.min(deadline);
        let mut buffer = [0; READ_BUFFER_BYTES];
        let read = self.read_raw(&mut buffer).await;
        self.deadline = deadline;
        let received = match read {
            Ok(count) => decrypt(&mut tls, buffer.get(..count).unwrap_or_default())
                .map(|()| true)
                .map_err(ConnectionError::Tls),
            Err(ConnectionError::Deadline) => Ok(false),
            Err(error) => Err(error),
        };
        self.tls = Some(tls);
        received
    }

    /// Closes the connection: sends the closing bytes, the TLS close_notify and a FIN, then reads what the target still
    /// sends, because the kernel sends RST when a socket with unread bytes is closed.
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
            // On a busy machine this process may be late: look for received bytes before reporting a timeout.
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

/// Passes encrypted bytes to the TLS session.
fn decrypt(tls: &mut ClientConnection, mut bytes: &[u8]) -> Result<(), rustls::Error> {
    while !bytes.is_empty() {
        match tls.read_tls(&mut bytes) {
            // Bytes after close_notify are ignored (RFC 8446, section 6.1).
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(_) => return Err(rustls::Error::PeerSentOversizedRecord),
        }
        tls.process_new_packets()?;
    }
    Ok(())
}
