//! Pings an address: an ICMP echo (RFC 792, RFC 4443) from a socket that needs no privilege, only that the group of the process
//! is in `net.ipv4.ping_group_range` (icmp(7)).

use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::sync::Once;
use std::time::Duration;

use portpulse_core::outcome::{Detail, FailureClass, NoData, Trust};
use portpulse_ready::SocketError;
use rustix::io::Errno;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use crate::connect::TimeLimit;
use crate::kernel::{is_redirect, report_icmp_errors};
use crate::pacing::Lag;

/// The time after which the next echo is sent, as TCP sends the next SYN (RFC 6298, section 2.1).
const RESEND_INTERVAL: Duration = Duration::from_secs(1);

/// The types of ICMP messages (RFC 792) and of ICMPv6 messages (RFC 4443): echo, and its reply.
const ECHO: (u8, u8) = (8, 128);
const REPLY: (u8, u8) = (0, 129);

/// The data of an echo, which a reply repeats.
const DATA: &[u8] = b"portpulse ping; data is repeated";

/// Type, code, checksum, identifier and sequence number.
const HEADER_BYTES: usize = 8;
const MESSAGE_BYTES: usize = HEADER_BYTES + DATA.len();

/// Sends an echo each second until a reply arrives, and returns the time from the first echo to the reply.
pub(crate) async fn ping(
    address: SocketAddr,
    limit: TimeLimit,
    lag: &Lag,
) -> Result<(Duration, Trust), SocketError> {
    let socket = EchoSocket::open(address)?;
    let started = Instant::now();
    let mut sequence = 0_u16;
    loop {
        socket.send(sequence)?;
        let next = limit.at().min(Instant::now() + RESEND_INTERVAL);
        match timeout_at(next, socket.reply(sequence)).await {
            Ok(Ok(replied)) => {
                let trust = match replied {
                    0 if lag.seen_since(started) => Trust::Starved,
                    0 => Trust::Clock,
                    _ => Trust::Retransmitted,
                };
                return Ok((started.elapsed(), trust));
            }
            Ok(Err(error)) => return Err(error),
            Err(_) if next >= limit.at() => return Err(limit.expired()),
            Err(_) => sequence = sequence.saturating_add(1),
        }
    }
}

/// A socket that exchanges echoes with one address. The kernel sets identifier and checksum, and passes only the replies to this
/// socket.
struct EchoSocket {
    /// A socket for datagrams, although not of UDP.
    socket: UdpSocket,
    address: SocketAddr,
}

impl EchoSocket {
    fn open(address: SocketAddr) -> Result<Self, SocketError> {
        let local_error = |error| SocketError::from_call(&error, address);
        let protocol = match address {
            SocketAddr::V4(_) => Protocol::ICMPV4,
            SocketAddr::V6(_) => Protocol::ICMPV6,
        };
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(protocol));
        let socket = socket.map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::ACCESS | Errno::PERM | Errno::PROTONOSUPPORT) => not_permitted(&error),
            _ => local_error(error),
        })?;
        socket.set_nonblocking(true).map_err(local_error)?;
        report_icmp_errors(&socket, address).map_err(local_error)?;
        socket.connect(&address.into()).map_err(local_error)?;
        let socket = UdpSocket::from_std(socket.into()).map_err(local_error)?;
        Ok(Self { socket, address })
    }

    fn send(&self, sequence: u16) -> Result<(), SocketError> {
        // The kernel reports an ICMP error for an earlier echo at the next call. Errors of the call itself are local.
        let reported = self.socket.take_error().ok().flatten();
        if let Some(error) = reported.filter(|error| !is_redirect(error)) {
            return Err(self.network_error(&error));
        }
        let message = echo(self.address, sequence);
        let sent = SockRef::from(&self.socket).send(&message);
        sent.map(drop)
            .map_err(|error| SocketError::from_call(&error, self.address))
    }

    /// Waits for a reply to an echo up to `last`, and returns its number. Cancel safe.
    async fn reply(&self, last: u16) -> Result<u16, SocketError> {
        // The kernel reports an ICMP error as an error of the socket, not as data.
        let interest = Interest::READABLE | Interest::ERROR;
        let mut buffer = [0; MESSAGE_BYTES + 1];
        loop {
            // `try_io` does not support two interests at once.
            let read = || (&*SockRef::from(&self.socket)).read(&mut buffer);
            let length = match self.socket.async_io(interest, read).await {
                Ok(length) => length,
                Err(error) if is_redirect(&error) => continue,
                Err(error) => return Err(self.network_error(&error)),
            };
            let message = buffer.get(..length).unwrap_or_default();
            match reply_to(self.address, message) {
                Some(sequence) if sequence <= last => return Ok(sequence),
                Some(_) | None => {}
            }
        }
    }

    /// The meaning of an error that the network reported. A rejected echo proves no port and no host: a firewall may send it.
    fn network_error(&self, error: &io::Error) -> SocketError {
        match SocketError::from_network(error, self.address) {
            SocketError::Target {
                class: FailureClass::Refused,
                ..
            } => SocketError::Target {
                class: FailureClass::Unreachable,
                detail: Detail::new("the host or a firewall rejects ICMP"),
            },
            other @ (SocketError::Target { .. } | SocketError::Local(_)) => other,
        }
    }
}

/// Why no echo can be sent, which the log explains once.
fn not_permitted(error: &io::Error) -> SocketError {
    static EXPLAINED: Once = Once::new();
    EXPLAINED.call_once(|| {
        tracing::warn!(
            %error,
            "cannot send ICMP, so pings have no data; help: set net.ipv4.ping_group_range to a range with the group of this \
             process"
        );
    });
    SocketError::Local(NoData::NotPermitted)
}

/// The echo with a number; the kernel completes identifier and checksum.
fn echo(address: SocketAddr, sequence: u16) -> [u8; MESSAGE_BYTES] {
    let mut message = [0; MESSAGE_BYTES];
    let [high, low] = sequence.to_be_bytes();
    let header = [of_family(address, ECHO), 0, 0, 0, 0, 0, high, low];
    for (slot, byte) in message.iter_mut().zip(header.iter().chain(DATA)) {
        *slot = *byte;
    }
    message
}

/// The number of the echo that a message replies to; `None` for any other message.
fn reply_to(address: SocketAddr, message: &[u8]) -> Option<u16> {
    let (header, data) = message.split_first_chunk::<HEADER_BYTES>()?;
    let [kind, code, _, _, _, _, high, low] = *header;
    let is_reply = kind == of_family(address, REPLY) && code == 0 && data == DATA;
    is_reply.then(|| u16::from_be_bytes([high, low]))
}

const fn of_family(address: SocketAddr, (v4, v6): (u8, u8)) -> u8 {
    match address {
        SocketAddr::V4(_) => v4,
        SocketAddr::V6(_) => v6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_replies_to_own_echoes_are_replies() {
        let (v4, v6) = (
            SocketAddr::from(([127, 0, 0, 1], 0)),
            SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 0)),
        );
        for (address, kind) in [(v4, 0), (v6, 129)] {
            let mut message = echo(address, 0x0102);
            assert_eq!(reply_to(address, &message), None, "an echo");
            message[0] = kind;
            assert_eq!(reply_to(address, &message), Some(0x0102));
            assert_eq!(
                reply_to(address, &message[..MESSAGE_BYTES - 1]),
                None,
                "too short"
            );
            assert_eq!(
                reply_to(address, &[&message[..], b"!"].concat()),
                None,
                "too long"
            );
            assert_eq!(reply_to(address, &message[..4]), None, "a part of a header");
            message[1] = 1;
            assert_eq!(reply_to(address, &message), None, "a code");
        }
        let mut of_the_other_family = echo(v4, 1);
        of_the_other_family[0] = 129;
        assert_eq!(reply_to(v4, &of_the_other_family), None);
    }
}
