//! `portpulse seed`: writes the definitions of a file to a table. Shows the differences, and leaves definitions of other
//! owners unchanged.

pub(crate) mod location_changes;
mod plan;
mod render;

use std::collections::BTreeSet;
use std::path::PathBuf;

use portpulse_core::definition::{DefinitionFile, NetworkAccess, unknown_location};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_store::definitions::WriteResult;
use portpulse_store::table::{Delete, Table};
use portpulse_store::{Error, Store};

use crate::ExitStatus;
use crate::definitions::{DEFAULT_FILE, DefinitionFiles};
use crate::output::{CommandError, Output, with_help};
use crate::table_access::{MissingData, OpenTable, TableArgs, TableKind, with_table};

use location_changes::LocationChanges;
pub(crate) use plan::{Definitions, Ownership, Plan, Rules};

const EXAMPLES: &str = "\
Examples:
  portpulse seed infra/monitors.yaml --table portpulse --region eu-west-1 --dry-run
  portpulse seed infra/monitors.yaml --table portpulse --region eu-west-1 --prune";

/// Write the definitions of a file to a table, and show the differences
///
/// Definitions that seed writes have the attribute `managed_by: seed`. Definitions without it belong to another owner,
/// usually Terraform: differences are shown, but nothing is changed without --take-over. With --locations, the table also
/// lists the locations that are expected to report. seed does not deploy checkers; use Terraform for that.
///
/// Exit status: 0 the table is up to date, 1 with --dry-run changes are pending, or differences of another owner remain,
/// 2 mistakes in the file, invalid usage or an error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The definitions: files, folders of YAML files, or `-` for standard input
    #[arg(default_value = DEFAULT_FILE)]
    files: Vec<PathBuf>,

    /// Show the differences without writing
    #[arg(long)]
    dry_run: bool,

    /// Delete definitions that seed wrote and the file no longer contains
    #[arg(long)]
    prune: bool,

    /// Overwrite definitions of this file that have another owner, and become their owner
    #[arg(long)]
    take_over: bool,

    /// The names of the locations that are expected to report; without it, the stored lists are not changed
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    locations: Option<Vec<Location>>,

    /// Assume that the checkers run in a VPC, with access to port 25, IPv6 and private addresses
    #[arg(long)]
    vpc: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    source: TableArgs,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let read = DefinitionFiles::read(&args.files)?;
    let missing_data = if args.dry_run {
        MissingData::Empty
    } else {
        MissingData::Create
    };
    with_table(&args.source, missing_data, async |table| {
        let file = definitions(args, &read, table.kind)?;
        let (plan, location_changes) = plan(args, &file, table).await?;
        let failed = |error| CommandError::failed(format!("write the definitions to {table}"), error);
        let mut conflicts = Vec::new();
        if !args.dry_run {
            // The expected locations are written before the definitions, so that no check runs without them.
            if let Some(location_changes) = &location_changes {
                conflicts = location_changes::apply(&table.store, location_changes)
                    .await
                    .map_err(failed)?;
            }
            conflicts.extend(apply(&table.store, &plan).await.map_err(failed)?);
        }
        let changes = location_changes.as_ref();
        match args.json {
            true => output.json(&render::json(&plan, changes, table, args.dry_run))?,
            false => output.lines(render::lines(&plan, changes, args.dry_run))?,
        }
        if !conflicts.is_empty() {
            let what = format!("write {}", conflicts.join(", "));
            let why = "another writer changed them at the same time";
            return Err(CommandError::failed(
                what,
                with_help(why, "run the command again"),
            ));
        }
        let is_blocked = plan.is_blocked() || changes.is_some_and(LocationChanges::is_blocked);
        let is_idle = plan.is_idle() && changes.is_none_or(LocationChanges::is_idle);
        Ok(ExitStatus::success_if(!is_blocked && (is_idle || !args.dry_run)))
    })
}

/// Reads the file; the error lists every mistake.
fn definitions(args: &Args, read: &DefinitionFiles, kind: TableKind) -> Result<DefinitionFile, CommandError> {
    let network_access = match kind {
        TableKind::Aws if !args.vpc => NetworkAccess::PlainLambda,
        TableKind::Aws | TableKind::LocalRunning | TableKind::LocalStopped => NetworkAccess::OwnNetwork,
    };
    let file = read.validate(network_access)?;
    let unknown = args.locations.iter().flatten().find_map(|location| {
        let (what, help) = unknown_location(location.as_str(), file.agents())?;
        Some(CommandError::usage_with_help(
            format_args!("--locations: {what}"),
            help,
        ))
    });
    match unknown {
        Some(error) if kind == TableKind::Aws => Err(error),
        // A local monitor names its locations itself.
        Some(_) | None => Ok(file),
    }
}

async fn plan(
    args: &Args,
    file: &DefinitionFile,
    table: &OpenTable,
) -> Result<(Plan, Option<LocationChanges>), CommandError> {
    let failed = |error| CommandError::failed(format!("read the definitions of {table}"), error);
    let stored = table
        .store
        .all_stored_definitions(&file.shards())
        .await
        .map_err(failed)?;
    let ours = match table.kind {
        // The local table has no other owner.
        TableKind::LocalRunning | TableKind::LocalStopped => Ownership::Everything,
        TableKind::Aws if args.take_over => Ownership::Named,
        TableKind::Aws => Ownership::Marked,
    };
    let prune = args.prune;
    let rules = Rules { ours, prune };
    let location_changes = match &args.locations {
        Some(locations) => {
            let selection = locations.iter().cloned().collect();
            let wanted = match table.kind {
                TableKind::LocalRunning | TableKind::LocalStopped => {
                    location_changes::local(file, &selection)
                }
                TableKind::Aws => location_changes::deployed(file, &selection),
            };
            let all: BTreeSet<GroupId> = wanted.keys().chain(stored.keys()).copied().collect();
            let standing = location_changes::standing(&table.store, all)
                .await
                .map_err(failed)?;
            Some(LocationChanges::between(&wanted, &standing, rules))
        }
        None => None,
    };
    Ok((Plan::between(file, &stored, rules), location_changes))
}

/// Applies a plan. Returns the ids of definitions that another writer changed meanwhile, which are left unchanged.
pub(crate) async fn apply<T: Table + Delete>(store: &Store<T>, plan: &Plan) -> Result<Vec<String>, Error> {
    let mut conflicts = Vec::new();
    for put in &plan.puts {
        let result = store
            .write_definition(put.group, &put.id, &put.attributes, put.mode)
            .await?;
        if result == WriteResult::Refused {
            conflicts.push(put.id.clone());
        }
    }
    for deletion in &plan.deletions {
        // A monitor that was not written to its new group stays in the old one.
        if conflicts.contains(&deletion.id) {
            continue;
        }
        let result = store
            .delete_definition(deletion.group, &deletion.id, deletion.mode)
            .await?;
        if result == WriteResult::Refused {
            conflicts.push(deletion.id.clone());
        }
    }
    Ok(conflicts)
}
