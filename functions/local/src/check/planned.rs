//! The checks to run: targets from the arguments and a file, or monitors of a definitions file.

use std::path::PathBuf;

use portpulse_core::choice::Expect;
use portpulse_core::definition::{Monitor, NetworkAccess, near_misses};
use portpulse_core::id::MonitorId;
use portpulse_core::target::{Check, Target};

use super::args::Args;
use crate::definitions::DefinitionFiles;
use crate::output::{CommandError, read_text, with_help};
use crate::target_args::{CheckSettings, TargetArg};

/// One check to run.
pub(super) struct PlannedCheck {
    /// The id of the monitor, with --monitors.
    pub(super) id: Option<MonitorId>,
    pub(super) target: Target,
    pub(super) expect: Expect,
}

impl PlannedCheck {
    /// The target as in the output: `db.example.com:5432`, or `orders-db (db.example.com:5432)`.
    pub(super) fn name(&self) -> String {
        match &self.id {
            Some(id) => format!("{id} ({})", self.target),
            None => self.target.to_string(),
        }
    }
}

/// The checks that the arguments select; the error lists every problem.
pub(super) fn read(args: &Args) -> Result<Vec<PlannedCheck>, CommandError> {
    match args.monitors.as_slice() {
        [] => read_targets(args),
        paths => read_monitors(paths, &args.targets),
    }
}

fn read_targets(args: &Args) -> Result<Vec<PlannedCheck>, CommandError> {
    let check_settings = CheckSettings {
        exchange: args.exchange_options.fields(),
        service: args.service,
        expect: args.expect,
        timeout: args.timeout,
    };
    let typed = args.targets.iter().map(|text| TargetArg::new(text));
    let mut typed: Vec<_> = typed.collect();
    if let Some(path) = &args.file {
        typed.extend(TargetArg::from_lines(path, &read_text(path)?));
    }
    let (mut planned, mut wrong) = (Vec::new(), Vec::new());
    for typed in &typed {
        match typed.target(&check_settings) {
            Ok(target) => planned.push(PlannedCheck {
                id: None,
                expect: match target.check {
                    Check::Ping => Expect::Reachable,
                    Check::Connect(_) | Check::Ready(_) => args.expect,
                },
                target,
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
    match wrong.is_empty() {
        true => Ok(planned),
        false => Err(CommandError::usage(wrong.join("\n"))),
    }
}

/// The monitors of a definitions file with these ids, or all enabled monitors.
fn read_monitors(paths: &[PathBuf], ids: &[String]) -> Result<Vec<PlannedCheck>, CommandError> {
    let definitions = DefinitionFiles::read(paths)?;
    let name = definitions.name();
    let file = definitions.validate(NetworkAccess::OwnNetwork)?;
    let monitors: Vec<&Monitor> = file.monitors().iter().map(|defined| &defined.monitor).collect();
    let known = || monitors.iter().map(|monitor| monitor.id().as_str());
    let unknown = ids.iter().filter(|id| !known().any(|known| known == *id));
    let unknown = unknown.map(|id| {
        let message = format!("monitor `{}` is not defined in {name}", id.escape_debug());
        match near_misses(id, known()).as_slice() {
            [] => message,
            near => with_help(message, format_args!("similar ids: {}", near.join(", "))),
        }
    });
    let unknown: Vec<_> = unknown.collect();
    if !unknown.is_empty() {
        return Err(CommandError::usage(unknown.join("\n")));
    }
    let is_selected = |monitor: &&&Monitor| match ids {
        [] => monitor.is_enabled(),
        ids => ids.iter().any(|id| id == monitor.id().as_str()),
    };
    let planned = monitors.iter().filter(is_selected).map(|monitor| PlannedCheck {
        id: Some(monitor.id().clone()),
        target: monitor.target().clone(),
        expect: monitor.rule().expect,
    });
    let planned: Vec<_> = planned.collect();
    if planned.is_empty() {
        let message = format_args!("{name}: no monitor is enabled");
        return Err(CommandError::usage_with_help(
            message,
            "name the monitors to check",
        ));
    }
    Ok(planned)
}
