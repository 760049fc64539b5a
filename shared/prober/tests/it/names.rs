//! Name resolution: several addresses, address families, and failing name servers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use portpulse_core::choice::IpFamily;
use portpulse_core::outcome::Outcome;
use portpulse_core::target::Target;
use portpulse_prober::{NameServers, OwnAddresses, Prober, Settings};
use tokio::time::Instant;

use crate::name_server::{Zone, has, serve};
use crate::{codes, peers, probe, target, with_name_server, with_timeout};

/// The address of an open outcome, and its DNS and connect times in milliseconds.
fn opened(outcome: &Outcome) -> (String, u128, u128) {
    let Outcome::Open(opened) = outcome else {
        panic!("{outcome:?}")
    };
    let millis = |phase: Option<Duration>| phase.unwrap().as_millis();
    (
        opened.address.ip().to_string(),
        millis(opened.phases.dns),
        millis(opened.phases.connect),
    )
}

#[tokio::test]
async fn answering_address_is_found_and_recorded() {
    let open = peers::open_at("127.0.0.3:0".parse().unwrap());
    let port = open.address.port();
    let _refused = peers::refused_at(([127, 0, 0, 1], port).into());
    let _silent = peers::silent_at(([127, 0, 0, 2], port).into());
    let names = serve([
        ("second.test", has(&["127.0.0.1", "127.0.0.3"])),
        ("after-silence.test", has(&["127.0.0.2", "127.0.0.3"])),
        ("no-v6-route.test", has(&[peers::UNROUTED_V6, "127.0.0.3"])),
        (
            "last.test",
            has(&[peers::UNROUTED_V6, "127.0.0.1", "127.0.0.2", "127.0.0.3"]),
        ),
    ]);
    let targets = [
        "second.test",
        "after-silence.test",
        "no-v6-route.test",
        "last.test",
    ]
    .map(|name| target(name, port));
    let started = std::time::Instant::now();
    for outcome in probe(with_name_server(names.address), &targets).await {
        let (address, _, connect) = opened(&outcome);
        assert_eq!(address, "127.0.0.3");
        assert!(connect < 200, "the time excludes earlier attempts: {connect} ms");
    }
    let millis = started.elapsed().as_millis();
    assert!(
        (250..1_000).contains(&millis),
        "the next address is tried after 250 ms, not after a timeout: {millis} ms"
    );
}

#[tokio::test]
async fn refusal_outranks_silence_when_all_addresses_fail() {
    let silent = peers::silent_at("127.0.0.2:0".parse().unwrap());
    let port = silent.address.port();
    let _refused = peers::refused_at(([127, 0, 0, 1], port).into());
    let names = serve([
        ("both.test", has(&["127.0.0.2", "127.0.0.1"])),
        ("unrouted.test", has(&[peers::UNROUTED_V4, peers::UNROUTED_V6])),
        ("half.test", has(&[peers::UNROUTED_V6, "127.0.0.2"])),
    ]);
    let targets =
        ["both.test", "unrouted.test", "half.test"].map(|name| with_timeout(500, target(name, port)));
    let outcomes = probe(with_name_server(names.address), &targets).await;
    assert_eq!(codes(&outcomes), ["refused", "no_data_no_route", "timeout"]);
}

#[tokio::test]
async fn only_requested_family_is_tried() {
    let open = peers::open();
    let names = serve([("dual.test", has(&["127.0.0.1", peers::UNROUTED_V6]))]);
    let asked = [IpFamily::Any, IpFamily::V4, IpFamily::V6].map(|ip| Target {
        ip,
        ..target("dual.test", open.address.port())
    });
    let outcomes = probe(with_name_server(names.address), &asked).await;
    assert_eq!(codes(&outcomes), ["open", "open", "no_data_no_route"]);
}

#[tokio::test]
async fn shared_name_is_looked_up_once() {
    let open = peers::open();
    let names = serve([("shared.test", has(&["127.0.0.1"]))]);
    let targets = vec![target("shared.test", open.address.port()); 25];
    assert_eq!(
        codes(&probe(with_name_server(names.address), &targets).await),
        ["open"; 25]
    );
    assert_eq!(names.asked("shared.test"), 2, "one query for each family");
}

#[tokio::test]
async fn localhost_needs_no_name_server() {
    let open = peers::open();
    let unused = peers::refused();
    let outcomes = probe(
        with_name_server(unused.address),
        &[target("localhost", open.address.port())],
    )
    .await;
    assert_eq!(opened(&outcomes[0]).0, "127.0.0.1");
    let system = probe(Settings::default(), &[target("localhost", open.address.port())]).await;
    assert_eq!(opened(&system[0]).0, "127.0.0.1");
}

#[tokio::test]
async fn silent_family_delays_other_family_briefly() {
    let open = peers::open();
    let names = serve([("half.test", Zone::SilentForV6(vec![[127, 0, 0, 1].into()]))]);
    let outcomes = probe(
        with_name_server(names.address),
        &[target("half.test", open.address.port())],
    )
    .await;
    let (_, dns, _) = opened(&outcomes[0]);
    assert!((50..250).contains(&dns), "{dns} ms");
}

#[tokio::test]
async fn slow_lookup_is_charged_to_its_target_only() {
    let open = peers::open();
    let slow = Zone::Slow(Duration::from_millis(500), vec![[127, 0, 0, 1].into()]);
    let names = serve([("slow.test", slow), ("quick.test", has(&["127.0.0.1"]))]);
    let port = open.address.port();
    let targets = [
        target("slow.test", port),
        with_timeout(700, target("slow.test", port)),
        with_timeout(300, target("quick.test", port)),
    ];
    let outcomes = probe(with_name_server(names.address), &targets).await;
    assert_eq!(codes(&outcomes), ["open", "dns_timeout", "open"]);
    assert!(
        (750..1_200).contains(&opened(&outcomes[0]).1),
        "a first attempt, then an answer: {outcomes:?}"
    );
    assert!(opened(&outcomes[2]).1 < 300, "{outcomes:?}");
}

#[tokio::test]
async fn unresolvable_names_do_not_fail_others() {
    let open = peers::open();
    let good = (0..400).map(|n| (format!("well-{n}.test"), has(&["127.0.0.1"])));
    let dead = (0..600).map(|n| (format!("dead-{n}.test"), Zone::Silent));
    let names = serve(dead.chain(good));
    let port = open.address.port();
    // The resolvable names come last, and have less time than the unresolvable names use their queries.
    let targets: Vec<_> = (0..600)
        .map(|n| with_timeout(2_000, target(&format!("dead-{n}.test"), port)))
        .chain((0..400).map(|n| with_timeout(1_000, target(&format!("well-{n}.test"), port))))
        .collect();
    let prober = Prober::new(with_name_server(names.address)).unwrap();
    let found = codes(
        &prober
            .probe(&targets, Instant::now() + Duration::from_secs(10))
            .await,
    );
    let (dead, good) = found.split_at(600);
    let failed = good.iter().filter(|code| **code != "open").count();
    assert_eq!(failed, 0, "resolvable names that failed or were not reached");
    assert!(
        dead.iter()
            .all(|code| ["dns_timeout", "no_data_out_of_time"].contains(code)),
        "{dead:?}"
    );
}

#[tokio::test]
async fn resolver_without_any_answer_is_no_data() {
    // However few names there are.
    for count in 1..=3 {
        check_dead_names(&["a.test", "b.test", "c.test"][..count]).await;
    }
}

async fn check_dead_names(dead: &[&'static str]) {
    let open = peers::open();
    let mut targets: Vec<_> = dead
        .iter()
        .map(|name| with_timeout(600, target(name, 1)))
        .collect();
    // This name needs no resolver, so that it does not prove that the resolver works.
    targets.push(target("localhost", open.address.port()));
    let check = async |zones: Vec<(&str, Zone)>, expected: &str| {
        let names = serve(zones);
        assert_eq!(
            codes(&probe(with_name_server(names.address), &targets).await),
            [vec![expected; dead.len()], vec!["open"]].concat()
        );
    };
    let with_root = |root: Option<Zone>, zone: Zone| {
        dead.iter()
            .map(|name| (*name, zone.clone()))
            .chain(root.map(|root| ("", root)))
            .collect()
    };
    check(
        with_root(Some(Zone::Silent), Zone::Silent),
        "no_data_resolver_down",
    )
    .await;
    check(with_root(Some(Zone::Fails), Zone::Fails), "no_data_resolver_down").await;
    // The server answers for the root, so that the names are the problem.
    check(with_root(None, Zone::Silent), "dns_timeout").await;
    check(with_root(None, Zone::Fails), "dns_server_failure").await;
    check(with_root(None, Zone::Refuses), "dns_server_failure").await;
    // The server refuses the root, as authoritative servers do; one that refuses everything may have no server to ask.
    let root = || Some(Zone::Refuses);
    check(with_root(root(), Zone::Fails), "dns_server_failure").await;
    check(with_root(root(), Zone::Silent), "dns_timeout").await;
    check(with_root(root(), Zone::Refuses), "no_data_resolver_down").await;
}

#[tokio::test]
async fn one_dead_name_server_of_two_is_tolerated() {
    let open = peers::open();
    let silent = serve([("good.test", Zone::Silent)]);
    let names = serve([("good.test", has(&["127.0.0.1"]))]);
    let settings = Settings {
        name_servers: NameServers::Explicit(vec![silent.address, names.address]),
        ..Settings::default()
    };
    let outcomes = probe(
        settings,
        &[with_timeout(400, target("good.test", open.address.port()))],
    )
    .await;
    assert_eq!(codes(&outcomes), ["open"]);
}

/// The log of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn own_addresses_of_names_are_skipped_when_configured() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);

    let open = peers::open();
    let port = open.address.port();
    let names = serve([
        ("loopback.test", has(&["127.0.0.1"])),
        ("metadata.test", has(&["169.254.169.254", "fd00:ec2::254"])),
        ("mapped.test", has(&["::ffff:127.0.0.1"])),
        ("mixed.test", has(&["127.0.0.1", peers::UNROUTED_V4])),
    ]);
    let targets = [
        "loopback.test",
        "metadata.test",
        "mapped.test",
        "mixed.test",
        "localhost",
        "127.0.0.1",
    ]
    .map(|name| with_timeout(500, target(name, port)));
    let skipping = Settings {
        own_addresses: OwnAddresses::Skip,
        ..with_name_server(names.address)
    };
    let own = "no_data_own_address";
    assert_eq!(
        codes(&probe(skipping, &targets).await),
        // The other addresses of a name are tried, and an address in the configuration is always checked.
        [own, own, own, "no_data_no_route", own, "open"]
    );
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for (name, address) in [
        ("metadata.test", "169.254.169.254"),
        ("metadata.test", "fd00:ec2::254"),
        ("mixed.test", "127.0.0.1"),
    ] {
        let warning = format!("{name}:{port} resolves to {address}, an address of the checker's own machine");
        assert!(log.contains(&warning), "{log}");
    }
    let anywhere = codes(&probe(with_name_server(names.address), &targets).await);
    assert_eq!([anywhere[0], anywhere[4], anywhere[5]], ["open"; 3]);
}
