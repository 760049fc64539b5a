//! `portpulse local`: runs the handler, store and notifications of the checker on one machine, with an embedded DynamoDB.

mod alert;
pub(crate) mod backend;
mod clock;
mod demo;
pub(crate) mod http_server;
mod relay;
pub(crate) mod round_json;
pub(crate) mod scheduler;
mod screen;
mod status_page;
pub(crate) mod stop_signal;
mod sync_definitions;
pub(crate) mod temp_dir;
mod watch_state;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_alert::SnsTopic;
use portpulse_core::definition::{DefinitionFile, Monitor, NetworkAccess};
use portpulse_core::id::Location;
use portpulse_core::time::parse_duration;
use portpulse_history::{Groups, ReadLimit, Reader, Scope};
use portpulse_local_aws::dynamodb::TABLE;
use portpulse_local_aws::sns::{Published, TOPIC_ARN};
use portpulse_prober::{Prober, Settings};
use portpulse_relay::{Config, LocalSecrets};
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use tokio::sync::{mpsc, watch as channel};
use tokio::task::LocalSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::ExitStatus;
use crate::definitions::{DEFAULT_FILE, DefinitionFiles};
use crate::output::{CommandError, Output, clock_time, count_of, invalid_file, read_text};
use crate::table_access::{DEFAULT_DATA_DIR, runtime};
use alert::shell_quoted;
use backend::Backend;
use clock::FastClock;
use demo::Demo;
use relay::{LocalRelay, RelayEvent};
use scheduler::{CheckerParts, FinishedTick, SharedProber};
use screen::{DisplayMode, Screen};
use status_page::{PageArgs, PageListener};
use stop_signal::StopSignal;
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
    /// The definitions: a file, or a folder of YAML files; repeatable
    #[arg(long, value_name = "FILE", default_value = DEFAULT_FILE)]
    monitors: Vec<PathBuf>,

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
    #[arg(long, value_name = "DIR")]
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
    // The handler's futures are not `Send`.
    LocalSet::new().block_on(&runtime()?, monitor_ports(args, output))?;
    Ok(ExitStatus::Success)
}

async fn monitor_ports(args: &Args, output: &mut Output) -> Result<(), CommandError> {
    let plan = RunPlan::read(args).await?;
    let mut stop_signal = StopSignal::new()?;
    let temp_dir = match args.demo {
        true => Some(TempDir::create().map_err(failed("create a data directory for the demo"))?),
        false => None,
    };
    let data = temp_dir.as_ref().map_or(args.data.as_path(), TempDir::path);
    let (mut backend, published) = Backend::start(data).await?;
    let route = backend.route();
    let table = DynamoTable::new(route.dynamodb(), TABLE);
    let secrets = LocalSecrets::new(args.secrets.clone());
    let (relay, relayed) = LocalRelay::start(plan.destinations, &secrets, &table).await?;
    let store = Store::new(table);
    let latest = write_definitions(&store, &plan.file, &plan.locations).await?;

    let start = start_time(latest, args.demo);
    let clock = FastClock::starting(start, plan.speed);
    backend.announce(&clock)?;
    stop_signal.at = args.length.map(|length| Instant::now() + length);
    let watch = WatchState::new(&plan.locations, &plan.file);
    let mut screen = Screen::new(output, DisplayMode::select(args.json), watch, clock, data);
    for line in opening_lines(&plan.file, &plan.locations, plan.speed, start) {
        screen.note(&line)?;
    }
    if temp_dir.is_some() {
        let data = shell_quoted(data);
        screen.note(&format!("Data directory: {data} (other commands need --data)"))?;
    }
    if let Some(page_listener) = &plan.page_listener {
        screen.note(&format!("Status page: {}", page_listener.url()))?;
    }
    let prober = prober(&plan.file, &plan.locations, plan.page_listener.as_ref());
    let checker_parts = CheckerParts {
        store,
        prober: SharedProber(Rc::new(
            prober.map_err(failed("start the prober"))?.with_secrets(secrets),
        )),
        topic: SnsTopic::new(route.sns(), TOPIC_ARN),
        clock,
        locations: plan.locations,
        page: args.page.page_url.clone(),
    };
    let reader = page_reader(&checker_parts, &plan.file);
    let running_page = plan
        .page_listener
        .map(|listener| listener.serve(reader, checker_parts.store.clone(), clock))
        .transpose()?;
    let services = plan.demo.map(|demo| tokio::task::spawn_local(demo.run(clock)));
    let (stop, stopped) = channel::channel(false);
    let (sender, finished) = mpsc::unbounded_channel();
    let mut tasks = scheduler::start(&checker_parts, &plan.file, &sender, &stopped);
    drop((sender, checker_parts));

    let mut events = Events {
        finished,
        published,
        relayed,
        stop_signal,
    };
    events.show_until_stopped(&mut screen, &relay, &stop).await?;
    while tasks.join_next().await.is_some() {}
    if let Some(services) = services {
        services.abort();
    }
    events.show_last_deliveries(&mut screen, relay).await?;
    if let Some(running_page) = running_page {
        running_page.stop()?;
    }
    backend.withdraw();
    screen.end()
}

/// What the arguments ask for. Everything that can be refused is read before the data are touched.
struct RunPlan {
    demo: Option<Demo>,
    file: DefinitionFile,
    destinations: Config,
    speed: u32,
    locations: BTreeSet<Location>,
    page_listener: Option<PageListener>,
}

impl RunPlan {
    async fn read(args: &Args) -> Result<Self, CommandError> {
        let demo = match args.demo {
            true => Some(Demo::open().await.map_err(failed("open the demo's ports"))?),
            false => None,
        };
        let file = definitions(args, demo.as_ref())?;
        let destinations = destinations(args.relay.as_deref())?;
        let speed = args.speed.unwrap_or(if args.demo { demo::SPEED } else { 1 });
        let problems = scheduler::speed_problems(file.monitors(), speed);
        if !problems.is_empty() {
            return Err(CommandError::usage(problems.join("\n")));
        }
        Ok(Self {
            demo,
            file,
            destinations,
            speed,
            locations: args.locations.iter().cloned().collect(),
            page_listener: args.page.bind()?,
        })
    }
}

/// Makes the stored definitions equal to the file. Returns the time of the latest stored check.
async fn write_definitions(
    store: &Store<DynamoTable>,
    file: &DefinitionFile,
    locations: &BTreeSet<Location>,
) -> Result<Option<Timestamp>, CommandError> {
    let existing = sync_definitions::read_existing(store)
        .await
        .map_err(failed("read the stored state"))?;
    sync_definitions::write_changes(store, file, locations, &existing)
        .await
        .map_err(failed("write the definitions"))?;
    Ok(existing.latest)
}

/// A reader of the groups that this machine checks.
fn page_reader(checker_parts: &CheckerParts, file: &DefinitionFile) -> Reader<DynamoTable> {
    let scope = Scope {
        groups: Groups::Known(file.monitors().iter().map(|defined| defined.group).collect()),
        expected: checker_parts.locations.clone(),
    };
    Reader::new(checker_parts.store.table().clone(), scope, ReadLimit::default())
}

/// What happens while the command runs.
struct Events {
    /// Closed when the schedule has stopped.
    finished: mpsc::UnboundedReceiver<FinishedTick>,
    published: mpsc::UnboundedReceiver<Published>,
    /// Closed when the last deliveries have ended.
    relayed: mpsc::UnboundedReceiver<RelayEvent>,
    stop_signal: StopSignal,
}

impl Events {
    /// Shows and forwards events until the schedule has stopped and its last checks are shown. A signal, or a closed
    /// output, stops the schedule.
    async fn show_until_stopped(
        &mut self,
        screen: &mut Screen<'_>,
        relay: &LocalRelay,
        stop: &channel::Sender<bool>,
    ) -> Result<(), CommandError> {
        let mut refresh_timer = interval(Duration::from_secs(1));
        refresh_timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                finished = self.finished.recv() => match finished {
                    Some(finished) => screen.finished(&finished),
                    None => break,
                },
                Some(message) = self.published.recv() => {
                    relay.forward(&message);
                    screen.published(&message);
                }
                Some(relayed) = self.relayed.recv() => screen.relayed(&relayed),
                _ = refresh_timer.tick() => screen.refresh(),
                () = self.stop_signal.wait() => {
                    if stop.send_replace(true) {
                        return Err(CommandError::Interrupted);
                    }
                }
            }
            if screen.has_failed() {
                stop.send_replace(true);
            }
        }
        // Notifications of the last checks.
        while let Ok(message) = self.published.try_recv() {
            relay.forward(&message);
            screen.published(&message);
        }
        Ok(())
    }

    async fn show_last_deliveries(
        &mut self,
        screen: &mut Screen<'_>,
        relay: LocalRelay,
    ) -> Result<(), CommandError> {
        relay.shut_down();
        loop {
            tokio::select! {
                relayed = self.relayed.recv() => match relayed {
                    Some(relayed) => screen.relayed(&relayed),
                    None => return Ok(()),
                },
                () = self.stop_signal.wait() => return Err(CommandError::Interrupted),
            }
        }
    }
}

/// Creates a prober that leaves enough file descriptors for the status page, the table and the topic.
fn prober(
    file: &DefinitionFile,
    locations: &BTreeSet<Location>,
    page_listener: Option<&PageListener>,
) -> Result<Prober, portpulse_prober::Error> {
    let defaults = Settings::default();
    let groups: BTreeSet<_> = file.monitors().iter().map(|defined| defined.group).collect();
    // Each group in each location may hold a connection to the embedded services; both ends are in this process.
    let connections = 2 * groups.len() * locations.len();
    Prober::new(Settings {
        reserved: defaults.reserved + connections + page_listener.map_or(0, PageListener::descriptors),
        ..defaults
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
    let files = match demo {
        Some(demo) => {
            let text = demo.definitions().map_err(failed("open the demo's ports"))?;
            DefinitionFiles::of_text("the demo", text)
        }
        None => DefinitionFiles::read(&args.monitors)?,
    };
    Ok(files.validate(NetworkAccess::OwnNetwork)?)
}

/// Reads the destinations file, if given.
pub(crate) fn destinations(relay: Option<&Path>) -> Result<Config, CommandError> {
    let Some(path) = relay else {
        return Ok(Config::default());
    };
    let read = portpulse_monitors_file::read_as(&read_text(path)?, |written| {
        Config::validate(written, NetworkAccess::OwnNetwork)
    });
    read.map_err(|mistakes| invalid_file(path.display(), &mistakes))
}

/// The start time of the clock: never before the latest stored check.
fn start_time(latest: Option<Timestamp>, demo: bool) -> Timestamp {
    let now = Timestamp::now();
    if demo {
        // On the minute, so that the first check is on schedule.
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
        let start = clock_time(start);
        lines.push(format!(
            "The clock continues at {start}, the end of the previous run."
        ));
    }
    let is_unchecked = |monitor: &&Monitor| {
        let selected = &monitor.rule().locations;
        monitor.is_enabled() && !locations.iter().any(|location| selected.includes(location))
    };
    let unchecked = file
        .monitors()
        .iter()
        .map(|defined| &defined.monitor)
        .filter(is_unchecked);
    lines.extend(unchecked.map(|monitor| {
        let id = monitor.id();
        format!("warning: {id} is not checked from any of these locations (see --locations)")
    }));
    lines
}
