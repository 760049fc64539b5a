//! `portpulse check`: one check now of each target, with the checker's own prober and no database.

mod options;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use portpulse_core::assess::{Assessment, assess};
use portpulse_core::choice::Expect;
use portpulse_core::definition::{Monitor, NetworkAccess};
use portpulse_core::id::MonitorId;
use portpulse_core::observation::milliseconds;
use portpulse_core::outcome::{Outcome, Phases};
use portpulse_core::target::{Service, Target};
use portpulse_core::time::parse_duration;
use portpulse_prober::{Prober, Settings};
use serde::Serialize;
use tokio::time::Instant;

use self::options::Options;
use crate::ExitStatus;
use crate::output::{GOOD, INVALID, Output, Stopped, UNSURE, read_text, rounded_ms};
use crate::table::{self, Cell};
use crate::targets::{RequestedChecks, Typed};

/// Check ports now, each once, without a database
///
/// Exit status: 0 all as expected, 1 some not, or we could not tell, 2 wrong usage.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to check; the port may be left out with --service, an IPv6 address stands in brackets
    ///
    /// With --monitors, the ids of those to check; all that are enabled if none is named.
    #[arg(value_name = "HOST:PORT")]
    targets: Vec<String>,

    /// Check the monitors of this definitions file as they are defined there, scripts and all
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["file", "service", "timeout", "Options"]
    )]
    monitors: Option<PathBuf>,

    /// Also check the targets of this file, one a line, `#` begins a comment; `-` is standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// The time for all phases of one check, such as 500ms or 5s [default: the service's, or 5s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    timeout: Option<Duration>,

    /// What the targets are: sets the usual port, and asks in the service's own protocol whether it works
    #[arg(long, value_parser = words(Service::ALL, Service::as_str))]
    service: Option<Service>,

    /// What is good: an open port, a closed one, or any answer of the host
    #[arg(long, default_value = "open", value_parser = words(Expect::ALL, Expect::as_str))]
    expect: Expect,

    #[command(flatten)]
    options: Options,

    /// Write one JSON object a line
    #[arg(long)]
    json: bool,
}

/// One check to be made, and what is to be said of it.
struct Asked {
    /// The monitor's id, where it is one of a file.
    id: Option<MonitorId>,
    target: Target,
    expect: Expect,
}

/// Reads one of the words of a choice, and lists them in the help.
fn words<T>(all: &'static [T], as_str: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + std::str::FromStr<Err: std::error::Error + Send + Sync> + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.iter().map(move |one| as_str(*one))).try_map(|word| word.parse::<T>())
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, Stopped> {
    let asked = match &args.monitors {
        Some(path) => read_monitors(path, &args.targets)?,
        None => read_targets(args)?,
    };
    let targets: Vec<_> = asked.iter().map(|asked| asked.target.clone()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stopped::unable("start", error))?;
    let settings = Settings::default();
    let retry_policy = retry_policy(&targets, &settings);
    let prober = Prober::new(settings).map_err(|error| Stopped::unable("check anything", error))?;
    let outcomes = runtime.block_on(async { prober.probe(&targets, Instant::now() + retry_policy).await });

    let assessed: Vec<_> = asked
        .iter()
        .zip(&outcomes)
        .map(|(asked, outcome)| (asked, outcome, assess(asked.expect, outcome)))
        .collect();
    let lines = if args.json {
        let lines = assessed
            .iter()
            .map(|(asked, outcome, found)| json_line(asked, outcome, *found));
        lines.collect::<Result<Vec<_>, _>>()?
    } else {
        let rows = assessed
            .iter()
            .map(|(asked, outcome, found)| row(asked, outcome, *found));
        table::lines(&rows.collect::<Vec<_>>())
    };
    for line in lines {
        output.line(line)?;
    }
    let all_good = assessed.iter().all(|(_, _, found)| *found == Assessment::Good);
    Ok(if all_good {
        ExitStatus::Good
    } else {
        ExitStatus::Bad
    })
}

/// All targets, or a complaint that names everything that is wrong with them.
fn read_targets(args: &Args) -> Result<Vec<Asked>, Stopped> {
    let requested_checks = RequestedChecks {
        options: args.options.fields(),
        service: args.service,
        expect: args.expect,
        timeout: args.timeout,
    };
    let mut typed: Vec<_> = args
        .targets
        .iter()
        .map(|text| Typed {
            text: text.clone(),
            place: None,
        })
        .collect();
    if let Some(path) = &args.file {
        typed.extend(Typed::from_lines(path, &read_text(path)?));
    }
    let (mut targets, mut wrong) = (Vec::new(), Vec::new());
    for typed in &typed {
        match typed.target(&requested_checks) {
            Ok(target) => targets.push(Asked {
                id: None,
                target,
                expect: args.expect,
            }),
            Err(complaints) => wrong.extend(complaints),
        }
    }
    if typed.is_empty() {
        wrong.push("there is nothing to check (name HOST:PORT, or a --file that has some)".to_owned());
    }
    if wrong.is_empty() {
        Ok(targets)
    } else {
        let complaint = wrong.join("\n");
        Err(Stopped::Usage { complaint })
    }
}

/// The monitors of a definitions file: those that are named, or all that are enabled.
fn read_monitors(path: &Path, ids: &[String]) -> Result<Vec<Asked>, Stopped> {
    let name = path.display();
    let usage = |lines: Vec<String>| Stopped::Usage {
        complaint: lines.join("\n"),
    };
    let file =
        portpulse_monitors_file::read(&read_text(path)?, NetworkAccess::OwnNetwork).map_err(|mistakes| {
            let lines = mistakes
                .iter()
                .map(|mistake| format!("{name}:{}: {}", mistake.line, mistake.diagnostic));
            usage(lines.collect())
        })?;
    let defined = file.monitors();
    let is_known = |id: &&String| defined.iter().any(|one| one.monitor.id().as_str() == id.as_str());
    let foreign: Vec<_> = ids
        .iter()
        .filter(|id| !is_known(id))
        .map(|id| format!("{}: is no monitor of {name}", id.escape_debug()))
        .collect();
    if !foreign.is_empty() {
        return Err(usage(foreign));
    }
    let is_wanted = |monitor: &&Monitor| match ids {
        [] => monitor.is_enabled(),
        ids => ids.iter().any(|id| id == monitor.id().as_str()),
    };
    let monitors = defined.iter().map(|one| &one.monitor).filter(is_wanted);
    let asked: Vec<_> = monitors
        .map(|monitor| Asked {
            id: Some(monitor.id().clone()),
            target: monitor.target().clone(),
            expect: monitor.rule().expect,
        })
        .collect();
    if asked.is_empty() {
        return Err(usage(vec![format!("{name}: no monitor is enabled (name one)")]));
    }
    Ok(asked)
}

/// How long all targets may take together, were every one of them silent.
fn retry_policy(targets: &[Target], settings: &Settings) -> Duration {
    let count = u32::try_from(targets.len()).unwrap_or(u32::MAX);
    let batches = count / u32::try_from(settings.pace.starts).unwrap_or(u32::MAX).max(1);
    // A machine that allows few open files checks few at once: allow for a quarter of what was asked.
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

fn row(asked: &Asked, outcome: &Outcome, found: Assessment) -> Vec<Cell> {
    let style = match found {
        Assessment::Good => GOOD,
        Assessment::Failing => INVALID,
        Assessment::NoData => UNSURE,
    };
    let word = match outcome {
        Outcome::Open(_) => "open",
        Outcome::Failed(failure) => failure.class.code(),
        Outcome::NoData(_) => "could not tell",
    };
    let phases = phases(outcome);
    let connect = phases.connect.map(|time| format!("{} ms", milliseconds(time)));
    let target = match &asked.id {
        Some(id) => format!("{id} ({})", asked.target),
        None => asked.target.to_string(),
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

/// What else there is to say, in a few words.
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

/// A check as one JSON object, in the order of the documentation.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    monitor: Option<&'a str>,
    target: String,
    outcome: &'static str,
    /// `null` where we could not tell.
    as_expected: Option<bool>,
    phases: Times,
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

/// Milliseconds by phase; a phase that did not happen is absent.
#[derive(Serialize)]
struct Times {
    #[serde(skip_serializing_if = "Option::is_none")]
    dns_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ready_ms: Option<f64>,
}

fn json_line(asked: &Asked, outcome: &Outcome, found: Assessment) -> Result<String, Stopped> {
    let phases = phases(outcome);
    let mut line = Line {
        monitor: asked.id.as_ref().map(MonitorId::as_str),
        target: asked.target.to_string(),
        outcome: "open",
        as_expected: match found {
            Assessment::Good => Some(true),
            Assessment::Failing => Some(false),
            Assessment::NoData => None,
        },
        phases: Times {
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
    serde_json::to_string(&line).map_err(|error| Stopped::unable("write JSON", error))
}
