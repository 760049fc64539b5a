//! The outcomes of all kinds of ports and names.

use portpulse_core::choice::IpFamily;
use portpulse_core::outcome::{FailureClass, Outcome, Phase, Trust};

use crate::name_server::{Zone, has, serve};
use crate::{code, codes, peers, probe, target, target_at, with_name_server, with_timeout};

#[tokio::test]
async fn open_port_has_kernel_time() {
    let peer = peers::open();
    let outcomes = probe(with_name_server(peer.address), &[target_at(peer.address)]).await;
    let [Outcome::Open(opened)] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert_eq!(opened.address, peer.address);
    assert_eq!(opened.trust, Trust::Kernel);
    assert_eq!(
        (opened.phases.dns, opened.phases.tls, opened.phases.ready),
        (None, None, None)
    );
    let took = opened.phases.connect.unwrap();
    assert!(
        !took.is_zero() && took.as_millis() < 200,
        "loopback took {took:?}"
    );
}

#[tokio::test]
async fn failure_class_has_phase_and_time() {
    let (refused, silent) = (peers::refused(), peers::silent());
    let names = serve([
        ("fails.test", Zone::Fails),
        ("silent.test", Zone::Silent),
        ("v4.test", has(&["127.0.0.1"])),
    ]);
    let v6_only = |target: portpulse_core::target::Target| portpulse_core::target::Target {
        ip: IpFamily::V6,
        ..target
    };
    let targets = [
        target_at(refused.address),
        with_timeout(300, target_at(silent.address)),
        target("missing.test", 1),
        target("fails.test", 1),
        with_timeout(600, target("silent.test", 1)),
        v6_only(target("v4.test", 1)),
        v6_only(target_at(refused.address)),
    ];
    let outcomes = probe(with_name_server(names.address), &targets).await;
    let expected = [
        (FailureClass::Refused.code(), Phase::Connect, 0, 250),
        ("timeout", Phase::Connect, 300, 600),
        ("dns_not_found", Phase::Dns, 0, 250),
        ("dns_server_failure", Phase::Dns, 0, 250),
        ("dns_timeout", Phase::Dns, 600, 900),
        ("dns_not_found", Phase::Dns, 0, 250),
        ("dns_not_found", Phase::Dns, 0, 250),
    ];
    for (outcome, (class, phase, least, most)) in outcomes.iter().zip(expected) {
        let Outcome::Failed(failure) = outcome else {
            panic!("{class}: {outcome:?}")
        };
        assert_eq!((failure.class.code(), failure.phase), (class, phase));
        let took = match phase {
            Phase::Dns => failure.phases.dns,
            Phase::Connect | Phase::Tls | Phase::Ready => failure.phases.connect,
        };
        let millis = took.unwrap_or_default().as_millis();
        assert!((least..=most).contains(&millis), "{class} took {millis} ms");
    }
    assert_eq!(outcomes.len(), expected.len());
}

#[tokio::test]
async fn missing_route_is_no_data() {
    let unused = peers::refused();
    let targets = [target(peers::UNROUTED_V4, 9), target(peers::UNROUTED_V6, 9)];
    assert_eq!(
        codes(&probe(with_name_server(unused.address), &targets).await),
        ["no_data_no_route"; 2]
    );
}

#[tokio::test]
async fn outcomes_keep_target_order() {
    let (open, refused, silent) = (peers::open(), peers::refused(), peers::silent());
    let names = serve([("open.test", has(&["127.0.0.1"]))]);
    let kinds = [
        (with_timeout(300, target_at(silent.address)), "timeout"),
        (target_at(open.address), "open"),
        (target("open.test", open.address.port()), "open"),
        (target_at(refused.address), "refused"),
        (target("missing.test", 1), "dns_not_found"),
    ];
    let (targets, expected): (Vec<_>, Vec<_>) = kinds.iter().cycle().take(77).cloned().unzip();
    let outcomes = probe(with_name_server(names.address), &targets).await;
    assert_eq!(outcomes.iter().map(code).collect::<Vec<_>>(), expected);
    assert_eq!(probe(with_name_server(names.address), &[]).await, []);
}
