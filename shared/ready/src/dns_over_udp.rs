//! The DNS check over UDP, which needs no connection, with a retry over TCP for truncated replies.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use portpulse_core::outcome::{Detail, FailureClass, NoData, Phase, Warning};
use portpulse_core::readiness::{DnsCheck, Protocol, Readiness, Tls};
use portpulse_core::target::Host;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use crate::dialogue::DialogueResult;
use crate::follow_up::exchange;
use crate::report::{ExchangeFailure, ExchangeReport, ExchangeResult, Healthy};
use crate::request::Request;
use crate::service::dns::{QueryId, evaluate_reply, is_reply, is_truncated, query};
use crate::socket::connect;
use crate::socket_error::SocketError;
use crate::tls::TlsClient;

/// Time without a reply after which the query is sent again, because a datagram may be lost (RFC 1536, section 1).
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Replies without EDNS have at most 512 bytes (RFC 1035, section 4.2.1), but some servers send more.
const MAX_REPLY_BYTES: usize = 4 * 1024;
/// The maximum number of datagrams read, the reply included.
const MAX_DATAGRAMS: usize = 512;

/// Sends a DNS query over UDP once a second until the server replies or the deadline passes.
///
/// Only a reply to this query ends the wait. Other datagrams are ignored, because anyone can send them.
///
/// A truncated reply proves nothing about missing records (RFC 2181, section 9). The query is then sent to the same
/// address over TCP, which every server must support (RFC 7766, section 5), within the same deadline.
pub async fn exchange_dns_over_udp(
    server: SocketAddr,
    check: &DnsCheck,
    deadline: Instant,
) -> ExchangeReport {
    let started = Instant::now();
    let query = query(check, QueryId::random());
    let result = match ask(server, &query, deadline).await {
        Ok(reply) if is_truncated(&reply) => ask_over_tcp(server, check, deadline).await,
        Ok(reply) => to_exchange_result(check, evaluate_reply(check, &query, &reply)),
        Err(NoReply::NoAnswer { unrelated: 0 }) => failure(FailureClass::Silent, check, "got no answer"),
        Err(NoReply::NoAnswer { unrelated }) => {
            let message = format!("got no answer, but {unrelated} unrelated datagrams");
            failure(FailureClass::Silent, check, &message)
        }
        Err(NoReply::Socket(SocketError::Local(no_data))) => ExchangeResult::NoData(no_data),
        Err(NoReply::Socket(SocketError::Target { class, detail })) => {
            let default_message = if class == FailureClass::Refused {
                "the host reports that the port is closed"
            } else {
                "got no answer"
            };
            failure(
                class,
                check,
                detail.as_ref().map_or(default_message, Detail::as_str),
            )
        }
    };
    ExchangeReport {
        tls: None,
        ready: Some(started.elapsed()),
        result,
    }
}

/// Why there is no reply.
enum NoReply {
    /// The deadline passed, or too many unrelated datagrams arrived.
    NoAnswer {
        unrelated: usize,
    },
    Socket(SocketError),
}

impl From<SocketError> for NoReply {
    fn from(error: SocketError) -> Self {
        Self::Socket(error)
    }
}

fn to_exchange_result(check: &DnsCheck, dialogue_result: DialogueResult) -> ExchangeResult {
    match dialogue_result {
        DialogueResult::Healthy { banner, warning } => ExchangeResult::Healthy(Healthy {
            banner: Detail::new(&banner),
            warning: warning
                .and_then(|message| Detail::new(&message))
                .map(Warning::FromService),
            certificate_days: None,
        }),
        DialogueResult::Failed(class, message) => failed_with(class, &message),
        DialogueResult::WrongService | DialogueResult::Redirect { .. } | DialogueResult::RepeatWithGet => {
            failure(FailureClass::WrongService, check, "got a malformed reply")
        }
    }
}

fn failure(class: FailureClass, check: &DnsCheck, message: &str) -> ExchangeResult {
    failed_with(class, &format!("sent {check}, {message}"))
}

fn failed_with(class: FailureClass, message: &str) -> ExchangeResult {
    ExchangeResult::Failed(ExchangeFailure {
        class,
        phase: Phase::Ready,
        detail: Detail::new(message),
    })
}

/// Sends the query until its reply arrives.
async fn ask(server: SocketAddr, query: &[u8], deadline: Instant) -> Result<Vec<u8>, NoReply> {
    let unspecified = match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let local_error = |error| SocketError::from_call(&error, server);
    // The kernel chooses a random source port.
    let socket = UdpSocket::bind(unspecified).await.map_err(local_error)?;
    // On a connected socket the kernel delivers only datagrams and ICMP errors from this server.
    socket.connect(server).await.map_err(local_error)?;
    socket.send(query).await.map_err(local_error)?;
    let mut next_retry = Instant::now() + RETRY_INTERVAL;
    let mut unrelated = 0;
    let mut buffer = vec![0; MAX_REPLY_BYTES];
    loop {
        match timeout_at(deadline.min(next_retry), socket.recv(&mut buffer)).await {
            Ok(Ok(count)) => {
                let datagram = buffer.get(..count).unwrap_or_default();
                if is_reply(datagram, query) {
                    return Ok(datagram.to_vec());
                }
                unrelated += 1;
                if unrelated == MAX_DATAGRAMS {
                    return Err(NoReply::NoAnswer { unrelated });
                }
            }
            Ok(Err(error)) => return Err(SocketError::from_network(&error, server).into()),
            Err(_) if Instant::now() >= deadline => return Err(NoReply::NoAnswer { unrelated }),
            Err(_) => {
                // The kernel reports an ICMP error for the previous datagram here too.
                let sent = socket.send(query).await;
                sent.map_err(|error| SocketError::from_network(&error, server))?;
                next_retry = Instant::now() + RETRY_INTERVAL;
            }
        }
    }
}

/// Sends the query over TCP after a truncated reply.
async fn ask_over_tcp(server: SocketAddr, check: &DnsCheck, deadline: Instant) -> ExchangeResult {
    let failed = |class, message: &str| {
        let message = format!("got a truncated answer over UDP; over TCP: {message}");
        failure(class, check, &message)
    };
    let stream = match connect(server, deadline).await {
        Ok(stream) => stream,
        Err(SocketError::Local(no_data)) => return ExchangeResult::NoData(no_data),
        Err(SocketError::Target { class, detail }) => {
            let default_message = if class == FailureClass::Refused {
                "the connection was refused"
            } else {
                "no connection"
            };
            return failed(class, detail.as_ref().map_or(default_message, Detail::as_str));
        }
    };
    let Ok(readiness) = Readiness::new(Protocol::Dns(check.clone()), Tls::Off, 0) else {
        return ExchangeResult::NoData(NoData::Internal);
    };
    let no_tls = TlsClient::with_roots([]);
    let request = Request::new(readiness, Host::Address(server.ip()), server.port(), &no_tls);
    match exchange(stream, &request, deadline).await.result {
        ExchangeResult::Failed(ExchangeFailure { class, detail, .. })
            if class != FailureClass::WrongAnswer =>
        {
            failed(class, detail.as_ref().map_or("no answer", Detail::as_str))
        }
        result @ (ExchangeResult::Healthy(_) | ExchangeResult::Failed(_) | ExchangeResult::NoData(_)) => {
            result
        }
    }
}
