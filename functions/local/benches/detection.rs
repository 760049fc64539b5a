//! Time from the failure of a target to its published notification, by the clock: three agents on this machine, each a location,
//! against embedded DynamoDB and SNS. Each outage is one of a monitor with an address of its own, at a random time, and is over
//! when it is notified. Blips, which are shorter than the retries, must not be notified.
//!
//! `cargo bench -p portpulse-local --bench detection` takes 16 minutes, with `-- --quick` 3. Fails if a promise is broken.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a benchmark fails by panicking, and prints its results"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use portpulse_testkit::embedded::{EmbeddedDynamo, TABLE};
use portpulse_testkit::sns::{Published, SnsServer, TOPIC_ARN, Texts};
use serde_json::{Value, json};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

const LOCATIONS: [&str; 3] = ["a", "b", "c"];
/// The port of all targets. Each has its own address.
const PORT: u16 = 7_007;
const BACKLOG: i32 = 128;
/// How long a connect may take that the kernel does not drop.
const CONNECT: Duration = Duration::from_millis(200);
/// The blips of `critical`, which are shorter than its two retries at intervals of 2 s.
const BLIP: std::ops::Range<f64> = 0.1..3.9;

#[derive(Clone, Copy)]
enum Failure {
    /// Nothing listens.
    Refused,
    /// The kernel drops packets, because the backlog is full.
    Dropped,
}

/// Monitors of one definition, in a group of their own: a check ends when those of its group end.
struct Row {
    name: &'static str,
    group: &'static str,
    fields: Value,
    failure: Failure,
    /// The maximum time at the 99th percentile.
    promise: Duration,
}

fn rows() -> Vec<Row> {
    let row = |name, group, fields, failure, promise| Row {
        name,
        group,
        fields,
        failure,
        promise: Duration::from_secs(promise),
    };
    let (every_10s, dropped) = (json!({ "interval": "10s", "timeout": "2s" }), Failure::Dropped);
    vec![
        row(
            "every 10 s, refused",
            "10s#0",
            every_10s.clone(),
            Failure::Refused,
            12,
        ),
        row(
            "every 10 s, dropped, timeout 2 s",
            "10s#1",
            every_10s,
            dropped,
            16,
        ),
        row(
            "`critical`, refused",
            "1m#0",
            json!({ "tier": "critical" }),
            Failure::Refused,
            65,
        ),
        row(
            "`supporting`, dropped",
            "5m#0",
            json!({ "tier": "supporting" }),
            dropped,
            340,
        ),
    ]
}

/// How much is measured.
struct Size {
    rows: Vec<Row>,
    outages: usize,
    /// The time in which all outages begin.
    window: Duration,
    /// The monitors with blips, and the minutes, with a blip each.
    blips: (usize, u32),
}

impl Size {
    fn of(is_quick: bool) -> Self {
        let mut rows = rows();
        if is_quick {
            rows.retain(|row| row.promise < Duration::from_secs(300));
        }
        let (outages, minutes, blips) = if is_quick {
            (20, 1, (20, 1))
        } else {
            (200, 10, (100, 10))
        };
        Self {
            rows,
            outages,
            window: Duration::from_secs(60 * minutes),
            blips,
        }
    }
}

/// One target: a port that fails and recovers.
struct Target {
    address: SocketAddr,
    failure: Failure,
    listener: Option<TcpListener>,
    queued: Vec<TcpStream>,
}

impl Target {
    fn open(address: SocketAddr, failure: Failure) -> Self {
        let mut target = Self {
            address,
            failure,
            listener: None,
            queued: Vec::new(),
        };
        target.recover();
        target
    }

    /// Accepts connections until `end`.
    async fn accept_until(&self, end: Instant) {
        let accept = async {
            while let Some(listener) = &self.listener {
                drop(listener.accept().await.unwrap());
            }
        };
        drop(timeout_at(end, accept).await);
    }

    async fn fail(&mut self) {
        match (self.failure, &self.listener) {
            (Failure::Dropped, Some(listener)) => {
                // Without a free place in the queue, the kernel drops further packets.
                SockRef::from(listener).listen(0).unwrap();
                while let Ok(stream) = timeout(CONNECT, TcpStream::connect(self.address)).await {
                    self.queued.push(stream.unwrap());
                }
            }
            (Failure::Refused | Failure::Dropped, _) => self.listener = None,
        }
    }

    fn recover(&mut self) {
        self.queued.clear();
        match &self.listener {
            Some(listener) => SockRef::from(listener).listen(BACKLOG).unwrap(),
            None => {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                socket.set_reuse_address(true).unwrap();
                socket.set_nonblocking(true).unwrap();
                socket.bind(&self.address.into()).unwrap();
                socket.listen(BACKLOG).unwrap();
                self.listener = Some(TcpListener::from_std(socket.into()).unwrap());
            }
        }
    }

    /// Fails at `begin` until it is notified. Sends the time of the failure.
    async fn outage(
        mut self,
        begin: Instant,
        notified: oneshot::Receiver<()>,
        failed: oneshot::Sender<Instant>,
    ) {
        self.accept_until(begin).await;
        failed.send(Instant::now()).unwrap();
        self.fail().await;
        drop(notified.await);
        self.recover();
        self.accept_until(Instant::now() + Duration::from_secs(3_600))
            .await;
    }

    /// Fails for a while, again and again.
    async fn blips(mut self, blips: Vec<(Instant, Instant)>) {
        for (begin, end) in blips {
            self.accept_until(begin).await;
            self.fail().await;
            sleep_until(end).await;
            self.recover();
        }
        self.accept_until(Instant::now() + Duration::from_secs(3_600))
            .await;
    }
}

/// An outage that is not notified yet.
struct Outage {
    row: usize,
    failed: oneshot::Receiver<Instant>,
    notified: oneshot::Sender<()>,
}

/// The running agents; killed on drop.
struct Agents(Vec<Child>);

impl Drop for Agents {
    fn drop(&mut self) {
        for agent in &mut self.0 {
            drop(agent.kill());
            drop(agent.wait());
        }
    }
}

/// What the agents have written.
#[derive(Default)]
struct Written {
    /// The checks of all groups and locations.
    checks: usize,
    /// The blips that a check saw, by monitor and time.
    seen: BTreeSet<(String, String)>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let size = Size::of(std::env::args().any(|arg| arg == "--quick"));
    let dynamodb = EmbeddedDynamo::start().await.unwrap();
    let (sns, mut published) = SnsServer::start().await.unwrap();
    let store = Store::new(dynamodb.table());
    let blips = Row {
        name: "blips",
        group: "1m#1",
        fields: json!({ "tier": "critical" }),
        failure: Failure::Refused,
        promise: Duration::ZERO,
    };
    let mut targets = Vec::new();
    for (number, row) in size.rows.iter().enumerate() {
        targets.push(define(&store, number, row, size.outages).await);
    }
    let blip_targets = define(&store, size.rows.len(), &blips, size.blips.0).await;

    let written = Arc::new(Mutex::new(Written::default()));
    let agents = Agents(
        LOCATIONS
            .map(|location| start(location, &dynamodb, &sns, &written))
            .into(),
    );
    // Until then, all targets are served by their backlog.
    while written.lock().unwrap().checks < LOCATIONS.len() * (size.rows.len() + 1) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let began = Instant::now();
    let mut open = BTreeMap::new();
    for (row, targets) in targets.into_iter().enumerate() {
        for (id, target) in targets {
            let begin = began + size.window.mul_f64(fastrand::f64());
            let (failed_at, failed) = oneshot::channel();
            let (notified, notification) = oneshot::channel();
            tokio::spawn(target.outage(begin, notification, failed_at));
            open.insert(
                id,
                Outage {
                    row,
                    failed,
                    notified,
                },
            );
        }
    }
    for (_, target) in blip_targets {
        tokio::spawn(target.blips(times_of_blips(size.blips.1)));
    }
    // The longest promise, and some more to see what is late.
    let longest = size.rows.iter().map(|row| row.promise).max().unwrap();
    let end = began + size.window + longest + Duration::from_secs(60);
    let mut found = Found::new(size.rows.len());
    while let Ok(Some(notifications)) = timeout_at(end, next(&mut published)).await {
        for notification in notifications {
            found.add(&notification, &mut open);
        }
        if open.is_empty() && Instant::now() > end - longest {
            break;
        }
    }
    drop(agents);
    found.blips_seen = written.lock().unwrap().seen.len();
    found.missed = open.into_keys().collect();
    found.report(&size)
}

/// Defines the monitors of a row for all locations, and opens their targets.
async fn define(
    store: &Store<DynamoTable>,
    number: usize,
    row: &Row,
    monitors: usize,
) -> Vec<(String, Target)> {
    let group: GroupId = row.group.parse().unwrap();
    let mut targets = Vec::new();
    for monitor in 0..monitors {
        let [second, third, fourth] = [10 + number, monitor / 250, monitor % 250 + 1];
        let host = [127, second, third, fourth].map(|byte| u8::try_from(byte).unwrap());
        let host = Ipv4Addr::from(host);
        let id = format!("{}-{monitor}", row.group.replace('#', "-"));
        let mut fields = json!({ "host": host.to_string(), "port": PORT, "locations": LOCATIONS });
        let fields = fields.as_object_mut().unwrap();
        fields.extend(row.fields.as_object().unwrap().clone());
        store.put_definition(group, &id, fields).await.unwrap();
        targets.push((id, Target::open((host, PORT).into(), row.failure)));
    }
    for location in LOCATIONS {
        let location: Location = location.parse().unwrap();
        store.list_agent(group, &location).await.unwrap();
    }
    targets
}

/// Starts the agent of a location, and reads what it writes.
fn start(
    location: &'static str,
    dynamodb: &EmbeddedDynamo,
    sns: &SnsServer,
    written: &Arc<Mutex<Written>>,
) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_portpulse"))
        .args(["agent", "--json", "--location", location, "--listen", "off"])
        .args([
            "--table",
            TABLE,
            "--home-region",
            "eu-west-1",
            "--topic",
            TOPIC_ARN,
        ])
        .env("AWS_ENDPOINT_URL", dynamodb.endpoint_url())
        .env("AWS_ENDPOINT_URL_SNS", sns.endpoint_url())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env_remove("AWS_PROFILE")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let written = Arc::clone(written);
    std::thread::spawn(move || {
        for line in lines.map(Result::unwrap) {
            let event: Value = serde_json::from_str(&line).unwrap();
            match event["type"].as_str() {
                Some("check") => written.lock().unwrap().add(&event),
                Some("problem" | "warning") => eprintln!("{location}: {line}"),
                _ => {}
            }
        }
    });
    child
}

impl Written {
    fn add(&mut self, check: &Value) {
        self.checks += 1;
        let results = check["results"].as_object().unwrap().iter();
        let retried = results.filter(|(id, result)| is_of_blips(id) && !result["retries"].is_null());
        let seen = retried.map(|(id, _)| (id.clone(), check["time"].to_string()));
        self.seen.extend(seen);
    }
}

fn is_of_blips(id: &str) -> bool {
    id.starts_with("1m-1-")
}

/// A blip in each of some minutes, of a random length, which contains the time of the check.
fn times_of_blips(minutes: u32) -> Vec<(Instant, Instant)> {
    let minute = Duration::from_secs(60);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let into_minute =
        Duration::from_secs(now.as_secs() % 60) + Duration::from_nanos(now.subsec_nanos().into());
    let last = Instant::now() - into_minute;
    let blip = |after| {
        let length = Duration::from_secs_f64(BLIP.start + (BLIP.end - BLIP.start) * fastrand::f64());
        // The first whole minute may be too soon.
        let begin = last + minute * (after + 2) - length.mul_f64(fastrand::f64());
        (begin, begin + length)
    };
    (0..minutes).map(blip).collect()
}

/// The notifications in the next published message.
async fn next(published: &mut mpsc::UnboundedReceiver<Published>) -> Option<Vec<Value>> {
    let Texts::ByProtocol(texts) = published.recv().await?.texts else {
        return Some(Vec::new());
    };
    let mut message: Value = serde_json::from_str(&texts["default"]).unwrap();
    Some(match message["notifications"].as_array_mut() {
        Some(notifications) => std::mem::take(notifications),
        None => vec![message],
    })
}

/// What was found.
struct Found {
    /// The times of each row.
    times: Vec<Vec<Duration>>,
    /// The monitors whose outage was not notified.
    missed: Vec<String>,
    /// Notifications of blips, of several monitors, and others that must not be.
    unexpected: Vec<String>,
    /// Failures that fewer locations than the quorum saw first, because they began amid their checks.
    advisories: usize,
    blips_seen: usize,
}

impl Found {
    fn new(rows: usize) -> Self {
        Self {
            times: vec![Vec::new(); rows],
            missed: Vec::new(),
            unexpected: Vec::new(),
            advisories: 0,
            blips_seen: 0,
        }
    }

    /// Adds a notification. An outage that it notifies is over, and no longer open.
    fn add(&mut self, notification: &Value, open: &mut BTreeMap<String, Outage>) {
        let text = |field: &str| notification[field].as_str().unwrap_or_default();
        let is_alone = notification["monitor_count"] == 1;
        let id = text("monitor");
        match text("kind") {
            "down" if is_alone && open.contains_key(id) => {
                if let Some(mut outage) = open.remove(id) {
                    self.times[outage.row].push(outage.failed.try_recv().unwrap().elapsed());
                    outage.notified.send(()).unwrap();
                }
            }
            "recovered" if !open.contains_key(id) && !is_of_blips(id) => {}
            "advisory" | "advisory_over" if !is_of_blips(id) => self.advisories += 1,
            _ => self.unexpected.push(text("id").to_owned()),
        }
    }

    fn report(mut self, size: &Size) -> ExitCode {
        println!("| monitors | outages | median | 99th percentile | maximum | promised |");
        println!("|---|---|---|---|---|---|");
        let mut is_kept = self.missed.is_empty() && self.unexpected.is_empty();
        for (row, times) in size.rows.iter().zip(&mut self.times) {
            times.sort();
            let at = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1];
            is_kept &= at(99) <= row.promise;
            println!(
                "| {} | {} | {:.1?} | {:.1?} | {:.1?} | {:?} |",
                row.name,
                times.len(),
                at(50),
                at(99),
                at(100),
                row.promise
            );
        }
        let (monitors, minutes) = size.blips;
        let blips = monitors * usize::try_from(minutes).unwrap();
        println!(
            "{blips} blips of 0.1 to 3.9 s of a `critical` monitor, {} seen by a check",
            self.blips_seen
        );
        println!(
            "{} advisories, unexpected: {:?}, missed: {:?}",
            self.advisories, self.unexpected, self.missed
        );
        // Blips that no check sees prove nothing. A check is made some time after its tick, and the shortest blips are over then.
        if is_kept && self.blips_seen * 10 >= blips * 8 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
