//! Sample events of the folder `events/`.
#![expect(clippy::unwrap_used, reason = "a missing sample fails the test")]

use serde_json::Value;

/// The sample in the file `name`.
pub fn sample(name: &str) -> Value {
    let path = format!("{}/../../events/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
