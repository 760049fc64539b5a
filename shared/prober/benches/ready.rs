//! Measures the cost of one tick of 400 `ready` checks over TLS.
//!
//! `cargo bench -p portpulse-prober --bench ready`. A server process with a thread for each connection answers half a
//! second after each request, so that all checks run at the same time and memory use is at its maximum. The other
//! process makes the checks in two successive ticks, as a warm Lambda does. Only its own processor time (user and
//! system) is measured. It trusts the system's certificate authorities and one more, created for the run.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark prints, and panics on errors"
)]

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use portpulse_core::choice::IpFamily;
use portpulse_core::outcome::Outcome;
use portpulse_core::readiness::Readiness;
use portpulse_core::service::Service;
use portpulse_core::target::{Check, Host, Target};
use portpulse_prober::{Prober, Settings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustix::time::{ClockId, clock_gettime};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const CHECKS: usize = 400;
const RUNS: usize = 7;
/// The delay of each answer; longer than the checks take to start.
const DISTANCE: Duration = Duration::from_millis(500);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("serve") => serve(),
        Some("check") => check(arguments[1].parse().unwrap()),
        // `cargo bench` passes `--bench`.
        _ => compare(),
    }
}

fn compare() {
    let (mut server, mut lines) = start(Command::new(env::current_exe().unwrap()).arg("serve"));
    let port: u16 = line(&mut lines).parse().unwrap();
    let mut roots = std::fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
    let count = roots.matches("BEGIN CERTIFICATE").count();
    let length: usize = line(&mut lines).parse().unwrap();
    let mut authority = vec![0; length];
    lines.read_exact(&mut authority).unwrap();
    roots.push_str(&String::from_utf8(authority).unwrap());
    let file = env::temp_dir().join(format!("portpulse-bench-{}.pem", std::process::id()));
    std::fs::write(&file, roots).unwrap();

    let runs: Vec<[f64; 6]> = (0..RUNS)
        .map(|_| {
            let output = Command::new(env::current_exe().unwrap())
                .args(["check", &port.to_string()])
                .env("SSL_CERT_FILE", &file)
                .env_remove("SSL_CERT_DIR")
                .output()
                .unwrap();
            assert!(output.status.success(), "a run failed: {output:?}");
            let numbers = String::from_utf8(output.stdout).unwrap();
            let numbers: Vec<f64> = numbers.split_whitespace().map(|n| n.parse().unwrap()).collect();
            numbers.try_into().unwrap()
        })
        .collect();
    std::fs::remove_file(&file).unwrap();
    drop(server.stdin.take());
    server.wait().unwrap();

    let median = |column: usize| {
        let mut values: Vec<f64> = runs.iter().map(|run| run[column]).collect();
        values.sort_by(f64::total_cmp);
        values[RUNS / 2]
    };
    println!("{CHECKS} ready checks over TLS, {count} + 1 certificate authorities; medians of {RUNS} runs");
    for (tick, column) in [("first tick", 0), ("later tick", 2)] {
        println!(
            "{tick}: {:.0} ms of processor time, {:.2} ms per check; finished after {:.1} s",
            median(column),
            median(column) / CHECKS as f64,
            median(column + 1) / 1e3
        );
    }
    println!(
        "memory: {:.1} MB before, {:.1} MB at the peak",
        median(4),
        median(5)
    );
}

fn start(command: &mut Command) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (child, lines)
}

fn line(lines: &mut impl BufRead) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// Prints its port and its certificate authority, then serves until its standard input ends.
fn serve() {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "bench");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![Ipv4Addr::LOCALHOST.to_string()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate.der().to_vec())],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let authority = issuer.pem();
    print!("{port}\n{}\n{authority}", authority.len());
    std::io::stdout().flush().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, config) = (stream.unwrap(), Arc::clone(&config));
            std::thread::spawn(move || answer(stream, config));
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

fn answer(stream: TcpStream, config: Arc<ServerConfig>) {
    let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    let (mut received, mut buffer) = (Vec::new(), [0; 512]);
    while !received.ends_with(b"\r\n\r\n") {
        match tls.read(&mut buffer) {
            Ok(count) if count > 0 => received.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
    std::thread::sleep(DISTANCE);
    // The client may have closed already.
    let _ = tls.write_all(ANSWER);
    let _ = tls.read_to_end(&mut Vec::new());
}

/// Runs two ticks and prints their cost: milliseconds of processor time and of wall time for each, then megabytes
/// before and at the peak.
fn check(port: u16) {
    let target = Target {
        host: Host::Address(Ipv4Addr::LOCALHOST.into()),
        port: Some(port),
        ip: IpFamily::Any,
        timeout: Duration::from_secs(30),
        fail_slower_than: None,
        check: Check::Ready(Readiness::of(Service::Https, port)),
    };
    let targets = vec![target; CHECKS];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let prober = Prober::new(Settings::default()).unwrap();
    let before = megabytes("VmRSS:");
    for _ in 0..2 {
        let (cpu, started) = (processor_time(), Instant::now());
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        let outcomes = runtime.block_on(prober.probe(&targets, deadline));
        let (cpu, took) = (processor_time() - cpu, started.elapsed());
        let bad = outcomes
            .iter()
            .find(|outcome| !matches!(outcome, Outcome::Open(_)));
        assert!(bad.is_none(), "{bad:?}");
        print!("{} {} ", cpu.as_secs_f64() * 1e3, took.as_secs_f64() * 1e3);
    }
    println!("{before} {}", megabytes("VmHWM:"));
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

fn megabytes(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes / 1e3
}
