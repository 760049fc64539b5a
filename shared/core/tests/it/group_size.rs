//! A file whose ids hash so unevenly that one group exceeds its maximum.

use portpulse_core::definition::{DefinitionFile, NetworkAccess};
use portpulse_core::group::{MAX_MONITORS_PER_GROUP, shard_of};
use serde_json::{Map, json};

#[test]
fn group_above_maximum_is_rejected() {
    let monitor = json!({ "host": "192.0.2.1", "port": 7, "interval": "1m" });
    // All monitors are in the first of two shards.
    let ids = (0..).map(|number| format!("m{number}"));
    let ids = ids.filter(|id| shard_of(&id.parse().unwrap(), 2) == 0);
    let file = |count| {
        let monitors: Map<_, _> = ids.clone().take(count).map(|id| (id, monitor.clone())).collect();
        DefinitionFile::validate(&json!({ "monitors": monitors }), NetworkAccess::OwnNetwork)
    };
    assert!(file(MAX_MONITORS_PER_GROUP).is_ok());
    let diagnostics = file(MAX_MONITORS_PER_GROUP + 1).unwrap_err();
    let diagnostics: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        diagnostics,
        [
            "monitors: the group 1m#0 has 501 monitors, and the maximum is 500 (change the interval of some monitors that \
          are checked every 1m)"
        ]
    );
}
