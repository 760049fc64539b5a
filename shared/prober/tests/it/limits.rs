//! Limits: sockets, descriptors, the deadline.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::Duration;

use portpulse_core::outcome::Outcome;
use portpulse_core::readiness::{HttpCheck, Method, Protocol, Readiness, Tls};
use portpulse_core::target::{Check, Target};
use portpulse_prober::{Prober, Settings};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::Instant;

use crate::name_server::{Zone, has, serve};
use crate::{codes, peers, probe, target, target_at, with_name_server, with_timeout};

#[tokio::test]
async fn four_hundred_timeouts_run_concurrently() {
    let silent = peers::silent();
    let targets = vec![with_timeout(1_000, target_at(silent.address)); 400];
    let started = Instant::now();
    let outcomes = probe(with_name_server(silent.address), &targets).await;
    assert_eq!(codes(&outcomes), vec!["timeout"; 400]);
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
}

/// The paused clock passes only while the event loop is idle, so that no timer is late.
#[tokio::test(start_paused = true)]
async fn punctual_event_loop_starts_checks_faster() {
    const CHECKS: usize = 2_000;
    let refused = peers::refused();
    let started = Instant::now();
    let settings = with_name_server(refused.address);
    let at_configured_pace = settings.pace.every * (CHECKS / settings.pace.starts) as u32;
    let outcomes = probe(settings, &vec![target_at(refused.address); CHECKS]).await;
    assert_eq!(codes(&outcomes), vec!["refused"; CHECKS]);
    let lasted = started.elapsed();
    assert!(lasted < at_configured_pace / 4, "{lasted:?}");
}

#[tokio::test]
async fn socket_wait_is_not_counted() {
    let silent = peers::silent();
    let settings = Settings {
        sockets: 2,
        ..with_name_server(silent.address)
    };
    let started = Instant::now();
    let outcomes = probe(settings, &vec![with_timeout(200, target_at(silent.address)); 6]).await;
    assert!(
        started.elapsed() >= Duration::from_millis(600),
        "no more than two sockets at a time: {:?}",
        started.elapsed()
    );
    for outcome in outcomes {
        let Outcome::Failed(failure) = outcome else {
            panic!("{outcome:?}")
        };
        assert!(
            failure.phases.connect.unwrap() < Duration::from_millis(390),
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn address_without_free_socket_is_no_data() {
    let silent = peers::silent();
    let names = serve([("two.test", has(&["127.0.0.1", "127.0.0.2"]))]);
    let settings = Settings {
        sockets: 2,
        ..with_name_server(names.address)
    };
    let blocker = with_timeout(3_000, target_at(silent.address));
    let two = with_timeout(600, target("two.test", silent.address.port()));
    assert_eq!(
        codes(&probe(settings, &[blocker, two]).await),
        ["timeout", "no_data_out_of_resources"]
    );
}

#[tokio::test]
async fn deadline_makes_unfinished_checks_no_data() {
    let (open, silent) = (peers::open(), peers::silent());
    let names = serve([("silent.test", Zone::Silent)]);
    let prober = Prober::new(Settings {
        sockets: 3,
        ..with_name_server(names.address)
    })
    .unwrap();
    let targets = [
        target_at(open.address),
        with_timeout(200, target_at(silent.address)),
        target_at(silent.address),
        target_at(silent.address),
        target_at(silent.address),
        target("silent.test", 1),
    ];
    let deadline = Instant::now() + Duration::from_millis(500);
    let outcomes = prober.probe(&targets, deadline).await;
    let late = Instant::now().saturating_duration_since(deadline);
    assert!(late < Duration::from_millis(150), "{late:?} late");
    let time = "no_data_out_of_time";
    assert_eq!(codes(&outcomes), ["open", "timeout", time, time, time, time]);
}

#[tokio::test]
async fn nothing_starts_after_deadline() {
    let open = peers::open();
    let prober = Prober::new(with_name_server(open.address)).unwrap();
    let outcomes = prober.probe(&[target_at(open.address)], Instant::now()).await;
    assert_eq!(codes(&outcomes), ["no_data_out_of_time"]);
}

/// The limit of descriptors applies to the whole process, so this test runs again in its own process.
#[tokio::test]
async fn missing_descriptors_are_no_data() {
    const ALONE: &str = "PORTPULSE_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "limits::missing_descriptors_are_no_data"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && output.contains("1 passed"), "{output}");
        return;
    }
    let silent = peers::silent();
    let prober = Prober::new(with_name_server(silent.address)).unwrap();
    let limit_to = |current| {
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(current),
                maximum,
            },
        )
        .unwrap();
    };
    let soon = || Instant::now() + Duration::from_secs(5);

    let in_use = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    limit_to(in_use + 4);
    let found = codes(
        &prober
            .probe(&vec![with_timeout(300, target_at(silent.address)); 20], soon())
            .await,
    );
    let timeouts = found.iter().take_while(|code| **code == "timeout").count();
    assert!((3..=6).contains(&timeouts), "{found:?}");
    assert_eq!(found[timeouts..], vec!["no_data_out_of_resources"; 20 - timeouts]);

    // A redirect that cannot be followed for lack of descriptors is no failure of the target either.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let follow = HttpCheck::new(Method::Head, "/", vec![], None, true).unwrap();
    let follow = Readiness::new(Protocol::Http(follow), Tls::Off, 14).unwrap();
    let redirects = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 512]).unwrap();
        limit_to(0);
        stream
            .write_all(b"HTTP/1.1 302 Found\r\nLocation: /next\r\n\r\n")
            .unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    limit_to(in_use + 8);
    let asked = Target {
        check: Check::Ready(follow),
        ..target_at(address)
    };
    let found = codes(&prober.probe(&[asked], soon()).await);
    assert_eq!(found, ["no_data_out_of_resources"]);
    redirects.join().unwrap();

    limit_to(0);
    let found = codes(
        &prober
            .probe(&[with_timeout(300, target("any.test", 1))], soon())
            .await,
    );
    assert_eq!(found, ["no_data_resolver_down"], "no query was sent");
}
