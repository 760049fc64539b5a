//! HTTP checks with secrets, limits of the response time, and redirects to other hosts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use portpulse_core::outcome::{Outcome, Phase};
use portpulse_core::readiness::{
    Credentials, Header, HttpCheck, Method, Protocol, Readiness, RequestContent, Tls,
};
use portpulse_core::secret::SecretName;
use portpulse_core::target::{Check, Target};
use portpulse_prober::Prober;
use portpulse_secrets::{ReadSecret, Secret, SecretError};
use tokio::time::Instant;

use crate::name_server::{has, serve};
use crate::{code, target, with_name_server};

/// A server that answers each request after a pause, and records what it received.
pub(crate) fn server(answer: &'static str, pause: Duration) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, received) = channel();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = vec![0; 2048];
            let count = stream.read(&mut request).unwrap();
            let _ = sender.send(String::from_utf8_lossy(&request[..count]).into_owned());
            thread::sleep(pause);
            stream.write_all(answer.as_bytes()).unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    (address, received)
}

fn http_target(address: SocketAddr, content: RequestContent, follow: bool) -> Target {
    let check = HttpCheck::new(Method::Get, "/", vec![200..=200], None, follow).unwrap();
    let protocol = Protocol::Http(check.with_content(content).unwrap());
    Target {
        check: Check::Ready(Readiness::new(protocol, Tls::Off, 14).unwrap()),
        ..target("127.0.0.1", address.port())
    }
}

async fn probe_one(prober: &Prober, target: Target) -> Outcome {
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut outcomes = prober.probe(&[target], deadline).await;
    outcomes.remove(0)
}

fn parameter(path: &str) -> SecretName {
    SecretName::Parameter(path.to_owned())
}

/// Only `ssm:/token` exists.
struct Store;

impl ReadSecret for Store {
    async fn read(&self, name: &SecretName) -> Result<Secret, SecretError> {
        let secret = (*name == parameter("/token")).then(|| Secret::new("hush-42"));
        secret
            .flatten()
            .ok_or_else(|| SecretError::Missing { name: name.clone() })
    }
}

#[tokio::test]
async fn secrets_are_sent_and_missing_ones_are_no_data() {
    let (address, received) = server("HTTP/1.1 200 OK\r\n\r\n", Duration::ZERO);
    let prober = Prober::new(with_name_server(address))
        .unwrap()
        .with_secrets(Store);
    let with = |path: &str| RequestContent {
        secret_headers: vec![Header {
            name: "X-Key".to_owned(),
            value: parameter("/token"),
        }],
        credentials: Some(Credentials::Bearer(parameter(path))),
        ..RequestContent::default()
    };
    let outcome = probe_one(&prober, http_target(address, with("/gone"), false)).await;
    assert_eq!(code(&outcome), "no_data_secret_unreadable");
    let outcome = probe_one(&prober, http_target(address, with("/token"), false)).await;
    assert_eq!(code(&outcome), "open");
    // The first check did not connect.
    let request = received.recv().unwrap();
    assert!(
        request.contains("X-Key: hush-42\r\nAuthorization: Bearer hush-42\r\n"),
        "{request}"
    );
    assert!(received.try_recv().is_err());
}

#[tokio::test]
async fn slow_response_fails_with_its_time() {
    let (address, _received) = server("HTTP/1.1 200 OK\r\n\r\n", Duration::from_millis(60));
    let prober = Prober::new(with_name_server(address)).unwrap();
    let limited = |limit: u64| Target {
        fail_slower_than: Some(Duration::from_millis(limit)),
        ..http_target(address, RequestContent::default(), false)
    };
    assert_eq!(code(&probe_one(&prober, limited(1_900)).await), "open");
    match probe_one(&prober, limited(50)).await {
        Outcome::Failed(failure) => {
            assert_eq!((failure.class.code(), failure.phase), ("too_slow", Phase::Ready));
            let detail = failure.detail.unwrap().to_string();
            assert!(detail.starts_with("answered after "), "{detail}");
            assert!(detail.ends_with("the limit is 50ms: 200 OK"), "{detail}");
        }
        // A starved process has no data.
        Outcome::Open(opened) => assert_eq!(opened.trust.as_str(), "starved"),
        other @ Outcome::NoData(_) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn redirect_to_name_with_private_address_is_not_followed() {
    let names = serve([("inner.test", has(&["127.0.0.1"]))]);
    let (address, _received) = server(
        "HTTP/1.1 302 Found\r\nLocation: http://inner.test/\r\n\r\n",
        Duration::ZERO,
    );
    let prober = Prober::new(with_name_server(names.address)).unwrap();
    let Outcome::Failed(failure) =
        probe_one(&prober, http_target(address, RequestContent::default(), true)).await
    else {
        panic!("followed")
    };
    assert_eq!(failure.class.code(), "wrong_answer");
    let expected = "redirected to http://inner.test/: only public addresses are followed";
    assert_eq!(failure.detail.unwrap().as_str(), expected);
}
