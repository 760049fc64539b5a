//! Serves the status page of `portpulse local` on a separate thread, so that readers do not delay checks.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use jiff::{SignedDuration, Timestamp};
use portpulse_checker::Clock as _;
use portpulse_core::page_url::PageUrl;
use portpulse_history::Reader;
use portpulse_history::view::UpcomingMaintenance;
use portpulse_status::{Access, FormSecret, MAX_BODY_BYTES, PageConfig, Pages, Site, Token, Transport};
use portpulse_store::dynamo::DynamoTable;
use portpulse_store::{Store, chain};
use tokio::sync::oneshot;

use super::clock::FastClock;
use super::http_server::{self, Limits};
use crate::output::{CommandError, invalid_file, print_note, read_text, warn_if_exposed};
use crate::table_access::runtime;

/// The default address; a free port replaces it if it is in use.
const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// How long read data are cached, in seconds of real time.
const CACHE_SECONDS: i64 = 1;
/// How often an open page refreshes, in seconds.
const REFRESH_SECONDS: u32 = 2;

/// The address of the status page, and who can read it.
#[derive(clap::Args)]
pub(crate) struct PageArgs {
    /// The address and port of the status page, or `off` [default: 127.0.0.1:8080, or a free port if that is in use]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Listen>,

    /// Make the status page public: it shows names, statuses, uptime and active maintenance, but no hosts, ports or
    /// banners, and `exposed` monitors as `down`
    #[arg(long, conflicts_with = "token_file")]
    public: bool,

    /// Show planned maintenance on the public page, which reveals when notifications will be held back
    #[arg(long, requires = "public")]
    announce_maintenance: bool,

    /// The appearance of the page: title, logo, header text, links, order of groups, announcements and the
    /// objective of reports (YAML)
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,

    /// The address at which people reach the status page, such as <https://status.example.com>; notifications link to it
    #[arg(long, value_name = "URL")]
    pub(super) page_url: Option<PageUrl>,

    /// Require the token in this file to read the status page; at least 32 characters
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Limit sign-in attempts by the last address in `X-Forwarded-For`, for a reverse proxy on this machine. Without this
    /// option the header is ignored, since any program on this machine can send it
    #[arg(long, requires = "token_file")]
    behind_proxy: bool,
}

/// Whether requests come from a reverse proxy on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proxy {
    None,
    OnThisMachine,
}

/// The value of `--listen`.
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
                "expected an address and a port such as 127.0.0.1:8080 or [::1]:8080, or `off`".to_owned()
            }),
        }
    }
}

/// A bound listener for the status page, and who can read it.
pub(crate) struct PageListener {
    listener: TcpListener,
    address: SocketAddr,
    access: Access,
    config: PageConfig,
    ahead: UpcomingMaintenance,
    proxy: Proxy,
}

impl PageArgs {
    /// Binds the listener; `None` with `--listen off`.
    pub(crate) fn bind(&self) -> Result<Option<PageListener>, CommandError> {
        let (access, config) = (self.access()?, self.config()?);
        let listener = match self.listen {
            Some(Listen::Off) => return Ok(None),
            Some(Listen::At(address)) => {
                if !address.ip().is_loopback() && access == Access::Loopback {
                    return Err(CommandError::usage_with_help(
                        format_args!(
                            "--listen {address} requires --public or --token-file: other machines could read all data"
                        ),
                        "add --public to show only names and statuses, or --token-file FILE to require a token",
                    ));
                }
                TcpListener::bind(address).map_err(|error| {
                    CommandError::failed(format!("serve the status page on {address}"), error)
                })?
            }
            None => bind_default().map_err(|error| CommandError::failed("serve the status page", error))?,
        };
        let address =
            prepared(&listener).map_err(|error| CommandError::failed("serve the status page", error))?;
        Ok(Some(PageListener {
            listener,
            address,
            access,
            config,
            ahead: match self.announce_maintenance {
                true => UpcomingMaintenance::Announced,
                false => UpcomingMaintenance::Withheld,
            },
            proxy: match self.behind_proxy {
                true => Proxy::OnThisMachine,
                false => Proxy::None,
            },
        }))
    }

    fn config(&self) -> Result<PageConfig, CommandError> {
        let Some(path) = &self.page else {
            return Ok(PageConfig::default());
        };
        let read = portpulse_monitors_file::read_as(&read_text(path)?, PageConfig::validate);
        read.map_err(|mistakes| invalid_file(path.display(), &mistakes))
    }

    fn access(&self) -> Result<Access, CommandError> {
        match (&self.token_file, self.public) {
            (Some(path), _) => {
                let token = Token::new(&read_text(path)?, Transport::Plain);
                warn_if_exposed(path);
                let refused =
                    |error| CommandError::usage(format!("--token-file {}: {error}", path.display()));
                // Sessions are valid in this process only, which remembers the ones that were signed out.
                let run = format!("{}@{}", std::process::id(), Timestamp::now());
                token
                    .map(|token| Access::Token(token.bound_to(run)))
                    .map_err(refused)
            }
            (None, true) => Ok(Access::Public),
            (None, false) => Ok(Access::Loopback),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A random secret for the forms of this process.
fn form_secret() -> Result<FormSecret, CommandError> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| CommandError::failed("serve the status page", error))?;
    Ok(FormSecret::new(hex(&random)))
}

/// Binds the default address, or a free port if that is in use.
fn bind_default() -> io::Result<TcpListener> {
    let is_in_use = |error: &io::Error| error.kind() == ErrorKind::AddrInUse;
    match TcpListener::bind(DEFAULT_ADDRESS) {
        Err(error) if is_in_use(&error) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)),
        bound => bound,
    }
}

fn prepared(listener: &TcpListener) -> io::Result<SocketAddr> {
    listener.set_nonblocking(true)?;
    listener.local_addr()
}

/// The running thread of the status page.
pub(crate) struct RunningPage {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<io::Result<()>>,
}

type LocalPages = Pages<Reader<DynamoTable>, Store<DynamoTable>>;

impl PageListener {
    /// The URL, such as `http://127.0.0.1:8080/`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The maximum number of file descriptors that the server uses.
    pub(crate) fn descriptors(&self) -> usize {
        Limits::default().descriptors()
    }

    /// Serves pages with the data of `reader`. Readers who see everything can change silences, acknowledgements and notes in
    /// `store`.
    pub(crate) fn serve(
        self,
        reader: Reader<DynamoTable>,
        store: Store<DynamoTable>,
        clock: FastClock,
    ) -> Result<RunningPage, CommandError> {
        let runtime = runtime()?;
        let keep = clock.clock_duration(SignedDuration::from_secs(CACHE_SECONDS));
        let reader = reader.announcing(self.ahead);
        let site = Site::new(self.access, REFRESH_SECONDS)
            .with_config(self.config)
            .with_actions(form_secret()?);
        let pages = Arc::new(Pages::with_writer(site, reader, store, keep));
        let proxy = self.proxy;
        let answer = move |peer, request| answer(Arc::clone(&pages), clock, (peer, proxy), request);
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = async move {
            let listener = tokio::net::TcpListener::from_std(self.listener)?;
            let serving = http_server::serve(listener, Limits::default(), answer);
            // Open connections are closed at shutdown.
            tokio::select! {
                never = serving => match never {},
                _ = stopped => Ok(()),
            }
        };
        let thread = std::thread::Builder::new()
            .name("status-page".to_owned())
            .spawn(move || runtime.block_on(serve))
            .map_err(|error| CommandError::failed("start a thread for the status page", error))?;
        Ok(RunningPage { stop, thread })
    }
}

impl RunningPage {
    /// Stops the server and waits for its thread.
    pub(crate) fn stop(self) -> Result<(), CommandError> {
        drop(self.stop);
        let gone = |_| CommandError::failed("stop the status page", "its thread panicked");
        let served = self.thread.join().map_err(gone)?;
        served.map_err(|error| CommandError::failed("serve the status page", error))
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
        print_note(&format!("error: cannot show the status page: {}", chain(error)));
    }
    answered.response.answering(&request).map(Full::from)
}

/// Converts a request.
fn received(parts: &Parts, body: Vec<u8>, peer: IpAddr, proxy: Proxy) -> portpulse_status::Request {
    portpulse_status::Request {
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        transport: Transport::Plain,
        sender: Some(sender(peer, proxy, &parts.headers)),
        body,
        ..portpulse_status::Request::with_headers(&parts.headers)
    }
}

/// The client address of a request. A proxy on this machine states it in `X-Forwarded-For`.
fn sender(peer: IpAddr, proxy: Proxy, headers: &HeaderMap) -> IpAddr {
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    // The last entry is from the proxy; clients control the ones before it.
    let last = forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    match last {
        Some(address) if peer.is_loopback() && proxy == Proxy::OnThisMachine => address,
        Some(_) | None => peer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use portpulse_status::Initiator;

    #[test]
    fn forwarded_address_is_used_behind_a_loopback_proxy_only() {
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
        assert_eq!(request.initiator, Initiator::OtherOrigin);
        assert_eq!(request.sender, Some(peer));
        let request = received(&parts, Vec::new(), peer, Proxy::OnThisMachine);
        assert_eq!(request.sender, Some([192, 0, 2, 1].into()));
    }
}
