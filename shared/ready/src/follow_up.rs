//! The entry point of the driver: runs an exchange, and the further requests that an HTTP response demands.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use portpulse_core::outcome::{Detail, FailureClass, NoData, Phase};
use portpulse_core::readiness::{Credentials, Protocol};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::exchange::{NextRequest, exchange_once};
use crate::report::{ExchangeFailure, ExchangeReport, ExchangeResult};
use crate::request::{HostError, Request};
use crate::service::http::redirect;
use crate::socket::connect;
use crate::socket_error::SocketError;

/// Runs the exchange over a connected socket, closes the socket with a FIN, and returns at the deadline at the latest.
///
/// If an HTTP check makes more than one request, the reported times are those of the last one. No message contains a
/// secret of the request.
pub async fn exchange(stream: TcpStream, request: &Request, deadline: Instant) -> ExchangeReport {
    if !request.has_secrets() {
        return ExchangeReport {
            tls: None,
            ready: None,
            result: ExchangeResult::NoData(NoData::SecretUnreadable),
        };
    }
    let mut report = follow(stream, request, deadline).await;
    request.secrets.redact(&mut report, credentials(request));
    report
}

fn credentials(request: &Request) -> Option<&Credentials> {
    match request.readiness.protocol() {
        Protocol::Http(check) => check.content().credentials.as_ref(),
        Protocol::Simple(_)
        | Protocol::Dns(_)
        | Protocol::WebSocket(_)
        | Protocol::Script(_)
        | Protocol::TlsAlone => None,
    }
}

/// Runs the exchange, and follows the answers.
async fn follow(stream: TcpStream, request: &Request, deadline: Instant) -> ExchangeReport {
    let peer = stream.peer_addr().ok();
    let (mut report, mut next) = exchange_once(stream, request, deadline).await;
    let first_host = &request.host;
    let mut request = Cow::Borrowed(request);
    let mut requests = 0;
    let mut refuses_head = false;
    while let (Some(next_request), Some(peer)) = (next.take(), peer) {
        requests += 1;
        refuses_head |= next_request == NextRequest::WithGet;
        let following = following(&request, &next_request, requests);
        let made = match following {
            Ok(following) => {
                let addresses = addresses(&following, first_host, peer.ip(), deadline).await;
                connected(addresses, following.port, deadline)
                    .await
                    .map(|stream| (stream, following))
            }
            Err(what) => Err(NotMade::Failed(FailureClass::WrongAnswer, what.to_owned())),
        };
        match made {
            Ok((stream, following)) => {
                (report, next) = exchange_once(stream, &following, deadline).await;
                request = Cow::Owned(following);
            }
            Err(NotMade::NoData(no_data)) => report.result = ExchangeResult::NoData(no_data),
            Err(NotMade::Failed(class, what)) => {
                report.result = ExchangeResult::Failed(ExchangeFailure {
                    class,
                    phase: Phase::Ready,
                    detail: Detail::new(&format!("{}: {what}", reason(&next_request))),
                });
            }
        }
    }
    if let (true, ExchangeResult::Healthy(healthy)) = (refuses_head, &mut report.result) {
        let banner = healthy.banner.as_ref().map_or("", Detail::as_str);
        healthy.banner = Detail::new(&format!("{banner} (to GET; HEAD is refused)"));
    }
    report
}

/// Why a further request is made, for a message.
fn reason(next_request: &NextRequest) -> String {
    match next_request {
        // The query may repeat a secret of the request.
        NextRequest::At { location, .. } => match location.split_once('?') {
            Some((bare, _)) => format!("redirected to {bare}?…"),
            None => format!("redirected to {location}"),
        },
        NextRequest::WithGet => "HEAD is refused, repeated with GET".to_owned(),
    }
}

fn following(request: &Request, next_request: &NextRequest, requests: u8) -> Result<Request, &'static str> {
    if requests > redirect::MAX_REDIRECTS {
        return Err("too many redirects");
    }
    match next_request {
        NextRequest::At { location, code } => redirect::follow(request, location, *code),
        NextRequest::WithGet => Ok(redirect::with_get(request)),
    }
}

/// Why a further request was not made.
enum NotMade {
    Failed(FailureClass, String),
    NoData(NoData),
}

/// The addresses of a further request. On the host of the first request, only the address that answered, so that a target
/// cannot redirect the checker elsewhere by its name.
async fn addresses(
    following: &Request,
    first_host: &portpulse_core::target::Host,
    peer: IpAddr,
    deadline: Instant,
) -> Result<Vec<IpAddr>, NotMade> {
    if following.host == *first_host {
        return Ok(vec![peer]);
    }
    let refused = |what: &str| NotMade::Failed(FailureClass::WrongAnswer, what.to_owned());
    let Some(other_hosts) = &following.other_hosts else {
        return Err(refused("redirects to another host are not followed"));
    };
    let found = other_hosts.addresses(&following.host, deadline).await;
    found.map_err(|error| match error {
        HostError::NotPublic => refused("only public addresses are followed"),
        HostError::Dns(failure) => NotMade::Failed(FailureClass::Dns(failure), "no address".to_owned()),
        HostError::NoData(no_data) => NotMade::NoData(no_data),
    })
}

/// Connects to the first address that accepts a connection.
async fn connected(
    addresses: Result<Vec<IpAddr>, NotMade>,
    port: u16,
    deadline: Instant,
) -> Result<TcpStream, NotMade> {
    let mut why = NotMade::NoData(NoData::Internal);
    for address in addresses? {
        match connect(SocketAddr::new(address, port), deadline).await {
            Ok(stream) => return Ok(stream),
            // An address that this machine cannot reach, such as one of IPv6, does not excuse the others.
            Err(SocketError::Local(_)) if matches!(why, NotMade::Failed(..)) => {}
            Err(SocketError::Local(no_data)) => why = NotMade::NoData(no_data),
            Err(SocketError::Target { class, detail }) => {
                let what = detail.as_ref().map_or("no connection", Detail::as_str).to_owned();
                why = NotMade::Failed(class, what);
            }
        }
    }
    Err(why)
}
