//! The samples of events, as `events/` has them.
#![expect(
    clippy::unwrap_used,
    reason = "a test that names no sample fails by panicking"
)]

use serde_json::Value;

/// The sample in the file of this name.
pub fn sample(name: &str) -> Value {
    let path = format!("{}/../../events/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
