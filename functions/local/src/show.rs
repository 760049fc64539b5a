//! `portpulse show`: prints the effective values of a monitor of a definitions file, and where each comes from.

use std::path::PathBuf;

use portpulse_core::definition::{DefinitionFile, Effective, Field, Origin, near_misses};
use serde_json::{Map, Value, json};

use crate::ExitStatus;
use crate::definitions::{DEFAULT_FILE, DefinitionFiles};
use crate::output::{CommandError, DIM, Output};
use crate::text_table::{self, Cell};

const EXAMPLES: &str = "\
Examples:
  portpulse show orders-db
  portpulse show orders-db monitors.d --json";

/// Show the effective values of a monitor in a definitions file, and where each comes from
///
/// Exit status: 0 shown, 2 invalid usage (such as an unknown monitor), mistakes in the monitor, or an error.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The id of the monitor
    id: String,

    /// The definitions: files, folders of YAML files, or `-` for standard input
    #[arg(default_value = DEFAULT_FILE)]
    files: Vec<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<ExitStatus, CommandError> {
    let definitions = DefinitionFiles::read(&args.files)?;
    let mut ids = Vec::new();
    let found = definitions.validate_as(|file| {
        let found = DefinitionFile::effective(file, &args.id)?;
        if found.is_none() {
            ids = DefinitionFile::ids(file);
        }
        Ok(found)
    })?;
    let Some(values) = found else {
        let message = format!(
            "monitor `{}` is not defined in {}",
            args.id.escape_debug(),
            definitions.name()
        );
        let near = near_misses(&args.id, ids.iter().map(String::as_str));
        return Err(match near.as_slice() {
            [] => CommandError::usage(message),
            near => CommandError::usage_with_help(message, format_args!("similar ids: {}", near.join(", "))),
        });
    };
    if args.json {
        output.json(&as_json(&args.id, &values))?;
    } else {
        let rows = values.iter().map(|effective| {
            vec![
                Cell::new(effective.field.name()),
                Cell::new(&effective.text),
                Cell::new(origin_text(effective)).styled(DIM),
            ]
        });
        output.lines(text_table::titled(&["FIELD", "VALUE", "FROM"], rows.collect()))?;
    }
    Ok(ExitStatus::Success)
}

fn as_json(id: &str, values: &[Effective]) -> Value {
    let fields: Map<_, _> = values
        .iter()
        .map(|effective| {
            let value = effective.value.clone().unwrap_or_else(|| json!(effective.text));
            let fields = json!({ "value": value, "shown": effective.text, "from": origin_text(effective) });
            (effective.field.name().to_owned(), fields)
        })
        .collect();
    json!({ "id": id, "fields": fields })
}

/// `monitor`, `defaults`, `tier critical`, `service postgres`, or what the program implies.
fn origin_text(effective: &Effective) -> String {
    match (effective.origin, effective.field) {
        (Some(Origin::Monitor), _) => "monitor".to_owned(),
        (Some(Origin::Both), _) => "monitor and defaults".to_owned(),
        (Some(Origin::Defaults), _) => "defaults".to_owned(),
        (Some(Origin::Tier(tier)), _) => format!("tier {tier}"),
        (Some(Origin::Service(service)), _) => format!("service {service}"),
        (Some(Origin::BuiltIn), _) => "built-in default".to_owned(),
        (None, Field::Tls) => "implied by the service and the port".to_owned(),
        (None, Field::Maintenance) => "maintenance".to_owned(),
        (None, _) => "built-in default".to_owned(),
    }
}
