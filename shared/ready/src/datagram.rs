//! DNS over UDP: the one exchange that begins without a connection; what does not fit into a datagram is asked for again
//! over TCP.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use portpulse_core::outcome::{Detail, FailureClass, NoData, Phase, Warning};
use portpulse_core::readiness::{DnsCheck, Protocol, Readiness, Tls};
use portpulse_core::target::Host;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use crate::exchange::exchange;
use crate::fault::Fault;
use crate::report::{CheckFailure, Finding, Healthy, Report};
use crate::request::Request;
use crate::service::dns::{QueryId, is_reply, is_truncated, judge, query};
use crate::socket::connect;
use crate::step::DialogueResult;
use crate::tls::TlsClient;

/// A datagram may be lost: it is sent again after this long without an answer (RFC 1536, section 1).
const AGAIN: Duration = Duration::from_secs(1);
/// What comes without EDNS has at most 512 bytes (RFC 1035, section 4.2.1); some servers send more.
const MAX_LENGTH: usize = 4 * 1024;
/// The most datagrams that are looked at, of which one may be the reply.
const MAX_DATAGRAMS: usize = 512;

/// Asks a DNS server over UDP, once a second until it answers or the deadline has come.
///
/// Only a reply to this question ends the wait; other datagrams, which anybody can send, do not.
///
/// A truncated answer says nothing of the records that are not in it (RFC 2181, section 9): the same question then
/// goes to the same address over TCP, which every server must take (RFC 7766, section 5), within the same deadline.
pub async fn exchange_dns_over_udp(server: SocketAddr, check: &DnsCheck, deadline: Instant) -> Report {
    let begun = Instant::now();
    let query = query(check, QueryId::random());
    let finding = match ask(server, &query, deadline).await {
        Ok(reply) if is_truncated(&reply) => ask_over_tcp(server, check, deadline).await,
        Ok(reply) => judged(check, judge(check, &query, &reply)),
        Err(NoReply::Silent { others: 0 }) => failure(FailureClass::Silent, check, "got no answer"),
        Err(NoReply::Silent { others }) => {
            let words = format!("got no answer, but {others} datagrams that are no DNS reply to it");
            failure(FailureClass::Silent, check, &words)
        }
        Err(NoReply::Fault(Fault::Ours(no_data))) => Finding::NoData(no_data),
        Err(NoReply::Fault(Fault::Target { class, detail })) => {
            let alone = if class == FailureClass::Refused {
                "the host says that nobody listens there"
            } else {
                "got no answer"
            };
            failure(class, check, detail.as_ref().map_or(alone, Detail::as_str))
        }
    };
    Report {
        tls: None,
        ready: Some(begun.elapsed()),
        finding,
    }
}

/// Why there is no reply.
enum NoReply {
    /// The deadline has come, or too much else; so many datagrams came that are no reply.
    Silent {
        others: usize,
    },
    Fault(Fault),
}

impl From<Fault> for NoReply {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn judged(check: &DnsCheck, dialogue_result: DialogueResult) -> Finding {
    match dialogue_result {
        DialogueResult::Healthy { banner, warning } => Finding::Healthy(Healthy {
            banner: Detail::new(&banner),
            warning: warning.and_then(|words| Detail::new(&words)).map(Warning::Remark),
            certificate_days: None,
        }),
        DialogueResult::CheckFailure(class, words) => notified(class, &words),
        DialogueResult::WrongService | DialogueResult::Moved(_) => failure(
            FailureClass::WrongService,
            check,
            "got a reply that cannot be read",
        ),
    }
}

fn failure(class: FailureClass, check: &DnsCheck, words: &str) -> Finding {
    notified(class, &format!("sent {check}, {words}"))
}

fn notified(class: FailureClass, words: &str) -> Finding {
    Finding::CheckFailure(CheckFailure {
        class,
        phase: Phase::Ready,
        detail: Detail::new(words),
    })
}

/// Sends the question until its reply comes.
async fn ask(server: SocketAddr, query: &[u8], deadline: Instant) -> Result<Vec<u8>, NoReply> {
    let any = match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let at_once = |error| Fault::at_once(&error, server);
    // A port that the kernel chooses at random.
    let socket = UdpSocket::bind(any).await.map_err(at_once)?;
    // Only this server's datagrams, and its host's refusals, come in.
    socket.connect(server).await.map_err(at_once)?;
    socket.send(query).await.map_err(at_once)?;
    let mut again = Instant::now() + AGAIN;
    let mut others = 0;
    let mut buffer = vec![0; MAX_LENGTH];
    loop {
        match timeout_at(deadline.min(again), socket.recv(&mut buffer)).await {
            Ok(Ok(count)) => {
                let datagram = buffer.get(..count).unwrap_or_default();
                if is_reply(datagram, query) {
                    return Ok(datagram.to_vec());
                }
                others += 1;
                if others == MAX_DATAGRAMS {
                    return Err(NoReply::Silent { others });
                }
            }
            Ok(Err(error)) => return Err(Fault::reported(&error, server).into()),
            Err(_) if Instant::now() >= deadline => return Err(NoReply::Silent { others }),
            Err(_) => {
                // What the first datagram was answered with by the network shows here too.
                let sent = socket.send(query).await;
                sent.map_err(|error| Fault::reported(&error, server))?;
                again = Instant::now() + AGAIN;
            }
        }
    }
}

/// Asks what did not fit into a datagram.
async fn ask_over_tcp(server: SocketAddr, check: &DnsCheck, deadline: Instant) -> Finding {
    let failed = |class, words: &str| {
        let words = format!("got a truncated answer over UDP; over TCP: {words}");
        failure(class, check, &words)
    };
    let stream = match connect(server, deadline).await {
        Ok(stream) => stream,
        Err(Fault::Ours(no_data)) => return Finding::NoData(no_data),
        Err(Fault::Target { class, detail }) => {
            let alone = if class == FailureClass::Refused {
                "the connection was refused"
            } else {
                "no connection"
            };
            return failed(class, detail.as_ref().map_or(alone, Detail::as_str));
        }
    };
    let Ok(readiness) = Readiness::new(Protocol::Dns(check.clone()), Tls::Off, 0) else {
        return Finding::NoData(NoData::Internal);
    };
    let no_tls = TlsClient::with_roots([]);
    let request = Request::new(readiness, Host::Address(server.ip()), server.port(), &no_tls);
    match exchange(stream, &request, deadline).await.finding {
        Finding::CheckFailure(CheckFailure { class, detail, .. }) if class != FailureClass::WrongAnswer => {
            failed(class, detail.as_ref().map_or("no answer", Detail::as_str))
        }
        judged @ (Finding::Healthy(_) | Finding::CheckFailure(_) | Finding::NoData(_)) => judged,
    }
}
