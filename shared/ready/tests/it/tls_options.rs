//! Options of TLS: a client certificate that the server demands, an ignored certificate, another server name, and application
//! protocols.

use std::sync::Arc;
use std::time::Duration;

use portpulse_core::readiness::{CertificateTrust, Protocol, Readiness, Tls};
use portpulse_core::secret::SecretName;
use portpulse_core::service::Service;
use portpulse_ready::{Request, TlsClient};
use portpulse_secrets::Secret;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::authority::{Authority, Issued, Validity};
use crate::peer::{Action, Observed, Peer, describe, send, server_config, tls};

const TIMEOUT: Duration = Duration::from_secs(10);

/// A server that demands a certificate of this authority.
fn demanding(authority: &Authority, issued: &Issued, version: &'static SupportedProtocolVersion) -> Action {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.certificate())).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = PrivateKeyDer::try_from(issued.key.clone()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![CertificateDer::from(issued.certificate.clone())], key);
    Action::Tls(Arc::new(config.unwrap()))
}

/// A server that asks for a certificate of this authority, and accepts a client without one.
fn asking(authority: &Authority, issued: &Issued) -> Action {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.certificate())).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = PrivateKeyDer::try_from(issued.key.clone()).unwrap();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap())
        .with_single_cert(vec![CertificateDer::from(issued.certificate.clone())], key)
        .unwrap();
    config.enable_secret_extraction = true;
    config.send_tls13_tickets = 0;
    Action::Tls(Arc::new(config))
}

async fn run(readiness: Readiness, client: &TlsClient, actions: Vec<Action>) -> (String, Observed) {
    let peer = Peer::new(actions);
    let request = Request::new(readiness, "db.example".parse().unwrap(), peer.port(), client);
    let (report, observed) = peer.run_exchange(&request, TIMEOUT).await;
    assert!(observed.completed, "{observed:?}");
    (describe(&report), observed)
}

fn over_tls(service: Service) -> Readiness {
    Readiness::new(Protocol::of(service), Tls::Implicit, Readiness::WARN_DAYS).unwrap()
}

#[tokio::test]
async fn server_that_accepts_only_a_post_quantum_group_works() {
    let trusted = Authority::new("trusted");
    let provider = rustls::crypto::CryptoProvider {
        kx_groups: vec![rustls::crypto::aws_lc_rs::kx_group::X25519MLKEM768],
        ..rustls::crypto::aws_lc_rs::default_provider()
    };
    let issued = trusted.issue("db.example", Validity::Good);
    let key = PrivateKeyDer::try_from(issued.key.clone()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(issued.certificate.clone())], key);
    let handshake = Action::Tls(Arc::new(config.unwrap()));
    let (summary, _) = run(over_tls(Service::Tls), &trusted.client(), vec![handshake]).await;
    assert_eq!(summary, "healthy: TLS 1.3");
}

#[tokio::test]
async fn server_that_demands_a_client_certificate_works() {
    let (trusted, untrusted) = (Authority::new("trusted"), Authority::new("untrusted"));
    let client = trusted.client();
    let issued = trusted.issue("db.example", Validity::Good);
    let demanded = "healthy: the server demands a client certificate";
    for (version, alone) in [
        (&TLS12, demanded),
        (&TLS13, "healthy: TLS 1.3, asks for a client certificate"),
    ] {
        for (service, expected) in [
            (Service::Https, demanded),
            (Service::Redis, demanded),
            (Service::Tls, alone),
        ] {
            let handshake = demanding(&trusted, &issued, version);
            let (summary, _) = run(over_tls(service), &client, vec![handshake]).await;
            assert_eq!(summary, expected, "{version:?} {service}");
        }
        // The certificate of the server is judged all the same.
        let soon = demanding(&trusted, &trusted.issue("db.example", Validity::Days(5)), version);
        let (summary, _) = run(over_tls(Service::Https), &client, vec![soon]).await;
        assert_eq!(
            summary,
            format!("{demanded}; warning: the certificate expires in 5 days")
        );
        let bad = demanding(
            &untrusted,
            &untrusted.issue("db.example", Validity::Good),
            version,
        );
        let (summary, _) = run(over_tls(Service::Https), &client, vec![bad]).await;
        assert!(
            summary.starts_with("tls in tls: the certificate has an unknown issuer"),
            "{summary}"
        );
    }
}

#[tokio::test]
async fn alert_after_a_part_of_the_answer_is_no_demand() {
    // handshake_failure, as of a server that demands a certificate.
    let alert = || Action::Alert(40);
    let trusted = Authority::new("trusted");
    let issued = trusted.issue("db.example", Validity::Good);
    for (answer, expected) in [
        (vec![alert()], "healthy: the server demands a client certificate"),
        (
            vec![send("HTTP/1.1 200 OK\r\n"), alert()],
            "tls in ready: sent HEAD /, got `HTTP/1.1 200 OK`, then: no TLS version or cipher in common",
        ),
    ] {
        let mut actions = vec![asking(&trusted, &issued), Action::Expect(b"\r\n\r\n")];
        actions.extend(answer);
        let (summary, _) = run(over_tls(Service::Https), &trusted.client(), actions).await;
        assert!(summary.starts_with(expected), "{summary}");
    }
}

#[tokio::test]
async fn ignored_certificate_is_accepted_and_said_to_be_unverified() {
    let (trusted, untrusted) = (Authority::new("trusted"), Authority::new("untrusted"));
    for client in [trusted.client(), TlsClient::with_roots([])] {
        for (issuer, name, validity) in [
            (&untrusted, "other.example", Validity::Expired),
            (&trusted, "db.example", Validity::Days(5)),
        ] {
            let actions = vec![
                tls(&issuer.issue(name, validity)),
                Action::Expect(b"\r\n\r\n"),
                send("HTTP/1.1 200 OK\r\n\r\n"),
            ];
            let readiness = over_tls(Service::Https).with_trust(CertificateTrust::Ignored);
            let (summary, _) = run(readiness, &client, actions).await;
            assert_eq!(summary, "healthy: certificate not verified, 200 OK");
        }
    }
    // Without TLS there is no certificate.
    let plain = Readiness::of(Service::Http, 80).with_trust(CertificateTrust::Ignored);
    let actions = vec![Action::Expect(b"\r\n\r\n"), send("HTTP/1.1 200 OK\r\n\r\n")];
    assert_eq!(run(plain, &trusted.client(), actions).await.0, "healthy: 200 OK");
}

#[tokio::test]
async fn another_server_name_is_sent_and_verified() {
    let trusted = Authority::new("trusted");
    let named = |name: &str| over_tls(Service::Tls).with_tls_name(Some(name.parse().unwrap()));
    let handshake = || tls(&trusted.issue("internal.example", Validity::Good));
    let (summary, observed) = run(named("internal.example"), &trusted.client(), vec![handshake()]).await;
    assert_eq!(summary, "healthy: TLS 1.3");
    assert_eq!(observed.server_name.as_deref(), Some("internal.example"));
    let (summary, observed) = run(over_tls(Service::Tls), &trusted.client(), vec![handshake()]).await;
    assert_eq!(observed.server_name.as_deref(), Some("db.example"));
    let expected =
        "tls in tls: the certificate is for another name: for internal.example, not for db.example";
    assert_eq!(summary, expected);
}

#[tokio::test]
async fn application_protocols_are_offered() {
    let trusted = Authority::new("trusted");
    let issued = trusted.issue("db.example", Validity::Good);
    for (service, protocol) in [
        (Service::Postgres, Some("postgresql")),
        (Service::Https, Some("http/1.1")),
        (Service::Imaps, Some("imap")),
        (Service::Pop3s, Some("pop3")),
        (Service::Redis, None),
        (Service::Tls, None),
    ] {
        let mut config = server_config(&issued, &[]);
        config.alpn_protocols = ["postgresql", "http/1.1", "imap", "pop3"]
            .map(|name| name.into())
            .to_vec();
        let actions = vec![Action::Tls(Arc::new(config)), Action::Close];
        let (_, observed) = run(over_tls(service), &trusted.client(), actions).await;
        assert_eq!(observed.protocol.as_deref(), protocol, "{service}");
    }
    // PostgreSQL 17 demands its name when TLS comes first.
    let mut config = server_config(&issued, &[]);
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    let actions = vec![
        Action::Tls(Arc::new(config)),
        Action::Expect(b"postgres\0\0"),
        send(b"R\0\0\0\x08\0\0\0\x05"),
    ];
    let (summary, _) = run(over_tls(Service::Postgres), &trusted.client(), actions).await;
    assert_eq!(summary, "healthy: asks for a password");
    let mut config = server_config(&issued, &[]);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (summary, _) = run(
        over_tls(Service::Https),
        &trusted.client(),
        vec![Action::Tls(Arc::new(config))],
    )
    .await;
    let refused = "tls in tls: the server ended the TLS handshake: it accepts none of the offered application protocols (ALPN)";
    assert_eq!(summary, refused);
}

/// The result of a check that presents the certificate of a secret.
async fn with_certificate(service: Service, pem: &str, client: &TlsClient, actions: Vec<Action>) -> String {
    let name = SecretName::Parameter("/client".to_owned());
    let readiness = over_tls(service).with_client_certificate(Some(name.clone()));
    let peer = Peer::new(actions);
    let secrets = Secret::new(pem).map(|secret| (name, secret));
    let request = Request::new(readiness, "db.example".parse().unwrap(), peer.port(), client)
        .with_secrets(secrets.into_iter().collect());
    let (report, _) = peer.run_exchange(&request, TIMEOUT).await;
    let shown = format!("{report:?}");
    assert!(!shown.contains("PRIVATE") && !shown.contains("BEGIN"), "{shown}");
    describe(&report)
}

#[tokio::test]
async fn client_certificate_of_a_secret_is_presented() {
    let (trusted, untrusted) = (Authority::new("trusted"), Authority::new("untrusted"));
    let client = trusted.client();
    let server = trusted.issue("db.example", Validity::Good);
    let pem = |authority: &Authority| {
        let issued = authority.issue("monitor.example", Validity::Good);
        format!("{}{}", issued.certificate_pem, issued.key_pem)
    };
    for version in [&TLS12, &TLS13] {
        let answering = || {
            vec![
                demanding(&trusted, &server, version),
                Action::Expect(b"\r\n\r\n"),
                send("HTTP/1.1 200 OK\r\n\r\n"),
            ]
        };
        let summary = with_certificate(Service::Https, &pem(&trusted), &client, answering()).await;
        assert_eq!(summary, "healthy: 200 OK", "{version:?}");
        // A refused certificate is a failure, unlike a missing one.
        let refusing = vec![demanding(&trusted, &server, version)];
        let summary = with_certificate(Service::Https, &pem(&untrusted), &client, refusing).await;
        assert!(summary.starts_with("tls in "), "{version:?} {summary}");
        assert!(summary.contains("client certificate"), "{version:?} {summary}");
        // The handshake alone: over TLS 1.3 it ends before the server has judged the certificate.
        for (authority, expected) in [(&trusted, "healthy: TLS 1."), (&untrusted, "tls in tls: ")] {
            let alone = vec![demanding(&trusted, &server, version)];
            let summary = with_certificate(Service::Tls, &pem(authority), &client, alone).await;
            assert!(summary.starts_with(expected), "{version:?} {summary}");
        }
    }
}

#[tokio::test]
async fn unusable_client_certificate_is_no_failure_of_the_target() {
    let trusted = Authority::new("trusted");
    let (first, second) = (
        trusted.issue("monitor.example", Validity::Good),
        trusted.issue("monitor.example", Validity::Good),
    );
    for pem in [
        first.key_pem.clone(),
        first.certificate_pem.clone(),
        format!("{}{}", first.certificate_pem, second.key_pem),
        "no PEM".to_owned(),
        String::new(),
    ] {
        let summary = with_certificate(Service::Https, &pem, &trusted.client(), vec![]).await;
        assert_eq!(
            summary,
            portpulse_core::outcome::NoData::SecretUnreadable.to_string()
        );
    }
}
