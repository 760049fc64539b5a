//! The tables of fields in the documentation.

use portpulse_core::choice::Tier;
use portpulse_core::definition::{Field, FieldDeclaration, Place, Shape, Subfield, Topic, window_fields};
use portpulse_core::preset;
use portpulse_core::service::Service;
use serde_json::Value;

/// The fields of a topic as a table in Markdown.
pub fn fields(topic: Topic) -> String {
    let mut table = "| field | meaning | values | default |\n|---|---|---|---|\n".to_owned();
    let all = Field::of_monitors().filter(|field| field.declaration().topic == topic);
    for field in all {
        let FieldDeclaration {
            about,
            shape,
            examples,
            place,
            ..
        } = field.declaration();
        let only = match place {
            Place::Everywhere => "",
            Place::Monitor | Place::Expansion(_) | Place::Item => " (not in `defaults`)",
        };
        table.push_str(&format!(
            "| `{}` | {about}{only} | {} | {} |\n",
            field.name(),
            if field == Field::Service {
                "a service in [`presets.json`](presets.json), such as `postgres` or `https`".to_owned()
            } else {
                values(shape, examples.first().copied().unwrap_or_default())
            },
            default(field),
        ));
    }
    table
}

/// The fields of a maintenance window as a table in Markdown.
pub fn windows() -> String {
    subfields(window_fields())
}

/// The fields of `http` as a table in Markdown.
pub fn http() -> String {
    if let Shape::Map(fields) = Field::Http.declaration().shape {
        subfields(fields)
    } else {
        String::new()
    }
}

/// The fields of a map as a table in Markdown.
fn subfields(fields: &[Subfield]) -> String {
    let mut table = "| field | meaning | values |\n|---|---|---|\n".to_owned();
    for Subfield {
        name,
        about,
        shape,
        example,
    } in fields
    {
        table.push_str(&format!("| `{name}` | {about} | {} |\n", values(shape, example)));
    }
    table
}

fn values(shape: &Shape, example: &str) -> String {
    let code = |text: &str| format!("`{text}`");
    match shape {
        Shape::Text(text) if text.wanted.contains(" such as ") => text.wanted.to_owned(),
        Shape::Text(text) => format!("{}, such as {}", text.wanted, code(example)),
        Shape::Choice(words) => words().into_iter().map(code).collect::<Vec<_>>().join(" "),
        Shape::Duration { .. } | Shape::Number { .. } => {
            let bounds = shape.bounds().unwrap_or_default();
            let bounds = bounds.strip_prefix("from ").unwrap_or(&bounds);
            bounds.strip_prefix("of ").unwrap_or(bounds).to_owned()
        }
        Shape::Percent => "above 0 and below 100, with at most 3 decimals".to_owned(),
        Shape::Bool => "`true` `false`".to_owned(),
        Shape::List { max, .. } => format!("a list of at most {max}, such as {}", code(example)),
        Shape::Map(fields) => {
            let names: Vec<_> = fields.iter().map(|field| field.name).collect();
            format!("`{{ {} }}`", names.join(", "))
        }
        Shape::OneField(_) | Shape::ById(_) | Shape::ByName { .. } => code(example),
        Shape::Scalar | Shape::Secret => shape.wanted(example),
        Shape::Either { wanted, .. } => (*wanted).to_owned(),
    }
}

/// What applies if a monitor does not set the field: the presets that set it, then the built-in default.
fn default(field: Field) -> String {
    let name = field.name();
    let by_tier = Tier::ALL
        .iter()
        .any(|tier| preset::tier(*tier).contains_key(name));
    let by_service = Service::ALL
        .iter()
        .any(|service| preset::service(*service).contains_key(name));
    let built_in = match preset::default().get(name) {
        Some(Value::String(text)) => format!("`{text}`"),
        Some(value) => format!("`{value}`"),
        None => field.declaration().absent.to_owned(),
    };
    match (by_tier, by_service) {
        (true, true) => format!("the tier's, the service's, or {built_in}"),
        (true, false) => format!("the tier's, or {built_in}"),
        (false, true) => format!("the service's, or {built_in}"),
        (false, false) => built_in,
    }
}
