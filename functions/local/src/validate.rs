//! `portpulse validate`: reports every mistake in a definitions file, or summarizes a valid one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use portpulse_core::definition::{DefinitionFile, NetworkAccess};
use portpulse_core::id::MonitorId;
use portpulse_core::target::Check;
use portpulse_core::time::Interval;
use serde_json::{Value, json};

use crate::ExitStatus;
use crate::definitions::{DEFAULT_FILE, DefinitionFiles, InvalidDefinitions, LocatedMistake};
use crate::output::{CommandError, GOOD, Output, WARNING, count_of};

/// Validate a definitions file; reports every mistake with its line, field and fix
///
/// Without --lambda, the file is valid if `portpulse local` or an agent can check it.
///
/// Exit status: 0 the file is valid, 1 the file contains mistakes, 2 the file cannot be read.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The definitions: files, folders of YAML files, or `-` for standard input
    #[arg(default_value = DEFAULT_FILE)]
    files: Vec<PathBuf>,

    /// Refuse what a Lambda function outside a VPC cannot reach: port 25, IPv6 and private addresses
    #[arg(long)]
    lambda: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let definitions = DefinitionFiles::read(&args.files)?;
    let name = definitions.name();
    let file = match definitions.validate(network_access(!args.lambda)) {
        Ok(file) => file,
        Err(invalid) => return print_mistakes(&name, &invalid, args.json, output),
    };
    let by_interval = monitors_by_interval(&file).into_iter();
    match args.json {
        true => output.json(&json!({
            "valid": true,
            "monitors": file.monitors().len(),
            "insecure": insecure(&file).map(MonitorId::as_str).collect::<Vec<_>>(),
            "intervals": by_interval.map(|(interval, count)| (interval.as_str(), count)).collect::<BTreeMap<_, _>>(),
        }))?,
        false => output.lines(summary(&name, &file))?,
    }
    Ok(ExitStatus::Success)
}

/// What the checkers of a file can reach.
pub(crate) const fn network_access(own_network: bool) -> NetworkAccess {
    if own_network {
        NetworkAccess::OwnNetwork
    } else {
        NetworkAccess::PlainLambda
    }
}

/// Prints every mistake of a file.
pub(crate) fn print_mistakes(
    name: &str,
    invalid: &InvalidDefinitions,
    json: bool,
    output: &mut Output,
) -> Result<ExitStatus, CommandError> {
    if json {
        output.json(&mistakes_json(invalid))?;
    } else {
        output.lines(mistake_lines(name, invalid))?;
    }
    Ok(ExitStatus::Failure)
}

/// Each mistake of a file, and how many there are.
pub(crate) fn mistake_lines(name: &str, invalid: &InvalidDefinitions) -> Vec<String> {
    let count = count_of(invalid.0.len() as u64, "mistake");
    let lines = invalid.lines().into_iter();
    lines.chain([format!("{name}: {count}")]).collect()
}

/// The number of monitors of each interval.
fn monitors_by_interval(file: &DefinitionFile) -> BTreeMap<Interval, u64> {
    let mut intervals = BTreeMap::new();
    for defined in file.monitors() {
        *intervals.entry(defined.group.interval).or_default() += 1;
    }
    intervals
}

fn summary(name: &str, file: &DefinitionFile) -> Vec<String> {
    let mut lines = vec![format!(
        "{name}: {GOOD}valid{GOOD:#}: {}",
        count_of(file.monitors().len() as u64, "monitor")
    )];
    let intervals = monitors_by_interval(file).into_iter();
    lines.extend(
        intervals.map(|(interval, count)| format!("  every {interval}: {}", count_of(count, "monitor"))),
    );
    let insecure: Vec<_> = insecure(file).map(MonitorId::as_str).collect();
    if !insecure.is_empty() {
        lines.push(format!(
            "  {WARNING}certificate not verified{WARNING:#} (`insecure: true`): {}",
            insecure.join(", ")
        ));
    }
    lines
}

/// The monitors whose certificates are not verified.
fn insecure(file: &DefinitionFile) -> impl Iterator<Item = &MonitorId> {
    let monitors = file.monitors().iter().map(|defined| &defined.monitor);
    let ignored = monitors.filter(|monitor| match &monitor.target().check {
        Check::Ready(readiness) => readiness.is_insecure(),
        Check::Connect(_) | Check::Ping => false,
    });
    ignored.map(|monitor| monitor.id())
}

fn mistakes_json(invalid: &InvalidDefinitions) -> Value {
    let mistakes = invalid.0.iter().map(|mistake| {
        let LocatedMistake {
            file,
            line,
            diagnostic,
        } = mistake;
        json!({
            "file": file,
            "line": line,
            "field": diagnostic.at.to_string(),
            "what": diagnostic.what,
            "help": diagnostic.help.to_string(),
        })
    });
    json!({ "valid": false, "mistakes": mistakes.collect::<Vec<_>>() })
}
