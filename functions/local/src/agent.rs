//! `portpulse agent`: checks monitors from a network of the user, as a location of a deployment in AWS.

mod clock;
mod display;
mod endpoint;
mod groups;
mod metrics;
mod progress;
mod schedule;
mod settings;

use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portpulse_alert::SnsTopic;
use portpulse_checker::{Checker, Clock as _, Standby, StandbySettings};
use portpulse_core::group_state::LocationKind;
use portpulse_core::id::Location;
use portpulse_core::time::parse_duration;
use portpulse_function::ParameterStore;
use portpulse_prober::Prober;
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;
use tokio::time::Instant;

use crate::ExitStatus;
use crate::local::scheduler::SharedProber;
use crate::local::stop_signal::StopSignal;
use crate::output::{CommandError, Output};
use crate::table_access::runtime;
use clock::AwsClock;
use display::Display;
use endpoint::{Endpoint, ListenArgs};
use groups::Groups;
use progress::Progress;
use schedule::Schedule;
use settings::{SettingArgs, Settings};

const EXAMPLES: &str = "\
Examples:
  portpulse agent --location office-berlin --table portpulse --home-region eu-west-1 \\
    --topic arn:aws:sns:eu-west-1:123456789012:portpulse-alerts
  portpulse agent --config /etc/portpulse/agent.yaml --once";

/// How often the groups are read again, for new and removed monitors.
const GROUPS_EVERY: Duration = Duration::from_secs(120);
/// The same after a failed read.
const RETRY_GROUPS_EVERY: Duration = Duration::from_secs(15);

/// Check monitors from this machine, as a location of a deployment in AWS
///
/// The location is declared with Terraform (`agents`), or with `agents:` in the definitions and `portpulse seed --locations`. It
/// checks the monitors whose `locations` name it, and votes like a region. Several agents may run for one location. Ctrl-C
/// or SIGTERM stops the agent after the checks that are running; a second signal stops it at once.
///
/// Credentials come from the environment, the AWS configuration files or the role of the machine.
///
/// Exit status: 0 stopped by a signal or by --for, 1 with --once if the location has no monitors or a check was not counted, 2
/// invalid usage or an error, 130 interrupted during shutdown.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    settings: SettingArgs,

    #[command(flatten)]
    listen: ListenArgs,

    /// Check each monitor once and exit, to test settings and permissions
    #[arg(long, conflicts_with = "length")]
    once: bool,

    /// Stop after this time, such as 1h
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    length: Option<Duration>,

    /// Print one JSON object per line: results, notifications, problems and a final summary
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let settings = Settings::read(&args.settings, |name| std::env::var(name).ok())?;
    let endpoint = args.listen.bind(settings.listen)?;
    // The handler's futures are not `Send`.
    LocalSet::new().block_on(&runtime()?, check(args, settings, endpoint, output))
}

async fn check(
    args: &Args,
    settings: Settings,
    endpoint: Option<Endpoint>,
    output: &mut Output,
) -> Result<ExitStatus, CommandError> {
    let mut stop_signal = StopSignal::new()?;
    stop_signal.at = args.length.map(|length| Instant::now() + length);
    let clock = AwsClock::default();
    let aws = portpulse_function::aws_config(settings.home_region.clone()).await;
    let dynamodb = aws_sdk_dynamodb::config::Builder::from(&aws).interceptor(clock.clone());
    let dynamodb = aws_sdk_dynamodb::Client::from_conf(dynamodb.build());
    let store = Store::new(DynamoTable::new(dynamodb, settings.table.clone()));
    let progress = Arc::new(Mutex::new(Progress::new(settings.location.clone())));
    // Secrets are in the home region, like the table.
    let secrets = ParameterStore::new(aws_sdk_ssm::Client::new(&aws));
    let prober = prober(endpoint.as_ref())?.with_secrets(secrets);
    let checker = Checker::new(
        store.clone(),
        SharedProber(Rc::new(prober)),
        SnsTopic::new(aws_sdk_sns::Client::new(&aws), settings.topic_arn.clone()),
        clock.clone(),
        settings.location.clone(),
        [settings.location.clone()].into(),
    )
    .with_page(settings.page.clone())
    .with_standby(standby(settings.standby.clone()).await);
    let mut display = Display::new(output, args.json, Arc::clone(&progress), clock.clone());
    display.started(&settings, endpoint.as_ref());
    let serving = endpoint.map(|endpoint| endpoint.serve(Arc::clone(&progress), clock.clone()));
    let serving = serving.transpose()?;

    let (ticked, mut reports) = mpsc::unbounded_channel();
    let mut schedule = Schedule::new(
        checker,
        clock.clone(),
        settings.location.clone(),
        ticked,
        args.once,
    );
    let (found, mut groups) = watch::channel(None);
    let search = search(store, settings.location, found);
    let search = tokio::task::spawn_local(search);
    let mut is_stopping = false;
    loop {
        tokio::select! {
            Some(report) = reports.recv() => {
                locked(&progress).finished(&report);
                display.finished(&report);
            }
            Ok(()) = groups.changed(), if !is_stopping => {
                let found: Option<Result<Groups, String>> = groups.borrow_and_update().clone();
                if let Some(found) = found {
                    locked(&progress).searched(&found, clock.now());
                    display.searched(&found);
                    if let Ok(found) = &found {
                        schedule.follow(found.checked.keys().copied());
                    }
                    is_stopping = args.once;
                }
            }
            () = stop_signal.wait() => {
                if schedule.stop() {
                    return Err(CommandError::Interrupted);
                }
                is_stopping = true;
            }
            () = schedule.join_next(), if !schedule.is_empty() => {}
        }
        if display.has_failed() {
            schedule.stop();
            is_stopping = true;
        }
        if is_stopping && schedule.is_empty() {
            break;
        }
    }
    while let Ok(report) = reports.try_recv() {
        locked(&progress).finished(&report);
        display.finished(&report);
    }
    search.abort();
    drop(serving);
    display.end()?;
    let all_counted = locked(&progress).all_counted();
    Ok(ExitStatus::success_if(!args.once || all_counted))
}

/// The table and the topic of the standby region.
async fn standby(settings: Option<StandbySettings>) -> Option<Standby<DynamoTable, SnsTopic>> {
    let settings = settings?;
    let aws = portpulse_function::aws_config(settings.region).await;
    let table = DynamoTable::new(aws_sdk_dynamodb::Client::new(&aws), settings.table);
    Some(Standby {
        store: Store::new(table),
        topic: SnsTopic::new(aws_sdk_sns::Client::new(&aws), settings.topic_arn),
        kind: LocationKind::Agent,
    })
}

/// Reads the groups of this location again and again, and sends each result.
async fn search(
    store: Store<DynamoTable>,
    location: Location,
    found: watch::Sender<Option<Result<Groups, String>>>,
) {
    loop {
        let groups = groups::find(&store, &location).await;
        let groups = groups.map_err(|error| portpulse_store::chain(&error));
        let pause = match groups {
            Ok(_) => GROUPS_EVERY,
            Err(_) => RETRY_GROUPS_EVERY,
        };
        if found.send(Some(groups)).is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

fn locked(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Creates a prober that leaves enough file descriptors for AWS and the loopback endpoint.
fn prober(endpoint: Option<&Endpoint>) -> Result<Prober, CommandError> {
    let defaults = portpulse_prober::Settings::default();
    let prober = Prober::new(portpulse_prober::Settings {
        reserved: defaults.reserved + endpoint.map_or(0, Endpoint::descriptors),
        ..defaults
    });
    prober.map_err(|error| CommandError::failed("start the prober", error))
}
