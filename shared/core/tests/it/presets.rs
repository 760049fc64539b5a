//! The presets that Terraform reads.

use portpulse_core::choice::Tier;
use portpulse_core::preset::{Fields, default, service, tier};
use portpulse_core::service::Service;
use serde_json::json;

/// One line for each row, as Terraform reads it.
fn presets_json() -> String {
    let row = |fields: &Fields| {
        let fields = fields.iter().map(|(name, value)| format!("\"{name}\": {value}"));
        format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
    };
    let tiers = Tier::ALL.iter();
    let tiers = tiers.map(|&one| format!("    \"{one}\": {}", row(tier(one))));
    let services = Service::ALL.iter().map(|&one| {
        let mut fields = service(one).clone();
        fields.insert("title".to_owned(), json!(one.title()));
        if one.can_upgrade() {
            fields.insert("starttls".to_owned(), json!(true));
        }
        format!("    \"{one}\": {}", row(&fields))
    });
    format!(
        "{{\n  \"default\": {},\n  \"tiers\": {{\n{}\n  }},\n  \"services\": {{\n{}\n  }}\n}}\n",
        row(default()),
        tiers.collect::<Vec<_>>().join(",\n"),
        services.collect::<Vec<_>>().join(",\n"),
    )
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test compares the core with a file")]
fn terraform_reads_the_same_presets() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/presets.json");
    if std::env::var_os("PORTPULSE_BLESS").is_some() {
        std::fs::write(path, presets_json()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        committed,
        presets_json(),
        "set PORTPULSE_BLESS=1 to write the file"
    );
}
