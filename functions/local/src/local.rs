//! `portpulse local`: runs the handler, store and notifications of the checker on one machine, with an embedded DynamoDB.

mod alert;
pub(crate) mod backend;
mod clock;
mod demo;
mod http_server;
mod relay;
mod scheduler;
mod screen;
mod status_page;
mod sync_definitions;
mod temp_dir;
mod tick_json;
mod watch_state;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::SnsTopic;
use portpulse_checker::Clock as _;
use portpulse_core::definition::{DefinitionFile, NetworkAccess};
use portpulse_core::id::Location;
use portpulse_core::time::parse_duration;
use portpulse_history::{Groups, ReadLimit, Reader, Scope};
use portpulse_local_aws::dynamodb::TABLE;
use portpulse_local_aws::sns::TOPIC_ARN;
use portpulse_monitors_file::Mistake;
use portpulse_prober::{Prober, Settings};
use portpulse_relay::{Config, LocalSecrets};
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch as channel};
use tokio::task::LocalSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::ExitStatus;
use crate::output::{CommandError, Output, count_of, mistake_lines, read_text};
use crate::table_access::DEFAULT_DATA_DIR;
use alert::{Alert, shell_quoted};
use backend::Backend;
use clock::FastClock;
use demo::Demo;
use relay::LocalRelay;
use scheduler::{CheckerParts, SharedProber};
use screen::{DisplayMode, Screen};
use status_page::{PageArgs, PageListener};
use temp_dir::TempDir;
use watch_state::WatchState;

/// Monitor ports from this machine, with an embedded database and a status page
///
/// Runs the same checker as the AWS deployment; nothing else has to be installed. Ctrl-C stops it; the next start
/// continues with the stored state.
///
/// Exit status: 0 stopped by a signal or by --for, 2 invalid usage or an error, 130 interrupted during shutdown.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The definitions file
    #[arg(long, value_name = "FILE", default_value = "infra/monitors.yaml")]
    monitors: PathBuf,

    /// The data directory, kept between starts; created if necessary
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA_DIR)]
    data: PathBuf,

    /// The names of the locations to simulate; each runs its own checker on this machine
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "local")]
    locations: Vec<Location>,

    /// Send notifications to the destinations in this file: Slack, PagerDuty, webhooks and others
    ///
    /// The file has the format of `infra/relay.yaml`. Secrets are references: `env:NAME`, `file:/path`, or a name in AWS,
    /// which is read from the directory of --secrets.
    #[arg(long, value_name = "FILE")]
    relay: Option<PathBuf>,

    /// The directory that replaces Parameter Store and Secrets Manager: `ssm:/ops/chat` is read from `DIR/ssm/ops/chat`,
    /// `secretsmanager:pager` from `DIR/secretsmanager/pager`
    #[arg(long, value_name = "DIR", requires = "relay")]
    secrets: Option<PathBuf>,

    #[command(flatten)]
    page: PageArgs,

    /// Run the schedule N times faster; timeouts stay the same [default: 1, with --demo 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=600))]
    speed: Option<u32>,

    /// Print one JSON object per line: results, notifications, deliveries and a final summary
    #[arg(long)]
    json: bool,

    /// Monitor demo services on loopback: healthy, refused, silent, slow, and one that fails and recovers
    #[arg(long, conflicts_with_all = ["monitors", "data"])]
    demo: bool,

    /// Stop after this time, such as 30s
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    length: Option<Duration>,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::failed("start the runtime", error))?;
    // The handler's futures are not `Send`.
    LocalSet::new().block_on(&runtime, watch_ports(args, output))?;
    Ok(ExitStatus::Success)
}

async fn watch_ports(args: &Args, output: &mut Output) -> Result<(), CommandError> {
    let demo = match args.demo {
        true => Some(Demo::open().await.map_err(failed("open the demo's ports"))?),
        false => None,
    };
    let file = definitions(args, demo.as_ref())?;
    let destinations = destinations(args.relay.as_deref())?;
    let secrets = LocalSecrets::new(args.secrets.clone());
    let speed = args.speed.unwrap_or(if args.demo { demo::SPEED } else { 1 });
    let problems = scheduler::speed_problems(file.monitors(), speed);
    if !problems.is_empty() {
        let message = problems.join("\n");
        return Err(CommandError::Usage { message });
    }
    let locations: BTreeSet<Location> = args.locations.iter().cloned().collect();
    let page_listener = args.page.bind()?;
    let mut stop_signal = StopSignal::new()?;
    let mut screen = Screen::new(output, DisplayMode::select(args.json));

    let temp_dir = match args.demo {
        true => Some(TempDir::create().map_err(failed("create a data directory for the demo"))?),
        false => None,
    };
    let data = temp_dir.as_ref().map_or(args.data.as_path(), TempDir::path);
    let (mut backend, mut published) = Backend::start(data).await?;
    let route = backend.route();
    let table = DynamoTable::new(route.dynamodb(), TABLE);
    let (relay, mut relayed) = LocalRelay::start(destinations, &secrets, &table).await?;
    let store = Store::new(table);
    let existing = sync_definitions::read_existing(&store)
        .await
        .map_err(failed("read the stored state"))?;
    let latest = existing.latest;
    sync_definitions::write_changes(&store, &file, &locations, &existing)
        .await
        .map_err(failed("write the definitions"))?;

    let start = start_time(latest, args.demo);
    let clock = FastClock::starting(start, speed);
    backend.announce(&clock)?;
    stop_signal.at = args.length.map(|length| Instant::now() + length);
    for line in opening_lines(&file, &locations, speed, start) {
        screen.note(&line)?;
    }
    if temp_dir.is_some() {
        screen.note(&format!(
            "Data directory: {} (other commands need --data)",
            shell_quoted(data)
        ))?;
    }
    if let Some(page_listener) = &page_listener {
        screen.note(&format!("Status page: {}", page_listener.url()))?;
    }
    let scope = Scope {
        groups: Groups::Known(file.monitors().iter().map(|defined| defined.group).collect()),
        expected: locations.clone(),
    };
    let reader = Reader::new(store.table().clone(), scope, ReadLimit::default());
    let prober = prober(&file, &locations, page_listener.as_ref()).map_err(failed("start the prober"))?;
    let running_page = page_listener
        .map(|page_listener| page_listener.serve(reader, clock))
        .transpose()?;
    let checker_parts = CheckerParts {
        store,
        prober: SharedProber(Rc::new(prober)),
        topic: SnsTopic::new(route.sns(), TOPIC_ARN),
        clock,
        locations: locations.clone(),
    };
    let services = demo.map(|demo| tokio::task::spawn_local(demo.run(clock)));

    let (stop_checks, stopped) = channel::channel(false);
    let (sender, mut ticked) = mpsc::unbounded_channel();
    let mut tasks = scheduler::start(&checker_parts, &file, &sender, &stopped);
    drop((sender, checker_parts));
    let mut watch = WatchState::new(&locations, &file);
    let mut refresh_timer = interval(Duration::from_secs(1));
    refresh_timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut display_result = Ok(());
    // The loop ends when the schedule has stopped and its last ticks are handled.
    loop {
        let event = tokio::select! {
            event = ticked.recv() => match event {
                Some(event) => {
                    watch.ticked(&event);
                    screen.ticked(&watch, &event, clock.now())
                }
                None => break,
            },
            Some(message) = published.recv() => {
                relay.forward(&message);
                let alert = Alert::of(&message, data);
                watch.alerted(&alert);
                screen.alert(&watch, &alert, clock.now())
            }
            Some(relayed) = relayed.recv() => {
                watch.relayed(&relayed);
                screen.relayed(&watch, &relayed, clock.now())
            }
            _ = refresh_timer.tick() => screen.refresh(&watch, clock.now()),
            () = stop_signal.wait() => {
                if stop_checks.send_replace(true) {
                    return Err(CommandError::Interrupted);
                }
                Ok(())
            }
        };
        if event.is_err() && display_result.is_ok() {
            // The output is closed: stop as after a signal.
            display_result = event;
            stop_checks.send_replace(true);
        }
    }
    while tasks.join_next().await.is_some() {}
    if let Some(services) = services {
        services.abort();
    }
    // Notifications of the last ticks.
    while let Ok(message) = published.try_recv() {
        relay.forward(&message);
        let alert = Alert::of(&message, data);
        watch.alerted(&alert);
        display_result = display_result.and_then(|()| screen.alert(&watch, &alert, clock.now()));
    }
    relay.shut_down();
    loop {
        tokio::select! {
            next = relayed.recv() => match next {
                Some(relayed) => {
                    watch.relayed(&relayed);
                    display_result = display_result.and_then(|()| screen.relayed(&watch, &relayed, clock.now()));
                }
                None => break,
            },
            () = stop_signal.wait() => return Err(CommandError::Interrupted),
        }
    }
    if let Some(running_page) = running_page {
        running_page.stop()?;
    }
    backend.withdraw();
    display_result?;
    screen.summary(&watch)
}

/// Creates a prober that leaves enough file descriptors for the status page, the table and the topic.
fn prober(
    file: &DefinitionFile,
    locations: &BTreeSet<Location>,
    page_listener: Option<&PageListener>,
) -> Result<Prober, portpulse_prober::Error> {
    let bind_default = Settings::default();
    let groups: BTreeSet<_> = file.monitors().iter().map(|defined| defined.group).collect();
    // Each group in each location may hold a connection to the embedded services; both ends are in this process.
    let connections = 2 * groups.len() * locations.len();
    Prober::new(Settings {
        reserved: bind_default.reserved + connections + page_listener.map_or(0, PageListener::descriptors),
        ..bind_default
    })
}

fn failed<E>(what: &'static str) -> impl FnOnce(E) -> CommandError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |error| CommandError::failed(what, error)
}

/// Reads the definitions of the demo or of the file.
fn definitions(args: &Args, demo: Option<&Demo>) -> Result<DefinitionFile, CommandError> {
    let (name, text) = match demo {
        Some(demo) => (
            "the demo".to_owned(),
            demo.definitions().map_err(failed("open the demo's ports"))?,
        ),
        None => (args.monitors.display().to_string(), read_text(&args.monitors)?),
    };
    portpulse_monitors_file::read(&text, NetworkAccess::OwnNetwork)
        .map_err(|mistakes| invalid_file(&name, &mistakes))
}

/// Reads the destinations file, if given.
pub(crate) fn destinations(relay: Option<&Path>) -> Result<Config, CommandError> {
    let Some(path) = relay else {
        return Ok(Config::default());
    };
    let read = portpulse_monitors_file::read_as(&read_text(path)?, |written| {
        Config::validate(written, NetworkAccess::OwnNetwork)
    });
    read.map_err(|mistakes| invalid_file(&path.display().to_string(), &mistakes))
}

fn invalid_file(name: &str, mistakes: &[Mistake]) -> CommandError {
    let message = mistake_lines(name, mistakes).join("\n");
    CommandError::Usage { message }
}

/// The start time of the clock: never before the latest stored tick.
fn start_time(latest: Option<Timestamp>, demo: bool) -> Timestamp {
    let now = Timestamp::now();
    if demo {
        // On the minute, so that the first tick is on schedule.
        return Timestamp::from_second(now.as_second().div_euclid(60) * 60).unwrap_or(now);
    }
    latest.map_or(now, |latest| latest.max(now))
}

fn opening_lines(
    file: &DefinitionFile,
    locations: &BTreeSet<Location>,
    speed: u32,
    start: Timestamp,
) -> Vec<String> {
    let names: Vec<_> = locations.iter().map(Location::as_str).collect();
    let mut lines = vec![format!(
        "Monitoring {} from {}{}. Press Ctrl-C to stop.",
        count_of(file.monitors().len() as u64, "monitor"),
        names.join(", "),
        if speed == 1 {
            String::new()
        } else {
            format!(", {speed} times faster than real time")
        },
    )];
    if start > Timestamp::now() {
        lines.push(format!(
            "The clock continues at {start}, the end of the previous run."
        ));
    }
    for defined in file.monitors() {
        let monitor = &defined.monitor;
        if monitor.is_enabled()
            && !locations
                .iter()
                .any(|location| monitor.rule().locations.includes(location))
        {
            lines.push(format!(
                "warning: {} is not checked from any of these locations (see --locations)",
                monitor.id()
            ));
        }
    }
    lines
}

/// What stops the command: SIGINT, SIGTERM, or the time of --for.
struct StopSignal {
    interrupted: tokio::signal::unix::Signal,
    terminated: tokio::signal::unix::Signal,
    at: Option<Instant>,
}

impl StopSignal {
    /// Installs the signal handlers.
    fn new() -> Result<Self, CommandError> {
        Ok(Self {
            interrupted: signal(SignalKind::interrupt()).map_err(failed("listen for Ctrl-C"))?,
            terminated: signal(SignalKind::terminate()).map_err(failed("listen for signals"))?,
            at: None,
        })
    }

    /// Resolves at each signal, and once at the time of --for.
    async fn wait(&mut self) {
        let time_is_up = async {
            match self.at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupted.recv() => {}
            _ = self.terminated.recv() => {}
            () = time_is_up => self.at = None,
        }
    }
}
