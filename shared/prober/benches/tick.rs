//! Measures one tick of open loopback ports with the prober, and the same connections with a bare epoll loop.
//!
//! `cargo bench -p portpulse-prober --bench tick`. Every run is a separate process. Runs of all kinds alternate, and
//! medians are reported, so that other load affects all kinds equally. Only the processor time (user and system) of the
//! connecting process is measured; the listeners belong to another process. The limit of open files is raised to its
//! maximum, which must exceed 10,000.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark prints, and panics on errors"
)]

use std::collections::HashMap;
use std::env;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portpulse_core::choice::{CloseMode, IpFamily};
use portpulse_core::outcome::Outcome;
use portpulse_core::target::{Check, Host, Target};
use portpulse_prober::{NameServers, Pace, Prober, Settings};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use socket2::{Domain, Protocol, Socket, Type};

const RUNS: usize = 7;
const IN_FLIGHT: usize = 900;
/// The kinds of runs: a bare epoll loop and the prober, both unpaced, and the prober with its default settings, which
/// adapts its pace.
const KINDS: [&str; 3] = ["epoll", "prober", "prober, paced"];
/// How long the epoll loop waits for an event at most.
const MAX_WAIT: Duration = Duration::from_millis(10);

fn main() {
    match env::args().nth(1).as_deref() {
        Some(kind) if KINDS.contains(&kind) => one_run(kind),
        // `cargo bench` passes `--bench`.
        _ => compare(),
    }
}

fn compare() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    )
    .unwrap();
    println!(
        "{:>8} {:>13} {:>9} {:>10} {:>13} {:>9} {:>9}",
        "targets", "how", "time", "checks/s", "CPU/check", "peak", "of epoll"
    );
    for count in [400, 4_000, 10_000] {
        let listeners: Vec<TcpListener> = (0..count)
            .map(|_| {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                listener.set_nonblocking(true).unwrap();
                listener
            })
            .collect();
        let addresses: Vec<_> = listeners
            .iter()
            .map(|listener| listener.local_addr().unwrap())
            .collect();
        let mut costs: HashMap<&str, Vec<Cost>> = HashMap::new();
        for _ in 0..RUNS {
            for kind in KINDS {
                costs
                    .entry(kind)
                    .or_default()
                    .push(in_a_process(kind, &addresses));
                // Closed connections would otherwise fill the accept queues.
                for listener in &listeners {
                    while listener.accept().is_ok() {}
                }
            }
        }
        let cpu = |kind| median(&costs[kind], |cost| cost.cpu) / 1e3 / count as f64;
        for kind in KINDS {
            let wall = median(&costs[kind], |cost| cost.wall) / 1e9;
            println!(
                "{count:>8} {kind:>13} {wall:>7.2} s {:>10.0} {:>10.1} µs {:>6.1} MB {:>9.2}",
                count as f64 / wall,
                cpu(kind),
                median(&costs[kind], |cost| cost.peak) / 1e3,
                cpu(kind) / cpu("epoll"),
            );
        }
    }
}

/// The cost of a run, in nanoseconds and kilobytes.
struct Cost {
    cpu: f64,
    wall: f64,
    peak: f64,
}

fn median(costs: &[Cost], of: impl Fn(&Cost) -> f64) -> f64 {
    let mut values: Vec<f64> = costs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn in_a_process(kind: &str, addresses: &[SocketAddr]) -> Cost {
    let mut child = Command::new(env::current_exe().unwrap())
        .arg(kind)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: String = addresses.iter().map(|address| format!("{address}\n")).collect();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the run of {kind} failed");
    let printed = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = printed
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    Cost {
        cpu: numbers[0],
        wall: numbers[1],
        peak: numbers[2],
    }
}

/// Connects to all addresses on standard input, and prints the cost.
fn one_run(kind: &str) {
    let mut lines = String::new();
    std::io::stdin().read_to_string(&mut lines).unwrap();
    let addresses: Vec<SocketAddr> = lines.lines().map(|line| line.parse().unwrap()).collect();
    let (cpu, wall) = match kind {
        "epoll" => measured(|| bare_epoll(&addresses)),
        _ => {
            let unpaced = Pace {
                starts: addresses.len(),
                every: Duration::from_millis(1),
            };
            let default_settings = Settings {
                sockets: IN_FLIGHT,
                name_servers: NameServers::Explicit(vec![]),
                ..Settings::default()
            };
            let settings = if kind == "prober" {
                Settings {
                    pace: unpaced,
                    ..default_settings
                }
            } else {
                default_settings
            };
            probe(settings, &addresses)
        }
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    println!(
        "{} {} {}",
        cpu.as_nanos(),
        wall.as_nanos(),
        peak.trim().trim_end_matches(" kB")
    );
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}

fn measured(work: impl FnOnce()) -> (Duration, Duration) {
    let (cpu, wall) = (processor_time(), Instant::now());
    work();
    (processor_time() - cpu, wall.elapsed())
}

fn probe(settings: Settings, addresses: &[SocketAddr]) -> (Duration, Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let prober = Prober::new(settings).unwrap();
    let targets: Vec<Target> = addresses
        .iter()
        .map(|address| Target {
            host: Host::Address(address.ip()),
            port: Some(address.port()),
            ip: IpFamily::Any,
            timeout: Duration::from_secs(5),
            fail_slower_than: None,
            check: Check::Connect(CloseMode::Fin),
        })
        .collect();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    measured(|| {
        let outcomes = runtime.block_on(prober.probe(&targets, deadline));
        assert!(
            outcomes.iter().all(|outcome| matches!(outcome, Outcome::Open(_))),
            "not all open"
        );
    })
}

/// The minimum work of any prober: connect, wait, and read the result.
fn bare_epoll(addresses: &[SocketAddr]) {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    let mut open: Vec<Option<(Socket, Instant)>> = addresses.iter().map(|_| None).collect();
    let mut times = Vec::with_capacity(addresses.len());
    let mut events = Vec::with_capacity(IN_FLIGHT);
    let mut next = 0;
    while times.len() < addresses.len() {
        while next < addresses.len() && next - times.len() < IN_FLIGHT {
            let address = addresses[next];
            let kind = Type::STREAM.nonblocking();
            let socket = Socket::new(Domain::for_address(address), kind, Some(Protocol::TCP)).unwrap();
            let started = Instant::now();
            if let Err(error) = socket.connect(&address.into()) {
                assert_eq!(Errno::from_io_error(&error), Some(Errno::INPROGRESS));
            }
            let data = epoll::EventData::new_u64(next as u64);
            epoll::add(
                &poll,
                &socket,
                data,
                epoll::EventFlags::OUT | epoll::EventFlags::ET,
            )
            .unwrap();
            open[next] = Some((socket, started));
            next += 1;
        }
        events.clear();
        let wait = Timespec {
            tv_sec: 0,
            tv_nsec: MAX_WAIT.subsec_nanos().into(),
        };
        epoll::wait(&poll, spare_capacity(&mut events), Some(&wait)).unwrap();
        for event in &events {
            let (socket, started) = open[event.data.u64() as usize].take().unwrap();
            assert!(socket.take_error().unwrap().is_none(), "not open");
            times.push(started.elapsed());
        }
    }
}
