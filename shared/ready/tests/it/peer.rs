//! A target that does as it is told, and the one way to check what an exchange makes of it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use portpulse_core::outcome::Warning;
use portpulse_core::readiness::{Protocol, Readiness, Tls};
use portpulse_core::target::{Host, Service};
use portpulse_ready::{ExchangeReport, ExchangeResult, Request, TlsClient, exchange};
use rustls::crypto::cipher::{MessageEncrypter, OutboundChunks, OutboundPlainMessage};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    ConnectionTrafficSecrets, ContentType, ProtocolVersion, ServerConfig, ServerConnection,
    SupportedCipherSuite,
};
use tokio::time::Instant;

use crate::authority::Issued;

/// What a service is asked by default.
pub(crate) fn default_request(service: Service, host: Host, port: u16, client: &TlsClient) -> Request {
    Request::new(Readiness::of(service, port), host, port, client)
}

/// The same, with TLS begun within the protocol.
pub(crate) fn starttls_request(service: Service, host: Host, port: u16, client: &TlsClient) -> Request {
    let readiness = Readiness::new(Protocol::of(service), Tls::Upgrade, Readiness::WARN_DAYS);
    Request::new(readiness.unwrap(), host, port, client)
}

/// A protocol with options of its own.
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

/// What a peer does next.
pub(crate) enum Action {
    /// Reads until these bytes have come.
    Expect(&'static [u8]),
    /// Sends.
    Send(Vec<u8>),
    /// Sends what it makes of what was heard last.
    Reply(fn(&[u8]) -> Vec<u8>),
    /// Sends the same over and over, until the client has gone.
    Flood(Vec<u8>),
    /// Sends the same in records of TLS 1.3 of their own, until the client has gone; nothing was sent before it.
    FloodOfRecords(ContentType, Vec<u8>),
    /// Sends each of these in a record of its own within TLS, then the end of TLS and bytes that are no record, if there
    /// are any; all of it at once.
    Records(Vec<Vec<u8>>, Vec<u8>),
    /// Takes the server's part of a handshake; all that follows is within TLS.
    Tls(Arc<ServerConfig>),
    /// Ends its side at once.
    Close,
    /// Ends it with a reset.
    Reset,
}

pub(crate) fn send(bytes: impl AsRef<[u8]>) -> Action {
    Action::Send(bytes.as_ref().to_vec())
}

/// A server's TLS with one certificate.
pub(crate) fn tls(issued: &Issued) -> Action {
    Action::Tls(Arc::new(server_config(issued, &[])))
}

/// A server's TLS with one certificate, and others sent along.
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

/// A target on loopback, for one connection.
pub(crate) struct Peer {
    address: SocketAddr,
    thread: JoinHandle<Observed>,
}

/// How the client looked from the other side.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Observed {
    /// All that was heard after the last act.
    pub(crate) final_bytes: String,
    /// Whether the client ended with a FIN.
    pub(crate) fin: bool,
    /// Whether it came to the last act.
    pub(crate) completed: bool,
    /// Whether the client took up an earlier session, in which no certificate is shown.
    pub(crate) resumed: bool,
}

impl Peer {
    pub(crate) fn new(actions: Vec<Action>) -> Self {
        Self::on_listener(TcpListener::bind("127.0.0.1:0").unwrap(), actions)
    }

    pub(crate) fn on_listener(listener: TcpListener, actions: Vec<Action>) -> Self {
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            // A test that went wrong ends, too.
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

    /// Connects, holds the exchange, and tells both sides of it.
    pub(crate) async fn run_exchange(
        self,
        request: &Request,
        timeout: Duration,
    ) -> (ExchangeReport, Observed) {
        let stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
        let report = exchange(stream, request, Instant::now() + timeout).await;
        (report, self.observed().await)
    }

    /// How it looked to the target, when all is over.
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
                    // A client that has given up is no fault of the peer's.
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
        Observed {
            final_bytes: received.escape_ascii().to_string(),
            fin,
            completed,
            resumed,
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

/// Records that a server's library does not send: made with the keys of its connection.
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

    /// So many of them that each write is worth its while.
    fn batch(&mut self) -> Vec<u8> {
        let mut records = Vec::new();
        for _ in 0..100 {
            let record = OutboundPlainMessage {
                typ: self.kind,
                version: ProtocolVersion::TLSv1_3,
                payload: OutboundChunks::Single(&self.content),
            };
            records.extend(self.encrypter.encrypt(record, self.sequence).unwrap().encode());
            self.sequence += 1;
        }
        records
    }
}

/// A report as text, without its times.
pub(crate) fn describe(report: &ExchangeReport) -> String {
    match &report.result {
        ExchangeResult::Healthy(healthy) => {
            let banner = healthy
                .banner
                .as_ref()
                .map_or("nothing", |banner| banner.as_str());
            match &healthy.warning {
                Some(Warning::CertificateExpiring { days, .. }) => {
                    format!("healthy: {banner}; warning: the certificate expires in {days} days")
                }
                Some(Warning::Remark(remark)) => format!("healthy: {banner}; warning: {remark}"),
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
