//! TLS under the exchanges: certificates good and bad, upgrades, and targets that do not speak it.

use std::time::Duration;

use portpulse_core::readiness::{Protocol, Readiness, Tls};
use portpulse_core::target::Service;
use portpulse_ready::{Finding, Request, TlsClient};

use crate::authority::{Authority, Validity};
use crate::peer::{Act, Peer, notified, say, tls, usual};

const PATIENT: Duration = Duration::from_secs(10);
const BRIEF: Duration = Duration::from_millis(300);

fn https(client: &TlsClient) -> impl Fn(u16) -> Request + '_ {
    |port| usual(Service::Https, "db.example".parse().unwrap(), port, client)
}

fn upgrading(service: Service, client: &TlsClient) -> impl Fn(u16) -> Request + '_ {
    move |port| {
        let host = "db.example".parse().unwrap();
        crate::peer::upgrading(service, host, port, client)
    }
}

async fn check(request: impl Fn(u16) -> Request, retry_policy: Duration, acts: Vec<Act>, expected: &str) {
    let peer = Peer::new(acts);
    let request = request(peer.port());
    let (report, seen) = peer.meet(&request, retry_policy).await;
    assert_eq!(notified(&report), expected);
    assert!(seen.fin && seen.played, "{expected}: {seen:?}");
}

fn answer() -> Act {
    say("HTTP/1.1 200 OK\r\n\r\n")
}

#[tokio::test]
async fn certificates_are_judged_for_chain_time_and_name() {
    let ours = Authority::new("ours");
    let client = ours.client();
    let good = || vec![Act::Hear(b"\r\n\r\n"), answer()];
    let rows = [
        (
            tls(&ours.issue("db.example", Validity::Good)),
            good(),
            "healthy: 200 OK",
        ),
        (
            tls(&ours.issue("db.example", Validity::Days(5))),
            good(),
            "healthy: 200 OK; warning: the certificate expires in 5 days",
        ),
        (
            tls(&ours.issue("other.example", Validity::Good)),
            vec![],
            "tls in tls: the certificate is for another name: for other.example, not for db.example",
        ),
        (
            tls(&Authority::new("theirs").issue("db.example", Validity::Good)),
            vec![],
            "tls in tls: the certificate's issuer is unknown",
        ),
        (
            tls(&Authority::new("ours").issue("db.example", Validity::Good)),
            vec![],
            "tls in tls: the certificate was not signed by the issuer that it names",
        ),
    ];
    for (handshake, mut acts, expected) in rows {
        acts.insert(0, handshake);
        check(https(&client), PATIENT, acts, expected).await;
    }
    let times = [
        (Validity::Expired, "tls in tls: the certificate expired "),
        (Validity::NotYet, "tls in tls: the certificate is not yet valid: "),
    ];
    for (validity, expected) in times {
        let peer = Peer::new(vec![tls(&ours.issue("db.example", validity))]);
        let request = https(&client)(peer.port());
        let (report, seen) = peer.meet(&request, PATIENT).await;
        let notified = notified(&report);
        assert!(
            notified.starts_with(expected) && notified.contains(" days") && seen.fin,
            "{notified}"
        );
        assert!(report.tls.is_some() && report.ready.is_none());
    }
}

#[tokio::test]
async fn days_are_recorded_and_warned_of_as_asked() {
    let ours = Authority::new("ours");
    for (warn_days, warns) in [(30, true), (29, false), (0, false)] {
        let peer = Peer::new(vec![tls(&ours.issue("db.example", Validity::Days(29)))]);
        let host = "db.example".parse().unwrap();
        let readiness = Readiness::new(Protocol::TlsAlone, Tls::Implicit, warn_days).unwrap();
        let request = Request::new(readiness, host, peer.port(), &ours.client());
        let (report, _) = peer.meet(&request, PATIENT).await;
        let Finding::Healthy(healthy) = &report.finding else {
            panic!("{}", notified(&report))
        };
        assert_eq!(healthy.certificate_days, Some(29));
        assert_eq!(healthy.warning.is_some(), warns);
        assert_eq!(healthy.banner.as_ref().unwrap().as_str(), "TLSv1_3");
        assert!(report.ready.is_none());
    }
}

#[tokio::test]
async fn a_target_without_tls_is_told_apart() {
    let client = Authority::new("ours").client();
    let http = "wrong_service in tls: sent a TLS ClientHello, got `HTTP/1.1 400 Bad Request`";
    let rows = [
        (vec![say("HTTP/1.1 400 Bad Request\r\n\r\n")], http),
        (
            vec![Act::Hear(b"db.example"), Act::Leave],
            "closed in tls: sent a TLS ClientHello, then closed",
        ),
        (
            vec![say(b"\x15\x03\x01\0\x02\x02\x28")],
            "tls in tls: the server ended the TLS handshake: HandshakeFailure",
        ),
        (vec![], "silent in tls: sent a TLS ClientHello, got no answer"),
        (
            vec![say(b"\x16\x03\x03\x00\x40\x02")],
            "timeout in tls: sent a TLS ClientHello, got a part of the handshake, then nothing",
        ),
    ];
    for (acts, expected) in rows {
        let retry_policy = if expected.contains("closed") || expected.contains("ended") {
            PATIENT
        } else {
            BRIEF
        };
        check(https(&client), retry_policy, acts, expected).await;
    }
    let none = TlsClient::with_roots([]);
    check(https(&none), PATIENT, vec![], "no_data_internal").await;
}

#[tokio::test]
async fn protocols_upgrade_themselves() {
    let ours = Authority::new("ours");
    let client = ours.client();
    let handshake = || tls(&ours.issue("db.example", Validity::Good));
    let hear = |bytes| Act::Hear(bytes);
    let imap = vec![
        say("* OK a\r\n"),
        hear(b"s STARTTLS\r\n".as_slice()),
        say("s OK\r\n"),
        handshake(),
    ];
    check(
        upgrading(Service::Imap, &client),
        PATIENT,
        imap,
        "healthy: * OK a",
    )
    .await;
    let pop3 = vec![say("+OK a\r\n"), hear(b"STLS\r\n"), say("+OK\r\n"), handshake()];
    check(upgrading(Service::Pop3, &client), PATIENT, pop3, "healthy: +OK a").await;
    let smtp = vec![
        say("220 a\r\n"),
        hear(b"EHLO [127.0.0.1]\r\n"),
        say("250-a\r\n250 STARTTLS\r\n"),
        hear(b"STARTTLS\r\n"),
        say("220 go\r\n"),
        handshake(),
        hear(b"EHLO [127.0.0.1]\r\n"),
        say("250 a\r\n"),
    ];
    check(
        upgrading(Service::Submission, &client),
        PATIENT,
        smtp,
        "healthy: 220 a",
    )
    .await;
    let postgres = vec![
        hear(b"\x04\xd2\x16\x2f"),
        say("S"),
        handshake(),
        hear(b"postgres\0\0"),
        say(b"R\0\0\0\x08\0\0\0\x07"),
    ];
    check(
        upgrading(Service::Postgres, &client),
        PATIENT,
        postgres,
        "healthy: asks for authentication",
    )
    .await;
}

#[tokio::test]
async fn plain_text_behind_the_agreement_is_not_taken_into_tls() {
    let client = Authority::new("ours").client();
    let acts = vec![
        say("+OK a\r\n"),
        Act::Hear(b"STLS\r\n"),
        say("+OK\r\n+OK injected\r\n"),
    ];
    let notified = "tls in tls: the server went on in plain text after it agreed to TLS: +OK injected";
    check(upgrading(Service::Pop3, &client), PATIENT, acts, notified).await;
}

#[tokio::test]
async fn mysql_is_logged_in_to_even_if_its_certificate_is_bad() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let mut greeting = b"\x3c\0\0\0\x0a8.0.36\0\x05\0\0\0abcdefgh\0\xff\xff\x2d\x02\0\xff\x81\x15".to_vec();
    greeting.extend_from_slice(b"\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0caching_sha2");
    let length = u8::try_from(greeting.len() - 4).unwrap();
    greeting[0] = length;
    let acts = vec![
        say(greeting),
        // The SSLRequest ends with 23 zeros.
        Act::Hear(&[
            33, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ]),
        tls(&theirs.issue("db.example", Validity::Good)),
        Act::Hear(b"mysql_native_password\0"),
        say(b"\x0c\0\0\x03\xff\x15\x04#28000no!"),
    ];
    let client = ours.client();
    let notified = "tls in tls: the certificate's issuer is unknown";
    check(upgrading(Service::Mysql, &client), PATIENT, acts, notified).await;
}

#[tokio::test]
async fn every_handshake_shows_the_certificate() {
    let ours = Authority::new("ours");
    let client = ours.client();
    let Act::Tls(server) = tls(&ours.issue("db.example", Validity::Good)) else {
        unreachable!()
    };
    for _ in 0..2 {
        let peer = Peer::new(vec![Act::Tls(server.clone()), Act::Hear(b"\r\n\r\n"), answer()]);
        let request = https(&client)(peer.port());
        let (report, seen) = peer.meet(&request, PATIENT).await;
        assert_eq!(notified(&report), "healthy: 200 OK");
        assert!(!seen.resumed);
    }
}
