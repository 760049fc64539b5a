//! The cost of four hundred concurrent TLS exchanges, the maximum of one tick.

use portpulse_core::service::Service;
use portpulse_ready::ExchangeResult;
use tokio::task::JoinSet;

use super::nginx;
use super::server::{Dir, ask, free_port};
use crate::authority::{Authority, Validity};
use crate::peer::{default_request, describe};

const CHECKS: usize = 400;

#[tokio::test]
#[ignore = "needs nginx: run .ci/run"]
async fn four_hundred_tls_exchanges_stay_within_memory() {
    let (dir, port, authority) = (Dir::new(), free_port(), Authority::new("trusted"));
    let issued = authority.issue("localhost", Validity::Good);
    dir.write("certificate", &issued.certificate_pem);
    dir.write("key", &issued.key_pem);
    let settings = format!(
        "server {{ listen 127.0.0.1:{port} ssl backlog=1000; ssl_certificate {{dir}}/certificate; \
         ssl_certificate_key {{dir}}/key; }}"
    );
    let server = nginx::start(&dir, &settings);
    let request = default_request(
        Service::Https,
        "localhost".parse().unwrap(),
        port,
        &authority.client(),
    );
    // The first exchange reads the certificate authorities for all.
    let first = describe(&ask(&request, port).await);
    assert!(first.starts_with("healthy"), "{first}");

    let before = Usage::now();
    let mut checks = JoinSet::new();
    for _ in 0..CHECKS {
        let request = request.clone();
        checks.spawn(async move { ask(&request, port).await });
    }
    let reports = checks.join_all().await;
    let after = Usage::now();
    assert!(
        reports
            .iter()
            .all(|report| matches!(report.result, ExchangeResult::Healthy(_)))
    );
    server.check_log(&[]);
    let memory = after.peak_kilobytes - before.peak_kilobytes;
    let ticks = after.processor_ticks - before.processor_ticks;
    eprintln!(
        "{CHECKS} exchanges over TLS: {memory} kB more memory, {} ms of processor time",
        ticks * 10
    );
    // A Lambda of 128 MB has about 100 MB of free memory.
    assert!(memory < 60_000, "{memory} kB");
}

/// The resources used by this process so far.
struct Usage {
    peak_kilobytes: u64,
    processor_ticks: u64,
}

impl Usage {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        // After the name in parentheses, user time and system time are fields 12 and 13.
        let fields = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .collect::<Vec<_>>();
        let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
        Self {
            peak_kilobytes: peak.trim().trim_end_matches(" kB").parse().unwrap(),
            processor_ticks: ticks(11) + ticks(12),
        }
    }
}
