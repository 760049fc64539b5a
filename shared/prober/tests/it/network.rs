//! The prober with a simulated network: answers that loopback cannot give, and exact times on a starved processor.
//!
//! Each test runs again in its own network namespace.

use std::collections::HashMap;
use std::env;
use std::io::Write;
use std::net::IpAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use portpulse_core::outcome::{Outcome, Trust};
use portpulse_core::readiness::{DnsCheck, Protocol, Readiness, RecordType, Tls, Transport};
use portpulse_core::target::{Check, Target};
use portpulse_prober::Prober;
use tokio::time::Instant;

use crate::throttle::throttle;
use crate::tun::{Host, Network};
use crate::{code, codes, peers, probe, target, with_name_server, with_timeout};

const ROLE: &str = "PORTPULSE_TEST_ROLE";

/// A command that runs this test again in another role.
fn rerun_command(mut launcher: Command, test: &str, role: &str) -> Command {
    launcher
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(ROLE, role);
    launcher
}

/// Runs this test in its own network namespace.
fn run_in_network_namespace(test: &str) {
    let mut unshare = Command::new("unshare");
    unshare.arg("--net").args(realtime_priority());
    let run = rerun_command(unshare, test, "world").output().unwrap();
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && output.contains("1 passed"),
        "{output}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    for (_, figures) in output.lines().filter_map(|line| line.split_once("measured: ")) {
        println!("{figures}");
    }
}

/// The command prefix for real-time priority, if the machine allows it. The simulated hosts need exact clocks, because
/// the measured connect times are compared with theirs.
fn realtime_priority() -> &'static [&'static str] {
    let urgent = &["chrt", "--fifo", "1"];
    let allowed = Command::new("chrt").args(&urgent[1..]).arg("true").status();
    if allowed.is_ok_and(|status| status.success()) {
        urgent
    } else {
        &[]
    }
}

#[tokio::test]
#[ignore = "needs root, /dev/net/tun, `ip` and `unshare`: run as root with --ignored"]
async fn network_answers_have_their_classes() {
    if env::var_os(ROLE).is_none() {
        return run_in_network_namespace("network::network_answers_have_their_classes");
    }
    let hosts = [
        (Host::Accepts, "open"),
        (Host::Refuses, "refused"),
        (Host::Unreachable(1), "unreachable"),
        (Host::AcceptsThenResets, "reset"),
        (Host::AcceptsTheSecond, "open"),
        (Host::AcceptsTheSecond, "timeout"),
    ];
    let address = |index: usize| IpAddr::from([10, 99, 1, u8::try_from(index).unwrap()]);
    let named = hosts
        .iter()
        .enumerate()
        .map(|(index, (host, _))| (address(index), *host))
        .collect();
    let network = Network::start(Duration::from_millis(20), named);
    let mut targets: Vec<_> = (0..hosts.len())
        .map(|index| target(&address(index).to_string(), 80))
        .collect();
    targets[5] = with_timeout(900, targets[5].clone());
    let outcomes = probe(with_name_server(peers::refused().address), &targets).await;
    let network = network.stop();

    assert_eq!(codes(&outcomes), hosts.map(|(_, expected)| expected));
    let opened = |index: usize| {
        let Outcome::Open(opened) = &outcomes[index] else {
            panic!("{:?}", outcomes[index])
        };
        (opened.trust, opened.phases.connect.unwrap().as_millis())
    };
    assert!(matches!(opened(0), (Trust::Kernel, 20..=25)), "{:?}", opened(0));
    assert!(
        matches!(opened(4), (Trust::Retransmitted, 1_000..=1_200)),
        "{:?}",
        opened(4)
    );
    assert!(network.contains_key(&address(4)));
}

/// Errors that a router reports belong to the path, whatever their code, and are never local.
#[tokio::test]
#[ignore = "needs root, /dev/net/tun, `ip` and `unshare`: run as root with --ignored"]
async fn icmp_unreachable_codes_are_never_no_data() {
    if env::var_os(ROLE).is_none() {
        return run_in_network_namespace("network::icmp_unreachable_codes_are_never_no_data");
    }
    // RFC 792 and RFC 1812 define codes 0 to 15, RFC 4443 and RFC 8883 codes 0 to 8. Code 4 of ICMP asks for smaller
    // packets and has no effect on a SYN. The last code of each is unassigned.
    let over_v4 = (0..=16).map(|code| {
        let expected = match code {
            3 => "refused",
            4 | 16 => "timeout",
            _ => "unreachable",
        };
        (IpAddr::from([10, 99, 2, code]), code, expected)
    });
    let over_v6 = (0..=9).map(|code| {
        let expected = if code == 4 { "refused" } else { "unreachable" };
        let address = [0x2001, 0xdb8, 0x99, 0, 0, 0, 0, 0x100 + u16::from(code)];
        (IpAddr::from(address), code, expected)
    });
    let hosts: Vec<_> = over_v4.chain(over_v6).collect();
    let named = hosts
        .iter()
        .map(|(address, code, _)| (*address, Host::Unreachable(*code)))
        .collect();
    let network = Network::start(Duration::from_millis(20), named);
    let open: IpAddr = "2001:db8:99::2".parse().unwrap();
    let mut targets: Vec<_> = hosts
        .iter()
        .map(|(address, ..)| with_timeout(900, target(&address.to_string(), 80)))
        .collect();
    targets.push(target(&open.to_string(), 80));
    // Over UDP the kernel reports only permanent errors: prohibited, and over IPv6 all firewall codes.
    let prohibited = ["10.99.2.9", "10.99.2.10", "10.99.2.13"].into_iter();
    let prohibited = prohibited.chain(["2001:db8:99::101", "2001:db8:99::105", "2001:db8:99::106"]);
    let question = DnsCheck::new(".", RecordType::Ns, &[], &[], Transport::Udp).unwrap();
    let question = Readiness::new(Protocol::Dns(question), Tls::Off, 14).unwrap();
    targets.extend(prohibited.map(|address| Target {
        check: Check::Ready(question.clone()),
        ..with_timeout(900, target(address, 53))
    }));
    let outcomes = probe(with_name_server(peers::refused().address), &targets).await;
    network.stop();
    for ((address, code, expected), outcome) in hosts.iter().zip(&outcomes) {
        assert_eq!(
            crate::code(outcome),
            *expected,
            "code {code} from {address}: {outcome:?}"
        );
    }
    assert_eq!(code(&outcomes[hosts.len()]), "open");
    assert_eq!(codes(&outcomes[hosts.len() + 1..]), ["unreachable"; 6]);
}

#[tokio::test]
#[ignore = "needs root, /dev/net/tun, `ip` and `unshare`: run as root with --ignored"]
async fn failed_ping_has_its_failure_class() {
    if env::var_os(ROLE).is_none() {
        return run_in_network_namespace("network::failed_ping_has_its_failure_class");
    }
    // Code 3 of ICMP and 4 of ICMPv6 are those with which firewalls reject by default: no host refuses an echo.
    let hosts = [
        ("10.99.3.1", Host::Accepts, "open"),
        ("10.99.3.2", Host::AcceptsTheSecond, "open"),
        ("10.99.3.3", Host::AcceptsTheSecond, "timeout"),
        ("10.99.3.4", Host::Unreachable(1), "unreachable"),
        ("10.99.3.5", Host::Unreachable(3), "unreachable"),
        ("10.99.3.6", Host::Unreachable(13), "unreachable"),
        ("2001:db8:99::31", Host::Accepts, "open"),
        ("2001:db8:99::32", Host::Unreachable(1), "unreachable"),
        ("2001:db8:99::33", Host::Unreachable(4), "unreachable"),
        ("10.99.3.7", Host::AcceptsAfterRedirect, "open"),
        ("127.0.0.1", Host::Accepts, "open"),
        ("::1", Host::Accepts, "open"),
        // No route.
        ("192.0.2.1", Host::Accepts, "no_data_no_route"),
    ];
    let addresses = hosts.map(|(address, host, _)| (address.parse::<IpAddr>().unwrap(), host));
    let network = Network::start(Duration::from_millis(20), addresses.into());
    let mut targets: Vec<_> = hosts
        .iter()
        .map(|(address, ..)| Target {
            port: None,
            check: Check::Ping,
            ..target(address, 1)
        })
        .collect();
    targets[2] = with_timeout(900, targets[2].clone());
    let settings = || with_name_server(peers::refused().address);
    // A new namespace permits ping sockets to no group.
    let outcomes = probe(settings(), &targets).await;
    assert_eq!(codes(&outcomes), vec!["no_data_not_permitted"; hosts.len()]);

    std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 0").unwrap();
    let outcomes = probe(settings(), &targets).await;
    network.stop();
    for ((address, _, expected), outcome) in hosts.iter().zip(&outcomes) {
        assert_eq!(code(outcome), *expected, "{address}: {outcome:?}");
    }
    let opened = |index: usize| {
        let Outcome::Open(opened) = &outcomes[index] else {
            panic!("{:?}", outcomes[index])
        };
        (opened.trust, opened.phases.connect.unwrap().as_millis())
    };
    for index in [0, 6] {
        assert!(
            matches!(opened(index), (Trust::Clock | Trust::Starved, 20..)),
            "{:?}",
            opened(index)
        );
    }
    assert!(
        matches!(opened(1), (Trust::Retransmitted, 1_000..)),
        "{:?}",
        opened(1)
    );
    let Outcome::Failed(rejected) = &outcomes[4] else {
        panic!("{:?}", outcomes[4])
    };
    assert_eq!(
        rejected.detail.as_ref().unwrap().as_str(),
        "the host or a firewall rejects ICMP"
    );
}

#[tokio::test]
#[ignore = "needs root, /dev/net/tun, `ip` and `unshare`: run as root with --ignored"]
async fn late_event_loop_reports_no_false_failure() {
    if env::var_os(ROLE).is_none() {
        return run_in_network_namespace("network::late_event_loop_reports_no_false_failure");
    }
    let silent = Host::AcceptsTheSecond;
    let network = Network::start(
        Duration::from_millis(20),
        HashMap::from([(far_target(0), silent)]),
    );
    let targets: Vec<_> = (0..10)
        .map(|index| with_timeout(60, target(&far_target(index).to_string(), 80)))
        .collect();
    let busy = async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        // All answers arrive, and all timeouts pass, while the event loop is blocked.
        std::thread::sleep(Duration::from_millis(200));
    };
    let (outcomes, ()) = tokio::join!(probe(with_name_server(peers::refused().address), &targets), busy);
    network.stop();
    assert_eq!(code(&outcomes[0]), "timeout");
    for outcome in &outcomes[1..] {
        let Outcome::Open(opened) = outcome else {
            panic!("{outcome:?}")
        };
        let took = opened.phases.connect.unwrap();
        assert!(
            opened.trust == Trust::Kernel && took < Duration::from_millis(25),
            "{opened:?}"
        );
    }
}

const OPEN_TARGETS: u16 = 900;
const ROUND_TRIP: Duration = Duration::from_millis(50);

fn far_target(index: u16) -> IpAddr {
    let [high, low] = index.to_be_bytes();
    IpAddr::from([10, 99, 100 + high, low])
}

#[tokio::test]
#[ignore = "needs root, /dev/net/tun, `ip` and `unshare`: run as root with --ignored"]
async fn starved_processor_keeps_times_and_outcomes() {
    const TEST: &str = "network::starved_processor_keeps_times_and_outcomes";
    match env::var(ROLE).as_deref() {
        Err(_) => run_in_network_namespace(TEST),
        Ok("world") => {
            run_network(TEST, 7);
            // Far less than a Lambda has: the clock of the process is late by its whole waiting times.
            run_network(TEST, 1);
        }
        Ok(_) => starved_probe().await,
    }
}

/// Answers each SYN after a fixed delay, and limits the probing process to a share of a processor.
///
/// The process waits for some 100 ms at a time: a time by its own clock would be wrong by as much. The maxima are far below
/// that, and above what a busy machine adds; the benchmarks have the exact figures.
fn run_network(test: &str, percent: u32) {
    const MAX_MEDIAN_MS: f64 = 2.0;
    const MAX_P99_MS: f64 = 20.0;

    let network = Network::start(ROUND_TRIP, HashMap::new());
    let mut child = rerun_command(normal_priority_command(), test, "prober")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let throttled = throttle(child.id(), percent);
    let started = Instant::now();
    // The process waits for this line, so that it never runs without the limit.
    child.stdin.take().unwrap().write_all(b"begin\n").unwrap();
    let run = child.wait_with_output().unwrap();
    let lasted = started.elapsed();
    let answered = network.stop();

    let output = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{output}");
    let mut errors = Vec::new();
    for (_, line) in output.lines().filter_map(|line| line.split_once("probed: ")) {
        let [address, found, trust, micros] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert_eq!(
            (found, trust),
            ("open", "kernel"),
            "{address} has a false failure or a wrong time source"
        );
        let measured = answered[&address.parse().unwrap()];
        let measured = (measured.answer - measured.syn).as_secs_f64() * 1e3;
        errors.push((micros.parse::<f64>().unwrap() / 1e3 - measured).abs());
    }
    assert_eq!(errors.len(), usize::from(OPEN_TARGETS));
    errors.sort_by(f64::total_cmp);
    let (median, p99) = (errors[errors.len() / 2], errors[errors.len() * 99 / 100]);
    println!(
        "measured: {OPEN_TARGETS} targets at {ROUND_TRIP:?} on {percent} % of a core ({}): \
         error median {median:.3} ms, p99 {p99:.3} ms, all open, in {lasted:.1?},paused {:?} times",
        throttled.means,
        throttled.waits(),
    );
    assert!(
        median <= MAX_MEDIAN_MS && p99 <= MAX_P99_MS,
        "median {median} ms, p99 {p99} ms"
    );
}

/// A command that starts a process with normal priority.
fn normal_priority_command() -> Command {
    let mut chrt = Command::new("chrt");
    chrt.args(["--other", "0"]);
    chrt
}

/// The process under test.
async fn starved_probe() {
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let prober = Prober::new(with_name_server(([10, 99, 0, 1], 53).into())).unwrap();
    let targets: Vec<Target> = (0..OPEN_TARGETS)
        .map(|index| with_timeout(500, target(&far_target(index).to_string(), 80)))
        .collect();
    let outcomes = prober
        .probe(&targets, Instant::now() + Duration::from_secs(240))
        .await;
    println!();
    for (target, outcome) in targets.iter().zip(&outcomes) {
        let (trust, micros) = match outcome {
            Outcome::Open(opened) => (
                opened.trust.as_str(),
                opened.phases.connect.unwrap_or_default().as_micros(),
            ),
            Outcome::Failed(_) | Outcome::NoData(_) => ("none", 0),
        };
        println!("probed: {} {} {trust} {micros}", target.host, code(outcome));
    }
}
