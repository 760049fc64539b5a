//! `portpulse check`: checks each target once, with the prober of the checker and without a database.

mod exchange_options;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use portpulse_core::assess::{Assessment, assess};
use portpulse_core::choice::Expect;
use portpulse_core::definition::{Monitor, NetworkAccess};
use portpulse_core::id::MonitorId;
use portpulse_core::observation::milliseconds;
use portpulse_core::outcome::{Outcome, Phases};
use portpulse_core::service::Service;
use portpulse_core::target::Target;
use portpulse_core::time::parse_duration;
use portpulse_prober::{Prober, Settings};
use serde::Serialize;
use tokio::time::Instant;

use self::exchange_options::ExchangeOptions;
use crate::ExitStatus;
use crate::output::{
    BAD, CommandError, GOOD, Output, WARNING, mistake_lines, read_text, rounded_ms, with_help,
};
use crate::target_args::{CheckSettings, TargetArg};
use crate::text_table::{self, Cell};

/// Check ports once, now, without a table
///
/// Exit status: 0 every result is as expected, 1 at least one result is not as expected or has no data, 2 invalid usage or
/// an error.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The targets; the port is optional with --service, and an IPv6 address requires brackets
    ///
    /// With --monitors: the ids of the monitors to check [default: all enabled monitors].
    #[arg(value_name = "HOST:PORT")]
    targets: Vec<String>,

    /// Check the monitors of this definitions file with all their settings
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["file", "service", "timeout", "ExchangeOptions"]
    )]
    monitors: Option<PathBuf>,

    /// Read more targets from this file, one per line, with `#` comments; `-` is standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// The timeout of one check, all phases included, such as 500ms or 5s [default: the service's, or 5s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    timeout: Option<Duration>,

    /// The service of the targets: sets the default port and runs the readiness check of its protocol
    #[arg(long, value_parser = choice_parser(Service::ALL, Service::as_str))]
    service: Option<Service>,

    /// The expected result: an open port, a closed port, or any response of the host
    #[arg(long, default_value = "open", value_parser = choice_parser(Expect::ALL, Expect::as_str))]
    expect: Expect,

    #[command(flatten)]
    exchange_options: ExchangeOptions,

    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// One check to run.
struct PlannedCheck {
    /// The id of the monitor, with --monitors.
    id: Option<MonitorId>,
    target: Target,
    expect: Expect,
}

/// Parses one of a fixed set of values, and lists them in the help text.
fn choice_parser<T>(all: &'static [T], as_str: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + std::str::FromStr<Err: std::error::Error + Send + Sync> + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.iter().map(move |one| as_str(*one))).try_map(|word| word.parse::<T>())
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let planned = match &args.monitors {
        Some(path) => read_monitors(path, &args.targets)?,
        None => read_targets(args)?,
    };
    let targets: Vec<_> = planned.iter().map(|planned| planned.target.clone()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::failed("start the runtime", error))?;
    let settings = Settings::default();
    let time_limit = time_limit(&targets, &settings);
    let prober = Prober::new(settings).map_err(|error| CommandError::failed("start the prober", error))?;
    let outcomes = runtime.block_on(async { prober.probe(&targets, Instant::now() + time_limit).await });

    let assessed: Vec<_> = planned
        .iter()
        .zip(&outcomes)
        .map(|(planned, outcome)| (planned, outcome, assess(planned.expect, outcome)))
        .collect();
    let lines = if args.json {
        let lines = assessed
            .iter()
            .map(|(planned, outcome, assessment)| json_line(planned, outcome, *assessment));
        lines.collect::<Result<Vec<_>, _>>()?
    } else {
        let rows = assessed
            .iter()
            .map(|(planned, outcome, assessment)| row(planned, outcome, *assessment));
        text_table::lines(&rows.collect::<Vec<_>>())
    };
    for line in lines {
        output.line(line)?;
    }
    let all_good = assessed
        .iter()
        .all(|(_, _, assessment)| *assessment == Assessment::Good);
    Ok(if all_good {
        ExitStatus::Success
    } else {
        ExitStatus::Failure
    })
}

/// Parses all targets; the error lists every problem.
fn read_targets(args: &Args) -> Result<Vec<PlannedCheck>, CommandError> {
    let check_settings = CheckSettings {
        exchange: args.exchange_options.fields(),
        service: args.service,
        expect: args.expect,
        timeout: args.timeout,
    };
    let mut typed: Vec<_> = args
        .targets
        .iter()
        .map(|text| TargetArg {
            text: text.clone(),
            source: None,
        })
        .collect();
    if let Some(path) = &args.file {
        typed.extend(TargetArg::from_lines(path, &read_text(path)?));
    }
    let (mut targets, mut wrong) = (Vec::new(), Vec::new());
    for typed in &typed {
        match typed.target(&check_settings) {
            Ok(target) => targets.push(PlannedCheck {
                id: None,
                target,
                expect: args.expect,
            }),
            Err(messages) => wrong.extend(messages),
        }
    }
    if typed.is_empty() {
        wrong.push(with_help(
            "no target given",
            "add HOST:PORT, --file or --monitors",
        ));
    }
    if wrong.is_empty() {
        Ok(targets)
    } else {
        let message = wrong.join("\n");
        Err(CommandError::Usage { message })
    }
}

/// The monitors of a definitions file with these ids, or all enabled monitors.
fn read_monitors(path: &Path, ids: &[String]) -> Result<Vec<PlannedCheck>, CommandError> {
    let name = path.display();
    let usage = |lines: Vec<String>| CommandError::Usage {
        message: lines.join("\n"),
    };
    let file = portpulse_monitors_file::read(&read_text(path)?, NetworkAccess::OwnNetwork)
        .map_err(|mistakes| usage(mistake_lines(path.display(), &mistakes)))?;
    let defined = file.monitors();
    let is_known = |id: &&String| defined.iter().any(|one| one.monitor.id().as_str() == id.as_str());
    let unknown: Vec<_> = ids
        .iter()
        .filter(|id| !is_known(id))
        .map(|id| format!("monitor `{}` is not defined in {name}", id.escape_debug()))
        .collect();
    if !unknown.is_empty() {
        return Err(usage(unknown));
    }
    let is_selected = |monitor: &&Monitor| match ids {
        [] => monitor.is_enabled(),
        ids => ids.iter().any(|id| id == monitor.id().as_str()),
    };
    let monitors = defined.iter().map(|one| &one.monitor).filter(is_selected);
    let planned: Vec<_> = monitors
        .map(|monitor| PlannedCheck {
            id: Some(monitor.id().clone()),
            target: monitor.target().clone(),
            expect: monitor.rule().expect,
        })
        .collect();
    if planned.is_empty() {
        return Err(usage(vec![with_help(
            format_args!("{name}: no monitor is enabled"),
            "name the monitors to check",
        )]));
    }
    Ok(planned)
}

/// The maximum time of all checks together, if every target times out.
fn time_limit(targets: &[Target], settings: &Settings) -> Duration {
    let count = u32::try_from(targets.len()).unwrap_or(u32::MAX);
    let batches = count / u32::try_from(settings.pace.starts).unwrap_or(u32::MAX).max(1);
    // A low limit of open files reduces concurrency: assume a quarter of the configured sockets.
    let at_once = u32::try_from(settings.sockets / 4).unwrap_or(u32::MAX).max(1);
    let slowest = targets
        .iter()
        .map(|target| target.timeout)
        .max()
        .unwrap_or_default();
    let lookups = settings.lookup_timeout.saturating_mul(1 + count / 32);
    settings
        .pace
        .every
        .saturating_mul(batches)
        .saturating_add(slowest.saturating_mul(1 + count / at_once))
        .saturating_add(lookups)
}

fn row(planned: &PlannedCheck, outcome: &Outcome, assessment: Assessment) -> Vec<Cell> {
    let style = match assessment {
        Assessment::Good => GOOD,
        Assessment::Failing => BAD,
        Assessment::NoData => WARNING,
    };
    let word = match outcome {
        Outcome::Open(_) => "open",
        Outcome::Failed(failure) => failure.class.code(),
        Outcome::NoData(_) => "no data",
    };
    let phases = phases(outcome);
    let connect = phases.connect.map(|time| format!("{} ms", milliseconds(time)));
    let target = match &planned.id {
        Some(id) => format!("{id} ({})", planned.target),
        None => planned.target.to_string(),
    };
    vec![
        Cell::new(target),
        Cell::new(word).styled(style),
        Cell::new(connect.unwrap_or_default()).right(),
        Cell::new(remarks(outcome)),
    ]
}

fn phases(outcome: &Outcome) -> Phases {
    match outcome {
        Outcome::Open(opened) => opened.phases,
        Outcome::Failed(failure) => failure.phases,
        Outcome::NoData(_) => Phases::default(),
    }
}

/// The last column: phase times, warnings, the banner or the details of a failure.
fn remarks(outcome: &Outcome) -> String {
    let mut remarks = Vec::new();
    let mut phase = |name: &str, time: Option<Duration>| {
        remarks.extend(time.map(|time| format!("{name} {} ms", milliseconds(time))));
    };
    let phases = phases(outcome);
    phase("dns", phases.dns);
    phase("tls", phases.tls);
    phase("ready", phases.ready);
    match outcome {
        Outcome::Open(opened) => {
            let warning = opened.warning.iter().map(|warning| format!("warning: {warning}"));
            remarks.extend(warning.chain(opened.banner.iter().map(ToString::to_string)));
        }
        Outcome::Failed(failure) => remarks.extend(failure.detail.iter().map(ToString::to_string)),
        Outcome::NoData(reason) => remarks.push(reason.code().to_owned()),
    }
    remarks.join(", ")
}

/// A check as one JSON object.
#[derive(Serialize)]
struct CheckJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    monitor: Option<&'a str>,
    target: String,
    outcome: &'static str,
    /// `null` without data.
    as_expected: Option<bool>,
    phases: PhaseTimes,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trust: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    banner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// Milliseconds by phase; phases that were not reached are absent.
#[derive(Serialize)]
struct PhaseTimes {
    #[serde(skip_serializing_if = "Option::is_none")]
    dns_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ready_ms: Option<f64>,
}

fn json_line(
    planned: &PlannedCheck,
    outcome: &Outcome,
    assessment: Assessment,
) -> Result<String, CommandError> {
    let phases = phases(outcome);
    let mut line = CheckJson {
        monitor: planned.id.as_ref().map(MonitorId::as_str),
        target: planned.target.to_string(),
        outcome: "open",
        as_expected: match assessment {
            Assessment::Good => Some(true),
            Assessment::Failing => Some(false),
            Assessment::NoData => None,
        },
        phases: PhaseTimes {
            dns_ms: phases.dns.map(rounded_ms),
            connect_ms: phases.connect.map(rounded_ms),
            tls_ms: phases.tls.map(rounded_ms),
            ready_ms: phases.ready.map(rounded_ms),
        },
        phase: None,
        address: None,
        trust: None,
        warning: None,
        banner: None,
        detail: None,
    };
    match outcome {
        Outcome::Open(opened) => {
            line.address = Some(opened.address.to_string());
            line.trust = Some(opened.trust.as_str());
            line.warning = opened.warning.as_ref().map(ToString::to_string);
            line.banner = opened.banner.as_ref().map(|detail| detail.as_str());
        }
        Outcome::Failed(failure) => {
            line.outcome = failure.class.code();
            line.phase = Some(failure.phase.as_str());
            line.address = failure.address.map(|address| address.to_string());
            line.detail = failure.detail.as_ref().map(|detail| detail.as_str());
        }
        Outcome::NoData(reason) => line.outcome = reason.code(),
    }
    serde_json::to_string(&line).map_err(|error| CommandError::failed("write JSON", error))
}
