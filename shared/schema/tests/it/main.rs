//! Compares the schema, the core and the documentation.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod documentation;
mod fields;
mod fixtures;
mod whole_file;

use portpulse_core::definition::{DefinitionFile, NetworkAccess};
use serde_json::Value;

#[test]
fn committed_schema_is_current() {
    check_golden(
        "../../infra/monitors.schema.json",
        &format!("{:#}\n", portpulse_schema::definitions()),
    );
}

fn accepted_by_schema(file: &Value) -> bool {
    use std::sync::LazyLock;
    static SCHEMA: LazyLock<jsonschema::Validator> =
        LazyLock::new(|| jsonschema::draft7::new(&portpulse_schema::definitions()).unwrap());
    SCHEMA.is_valid(file)
}

fn accepted_by_core(file: &Value) -> bool {
    DefinitionFile::validate(file, NetworkAccess::OwnNetwork).is_ok()
}

/// Compares a golden file with `found`; `PORTPULSE_BLESS=1` in the environment writes the file.
fn check_golden(path: &str, found: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("PORTPULSE_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == found,
        "run the test with PORTPULSE_BLESS=1 to write {}",
        path.display()
    );
}
