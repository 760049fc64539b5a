//! DNS over UDP: the one exchange that begins without a connection; what does not fit into a datagram is asked for again
//! over TCP.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use portpulse_core::outcome::{Detail, FailureClass, NoData, Phase, Warning};
use portpulse_core::readiness::{DnsCheck, Protocol, Readiness, Tls};
use portpulse_core::target::Host;
use tokio::net::{TcpSocket, UdpSocket};
use tokio::time::{Instant, timeout_at};

use crate::exchange::exchange;
use crate::report::{Finding, Healthy, Report, Trouble};
use crate::request::Request;
use crate::service::dns::{datagram, is_truncated, judge};
use crate::step::Verdict;
use crate::tls::TlsClient;

/// A datagram may be lost: it is sent again after this long without an answer (RFC 1536, section 1).
const AGAIN: Duration = Duration::from_secs(1);
/// What comes without EDNS has at most 512 bytes (RFC 1035, section 4.2.1); some servers send more.
const LONGEST: usize = 4 * 1024;

/// Asks a DNS server over UDP, once a second until it answers or the deadline has come.
///
/// A truncated answer says nothing of the records that are not in it (RFC 2181, section 9): the same question then
/// goes to the same address over TCP, which every server must take (RFC 7766, section 5), within the same deadline.
pub async fn exchange_dns_over_udp(server: SocketAddr, check: &DnsCheck, deadline: Instant) -> Report {
    let begun = Instant::now();
    let finding = match ask(server, &datagram(check), deadline).await {
        Answer::Reply(reply) if is_truncated(&reply) => ask_over_tcp(server, check, deadline).await,
        answer @ (Answer::Reply(_)
        | Answer::None
        | Answer::Failed(_)
        | Answer::NoSocket
        | Answer::NoRoute) => answer.finding(check),
    };
    Report {
        tls: None,
        ready: Some(begun.elapsed()),
        finding,
    }
}

/// How the question over UDP went.
enum Answer {
    Reply(Vec<u8>),
    None,
    Failed(io::Error),
    NoSocket,
    NoRoute,
}

impl Answer {
    fn finding(self, check: &DnsCheck) -> Finding {
        let trouble = |class, words: &str| trouble(class, format!("sent {check}, {words}"));
        match self {
            Self::Reply(reply) => match judge(check, &reply) {
                Verdict::Healthy { said, warning } => Finding::Healthy(Healthy {
                    said: Detail::new(&said),
                    warning: warning.and_then(|words| Detail::new(&words)).map(Warning::Remark),
                    certificate_days: None,
                }),
                Verdict::Trouble(class, words) => self::trouble(class, words),
                Verdict::WrongService | Verdict::Moved(_) => trouble(
                    FailureClass::WrongService,
                    "got a datagram that is no DNS reply to it",
                ),
            },
            Self::None => trouble(FailureClass::Silent, "got no answer"),
            Self::Failed(error) if error.kind() == ErrorKind::ConnectionRefused => {
                trouble(FailureClass::Refused, "the host says that nobody listens there")
            }
            Self::Failed(error) if is_unreachable(&error) => {
                trouble(FailureClass::Unreachable, &error.to_string())
            }
            Self::Failed(_) => Finding::NoData(NoData::Internal),
            Self::NoSocket => Finding::NoData(NoData::OutOfResources),
            Self::NoRoute => Finding::NoData(NoData::NoRoute),
        }
    }
}

fn trouble(class: FailureClass, words: String) -> Finding {
    Finding::Trouble(Trouble {
        class,
        phase: Phase::Ready,
        detail: Detail::new(&words),
    })
}

async fn ask(server: SocketAddr, query: &[u8], deadline: Instant) -> Answer {
    let any = match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let Ok(socket) = UdpSocket::bind(any).await else {
        return Answer::NoSocket;
    };
    // Only this server's datagrams, and its host's refusals, come in.
    if socket.connect(server).await.is_err() {
        return Answer::NoRoute;
    }
    loop {
        if let Err(error) = socket.send(query).await {
            return Answer::Failed(error);
        }
        let mut buffer = vec![0; LONGEST];
        match timeout_at(deadline.min(Instant::now() + AGAIN), socket.recv(&mut buffer)).await {
            Ok(Ok(count)) => {
                buffer.truncate(count);
                return Answer::Reply(buffer);
            }
            Ok(Err(error)) => return Answer::Failed(error),
            Err(_) if Instant::now() >= deadline => return Answer::None,
            Err(_) => {}
        }
    }
}

/// Asks what did not fit into a datagram.
async fn ask_over_tcp(server: SocketAddr, check: &DnsCheck, deadline: Instant) -> Finding {
    let failed = |class, words: &str| {
        trouble(
            class,
            format!("sent {check}, got a truncated answer over UDP; over TCP: {words}"),
        )
    };
    let socket = match server {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    let Ok(socket) = socket else {
        return Finding::NoData(NoData::OutOfResources);
    };
    let stream = match timeout_at(deadline, socket.connect(server)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
            return failed(FailureClass::Refused, "the connection was refused");
        }
        Ok(Err(error)) if is_unreachable(&error) => {
            return failed(FailureClass::Unreachable, &error.to_string());
        }
        Ok(Err(error)) if error.kind() == ErrorKind::AddrNotAvailable => {
            return Finding::NoData(NoData::OutOfResources);
        }
        Ok(Err(_)) => return Finding::NoData(NoData::Internal),
        Err(_) => return failed(FailureClass::Timeout, "no connection in time"),
    };
    let Ok(readiness) = Readiness::new(Protocol::Dns(check.clone()), Tls::Off, 0) else {
        return Finding::NoData(NoData::Internal);
    };
    let no_tls = TlsClient::with_roots([]);
    let request = Request::new(readiness, Host::Address(server.ip()), server.port(), &no_tls);
    match exchange(stream, &request, deadline).await.finding {
        Finding::Trouble(Trouble { class, detail, .. }) if class != FailureClass::WrongAnswer => {
            failed(class, detail.as_ref().map_or("no answer", Detail::as_str))
        }
        judged @ (Finding::Healthy(_) | Finding::Trouble(_) | Finding::NoData(_)) => judged,
    }
}

fn is_unreachable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable
    )
}
