//! `portpulse seed`: writes a file's definitions to a table, with the differences, and leaves alone what is not its own.

pub(crate) mod lists;
mod plan;
mod shown;

use std::collections::BTreeSet;
use std::path::PathBuf;

use portpulse_core::definition::{DefinitionFile, NetworkAccess};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_store::definitions::WriteResult;
use portpulse_store::table::{Delete, Table};
use portpulse_store::{Error, Store};

use crate::ExitStatus;
use crate::output::{Output, Stopped, read_text};
use crate::place::{Fresh, Kind, Opened, Which, with_table};

use lists::Lists;
pub(crate) use plan::{Definitions, Ours, Plan, Rules};

const EXAMPLES: &str = "\
Examples:
  portpulse seed infra/monitors.yaml --table portpulse --region eu-west-1 --dry-run
  portpulse seed infra/monitors.yaml --table portpulse --region eu-west-1 --prune";

/// Write a file's definitions to a table, and say what differs
///
/// What it writes carries `managed_by: seed`. Definitions without that mark are somebody else's, most likely
/// Terraform's: they are named where they differ, and left alone unless told otherwise. A monitor whose group changes is
/// put into the new one before it leaves the old one. With --locations, each group's board lists the locations that should
/// report to it, which is how checkers know whom to miss. What checks in AWS is deployed with Terraform.
///
/// Exit status: 0 done, or nothing to do; 1 with --dry-run there is something to do, or something that differs is not
/// seed's and was left; 2 mistakes in the file, wrong usage, or it could not be done.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The definitions file; `-` is standard input
    #[arg(default_value = "infra/monitors.yaml")]
    file: PathBuf,

    /// Say what differs, and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Remove what seed has written before and the file no longer has
    #[arg(long)]
    prune: bool,

    /// Write over definitions of this file that somebody else looks after, and look after them from now on
    #[arg(long)]
    take_over: bool,

    /// The locations that should report to the file's groups, by name; without it, the table's lists are left as they are
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    locations: Option<Vec<Location>>,

    /// The checkers run in a VPC, which reaches port 25, IPv6 and private addresses
    #[arg(long)]
    vpc: bool,

    /// Write one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Which,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, Stopped> {
    let text = read_text(&args.file)?;
    with_table(&args.place, Fresh::Made, async |table| {
        let file = definitions(args, &text, table.kind)?;
        let (plan, lists) = plan(args, &file, table).await?;
        let unable = |error| Stopped::unable(format!("write the definitions to {table}"), error);
        let conflicts = if args.dry_run {
            Vec::new()
        } else {
            // Nobody is to check a group before it is known who else does.
            let mut conflicts = match &lists {
                Some(lists) => lists::apply(&table.store, lists).await.map_err(unable)?,
                None => Vec::new(),
            };
            conflicts.extend(apply(&table.store, &plan).await.map_err(unable)?);
            conflicts
        };
        let lines = if args.json {
            vec![shown::json(&plan, lists.as_ref(), table, args.dry_run)?]
        } else {
            shown::lines(&plan, lists.as_ref(), args.dry_run)
        };
        for line in lines {
            output.line(line)?;
        }
        if !conflicts.is_empty() {
            let what = format!("write {}", conflicts.join(", "));
            return Err(Stopped::unable(
                what,
                "somebody else has changed them meanwhile (run it again)",
            ));
        }
        let (held_up, idle) = match &lists {
            Some(lists) => (
                plan.is_held_up() || lists.is_held_up(),
                plan.is_idle() && lists.is_idle(),
            ),
            None => (plan.is_held_up(), plan.is_idle()),
        };
        let undone = held_up || (args.dry_run && !idle);
        Ok(if undone { ExitStatus::Bad } else { ExitStatus::Good })
    })
}

/// Everything that is wrong with the file is wrong usage.
fn definitions(args: &Args, text: &str, kind: Kind) -> Result<DefinitionFile, Stopped> {
    let network_access = match kind {
        Kind::Aws if !args.vpc => NetworkAccess::PlainLambda,
        Kind::Aws | Kind::Running | Kind::Resting => NetworkAccess::OwnNetwork,
    };
    portpulse_monitors_file::read(text, network_access).map_err(|mistakes| {
        let name = args.file.display();
        let lines = mistakes
            .iter()
            .map(|mistake| format!("{name}:{}: {}", mistake.line, mistake.diagnostic));
        let complaint = lines.collect::<Vec<_>>().join("\n");
        Stopped::Usage { complaint }
    })
}

async fn plan(args: &Args, file: &DefinitionFile, table: &Opened) -> Result<(Plan, Option<Lists>), Stopped> {
    let unable = |error| Stopped::unable(format!("read the definitions of {table}"), error);
    let there = table.store.all_standing_definitions(&file.shards()).await;
    let there = there.map_err(unable)?;
    let ours = match table.kind {
        // Nobody else looks after a table on this machine.
        Kind::Running | Kind::Resting => Ours::Everything,
        Kind::Aws if args.take_over => Ours::Named,
        Kind::Aws => Ours::Marked,
    };
    let prune = args.prune;
    let rules = Rules { ours, prune };
    let lists = match &args.locations {
        Some(locations) => {
            let groups: BTreeSet<GroupId> = file.monitors().iter().map(|defined| defined.group).collect();
            let all: BTreeSet<GroupId> = groups.iter().chain(there.keys()).copied().collect();
            let standing = lists::standing(&table.store, all).await.map_err(unable)?;
            let wanted = locations.iter().cloned().collect();
            Some(Lists::between(&groups, &wanted, &standing, rules))
        }
        None => None,
    };
    Ok((Plan::between(file, &there, rules), lists))
}

/// Carries out a plan; the ids of what somebody else has changed since it was made, which stay as they are.
pub(crate) async fn apply<T: Table + Delete>(store: &Store<T>, plan: &Plan) -> Result<Vec<String>, Error> {
    let mut conflicts = Vec::new();
    for put in &plan.puts {
        let tended = store
            .write_definition(put.group, &put.id, &put.attributes, put.may)
            .await?;
        if tended == WriteResult::NotOurs {
            conflicts.push(put.id.clone());
        }
    }
    for deletion in &plan.deletions {
        // What did not arrive in its new group stays in the old one.
        if conflicts.contains(&deletion.id) {
            continue;
        }
        let tended = store
            .delete_definition(deletion.group, &deletion.id, deletion.may)
            .await?;
        if tended == WriteResult::NotOurs {
            conflicts.push(deletion.id.clone());
        }
    }
    Ok(conflicts)
}
