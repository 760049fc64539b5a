//! The driver: runs a service's dialogue over a socket within one deadline, and reports the result.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portpulse_core::outcome::{Detail, FailureClass, NoData, Phase, Warning};
use portpulse_core::readiness::{Protocol, Tls};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::certificate::{Expiry, expiry};
use crate::connection::{Connection, ConnectionError, HandshakeError, ReadLimit};
use crate::dialogue::{Dialogue, DialogueResult, EndOfStream, Step};
use crate::input::{Input, excerpt};
use crate::report::{ExchangeFailure, ExchangeReport, ExchangeResult, Healthy};
use crate::request::Request;
use crate::service::dialogue;
use crate::service::http::redirect;
use crate::socket::connect;
use crate::socket_error::SocketError;
use crate::tls;

/// Runs the exchange over a connected socket, closes the socket with a FIN, and returns at the deadline at the latest.
///
/// If an HTTP check follows redirects, the reported times are those of the last request.
pub async fn exchange(stream: TcpStream, request: &Request, deadline: Instant) -> ExchangeReport {
    let peer = stream.peer_addr().ok();
    let (mut report, mut redirect_location) = exchange_once(stream, request, deadline).await;
    let mut request = Cow::Borrowed(request);
    let mut redirects = 0;
    while let (Some(location), Some(mut address)) = (redirect_location.take(), peer) {
        let not_followed = |class, why: &str| {
            let message = format!("redirected to {location}: {why}");
            ExchangeResult::Failed(ExchangeFailure {
                class,
                phase: Phase::Ready,
                detail: Detail::new(&message),
            })
        };
        redirects += 1;
        if redirects > redirect::MAX_REDIRECTS {
            report.result = not_followed(FailureClass::WrongAnswer, "too many redirects");
            break;
        }
        let next = match redirect::follow(&request, &location) {
            Ok(next) => next,
            Err(why) => {
                report.result = not_followed(FailureClass::WrongAnswer, why);
                break;
            }
        };
        // A redirect is followed only to the address that answered, so that a target cannot redirect the checker
        // elsewhere.
        address.set_port(next.port);
        match connect(address, deadline).await {
            Ok(stream) => (report, redirect_location) = exchange_once(stream, &next, deadline).await,
            Err(SocketError::Local(no_data)) => {
                report.result = ExchangeResult::NoData(no_data);
                break;
            }
            Err(SocketError::Target { class, detail }) => {
                report.result = not_followed(class, detail.as_ref().map_or("no connection", Detail::as_str));
                break;
            }
        }
        request = Cow::Owned(next);
    }
    report
}

/// Runs one exchange; also returns the redirect location, if the answer is a redirect to follow.
async fn exchange_once(
    stream: TcpStream,
    request: &Request,
    deadline: Instant,
) -> (ExchangeReport, Option<String>) {
    let started = Instant::now();
    let unspecified = SocketAddr::from(([0; 4], 0));
    let (peer, from) = (
        stream.peer_addr().unwrap_or(unspecified),
        stream.local_addr().ok(),
    );
    let dialogue = dialogue(request, from.map(|address| address.ip()));
    let max_conversation_bytes = dialogue.as_ref().map_or(0, |dialogue| dialogue.max_bytes());
    let mut exchange = Exchange {
        request,
        peer,
        connection: Connection::new(stream, deadline, max_conversation_bytes),
        input: Input::default(),
        sent: None,
        tls: None,
        certificate: Certificate::default(),
    };
    let (conclusion, closing_bytes) = exchange.run(dialogue).await;
    let tls = exchange.tls;
    let ready = match (&conclusion, request.readiness.protocol()) {
        (_, Protocol::TlsAlone) | (Conclusion::Tls(..), _) => None,
        _ => Some(started.elapsed().saturating_sub(tls.unwrap_or_default())),
    };
    let redirect_location = match &conclusion {
        Conclusion::Dialogue(DialogueResult::Redirect(location)) => Some(location.clone()),
        Conclusion::Dialogue(_)
        | Conclusion::Tls(..)
        | Conclusion::Connection(..)
        | Conclusion::NoData(_) => None,
    };
    let result = exchange.result(conclusion);
    exchange.connection.close(closing_bytes).await;
    (ExchangeReport { tls, ready, result }, redirect_location)
}

/// A running exchange.
struct Exchange<'a> {
    request: &'a Request,
    peer: SocketAddr,
    connection: Connection,
    input: Input,
    /// The name of the bytes sent last.
    sent: Option<Cow<'static, str>>,
    tls: Option<Duration>,
    certificate: Certificate,
}

/// What the handshake revealed about the server's certificate.
#[derive(Debug, Default)]
struct Certificate {
    expiry: Option<Expiry>,
    /// Why the certificate is invalid.
    error: Option<String>,
}

/// How an exchange ended, before the certificate is considered.
enum Conclusion {
    Dialogue(DialogueResult),
    Tls(FailureClass, String),
    Connection(ConnectionError, &'static str),
    NoData(NoData),
}

impl Exchange<'_> {
    async fn run(&mut self, dialogue: Option<Box<dyn Dialogue + Send>>) -> (Conclusion, &'static [u8]) {
        let must_finish = dialogue.as_ref().is_some_and(|dialogue| dialogue.must_finish());
        let tls_comes_first = self.request.readiness.tls() == Tls::Implicit || dialogue.is_none();
        if tls_comes_first && let Err(conclusion) = self.start_tls(must_finish).await {
            return (conclusion, b"");
        }
        let Some(mut dialogue) = dialogue else {
            let banner = self
                .connection
                .tls()
                .and_then(|tls| tls.protocol_version())
                .map(|version| format!("{version:?}"));
            return (
                Conclusion::Dialogue(DialogueResult::Healthy {
                    banner: banner.unwrap_or_default(),
                    warning: None,
                }),
                b"",
            );
        };
        loop {
            match dialogue.next(&mut self.input) {
                Step::Done(dialogue_result, closing_bytes) => {
                    return (Conclusion::Dialogue(dialogue_result), closing_bytes);
                }
                Step::Send { name, bytes } => {
                    self.sent = Some(name);
                    self.input.mark_sent();
                    if let Err(error) = self.connection.send(&bytes).await {
                        return (Conclusion::Connection(error, ""), b"");
                    }
                }
                Step::StartTls => {
                    if let Err(conclusion) = self.start_tls(must_finish).await {
                        return (conclusion, b"");
                    }
                }
                Step::Receive if self.input.total_bytes() > dialogue.max_bytes() => {
                    let limit_exceeded =
                        ConnectionError::LimitExceeded(ReadLimit::Bytes(dialogue.max_bytes()));
                    return (Conclusion::Connection(limit_exceeded, ""), b"");
                }
                Step::Receive => {
                    let Self {
                        connection, input, ..
                    } = self;
                    if let Err(error) = connection.receive(|bytes| input.push(bytes)).await {
                        return (self.connection_failed(error, dialogue.as_mut()), b"");
                    }
                }
            }
        }
    }

    fn connection_failed(&self, error: ConnectionError, dialogue: &mut dyn Dialogue) -> Conclusion {
        match error {
            ConnectionError::Closed => match dialogue.end_of_stream(&self.input) {
                EndOfStream::Concluded(dialogue_result) => Conclusion::Dialogue(dialogue_result),
                EndOfStream::Closed { hint } => Conclusion::Connection(ConnectionError::Closed, hint),
            },
            error @ (ConnectionError::Deadline
            | ConnectionError::Io(_)
            | ConnectionError::Tls(_)
            | ConnectionError::LimitExceeded(_)) => Conclusion::Connection(error, ""),
        }
    }

    async fn start_tls(&mut self, must_finish: bool) -> Result<(), Conclusion> {
        if !self.input.remaining().is_empty() {
            let message = format!(
                "the server sent plain text after it agreed to TLS: {}",
                excerpt(self.input.remaining())
            );
            return Err(Conclusion::Tls(FailureClass::Tls, message));
        }
        let host = &self.request.host;
        let session = match self.request.client.connection(host) {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Err(Conclusion::Tls(FailureClass::Tls, tls::describe_error(&error))),
            Err(_) => return Err(Conclusion::NoData(NoData::Internal)),
        };
        let started = Instant::now();
        let outcome = self.connection.start_tls(session).await;
        self.tls = Some(started.elapsed());
        if let Err(failed) = outcome {
            return Err(self.handshake_failed(&failed));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if let Some(tls) = self.connection.tls() {
            let leaf = tls.peer_certificates().and_then(<[_]>::first);
            self.certificate.expiry = leaf.and_then(|leaf| expiry(leaf, now));
            self.certificate.error = self.request.client.verify(tls, host, now).err();
        }
        match self.certificate.error.take_if(|_| !must_finish) {
            Some(error) => Err(Conclusion::Tls(FailureClass::Tls, error)),
            None => Ok(()),
        }
    }

    fn handshake_failed(&self, failed: &HandshakeError) -> Conclusion {
        const SENT: &str = "sent a TLS ClientHello";
        let HandshakeError { error, received } = failed;
        let (class, message) = match error {
            ConnectionError::Closed => (FailureClass::Closed, format!("{SENT}, then closed")),
            ConnectionError::Deadline if received.is_empty() => {
                (FailureClass::Silent, format!("{SENT}, got no answer"))
            }
            ConnectionError::Deadline => (
                FailureClass::Timeout,
                format!("{SENT}, got an incomplete handshake, then nothing"),
            ),
            ConnectionError::Io(error) => match describe_io_error(error, self.peer) {
                Ok((class, end)) => (class, format!("{SENT}{end}")),
                Err(no_data) => return Conclusion::NoData(no_data),
            },
            ConnectionError::LimitExceeded(limit) => (
                FailureClass::Tls,
                format!("{SENT}, the handshake exceeds {limit}"),
            ),
            // A TLS server answers with a handshake record (0x16) or an alert record (0x15).
            ConnectionError::Tls(_) if !matches!(received.first(), Some(0x15 | 0x16)) => (
                FailureClass::WrongService,
                format!("{SENT}, got `{}`", excerpt(received).trim()),
            ),
            ConnectionError::Tls(error) => (FailureClass::Tls, tls::describe_error(error)),
        };
        Conclusion::Tls(class, message)
    }

    fn result(&mut self, conclusion: Conclusion) -> ExchangeResult {
        let failure = |class, phase, message: &str| {
            ExchangeResult::Failed(ExchangeFailure {
                class,
                phase,
                detail: Detail::new(message),
            })
        };
        if let Some(error) = self.certificate.error.take() {
            return failure(FailureClass::Tls, Phase::Tls, &error);
        }
        match conclusion {
            Conclusion::NoData(no_data) => ExchangeResult::NoData(no_data),
            Conclusion::Tls(class, message) => failure(class, Phase::Tls, &message),
            Conclusion::Connection(error, hint) => {
                let (class, end) = match &error {
                    ConnectionError::Closed => (FailureClass::Closed, ", then closed".to_owned()),
                    ConnectionError::Deadline if self.input.total_bytes() == 0 => {
                        (FailureClass::Silent, String::new())
                    }
                    ConnectionError::Deadline if self.input.answer().is_empty() => {
                        (FailureClass::Timeout, String::new())
                    }
                    ConnectionError::Deadline => (FailureClass::Timeout, ", then nothing".to_owned()),
                    ConnectionError::Io(error) => match describe_io_error(error, self.peer) {
                        Ok(message) => message,
                        Err(no_data) => return ExchangeResult::NoData(no_data),
                    },
                    // The limit comes first, because the transcript may be cut.
                    ConnectionError::LimitExceeded(limit) => {
                        let message = format!("no complete answer within {limit}: {}", self.transcript());
                        return failure(FailureClass::WrongService, Phase::Ready, &message);
                    }
                    ConnectionError::Tls(error) => (
                        FailureClass::Tls,
                        format!(", then: {}", tls::describe_error(error)),
                    ),
                };
                failure(class, Phase::Ready, &format!("{}{end}{hint}", self.transcript()))
            }
            Conclusion::Dialogue(DialogueResult::WrongService) => {
                failure(FailureClass::WrongService, Phase::Ready, &self.transcript())
            }
            Conclusion::Dialogue(DialogueResult::Failed(class, message)) => {
                let phase = if class == FailureClass::Tls {
                    Phase::Tls
                } else {
                    Phase::Ready
                };
                failure(class, phase, &message)
            }
            Conclusion::Dialogue(DialogueResult::Redirect(to)) => failure(
                FailureClass::WrongAnswer,
                Phase::Ready,
                &format!("redirects to {to}"),
            ),
            Conclusion::Dialogue(DialogueResult::Healthy { banner, warning }) => {
                ExchangeResult::Healthy(Healthy {
                    banner: Detail::new(&banner),
                    warning: self.warning(warning),
                    certificate_days: self.certificate.expiry.map(|expiry| expiry.days),
                })
            }
        }
    }

    /// Describes what was sent and received.
    fn transcript(&self) -> String {
        let answer = self.input.answer();
        match (&self.sent, answer.is_empty()) {
            (Some(sent), true) => format!("sent {sent}, got no answer"),
            (Some(sent), false) => format!("sent {sent}, got `{}`", excerpt(answer).trim()),
            (None, true) => "waited for a greeting, got none".to_owned(),
            (None, false) => format!("waited for a greeting, got `{}`", excerpt(answer).trim()),
        }
    }

    /// Selects the warning to report. The certificate's warning takes precedence, because it becomes an outage on a
    /// known day.
    fn warning(&self, of_the_service: Option<String>) -> Option<Warning> {
        let expiry = self.certificate.expiry;
        let soon = expiry.filter(|expiry| expiry.days < i64::from(self.request.readiness.warn_days()));
        let of_the_certificate = soon.map(|Expiry { at, days }| Warning::CertificateExpiring { at, days });
        let remark = || of_the_service.and_then(|message| Detail::new(&message));
        of_the_certificate.or_else(|| remark().map(Warning::FromService))
    }
}

/// Classifies an error of the socket during the exchange, and describes it for the end of a transcript.
fn describe_io_error(error: &io::Error, peer: SocketAddr) -> Result<(FailureClass, String), NoData> {
    match SocketError::from_network(error, peer) {
        SocketError::Local(no_data) => Err(no_data),
        SocketError::Target {
            class: FailureClass::Reset,
            detail: None,
        } => Ok((FailureClass::Reset, ", then a reset".to_owned())),
        SocketError::Target { class, .. } => Ok((class, format!(", then: {error}"))),
    }
}
