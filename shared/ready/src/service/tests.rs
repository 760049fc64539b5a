use portpulse_core::readiness::Readiness;
use portpulse_core::service::Service;

use super::dialogue;
use crate::request::Request;
use crate::test_harness::transcript;
use crate::tls::TlsClient;

/// What answers on a port instead of any service: nothing, a TLS server, a proxy without its server, and bytes without
/// meaning.
fn hostile_answers() -> Vec<Vec<u8>> {
    let mut answers: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"\x15\x03\x01\0\x02\x02\x46".to_vec(),
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
        b"HTTP/1.0 503 Service Unavailable\r\nContent-Type: text/html\r\n\r\n<html>no server is available</html>".to_vec(),
        b"HTTP/1.1 504 Gateway Timeout\r\n\r\n".to_vec(),
        b"\r\n\r\n\r\n\r\n".to_vec(),
    ];
    answers.extend((0..=u8::MAX).map(|byte| vec![byte; 70_000]));
    answers
}

#[test]
fn hostile_answers_are_never_open() {
    let client = TlsClient::with_roots([]);
    for service in Service::ALL {
        let readiness = Readiness::of(*service, service.port());
        let request = Request::new(readiness, "db.example".parse().unwrap(), service.port(), &client);
        for answer in hostile_answers() {
            for length in [answer.len(), answer.len() / 2, 3] {
                let Some(dialogue) = dialogue(&request, None) else {
                    continue;
                };
                let cut = answer.get(..length).unwrap_or(&answer);
                let text = transcript(dialogue, cut.chunks(1_500));
                let start = cut.get(..40).unwrap_or(cut).escape_ascii();
                assert!(!text.contains("healthy: "), "{service}: `{start}`: {text}");
            }
        }
    }
}
