//! The driver: runs a service's dialogue over a socket within one deadline, and reports the result.

mod client_certificate;

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portpulse_core::outcome::{Detail, FailureClass, NoData, Phase, Warning};
use portpulse_core::readiness::{CertificateTrust, Protocol, Tls};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::connection::{Connection, ConnectionError, HandshakeError, ReadLimit};
use crate::dialogue::{Dialogue, DialogueResult, EndOfStream, Step};
use crate::input::{Input, excerpt};
use crate::recognize::spoken;
use crate::report::{ExchangeFailure, ExchangeReport, ExchangeResult, Healthy};
use crate::request::Request;
use crate::service::{application_protocols, dialogue};
use crate::socket_error::SocketError;
use crate::tls::{FirstExpiry, Observed, describe_error};

/// A further request that the answer to an HTTP request demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NextRequest {
    /// The request for the value of a `Location` field.
    At {
        /// The value.
        location: String,
        /// The status code.
        code: u16,
    },
    /// The same request with GET.
    WithGet,
}

/// Runs one exchange; also returns the next request, if the answer demands one.
pub(crate) async fn exchange_once(
    stream: TcpStream,
    request: &Request,
    deadline: Instant,
) -> (ExchangeReport, Option<NextRequest>) {
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
        bytes_before_tls: 0,
        certificate: Certificate::default(),
        observed: None,
    };
    let (conclusion, closing_bytes) = exchange.run(dialogue).await;
    let tls = exchange.tls;
    let ready = match (&conclusion, request.readiness.protocol()) {
        (_, Protocol::TlsAlone) | (Conclusion::Tls(..), _) => None,
        _ => Some(started.elapsed().saturating_sub(tls.unwrap_or_default())),
    };
    let next = match &conclusion {
        Conclusion::Dialogue(DialogueResult::Redirect { location, code }) => Some(NextRequest::At {
            location: location.clone(),
            code: *code,
        }),
        Conclusion::Dialogue(DialogueResult::RepeatWithGet) => Some(NextRequest::WithGet),
        Conclusion::Dialogue(_)
        | Conclusion::Tls(..)
        | Conclusion::Connection(..)
        | Conclusion::NoData(_) => None,
    };
    let result = exchange.result(conclusion);
    exchange.connection.close(closing_bytes).await;
    (ExchangeReport { tls, ready, result }, next)
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
    /// The number of bytes received before the TLS session.
    bytes_before_tls: usize,
    certificate: Certificate,
    /// What the handshake revealed.
    observed: Option<Observed>,
}

/// The judgement of the server's certificates.
#[derive(Debug, Default)]
struct Certificate {
    expiry: Option<FirstExpiry>,
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
            return (self.handshake_alone().await, b"");
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
        if let Some(conclusion) = self.demands_certificate(&error) {
            return conclusion;
        }
        match error {
            ConnectionError::Closed => match dialogue.end_of_stream(&self.input) {
                EndOfStream::Concluded(dialogue_result) => Conclusion::Dialogue(dialogue_result),
                EndOfStream::Closed { hint } => Conclusion::Connection(ConnectionError::Closed, hint),
            },
            ConnectionError::Deadline => {
                Conclusion::Connection(ConnectionError::Deadline, dialogue.timeout_hint(&self.input))
            }
            error
            @ (ConnectionError::Io(_) | ConnectionError::Tls(_) | ConnectionError::LimitExceeded(_)) => {
                Conclusion::Connection(error, "")
            }
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
        let Request {
            readiness, client, ..
        } = self.request;
        let name = readiness.tls_name().unwrap_or(&self.request.host);
        let is_verified = readiness.trust() == CertificateTrust::Verified;
        if is_verified && client.load().is_err() {
            return Err(Conclusion::NoData(NoData::Internal));
        }
        let certificate = match self.client_certificate() {
            Ok(certificate) => certificate,
            Err(no_data) => return Err(Conclusion::NoData(no_data)),
        };
        let protocols = application_protocols(readiness.protocol());
        let session = match client.session(name, protocols, certificate) {
            Ok(session) => session,
            Err(error) => return Err(Conclusion::Tls(FailureClass::Tls, describe_error(&error))),
        };
        self.bytes_before_tls = self.input.total_bytes();
        let started = Instant::now();
        let outcome = self.connection.start_tls(session.connection).await;
        self.tls = Some(started.elapsed());
        let observed = self.observed.insert(session.observed);
        if is_verified && observed.has_certificates() {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            match client.judge(observed, name, now) {
                Ok(first) => self.certificate.expiry = Some(first),
                Err(error) => self.certificate.error = Some(error),
            }
        }
        if let Err(failed) = outcome {
            let demanded = self.demands_certificate(&failed.error);
            return Err(demanded.unwrap_or_else(|| self.handshake_failed(&failed)));
        }
        match self.certificate.error.take_if(|_| !must_finish) {
            Some(error) => Err(Conclusion::Tls(FailureClass::Tls, error)),
            None => Ok(()),
        }
    }

    fn describe(&self, error: &rustls::Error) -> String {
        match &self.observed {
            Some(observed) => observed.describe(error),
            None => describe_error(error),
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
                format!("{SENT}, got `{}`{}", excerpt(received).trim(), spoken(received)),
            ),
            ConnectionError::Tls(error) => (FailureClass::Tls, self.describe(error)),
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
                    ConnectionError::Closed if self.asked_for_certificate() => (
                        FailureClass::Closed,
                        ", then closed; it had asked for a client certificate".to_owned(),
                    ),
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
                    ConnectionError::Tls(error) => {
                        (FailureClass::Tls, format!(", then: {}", self.describe(error)))
                    }
                };
                failure(class, Phase::Ready, &format!("{}{end}{hint}", self.transcript()))
            }
            Conclusion::Dialogue(DialogueResult::WrongService) => {
                let message = format!("{}{}", self.transcript(), spoken(self.input.answer()));
                failure(FailureClass::WrongService, Phase::Ready, &message)
            }
            Conclusion::Dialogue(DialogueResult::Failed(class, message)) => {
                let phase = if class == FailureClass::Tls {
                    Phase::Tls
                } else {
                    Phase::Ready
                };
                failure(class, phase, &message)
            }
            Conclusion::Dialogue(DialogueResult::Redirect { location, .. }) => failure(
                FailureClass::WrongAnswer,
                Phase::Ready,
                &format!("redirects to {location}"),
            ),
            Conclusion::Dialogue(DialogueResult::RepeatWithGet) => {
                failure(FailureClass::WrongAnswer, Phase::Ready, "refuses HEAD")
            }
            Conclusion::Dialogue(DialogueResult::Healthy { banner, warning }) => {
                ExchangeResult::Healthy(Healthy {
                    banner: Detail::new(&self.qualified(banner)),
                    warning: self.warning(warning),
                    certificate_days: self.certificate.expiry.as_ref().map(|first| first.expiry.days),
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

    /// What the service says about itself, with a note if nothing shows that it is the right one.
    fn qualified(&self, banner: String) -> String {
        if self.observed.is_none() || self.request.readiness.trust() == CertificateTrust::Verified {
            return banner;
        }
        let separator = if banner.is_empty() { "" } else { ", " };
        format!("certificate not verified{separator}{banner}")
    }

    /// Selects the warning to report. The certificate's warning takes precedence, because it becomes an outage on a
    /// known day.
    fn warning(&self, of_the_service: Option<String>) -> Option<Warning> {
        let warn_days = i64::from(self.request.readiness.warn_days());
        let first = self.certificate.expiry.as_ref();
        let soon = first.filter(|first| first.expiry.days < warn_days);
        let of_the_certificate = soon.map(|first| Warning::CertificateExpiring {
            issuer: first.issuer.as_deref().and_then(Detail::new),
            at: first.expiry.at,
            days: first.expiry.days,
        });
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
