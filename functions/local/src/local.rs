//! `portpulse local`: the checker's own handler, store and alerts on one machine, with an embedded DynamoDB.

mod alert;
mod clock;
mod demo;
mod lines;
mod page;
mod relay;
mod scheduler;
mod scratch;
mod screen;
mod seed;
mod server;
pub(crate) mod stand_ins;
mod watch;

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
use portpulse_history::{Ceiling, Groups, Reader, Scope};
use portpulse_local_aws::dynamodb::TABLE;
use portpulse_local_aws::sns::TOPIC_ARN;
use portpulse_monitors_file::Mistake;
use portpulse_prober::{Prober, Settings};
use portpulse_relay::{Config, ThisMachine};
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch as channel};
use tokio::task::LocalSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::ExitStatus;
use crate::output::{Output, Stopped, counted, read_text};
use crate::place::FOLDER;
use alert::{Alert, shell_word};
use clock::FastClock;
use demo::Demo;
use page::{PageArgs, Place};
use relay::Relaying;
use scheduler::{Parts, SharedProber};
use scratch::Scratch;
use screen::{Mode, Screen};
use stand_ins::StandIns;
use watch::Watch;

/// Watch ports from this machine: the checker, its store and its alerts, with nothing else installed
///
/// Ctrl-C ends it cleanly and loses nothing: the next start goes on where this one ended.
///
/// Exit status: 0 ended as asked, 2 wrong usage, or it could not start.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The definitions file
    #[arg(long, value_name = "FILE", default_value = "infra/monitors.yaml")]
    monitors: PathBuf,

    /// Where the data are kept from one start to the next
    #[arg(long, value_name = "DIR", default_value = FOLDER)]
    data: PathBuf,

    /// The locations to check from, by any names; each is a checker of its own
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "local")]
    locations: Vec<Location>,

    /// Tell the destinations in this file too: Slack, PagerDuty, any webhook and the others, each once
    ///
    /// `destinations:` and under it one by name, as `infra/README.md` has it; its secrets are named by `env:NAME` or
    /// `file:/path`, or stand in the folder of --secrets.
    #[arg(long, value_name = "FILE")]
    relay: Option<PathBuf>,

    /// The folder that stands in for AWS's keepers of secrets: `ssm:/ops/chat` is read from its `ssm/ops/chat`,
    /// `secretsmanager:pager` from its `secretsmanager/pager`
    #[arg(long, value_name = "DIR", requires = "relay")]
    secrets: Option<PathBuf>,

    #[command(flatten)]
    page: PageArgs,

    /// How many times faster minutes pass; timeouts do not [default: 1, with --demo 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=600))]
    speed: Option<u32>,

    /// Write one JSON object a line: ticks, notifications, and at the end a summary
    #[arg(long)]
    json: bool,

    /// Watch services of the demo's own, on loopback: healthy, refused, silent, slow, and one that dies and returns
    #[arg(long, conflicts_with_all = ["monitors", "data"])]
    demo: bool,

    /// End by itself after this time, such as 30s
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    length: Option<Duration>,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, Stopped> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stopped::unable("start", error))?;
    // The handler's futures stay on one thread.
    LocalSet::new().block_on(&runtime, watch_ports(args, output))?;
    Ok(ExitStatus::Good)
}

async fn watch_ports(args: &Args, output: &mut Output) -> Result<(), Stopped> {
    let demo = match args.demo {
        true => Some(Demo::open().await.map_err(unable("open the demo's ports"))?),
        false => None,
    };
    let file = definitions(args, demo.as_ref())?;
    let destinations = destinations(args.relay.as_deref())?;
    let secrets = ThisMachine::new(args.secrets.clone());
    let speed = args.speed.unwrap_or(if args.demo { demo::SPEED } else { 1 });
    let complaints = scheduler::too_fast(file.monitors(), speed);
    if !complaints.is_empty() {
        let complaint = complaints.join("\n");
        return Err(Stopped::Usage { complaint });
    }
    let locations: BTreeSet<Location> = args.locations.iter().cloned().collect();
    let place = args.page.take()?;
    let mut ending = Ending::new()?;
    let mut screen = Screen::new(output, Mode::suited(args.json));

    let scratch = match args.demo {
        true => Some(Scratch::make().map_err(unable("make a folder for the demo's data"))?),
        false => None,
    };
    let data = scratch.as_ref().map_or(args.data.as_path(), Scratch::path);
    let (mut stand_ins, mut published) = StandIns::start(data).await?;
    let route = stand_ins.route();
    let table = DynamoTable::new(route.dynamodb(), TABLE);
    let (relaying, mut relayed) = Relaying::start(destinations, &secrets, &table).await?;
    let store = Store::new(table);
    let found = seed::look(&store).await.map_err(unable("read what is kept"))?;
    let latest = found.latest;
    seed::seed(&store, &file, &locations, &found)
        .await
        .map_err(unable("write the definitions"))?;

    let start = start_time(latest, args.demo);
    let clock = FastClock::starting(start, speed);
    stand_ins.announce(&clock)?;
    ending.at = args.length.map(|length| Instant::now() + length);
    for line in greeting(&file, &locations, speed, start) {
        screen.note(&line)?;
    }
    if scratch.is_some() {
        screen.note(&format!("Commands find it by --data {}.", shell_word(data)))?;
    }
    if let Some(place) = &place {
        screen.note(&format!("Status page: {}", place.url()))?;
    }
    let scope = Scope {
        groups: Groups::Known(file.monitors().iter().map(|defined| defined.group).collect()),
        expected: locations.clone(),
    };
    let reader = Reader::new(store.table().clone(), scope, Ceiling::default());
    let prober = prober(&file, &locations, place.as_ref()).map_err(unable("check anything"))?;
    let serving = place.map(|place| place.serve(reader, clock)).transpose()?;
    let parts = Parts {
        store,
        prober: SharedProber(Rc::new(prober)),
        topic: SnsTopic::new(route.sns(), TOPIC_ARN),
        clock,
        locations: locations.clone(),
    };
    let services = demo.map(|demo| tokio::task::spawn_local(demo.run(clock)));

    let (stop, stopped) = channel::channel(false);
    let (sender, mut ticked) = mpsc::unbounded_channel();
    let mut tasks = scheduler::start(&parts, &file, &sender, &stopped);
    drop((sender, parts));
    let mut watch = Watch::new(&locations, &file);
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shown = Ok(());
    // The schedule ends its ticks when told to stop; until then what they bring is shown.
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
                relaying.notify(&message);
                let alert = Alert::of(&message, data);
                watch.alerted(&alert);
                screen.alert(&watch, &alert, clock.now())
            }
            Some(relayed) = relayed.recv() => {
                watch.relayed(&relayed);
                screen.relayed(&watch, &relayed, clock.now())
            }
            _ = second.tick() => screen.refresh(&watch, clock.now()),
            () = ending.wait() => {
                if stop.send_replace(true) {
                    return Err(Stopped::Interrupted);
                }
                Ok(())
            }
        };
        if event.is_err() && shown.is_ok() {
            // Whoever watched has left: end as if told to.
            shown = event;
            stop.send_replace(true);
        }
    }
    while tasks.join_next().await.is_some() {}
    if let Some(services) = services {
        services.abort();
    }
    // The last ticks have published what they had.
    while let Ok(message) = published.try_recv() {
        relaying.notify(&message);
        let alert = Alert::of(&message, data);
        watch.alerted(&alert);
        shown = shown.and_then(|()| screen.alert(&watch, &alert, clock.now()));
    }
    relaying.end();
    loop {
        tokio::select! {
            next = relayed.recv() => match next {
                Some(relayed) => {
                    watch.relayed(&relayed);
                    shown = shown.and_then(|()| screen.relayed(&watch, &relayed, clock.now()));
                }
                None => break,
            },
            () = ending.wait() => return Err(Stopped::Interrupted),
        }
    }
    if let Some(serving) = serving {
        serving.stop()?;
    }
    stand_ins.withdraw();
    shown?;
    screen.summary(&watch)
}

/// A prober that leaves to the page, the table and the alerts the descriptors that they need.
fn prober(
    file: &DefinitionFile,
    locations: &BTreeSet<Location>,
    place: Option<&Place>,
) -> Result<Prober, portpulse_prober::Error> {
    let usual = Settings::default();
    let groups: BTreeSet<_> = file.monitors().iter().map(|defined| defined.group).collect();
    // Each group in each location may hold a connection to the stand-ins, whose other end is in this process too.
    let connections = 2 * groups.len() * locations.len();
    Prober::new(Settings {
        reserved: usual.reserved + connections + place.map_or(0, Place::descriptors),
        ..usual
    })
}

fn unable<E>(what: &'static str) -> impl FnOnce(E) -> Stopped
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |error| Stopped::unable(what, error)
}

/// The definitions of the demo, or of the file; what is wrong with them is wrong usage.
fn definitions(args: &Args, demo: Option<&Demo>) -> Result<DefinitionFile, Stopped> {
    let (name, text) = match demo {
        Some(demo) => (
            "the demo".to_owned(),
            demo.definitions().map_err(unable("open the demo's ports"))?,
        ),
        None => (args.monitors.display().to_string(), read_text(&args.monitors)?),
    };
    portpulse_monitors_file::read(&text, NetworkAccess::OwnNetwork)
        .map_err(|mistakes| complaint(&name, &mistakes))
}

/// The destinations that are told, if there is a file of them.
pub(crate) fn destinations(relay: Option<&Path>) -> Result<Config, Stopped> {
    let Some(path) = relay else {
        return Ok(Config::default());
    };
    let read = portpulse_monitors_file::read_as(&read_text(path)?, |written| {
        Config::validate(written, NetworkAccess::OwnNetwork)
    });
    read.map_err(|mistakes| complaint(&path.display().to_string(), &mistakes))
}

fn complaint(name: &str, mistakes: &[Mistake]) -> Stopped {
    let lines: Vec<_> = mistakes
        .iter()
        .map(|mistake| format!("{name}:{}: {}", mistake.line, mistake.diagnostic))
        .collect();
    let complaint = lines.join("\n");
    Stopped::Usage { complaint }
}

/// The time at which to go on: never before what was counted already.
fn start_time(latest: Option<Timestamp>, demo: bool) -> Timestamp {
    let now = Timestamp::now();
    if demo {
        // On the minute, so that the first tick is as punctual as the others.
        return Timestamp::from_second(now.as_second().div_euclid(60) * 60).unwrap_or(now);
    }
    latest.map_or(now, |latest| latest.max(now))
}

fn greeting(
    file: &DefinitionFile,
    locations: &BTreeSet<Location>,
    speed: u32,
    start: Timestamp,
) -> Vec<String> {
    let names: Vec<_> = locations.iter().map(Location::as_str).collect();
    let mut lines = vec![format!(
        "Watching {} from {}{}. Ctrl-C ends it.",
        counted(file.monitors().len() as u64, "monitor"),
        names.join(", "),
        if speed == 1 {
            String::new()
        } else {
            format!(", minutes passing {speed} times faster")
        },
    )];
    if start > Timestamp::now() {
        lines.push(format!("Time goes on at {start}, where the last start ended."));
    }
    for defined in file.monitors() {
        let monitor = &defined.monitor;
        if monitor.is_enabled()
            && !locations
                .iter()
                .any(|location| monitor.rule().locations.includes(location))
        {
            lines.push(format!(
                "{} is checked from none of these locations (see --locations).",
                monitor.id()
            ));
        }
    }
    lines
}

/// What ends the watch: Ctrl-C, a polite kill, or the time that was given.
struct Ending {
    interrupted: tokio::signal::unix::Signal,
    terminated: tokio::signal::unix::Signal,
    at: Option<Instant>,
}

impl Ending {
    /// Signals are caught from now on.
    fn new() -> Result<Self, Stopped> {
        Ok(Self {
            interrupted: signal(SignalKind::interrupt()).map_err(unable("listen for Ctrl-C"))?,
            terminated: signal(SignalKind::terminate()).map_err(unable("listen for signals"))?,
            at: None,
        })
    }

    /// Resolves at each signal, and once when the time is up.
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
