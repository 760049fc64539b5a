//! The status page on this machine, on a thread of its own, so that no reader delays a check.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use jiff::{SignedDuration, Timestamp};
use portpulse_checker::Clock as _;
use portpulse_history::Reader;
use portpulse_history::view::Ahead;
use portpulse_status::{Access, Initiator, MAX_BODY_BYTES, Method, Pages, Signature, Site, Token, Transport};
use portpulse_store::chain;
use portpulse_store::dynamo::DynamoTable;
use tokio::sync::oneshot;

use super::clock::FastClock;
use super::server::{self, Limits};
use crate::output::{Stopped, notify, read_text, warn_if_exposed};

/// Where the page is, unless another place is asked for.
const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// For how many seconds what was read is shown again.
const KEPT_SECONDS: i64 = 1;
/// How often an open page is renewed.
const REFRESH_SECONDS: u32 = 2;

/// Where and to whom the status page is served.
#[derive(clap::Args)]
pub(crate) struct PageArgs {
    /// Serve the status page there, or nowhere: an address with its port, or `off` [default: 127.0.0.1:8080, or if that
    /// is taken any free port]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Listen>,

    /// Let anybody read the status page: names, statuses, uptime and maintenance that is on, no hosts, ports or words of
    /// services, and of a port that should be closed and is open that it is down
    #[arg(long, conflicts_with = "token_file")]
    public: bool,

    /// Tell the public of maintenance ahead, which says when alerts are going to wait
    #[arg(long, requires = "public")]
    announce_maintenance: bool,

    /// Let those read the status page who know the token in this file, at least 32 characters
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Count wrong tokens by the last address in `X-Forwarded-For`: a reverse proxy on this machine passes the requests on.
    /// Without it the header is ignored, since any program on this machine can send it
    #[arg(long, requires = "token_file")]
    behind_proxy: bool,
}

/// Whether a reverse proxy on this machine passes requests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proxy {
    None,
    OnThisMachine,
}

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listen {
    Off,
    At(SocketAddr),
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            _ => text.parse().map(Self::At).map_err(|_| {
                "write an address and a port, such as 127.0.0.1:8080 or [::1]:8080, or `off`".to_owned()
            }),
        }
    }
}

/// A place on which to serve, and for whom.
pub(crate) struct Place {
    listener: TcpListener,
    address: SocketAddr,
    access: Access,
    ahead: Ahead,
    proxy: Proxy,
}

impl PageArgs {
    /// Takes the place that was asked for; `None` if none was.
    pub(crate) fn take(&self) -> Result<Option<Place>, Stopped> {
        let access = self.access()?;
        let listener = match self.listen {
            Some(Listen::Off) => return Ok(None),
            Some(Listen::At(address)) => {
                if !address.ip().is_loopback() && access == Access::Loopback {
                    let complaint = format!(
                        "--listen {address}: others could read all that is known here: add --public to show names and \
                         statuses alone, or --token-file FILE to ask for a token"
                    );
                    return Err(Stopped::Usage { complaint });
                }
                TcpListener::bind(address)
                    .map_err(|error| Stopped::unable(format!("serve the status page on {address}"), error))?
            }
            None => usual().map_err(|error| Stopped::unable("serve the status page", error))?,
        };
        let address = prepared(&listener).map_err(|error| Stopped::unable("serve the status page", error))?;
        Ok(Some(Place {
            listener,
            address,
            access,
            ahead: match self.announce_maintenance {
                true => Ahead::Announced,
                false => Ahead::Withheld,
            },
            proxy: match self.behind_proxy {
                true => Proxy::OnThisMachine,
                false => Proxy::None,
            },
        }))
    }

    fn access(&self) -> Result<Access, Stopped> {
        match (&self.token_file, self.public) {
            (Some(path), _) => {
                let token = Token::new(&read_text(path)?, Transport::Plain);
                warn_if_exposed(path);
                let complaint = |error| Stopped::Usage {
                    complaint: format!("--token-file {}: {error}", path.display()),
                };
                // No other process has sessions of this one, and this one remembers which were ended.
                let run = format!("{}@{}", std::process::id(), Timestamp::now());
                token
                    .map(|token| Access::Token(token.bound_to(run)))
                    .map_err(complaint)
            }
            (None, true) => Ok(Access::Public),
            (None, false) => Ok(Access::Loopback),
        }
    }
}

/// The usual place, or if that is taken any other.
fn usual() -> io::Result<TcpListener> {
    let taken = |error: &io::Error| error.kind() == ErrorKind::AddrInUse;
    match TcpListener::bind(DEFAULT) {
        Err(error) if taken(&error) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)),
        bound => bound,
    }
}

fn prepared(listener: &TcpListener) -> io::Result<SocketAddr> {
    listener.set_nonblocking(true)?;
    listener.local_addr()
}

/// The page, while it is served.
pub(crate) struct Serving {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<io::Result<()>>,
}

type LocalPages = Pages<Reader<DynamoTable>>;

impl Place {
    /// What to tell of it, such as `http://127.0.0.1:8080/`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The descriptors of this process that serving takes at most.
    pub(crate) fn descriptors(&self) -> usize {
        Limits::default().descriptors()
    }

    /// Serves what `reader` reads.
    pub(crate) fn serve(self, reader: Reader<DynamoTable>, clock: FastClock) -> Result<Serving, Stopped> {
        let unable = |error| Stopped::unable("start a thread for the status page", error);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(unable)?;
        let keep = clock.shown_in(SignedDuration::from_secs(KEPT_SECONDS));
        let reader = reader.announcing(self.ahead);
        let pages = Arc::new(Pages::new(Site::new(self.access, REFRESH_SECONDS), reader, keep));
        let proxy = self.proxy;
        let answer = move |peer, request| answer(Arc::clone(&pages), clock, (peer, proxy), request);
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = async move {
            let listener = tokio::net::TcpListener::from_std(self.listener)?;
            let serving = server::serve(listener, Limits::default(), answer);
            // Readers are not waited for.
            tokio::select! {
                never = serving => match never {},
                _ = stopped => Ok(()),
            }
        };
        let thread = std::thread::Builder::new()
            .name("status-page".to_owned())
            .spawn(move || runtime.block_on(serve))
            .map_err(unable)?;
        Ok(Serving { stop, thread })
    }
}

impl Serving {
    /// Stops it.
    pub(crate) fn stop(self) -> Result<(), Stopped> {
        drop(self.stop);
        let gone = |_| Stopped::unable("end cleanly", "the thread of the status page is gone");
        let served = self.thread.join().map_err(gone)?;
        served.map_err(|error| Stopped::unable("serve the status page", error))
    }
}

async fn answer(
    pages: Arc<LocalPages>,
    clock: FastClock,
    (peer, proxy): (IpAddr, Proxy),
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return response;
    };
    let request = received(&parts, body.to_bytes().to_vec(), peer, proxy);
    let answered = pages.answer(&request, clock.now()).await;
    if let Some(error) = &answered.error {
        notify(&format!(
            "portpulse: cannot show the status page: {}",
            chain(error)
        ));
    }
    let mut response = Response::new(Full::from(answered.response.body));
    *response.status_mut() =
        StatusCode::from_u16(answered.response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answered.response.headers {
        // What is no header is none of ours: each is made of plain text.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// A request as the pages take it.
fn received(parts: &Parts, body: Vec<u8>, peer: IpAddr, proxy: Proxy) -> portpulse_status::Request {
    let text = |name| text_of(&parts.headers, name);
    portpulse_status::Request {
        method: Method::named(parts.method.as_str()),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        transport: Transport::Plain,
        sender: Some(sender(peer, proxy, &parts.headers)),
        host: text(header::HOST),
        authorization: text(header::AUTHORIZATION),
        cookies: text(header::COOKIE).unwrap_or_default(),
        body,
        initiator: Initiator::of(text(HeaderName::from_static("sec-fetch-site")).as_deref()),
        signature: Signature::None,
    }
}

/// The address that a request came from: behind a proxy on this machine, the one that the proxy adds.
fn sender(peer: IpAddr, proxy: Proxy, headers: &HeaderMap) -> IpAddr {
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    // What others have said before stands further in front.
    let last = forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    match last {
        Some(address) if peer.is_loopback() && proxy == Proxy::OnThisMachine => address,
        Some(_) | None => peer,
    }
}

fn text_of(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_on_this_machine_says_where_a_request_came_from() {
        for (peer, forwarded, expected) in [
            ("127.0.0.1", &[][..], "127.0.0.1"),
            ("127.0.0.1", &["192.0.2.1"], "192.0.2.1"),
            ("::1", &["192.0.2.8, 192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["192.0.2.8", "192.0.2.9, 192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["192.0.2.1, unknown"], "127.0.0.1"),
            ("192.0.2.7", &["192.0.2.1"], "192.0.2.7"),
        ] {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", HeaderValue::from_static(value));
            }
            let found = |proxy| sender(peer.parse().unwrap(), proxy, &headers).to_string();
            assert_eq!(found(Proxy::OnThisMachine), expected, "{peer} {forwarded:?}");
            assert_eq!(found(Proxy::None), peer, "no proxy: {forwarded:?}");
        }
    }

    #[test]
    fn request_is_received_with_its_sender_and_initiator() {
        let request = Request::builder().header("x-forwarded-for", "192.0.2.1");
        let request = request.header("sec-fetch-site", "cross-site").body(()).unwrap();
        let (parts, ()) = request.into_parts();
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let request = received(&parts, Vec::new(), peer, Proxy::None);
        assert_eq!(request.initiator, Initiator::OtherSite);
        assert_eq!(request.sender, Some(peer));
        let request = received(&parts, Vec::new(), peer, Proxy::OnThisMachine);
        assert_eq!(request.sender, Some([192, 0, 2, 1].into()));
    }
}
