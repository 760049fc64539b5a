//! Readiness exchanges, from the connect to the outcome.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use portpulse_core::outcome::{Outcome, Phase};
use portpulse_core::readiness::Readiness;
use portpulse_core::target::{Check, Service, Target};
use portpulse_prober::Prober;
use tokio::time::Instant;

use crate::{asking, code, codes, peers, probe, target_at, within};

/// Answers the first bytes of each of `clients` with `words`, then waits for the client to go.
fn answers(words: &'static str, clients: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for _ in 0..clients {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 512]).unwrap();
            stream.write_all(words.as_bytes()).unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    address
}

fn redis(address: SocketAddr) -> Target {
    Target {
        check: Check::Ready(Readiness::of(Service::Redis, address.port())),
        ..target_at(address)
    }
}

#[tokio::test]
async fn the_service_itself_is_asked_and_its_phase_is_timed() {
    let healthy = answers("+PONG\r\n", 1);
    let loading = answers("-LOADING Redis is loading the dataset in memory\r\n", 1);
    let silent = peers::open();
    let targets = [healthy, loading, silent.address].map(|address| within(300, redis(address)));
    let outcomes = probe(asking(silent.address), &targets).await;
    assert_eq!(codes(&outcomes), ["open", "starting", "silent"]);

    let Outcome::Open(opened) = &outcomes[0] else {
        panic!("{outcomes:?}")
    };
    assert!(opened.phases.connect.is_some() && opened.phases.ready.is_some() && opened.phases.tls.is_none());
    for (outcome, address) in outcomes.iter().zip([healthy, loading, silent.address]).skip(1) {
        let Outcome::Failed(failure) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!((failure.phase, failure.address), (Phase::Ready, Some(address)));
        assert!(
            failure.phases.connect.unwrap() < Duration::from_millis(200),
            "{failure:?}"
        );
        assert!(failure.detail.is_some(), "{failure:?}");
    }
}

#[tokio::test]
async fn a_port_that_does_not_answer_is_never_asked() {
    let refused = peers::refused();
    assert_eq!(
        codes(&probe(asking(refused.address), &[redis(refused.address)]).await),
        ["refused"]
    );
}

#[tokio::test]
async fn silence_until_the_deadline_is_not_the_services_fault() {
    let silent = peers::open();
    let prober = Prober::new(asking(silent.address)).unwrap();
    let outcomes = prober
        .probe(
            &[redis(silent.address)],
            Instant::now() + Duration::from_millis(300),
        )
        .await;
    assert_eq!(code(&outcomes[0]), "no_data_out_of_time");
}
