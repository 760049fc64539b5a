//! The prober with real sockets on loopback, and with a name server of the tests.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, on its own input, and prints measurements"
)]

mod bind;
mod classes;
mod close;
mod dnsmasq;
mod http;
mod limits;
mod name_server;
mod names;
mod network;
mod peers;
mod ready;
mod resolver_files;
mod srv;
mod throttle;
mod tun;

use std::net::SocketAddr;
use std::time::Duration;

use portpulse_core::choice::{CloseMode, IpFamily};
use portpulse_core::outcome::Outcome;
use portpulse_core::target::{Check, Target};
use portpulse_prober::{NameServers, Prober, Settings};
use tokio::time::Instant;

/// A connect check with a timeout of two seconds.
fn target(host: &str, port: u16) -> Target {
    Target {
        host: host.parse().unwrap(),
        port: Some(port),
        ip: IpFamily::Any,
        timeout: Duration::from_secs(2),
        fail_slower_than: None,
        check: Check::Connect(CloseMode::Fin),
    }
}

fn target_at(address: SocketAddr) -> Target {
    target(&address.ip().to_string(), address.port())
}

fn with_timeout(millis: u64, target: Target) -> Target {
    Target {
        timeout: Duration::from_millis(millis),
        ..target
    }
}

fn with_name_server(name_server: SocketAddr) -> Settings {
    Settings {
        name_servers: NameServers::Explicit(vec![name_server]),
        ..Settings::default()
    }
}

/// Probes the targets with a deadline in one minute.
async fn probe(settings: Settings, targets: &[Target]) -> Vec<Outcome> {
    let prober = Prober::new(settings).unwrap();
    prober
        .probe(targets, Instant::now() + Duration::from_secs(60))
        .await
}

/// The code of an outcome: `open`, a failure class, or a kind of no data.
fn code(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Open(_) => "open",
        Outcome::Failed(failure) => failure.class.code(),
        Outcome::NoData(no_data) => no_data.code(),
    }
}

fn codes(outcomes: &[Outcome]) -> Vec<&'static str> {
    outcomes.iter().map(code).collect()
}
