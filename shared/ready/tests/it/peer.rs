//! A scripted target, and a text form of an exchange's report.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use portpulse_core::readiness::{Protocol, Readiness, Tls};
use portpulse_core::service::Service;
use portpulse_core::target::Host;
use portpulse_ready::{ExchangeReport, ExchangeResult, Request, TlsClient, exchange};
use rustls::crypto::cipher::{MessageEncrypter, OutboundChunks, OutboundPlainMessage};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    ConnectionTrafficSecrets, ContentType, ProtocolVersion, ServerConfig, ServerConnection,
    SupportedCipherSuite,
};
use tokio::time::Instant;

use crate::authority::Issued;

/// The default request for a service.
pub(crate) fn default_request(service: Service, host: Host, port: u16, client: &TlsClient) -> Request {
    Request::new(Readiness::of(service, port), host, port, client)
}

/// The default request for a service, with TLS started within the protocol.
pub(crate) fn starttls_request(service: Service, host: Host, port: u16, client: &TlsClient) -> Request {
    let readiness = Readiness::new(Protocol::of(service), Tls::Upgrade, Readiness::WARN_DAYS);
    Request::new(readiness.unwrap(), host, port, client)
}

/// A request for a protocol with options.
pub(crate) fn request_for(
    protocol: Protocol,
    tls: Tls,
    host: Host,
    port: u16,
    client: &TlsClient,
) -> Request {
    let readiness = Readiness::new(protocol, tls, Readiness::WARN_DAYS);
    Request::new(readiness.unwrap(), host, port, client)
}

/// One action of a scripted target.
pub(crate) enum Action {
    /// Reads until these bytes have been received.
    Expect(&'static [u8]),
    /// Sends bytes.
    Send(Vec<u8>),
    /// Sends a reply computed from the bytes of the last `Expect`.
    Reply(fn(&[u8]) -> Vec<u8>),
    /// Sends the same bytes repeatedly until the client closes.
    Flood(Vec<u8>),
    /// Sends TLS 1.3 records with this content repeatedly until the client closes. Must be the first action after the
    /// handshake.
    FloodOfRecords(ContentType, Vec<u8>),
    /// Sends a fatal alert in a TLS 1.3 session, which is over for the peer.
    Alert(u8),
    /// Sends each of these in its own TLS record, then, if there is junk, close_notify and the junk, all in one write.
    Records(Vec<Vec<u8>>, Vec<u8>),
    /// Completes a TLS handshake as the server. Later actions use TLS.
    Tls(Arc<ServerConfig>),
    /// Closes the sending side.
    Close,
    /// Resets the connection.
    Reset,
}

pub(crate) fn send(bytes: impl AsRef<[u8]>) -> Action {
    Action::Send(bytes.as_ref().to_vec())
}

/// A TLS handshake with one certificate.
pub(crate) fn tls(issued: &Issued) -> Action {
    Action::Tls(Arc::new(server_config(issued, &[])))
}

/// A TLS configuration with one certificate, and additional certificates.
pub(crate) fn server_config(issued: &Issued, sent_along: &[Vec<u8>]) -> ServerConfig {
    let key = PrivateKeyDer::try_from(issued.key.clone()).unwrap();
    let certificates = [&issued.certificate]
        .into_iter()
        .chain(sent_along)
        .map(|certificate| CertificateDer::from(certificate.clone()))
        .collect();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap()
}

/// A target on loopback that accepts one connection.
pub(crate) struct Peer {
    address: SocketAddr,
    thread: JoinHandle<Observed>,
}

/// The client's behavior as seen by the target.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Observed {
    /// The bytes received after the last action.
    pub(crate) final_bytes: String,
    /// Whether the client closed with a FIN.
    pub(crate) fin: bool,
    /// Whether the last action was reached.
    pub(crate) completed: bool,
    /// Whether the client resumed an earlier TLS session, in which no certificate is sent.
    pub(crate) resumed: bool,
    /// The server name in the client's hello.
    pub(crate) server_name: Option<String>,
    /// The application protocol that was agreed on.
    pub(crate) protocol: Option<String>,
}

impl Peer {
    pub(crate) fn new(actions: Vec<Action>) -> Self {
        Self::on_listener(TcpListener::bind("127.0.0.1:0").unwrap(), actions)
    }

    pub(crate) fn on_listener(listener: TcpListener, actions: Vec<Action>) -> Self {
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            // A failed test must not block forever.
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let line = PeerConnection {
                stream,
                tls: None,
                received: Vec::new(),
            };
            line.perform(actions)
        });
        Self { address, thread }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Connects, runs the exchange, and returns its report and the target's observations.
    pub(crate) async fn run_exchange(
        self,
        request: &Request,
        timeout: Duration,
    ) -> (ExchangeReport, Observed) {
        let stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
        let report = exchange(stream, request, Instant::now() + timeout).await;
        (report, self.observed().await)
    }

    /// Waits for the end of the connection, and returns the target's observations.
    pub(crate) async fn observed(self) -> Observed {
        tokio::task::spawn_blocking(|| self.thread.join().unwrap())
            .await
            .unwrap()
    }
}

struct PeerConnection {
    stream: TcpStream,
    tls: Option<ServerConnection>,
    received: Vec<u8>,
}

impl PeerConnection {
    fn perform(mut self, actions: Vec<Action>) -> Observed {
        for act in actions {
            match act {
                Action::Expect(wanted) => {
                    let mut received = Vec::new();
                    while !received.windows(wanted.len()).any(|window| window == wanted) {
                        let mut byte = [0];
                        match self.read(&mut byte) {
                            Ok(0) => return self.observed(&received, true, false),
                            Ok(_) => {}
                            Err(_) => return self.observed(&received, false, false),
                        }
                        received.push(byte[0]);
                    }
                    self.received = received;
                }
                Action::Send(bytes) => self.write(&bytes).unwrap(),
                Action::Reply(make) => {
                    let bytes = make(&self.received);
                    self.write(&bytes).unwrap();
                }
                Action::Flood(bytes) => {
                    while self.write(&bytes).is_ok() {}
                    return self.observed(&[], false, true);
                }
                Action::FloodOfRecords(kind, content) => {
                    let tls = self.tls.take().unwrap();
                    let mut records = Records::of(tls, kind, content);
                    while self.stream.write_all(&records.batch()).is_ok() {}
                    return self.observed(&[], false, true);
                }
                Action::Alert(description) => {
                    let tls = self.tls.take().unwrap();
                    let mut records = Records::of(tls, ContentType::Alert, vec![2, description]);
                    self.stream.write_all(&records.next()).unwrap();
                    self.stream.shutdown(std::net::Shutdown::Write).unwrap();
                }
                Action::Records(records, junk) => {
                    let tls = self.tls.as_mut().unwrap();
                    let mut wire = Vec::new();
                    for record in records {
                        tls.writer().write_all(&record).unwrap();
                        tls.write_tls(&mut wire).unwrap();
                    }
                    if !junk.is_empty() {
                        tls.send_close_notify();
                        tls.write_tls(&mut wire).unwrap();
                        wire.extend(junk);
                    }
                    // The client may have closed already.
                    let _ = self.stream.write_all(&wire);
                }
                Action::Tls(config) => {
                    let mut tls = ServerConnection::new(config).unwrap();
                    while tls.is_handshaking() {
                        if tls.complete_io(&mut self.stream).is_err() {
                            break;
                        }
                    }
                    self.tls = Some(tls);
                }
                Action::Close => self.stream.shutdown(std::net::Shutdown::Write).unwrap(),
                Action::Reset => {
                    socket2::SockRef::from(&self.stream)
                        .set_linger(Some(Duration::ZERO))
                        .unwrap();
                    return self.observed(&[], true, true);
                }
            }
        }
        let mut received = Vec::new();
        let mut buffer = [0; 1024];
        loop {
            match self.read(&mut buffer) {
                Ok(0) => {
                    return self.observed(&received, true, true);
                }
                Ok(count) => received.extend_from_slice(&buffer[..count]),
                Err(_) => {
                    return self.observed(&received, false, true);
                }
            }
        }
    }

    fn observed(&self, received: &[u8], fin: bool, completed: bool) -> Observed {
        let kind = self.tls.as_ref().and_then(|tls| tls.handshake_kind());
        let resumed = kind == Some(rustls::HandshakeKind::Resumed);
        let protocol = self.tls.as_ref().and_then(|tls| tls.alpn_protocol());
        Observed {
            final_bytes: received.escape_ascii().to_string(),
            fin,
            completed,
            resumed,
            server_name: self
                .tls
                .as_ref()
                .and_then(|tls| tls.server_name())
                .map(str::to_owned),
            protocol: protocol.map(|protocol| protocol.escape_ascii().to_string()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match &mut self.tls {
            Some(tls) => rustls::Stream::new(tls, &mut self.stream).write_all(bytes),
            None => self.stream.write_all(bytes),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match &mut self.tls {
            Some(tls) => rustls::Stream::new(tls, &mut self.stream).read(buffer),
            None => self.stream.read(buffer),
        }
    }
}

/// TLS records that a server library does not send, encrypted with the keys of its connection.
struct Records {
    kind: ContentType,
    content: Vec<u8>,
    sequence: u64,
    encrypter: Box<dyn MessageEncrypter>,
}

impl Records {
    fn of(tls: ServerConnection, kind: ContentType, content: Vec<u8>) -> Self {
        let Some(SupportedCipherSuite::Tls13(suite)) = tls.negotiated_cipher_suite() else {
            panic!("not TLS 1.3")
        };
        let (sequence, secrets) = tls.dangerous_extract_secrets().unwrap().tx;
        let (ConnectionTrafficSecrets::Aes128Gcm { key, iv }
        | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
        | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv }) = secrets
        else {
            panic!("another cipher")
        };
        Self {
            kind,
            content,
            sequence,
            encrypter: suite.aead_alg.encrypter(key, iv),
        }
    }

    /// Encrypts many records, so that each write is large.
    fn batch(&mut self) -> Vec<u8> {
        (0..100).flat_map(|_| self.next()).collect()
    }

    fn next(&mut self) -> Vec<u8> {
        let record = OutboundPlainMessage {
            typ: self.kind,
            version: ProtocolVersion::TLSv1_3,
            payload: OutboundChunks::Single(&self.content),
        };
        let encrypted = self.encrypter.encrypt(record, self.sequence).unwrap();
        self.sequence += 1;
        encrypted.encode()
    }
}

/// Formats a report without its times.
pub(crate) fn describe(report: &ExchangeReport) -> String {
    match &report.result {
        ExchangeResult::Healthy(healthy) => {
            let banner = healthy
                .banner
                .as_ref()
                .map_or("nothing", |banner| banner.as_str());
            match &healthy.warning {
                Some(warning) => {
                    let warning = warning.to_string();
                    // Without the date, which depends on the day of the test.
                    let warning = warning.split(", on ").next().unwrap();
                    format!("healthy: {banner}; warning: {warning}")
                }
                None => format!("healthy: {banner}"),
            }
        }
        ExchangeResult::Failed(failure) => {
            let detail = failure
                .detail
                .as_ref()
                .map_or("nothing", |detail| detail.as_str());
            format!("{} in {}: {detail}", failure.class, failure.phase.as_str())
        }
        ExchangeResult::NoData(no_data) => no_data.to_string(),
    }
}
