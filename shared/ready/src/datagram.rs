//! DNS over UDP: the one exchange without a connection.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use portpulse_core::outcome::{Detail, FailureClass, NoData, Phase, Warning};
use portpulse_core::readiness::DnsCheck;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use crate::report::{Finding, Healthy, Report, Trouble};
use crate::service::dns::{datagram, judge};
use crate::step::Verdict;

/// A datagram may be lost: it is sent again after this long without an answer (RFC 1536, section 1).
const AGAIN: Duration = Duration::from_secs(1);
/// What comes without EDNS has at most 512 bytes (RFC 1035, section 4.2.1); some servers send more.
const LONGEST: usize = 4 * 1024;

/// Asks a DNS server over UDP, once a second until it answers or the deadline has come.
pub async fn exchange_dns_over_udp(server: SocketAddr, check: &DnsCheck, deadline: Instant) -> Report {
    let begun = Instant::now();
    let trouble = |class, words: &str| {
        Finding::Trouble(Trouble {
            class,
            phase: Phase::Ready,
            detail: Detail::new(&format!("sent {check}, {words}")),
        })
    };
    let finding = match ask(server, &datagram(check), deadline).await {
        Answer::Reply(reply) => match judge(check, &reply) {
            Verdict::Healthy { said, warning } => Finding::Healthy(Healthy {
                said: Detail::new(&said),
                warning: warning.and_then(|words| Detail::new(&words)).map(Warning::Remark),
                certificate_days: None,
            }),
            Verdict::Trouble(class, words) => Finding::Trouble(Trouble {
                class,
                phase: Phase::Ready,
                detail: Detail::new(&words),
            }),
            Verdict::WrongService | Verdict::Moved(_) => trouble(
                FailureClass::WrongService,
                "got a datagram that is no DNS reply to it",
            ),
        },
        Answer::None => trouble(FailureClass::Silent, "got no answer"),
        Answer::Failed(error) if error.kind() == ErrorKind::ConnectionRefused => {
            trouble(FailureClass::Refused, "the host says that nobody listens there")
        }
        Answer::Failed(error)
            if matches!(
                error.kind(),
                ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable
            ) =>
        {
            trouble(FailureClass::Unreachable, &error.to_string())
        }
        Answer::Failed(_) => Finding::NoData(NoData::Internal),
        Answer::NoSocket => Finding::NoData(NoData::OutOfResources),
        Answer::NoRoute => Finding::NoData(NoData::NoRoute),
    };
    Report {
        tls: None,
        ready: Some(begun.elapsed()),
        finding,
    }
}

enum Answer {
    Reply(Vec<u8>),
    None,
    Failed(io::Error),
    NoSocket,
    NoRoute,
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
