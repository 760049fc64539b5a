//! A file whose ids fall so unevenly that one group would hold more monitors than its rows can.

use portpulse_core::definition::{DefinitionFile, NetworkAccess};
use portpulse_core::group::{MAX_MONITORS_PER_GROUP, shard_of};
use serde_json::{Map, json};

#[test]
fn more_monitors_than_a_group_holds_are_a_fault_that_names_the_group() {
    let monitor = json!({ "host": "192.0.2.1", "port": 7, "interval": "1m" });
    // All of them in the first of two shards.
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
            "monitors: puts 501 monitors into the group 1m#0, which holds 500 (give some of those checked every 1m another \
          interval)"
        ]
    );
}
