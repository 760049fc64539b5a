//! The driver: holds a conversation over a socket, within one deadline, and reports how it went.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portpulse_core::outcome::{Detail, FailureClass, NoData, Phase, Warning};
use portpulse_core::readiness::{Protocol, Tls};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::certificate::{Expiry, expiry};
use crate::fault::Fault;
use crate::input::{Input, shown};
use crate::report::{CheckFailure, Finding, Healthy, Report};
use crate::request::Request;
use crate::service::dialogue;
use crate::service::http::redirect;
use crate::socket::connect;
use crate::step::{Dialogue, DialogueResult, Ended, Step};
use crate::tls;
use crate::wire::{Broken, Excess, FailedHandshake, Wire};

/// Holds the exchange over a connected socket, which it closes with a FIN, and reports before or at the deadline.
///
/// Where an HTTP check follows redirects, the times are those of the last request.
pub async fn exchange(stream: TcpStream, request: &Request, deadline: Instant) -> Report {
    let peer = stream.peer_addr().ok();
    let (mut report, mut moved) = hold(stream, request, deadline).await;
    let mut request = Cow::Borrowed(request);
    let mut hops = 0;
    while let (Some(location), Some(mut address)) = (moved.take(), peer) {
        let stopped = |class, why: &str| {
            let words = format!("redirected to {location}: {why}");
            Finding::CheckFailure(CheckFailure {
                class,
                phase: Phase::Ready,
                detail: Detail::new(&words),
            })
        };
        hops += 1;
        if hops > redirect::MAX {
            report.finding = stopped(FailureClass::WrongAnswer, "too many redirects");
            break;
        }
        let next = match redirect::follow(&request, &location) {
            Ok(next) => next,
            Err(why) => {
                report.finding = stopped(FailureClass::WrongAnswer, why);
                break;
            }
        };
        // The very address that answered: a redirect leads nowhere that was not asked for.
        address.set_port(next.port);
        match connect(address, deadline).await {
            Ok(stream) => (report, moved) = hold(stream, &next, deadline).await,
            Err(Fault::Ours(no_data)) => {
                report.finding = Finding::NoData(no_data);
                break;
            }
            Err(Fault::Target { class, detail }) => {
                report.finding = stopped(
                    class,
                    detail.as_ref().map_or("no connection there", Detail::as_str),
                );
                break;
            }
        }
        request = Cow::Owned(next);
    }
    report
}

/// One exchange, and where the answer is to be had if it is elsewhere.
async fn hold(stream: TcpStream, request: &Request, deadline: Instant) -> (Report, Option<String>) {
    let begun = Instant::now();
    let unspecified = SocketAddr::from(([0; 4], 0));
    let (peer, from) = (
        stream.peer_addr().unwrap_or(unspecified),
        stream.local_addr().ok(),
    );
    let dialogue = dialogue(request, from.map(|address| address.ip()));
    let conversation = dialogue.as_ref().map_or(0, |dialogue| dialogue.limit());
    let mut exchange = Exchange {
        request,
        peer,
        wire: Wire::new(stream, deadline, conversation),
        input: Input::default(),
        sent: None,
        tls: None,
        certificate: Certificate::default(),
    };
    let (conclusion, closing_bytes) = exchange.hold(dialogue).await;
    let tls = exchange.tls;
    let ready = match (&conclusion, request.readiness.protocol()) {
        (_, Protocol::TlsAlone) | (Conclusion::TlsProblem(..), _) => None,
        _ => Some(begun.elapsed().saturating_sub(tls.unwrap_or_default())),
    };
    let moved = match &conclusion {
        Conclusion::DialogueResult(DialogueResult::Moved(location)) => Some(location.clone()),
        Conclusion::DialogueResult(_)
        | Conclusion::TlsProblem(..)
        | Conclusion::Broken(..)
        | Conclusion::NoData(_) => None,
    };
    let finding = exchange.finding(conclusion);
    exchange.wire.close(closing_bytes).await;
    (Report { tls, ready, finding }, moved)
}

/// An exchange under way.
struct Exchange<'a> {
    request: &'a Request,
    peer: SocketAddr,
    wire: Wire,
    input: Input,
    /// The name of what was sent last.
    sent: Option<Cow<'static, str>>,
    tls: Option<Duration>,
    certificate: Certificate,
}

/// What the server's certificate is worth.
#[derive(Debug, Default)]
struct Certificate {
    expiry: Option<Expiry>,
    /// Why it is not believed.
    fault: Option<String>,
}

/// How a conversation ended.
enum Conclusion {
    DialogueResult(DialogueResult),
    TlsProblem(FailureClass, String),
    Broken(Broken, &'static str),
    NoData(NoData),
}

impl Exchange<'_> {
    async fn hold(&mut self, dialogue: Option<Box<dyn Dialogue + Send>>) -> (Conclusion, &'static [u8]) {
        let must_finish = dialogue.as_ref().is_some_and(|dialogue| dialogue.must_finish());
        let tls_comes_first = self.request.readiness.tls() == Tls::Implicit || dialogue.is_none();
        if tls_comes_first && let Err(conclusion) = self.start_tls(must_finish).await {
            return (conclusion, b"");
        }
        let Some(mut dialogue) = dialogue else {
            let banner = self
                .wire
                .tls()
                .and_then(|tls| tls.protocol_version())
                .map(|version| format!("{version:?}"));
            return (
                Conclusion::DialogueResult(DialogueResult::Healthy {
                    banner: banner.unwrap_or_default(),
                    warning: None,
                }),
                b"",
            );
        };
        loop {
            match dialogue.next(&mut self.input) {
                Step::Done(dialogue_result, closing_bytes) => {
                    return (Conclusion::DialogueResult(dialogue_result), closing_bytes);
                }
                Step::Send { what, bytes } => {
                    self.sent = Some(what);
                    self.input.sent();
                    if let Err(broken) = self.wire.send(&bytes).await {
                        return (Conclusion::Broken(broken, ""), b"");
                    }
                }
                Step::StartTls => {
                    if let Err(conclusion) = self.start_tls(must_finish).await {
                        return (conclusion, b"");
                    }
                }
                Step::More if self.input.total() > dialogue.limit() => {
                    let too_much = Broken::TooMuch(Excess::Bytes(dialogue.limit()));
                    return (Conclusion::Broken(too_much, ""), b"");
                }
                Step::More => {
                    let Self { wire, input, .. } = self;
                    if let Err(broken) = wire.receive(|bytes| input.push(bytes)).await {
                        return (self.broken(broken, dialogue.as_mut()), b"");
                    }
                }
            }
        }
    }

    fn broken(&self, broken: Broken, dialogue: &mut dyn Dialogue) -> Conclusion {
        match broken {
            Broken::Ended => match dialogue.ended(&self.input) {
                Ended::Concluded(dialogue_result) => Conclusion::DialogueResult(dialogue_result),
                Ended::Closed { hint } => Conclusion::Broken(Broken::Ended, hint),
            },
            broken @ (Broken::Deadline | Broken::Io(_) | Broken::Tls(_) | Broken::TooMuch(_)) => {
                Conclusion::Broken(broken, "")
            }
        }
    }

    async fn start_tls(&mut self, must_finish: bool) -> Result<(), Conclusion> {
        if !self.input.rest().is_empty() {
            let words = format!(
                "the server went on in plain text after it agreed to TLS: {}",
                shown(self.input.rest())
            );
            return Err(Conclusion::TlsProblem(FailureClass::Tls, words));
        }
        let host = &self.request.host;
        let connection = match self.request.client.connection(host) {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Err(Conclusion::TlsProblem(FailureClass::Tls, tls::words(&error))),
            Err(_) => return Err(Conclusion::NoData(NoData::Internal)),
        };
        let begun = Instant::now();
        let outcome = self.wire.start_tls(connection).await;
        self.tls = Some(begun.elapsed());
        if let Err(failed) = outcome {
            return Err(self.handshake_failed(&failed));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if let Some(tls) = self.wire.tls() {
            let leaf = tls.peer_certificates().and_then(<[_]>::first);
            self.certificate.expiry = leaf.and_then(|leaf| expiry(leaf, now));
            self.certificate.fault = self.request.client.judge(tls, host, now).err();
        }
        match self.certificate.fault.take_if(|_| !must_finish) {
            Some(fault) => Err(Conclusion::TlsProblem(FailureClass::Tls, fault)),
            None => Ok(()),
        }
    }

    fn handshake_failed(&self, failed: &FailedHandshake) -> Conclusion {
        const SENT: &str = "sent a TLS ClientHello";
        let FailedHandshake { broken, heard } = failed;
        let (class, words) = match broken {
            Broken::Ended => (FailureClass::Closed, format!("{SENT}, then closed")),
            Broken::Deadline if heard.is_empty() => (FailureClass::Silent, format!("{SENT}, got no answer")),
            Broken::Deadline => (
                FailureClass::Timeout,
                format!("{SENT}, got a part of the handshake, then nothing"),
            ),
            Broken::Io(error) => match io_words(error, self.peer) {
                Ok((class, end)) => (class, format!("{SENT}{end}")),
                Err(no_data) => return Conclusion::NoData(no_data),
            },
            Broken::TooMuch(excess) => (
                FailureClass::Tls,
                format!("{SENT}, got no end of the handshake within {excess}"),
            ),
            // The first byte of every TLS record that can answer: a handshake message or an alert.
            Broken::Tls(_) if !matches!(heard.first(), Some(0x15 | 0x16)) => (
                FailureClass::WrongService,
                format!("{SENT}, got `{}`", shown(heard).trim()),
            ),
            Broken::Tls(error) => (FailureClass::Tls, tls::words(error)),
        };
        Conclusion::TlsProblem(class, words)
    }

    fn finding(&mut self, conclusion: Conclusion) -> Finding {
        let failure = |class, phase, words: &str| {
            Finding::CheckFailure(CheckFailure {
                class,
                phase,
                detail: Detail::new(words),
            })
        };
        if let Some(fault) = self.certificate.fault.take() {
            return failure(FailureClass::Tls, Phase::Tls, &fault);
        }
        match conclusion {
            Conclusion::NoData(no_data) => Finding::NoData(no_data),
            Conclusion::TlsProblem(class, words) => failure(class, Phase::Tls, &words),
            Conclusion::Broken(broken, hint) => {
                let (class, end) = match &broken {
                    Broken::Ended => (FailureClass::Closed, ", then closed".to_owned()),
                    Broken::Deadline if self.input.total() == 0 => (FailureClass::Silent, String::new()),
                    Broken::Deadline if self.input.answer().is_empty() => {
                        (FailureClass::Timeout, String::new())
                    }
                    Broken::Deadline => (FailureClass::Timeout, ", then nothing".to_owned()),
                    Broken::Io(error) => match io_words(error, self.peer) {
                        Ok(words) => words,
                        Err(no_data) => return Finding::NoData(no_data),
                    },
                    // In front, since the story may be long.
                    Broken::TooMuch(excess) => {
                        let words = format!("no answer within {excess}: {}", self.transcript());
                        return failure(FailureClass::WrongService, Phase::Ready, &words);
                    }
                    Broken::Tls(error) => (FailureClass::Tls, format!(", then: {}", tls::words(error))),
                };
                failure(class, Phase::Ready, &format!("{}{end}{hint}", self.transcript()))
            }
            Conclusion::DialogueResult(DialogueResult::WrongService) => {
                failure(FailureClass::WrongService, Phase::Ready, &self.transcript())
            }
            Conclusion::DialogueResult(DialogueResult::CheckFailure(class, words)) => {
                let phase = if class == FailureClass::Tls {
                    Phase::Tls
                } else {
                    Phase::Ready
                };
                failure(class, phase, &words)
            }
            Conclusion::DialogueResult(DialogueResult::Moved(to)) => failure(
                FailureClass::WrongAnswer,
                Phase::Ready,
                &format!("redirects to {to}"),
            ),
            Conclusion::DialogueResult(DialogueResult::Healthy { banner, warning }) => {
                Finding::Healthy(Healthy {
                    banner: Detail::new(&banner),
                    warning: self.warning(warning),
                    certificate_days: self.certificate.expiry.map(|expiry| expiry.days),
                })
            }
        }
    }

    /// What was sent and what came back.
    fn transcript(&self) -> String {
        let answer = self.input.answer();
        match (&self.sent, answer.is_empty()) {
            (Some(sent), true) => format!("sent {sent}, got no answer"),
            (Some(sent), false) => format!("sent {sent}, got `{}`", shown(answer).trim()),
            (None, true) => "waited for a greeting, got none".to_owned(),
            (None, false) => format!("waited for a greeting, got `{}`", shown(answer).trim()),
        }
    }

    /// Of two warnings that of the certificate: it has a day on which it becomes an outage.
    fn warning(&self, of_the_service: Option<String>) -> Option<Warning> {
        let expiry = self.certificate.expiry;
        let soon = expiry.filter(|expiry| expiry.days < i64::from(self.request.readiness.warn_days()));
        let of_the_certificate = soon.map(|Expiry { at, days }| Warning::CertificateExpiring { at, days });
        let remark = || of_the_service.and_then(|words| Detail::new(&words));
        of_the_certificate.or_else(|| remark().map(Warning::Remark))
    }
}

/// The class of an error that the socket reported in the middle of the exchange, and how it is told.
fn io_words(error: &io::Error, peer: SocketAddr) -> Result<(FailureClass, String), NoData> {
    match Fault::reported(error, peer) {
        Fault::Ours(no_data) => Err(no_data),
        Fault::Target {
            class: FailureClass::Reset,
            detail: None,
        } => Ok((FailureClass::Reset, ", then a reset".to_owned())),
        Fault::Target { class, .. } => Ok((class, format!(", then: {error}"))),
    }
}
