//! Memory and processor time of `portpulse agent` with 2,000 monitors at an interval of a minute, over five rounds of checks.
//! Fails above 40 MB or 2 % of a core. Reads `/proc` of Linux; run `cargo bench -p portpulse-local --bench agent`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark fails by panicking, and prints its results"
)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use portpulse_core::group::{GroupId, shard_of, shards_for};
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::time::Interval;
use portpulse_store::Store;
use portpulse_testkit::embedded::{EmbeddedDynamo, TABLE};
use portpulse_testkit::sns::SnsServer;
use serde_json::json;
use tokio::runtime::Runtime;

const MONITORS: usize = 2_000;
/// The rounds that are measured, after the first.
const ROUNDS: usize = 5;
const MAX_MEMORY_BYTES: u64 = 40_000_000;
/// The maximum processor time, as a part of one core.
const MAX_PROCESSOR_SHARE: f64 = 0.02;

/// The running agent; killed on drop.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn main() {
    // The target of all checks.
    let open = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = open.local_addr().unwrap().port();
    std::thread::spawn(move || open.incoming().for_each(drop));
    let runtime = Runtime::new().unwrap();
    let dynamodb = runtime.block_on(EmbeddedDynamo::start()).unwrap();
    // Nothing fails, so nothing is published.
    let (sns, _published) = runtime.block_on(SnsServer::start()).unwrap();
    let groups = runtime.block_on(define(&dynamodb, port));

    let mut agent = start(&dynamodb, &sns);
    let mut lines = BufReader::new(agent.0.stdout.take().unwrap()).lines();
    let mut wait_for_round = || {
        for _ in 0..groups {
            let mut lines = lines.by_ref().map(Result::unwrap);
            let round = lines.find(|line| line.contains("\"type\":\"check\"")).unwrap();
            assert!(round.contains("\"outcome\":\"open\""), "{round}");
        }
    };
    wait_for_round();
    let (started, first) = (Instant::now(), processor_time(&agent.0));
    for _ in 0..ROUNDS {
        wait_for_round();
    }
    let (used, time) = (processor_time(&agent.0) - first, started.elapsed());
    let share = used.as_secs_f64() / time.as_secs_f64();
    let memory = peak_memory(&agent.0);
    println!("{MONITORS} monitors in {groups} groups, {ROUNDS} rounds in {time:.0?}");
    println!("| peak memory | of a core | processor time a round | until the end of the first round |");
    println!("|---|---|---|---|");
    println!(
        "| {:.1} MB | {:.2} % | {:.0?} | {first:.0?} |",
        memory as f64 / 1e6,
        share * 100.0,
        used / u32::try_from(ROUNDS).unwrap()
    );
    assert!(memory < MAX_MEMORY_BYTES, "{memory} bytes");
    assert!(share < MAX_PROCESSOR_SHARE, "{share} of a core");
}

/// Defines monitors of one loopback port, each with an address of its own, and returns the number of groups.
async fn define(dynamodb: &EmbeddedDynamo, port: u16) -> u32 {
    let store = Store::new(dynamodb.table());
    let location: Location = "office".parse().unwrap();
    let shards = shards_for(MONITORS);
    let group = |shard| GroupId {
        interval: Interval::OneMinute,
        shard,
    };
    for number in 0..MONITORS {
        let id: MonitorId = format!("monitor-{number}").parse().unwrap();
        let host = format!("127.1.{}.{}", number / 250, number % 250 + 1);
        let fields =
            json!({ "host": host, "port": port, "interval": "1m", "locations": [location.as_str()] });
        let fields = fields.as_object().unwrap();
        let group = group(shard_of(&id, shards));
        store.put_definition(group, id.as_str(), fields).await.unwrap();
    }
    for shard in 0..shards {
        store.list_agent(group(shard), &location).await.unwrap();
    }
    shards
}

fn start(dynamodb: &EmbeddedDynamo, sns: &SnsServer) -> Agent {
    let topic = "arn:aws:sns:eu-west-1:123456789012:alerts";
    let mut command = Command::new(env!("CARGO_BIN_EXE_portpulse"));
    command
        .args(["agent", "--json", "--location", "office", "--listen", "off"])
        .args(["--table", TABLE, "--home-region", "eu-west-1", "--topic", topic])
        .env("AWS_ENDPOINT_URL", dynamodb.endpoint_url())
        .env("AWS_ENDPOINT_URL_SNS", sns.endpoint_url())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env_remove("AWS_PROFILE")
        .stdout(Stdio::piped());
    Agent(command.spawn().unwrap())
}

/// The maximum of the resident memory in bytes.
fn peak_memory(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// The processor time of all threads, in user and kernel mode.
fn processor_time(child: &Child) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    // The second field, the name of the program, may contain spaces.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let fields: Vec<_> = fields.split(' ').collect();
    let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
    // `utime` and `stime`, the 14th and 15th field, in hundredths of a second.
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}
