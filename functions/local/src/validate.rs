//! `portpulse validate`: reports every mistake in a definitions file, or summarizes a valid one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use portpulse_core::definition::{DefinitionFile, NetworkAccess};
use portpulse_monitors_file::Mistake;
use serde_json::json;

use crate::ExitStatus;
use crate::output::{CommandError, GOOD, Output, count_of, mistake_lines, read_text};

/// Validate a definitions file; reports every mistake with its line, field and fix
///
/// Exit status: 0 the file is valid, 1 the file contains mistakes, 2 the file cannot be read.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The definitions file; `-` is standard input
    #[arg(default_value = "infra/monitors.yaml")]
    file: PathBuf,

    /// Assume that the checkers run in a VPC, with access to port 25, IPv6 and private addresses
    #[arg(long)]
    vpc: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let text = read_text(&args.file)?;
    let network_access = if args.vpc {
        NetworkAccess::OwnNetwork
    } else {
        NetworkAccess::PlainLambda
    };
    let name = args.file.display().to_string();
    let lines = match portpulse_monitors_file::read(&text, network_access) {
        Ok(file) if args.json => vec![valid_json(&file)],
        Ok(file) => summary(&name, &file),
        Err(mistakes) => return print_mistakes(&name, &mistakes, args.json, output),
    };
    for line in lines {
        output.line(line)?;
    }
    Ok(ExitStatus::Success)
}

/// Prints every mistake of a file.
pub(crate) fn print_mistakes(
    name: &str,
    mistakes: &[Mistake],
    json: bool,
    output: &mut Output,
) -> Result<ExitStatus, CommandError> {
    let lines = if json {
        vec![mistakes_json(name, mistakes)]
    } else {
        let mut lines = mistake_lines(name, mistakes);
        lines.push(format!("{name}: {}", count_of(mistakes.len() as u64, "mistake")));
        lines
    };
    for line in lines {
        output.line(line)?;
    }
    Ok(ExitStatus::Failure)
}

/// The number of monitors in each group, by group id.
fn groups(file: &DefinitionFile) -> BTreeMap<String, usize> {
    let mut groups = BTreeMap::new();
    for defined in file.monitors() {
        *groups.entry(defined.group.to_string()).or_insert(0) += 1;
    }
    groups
}

fn summary(name: &str, file: &DefinitionFile) -> Vec<String> {
    let (monitors, groups) = (file.monitors().len(), groups(file).len());
    let (monitors, groups) = (
        count_of(monitors as u64, "monitor"),
        count_of(groups as u64, "group"),
    );
    let mut lines = vec![format!("{name}: {GOOD}valid{GOOD:#}: {monitors} in {groups}")];
    for (interval, shards) in file.shards() {
        let every = file
            .monitors()
            .iter()
            .filter(|defined| defined.group.interval == interval);
        let shards = count_of(shards, "shard");
        lines.push(format!(
            "  every {interval}: {} in {shards}",
            count_of(every.count() as u64, "monitor")
        ));
    }
    lines
}

fn valid_json(file: &DefinitionFile) -> String {
    let shards: BTreeMap<_, _> = file
        .shards()
        .into_iter()
        .map(|(interval, shards)| (interval.as_str(), shards))
        .collect();
    json!({
        "valid": true,
        "monitors": file.monitors().len(),
        "groups": groups(file),
        "shards": shards,
    })
    .to_string()
}

fn mistakes_json(name: &str, mistakes: &[Mistake]) -> String {
    let mistakes: Vec<_> = mistakes
        .iter()
        .map(|Mistake { line, diagnostic }| {
            json!({
                "file": name,
                "line": line,
                "field": diagnostic.at.to_string(),
                "what": diagnostic.what,
                "help": diagnostic.help,
            })
        })
        .collect();
    json!({ "valid": false, "mistakes": mistakes }).to_string()
}
