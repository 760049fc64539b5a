//! The schema and the core agree on the parts of a file.

use serde_json::{Value, json};

use crate::{accepted_by_core, accepted_by_schema};

#[test]
fn schema_and_core_agree_on_whole_file() {
    let with = |part: &str, value: Value| {
        let mut file = json!({ "monitors": { "a": { "host": "a.example.com", "port": 1, "tags": ["x"] } } });
        file[part] = value;
        file
    };
    let once = || json!({ "from": "2026-11-22T02:00:00Z", "until": "2026-11-22T04:00:00Z" });
    for good in [
        with("defaults", json!({ "tier": "critical", "tags": ["x"] })),
        with("defaults", json!(null)),
        with("agents", json!(["office-berlin"])),
        with("x-base", json!({ "anything": [1] })),
        json!({ "defaults": { "port": 1 }, "monitors": { "a": { "host": "a" } } }),
        json!({ "monitors": { "a": { "hosts": ["a", "b"], "ports": [1, 2] } } }),
        with("maintenance", json!([once()])),
        with(
            "maintenance",
            json!([{ "every": "sun 02:00", "for": "2h", "zone": "Europe/Berlin", "tags": ["x"], "why": "w" }]),
        ),
        with(
            "maintenance",
            json!([{ "every": "daily 02:00", "for": "2h", "monitors": ["a"] }]),
        ),
    ] {
        assert!(accepted_by_core(&good), "the core refuses {good}");
        assert!(accepted_by_schema(&good), "the schema refuses {good}");
    }
    for bad in [
        json!({}),
        json!([]),
        json!({ "monitors": {} }),
        json!({ "monitors": [] }),
        json!({ "monitors": { "No": { "host": "a", "port": 1 } } }),
        json!({ "monitors": { "a": { "host": "a", "port": 1, "hots": "b" } } }),
        json!({ "monitors": { "a": 7 } }),
        with("colour", json!("red")),
        with("agents", json!("office")),
        with("agents", json!(["Office"])),
        json!({ "monitors": { "a": { "host": "a" } } }),
        json!({ "monitors": { "a": { "port": 1 } } }),
        json!({ "monitors": { "a": { "host": "a", "port": 1, "ports": [2] } } }),
        json!({ "monitors": { "a": { "host": "a", "hosts": ["b"], "port": 1 } } }),
        with(
            "maintenance",
            json!([{ "from": "soon", "until": "2026-11-22T04:00:00Z" }]),
        ),
        with(
            "maintenance",
            json!([{ "from": "2026-11-22T02Z", "until": "2026-11-22T04:00:00Z" }]),
        ),
        with("maintenance", json!([{ "every": "sunday 02:00", "for": "2h" }])),
        with("maintenance", json!([{ "every": "sun 24:00", "for": "2h" }])),
        with("maintenance", json!([{ "every": "sun 02:00", "for": "8d" }])),
        with(
            "maintenance",
            json!([{ "every": "sun 02:00", "for": "2h", "until": "2026-11-22T04:00:00Z" }]),
        ),
        with("defaults", json!({ "host": "a" })),
        with("defaults", json!([])),
        with("maintenance", json!({})),
        with("maintenance", json!([{ "from": "2026-11-22T02:00:00Z" }])),
        with(
            "maintenance",
            json!([{ "every": "sun 02:00", "for": "2h", "when": "now" }]),
        ),
        with("maintenance", json!([{ "every": "sun 02:00", "for": 2 }])),
        with(
            "maintenance",
            json!([{ "every": "sun 02:00", "for": "2h", "monitors": [] }]),
        ),
    ] {
        assert!(!accepted_by_core(&bad), "the core accepts {bad}");
        assert!(!accepted_by_schema(&bad), "the schema accepts {bad}");
    }
}
