//! Time from the failure of a target to its published notification, by the clock: three agents on this machine, each a location,
//! against embedded DynamoDB and SNS. Each outage is one of a monitor with an address of its own, at a random time, and is over
//! when it is notified. Blips, which are shorter than the retries, must not be notified.
//!
//! `cargo bench -p portpulse-local --bench detection` takes 16 minutes, with `-- --quick` 3. Fails if a promise is broken.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a benchmark fails by panicking, and prints its results"
)]

mod agents;
mod blips;
mod found;
mod size;
mod target;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_store::Store;
use portpulse_store::dynamo::DynamoTable;
use portpulse_testkit::embedded::EmbeddedDynamo;
use portpulse_testkit::sns::SnsServer;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::agents::{Agents, LOCATIONS, Written, start};
use crate::blips::times_of_blips;
use crate::found::{Found, Outage, next};
use crate::size::{Row, Size};
use crate::target::{Failure, Target};

/// The port of all targets. Each has its own address.
const PORT: u16 = 7_007;

#[tokio::main]
async fn main() -> ExitCode {
    let size = Size::of(std::env::args().any(|arg| arg == "--quick"));
    let dynamodb = EmbeddedDynamo::start().await.unwrap();
    let (sns, mut published) = SnsServer::start().await.unwrap();
    let store = Store::new(dynamodb.table());
    let blips = Row {
        name: "blips",
        group: "1m#1",
        fields: json!({ "tier": "critical" }),
        failure: Failure::Refused,
        promise: Duration::ZERO,
    };
    let mut targets = Vec::new();
    for (number, row) in size.rows.iter().enumerate() {
        targets.push(define(&store, number, row, size.outages).await);
    }
    let blip_targets = define(&store, size.rows.len(), &blips, size.blips.0).await;

    let written = Arc::new(Mutex::new(Written::default()));
    let agents = Agents(
        LOCATIONS
            .map(|location| start(location, &dynamodb, &sns, &written))
            .into(),
    );
    // Until then, all targets are served by their backlog.
    while written.lock().unwrap().checks < LOCATIONS.len() * (size.rows.len() + 1) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let began = Instant::now();
    let mut open = BTreeMap::new();
    for (row, targets) in targets.into_iter().enumerate() {
        for (id, target) in targets {
            let begin = began + size.window.mul_f64(fastrand::f64());
            let (failed_at, failed) = oneshot::channel();
            let (notified, notification) = oneshot::channel();
            tokio::spawn(target.outage(begin, notification, failed_at));
            open.insert(
                id,
                Outage {
                    row,
                    failed,
                    notified,
                },
            );
        }
    }
    for (_, target) in blip_targets {
        tokio::spawn(target.blips(times_of_blips(size.blips.1)));
    }
    // The longest promise, and some more to see what is late.
    let longest = size.rows.iter().map(|row| row.promise).max().unwrap();
    let end = began + size.window + longest + Duration::from_secs(60);
    let mut found = Found::new(size.rows.len());
    while let Ok(Some(notifications)) = timeout_at(end, next(&mut published)).await {
        for notification in notifications {
            found.add(&notification, &mut open);
        }
        if open.is_empty() && Instant::now() > end - longest {
            break;
        }
    }
    drop(agents);
    found.blips_seen = written.lock().unwrap().seen.len();
    found.missed = open.into_keys().collect();
    found.report(&size)
}

/// Defines the monitors of a row for all locations, and opens their targets.
async fn define(
    store: &Store<DynamoTable>,
    number: usize,
    row: &Row,
    monitors: usize,
) -> Vec<(String, Target)> {
    let group: GroupId = row.group.parse().unwrap();
    let mut targets = Vec::new();
    for monitor in 0..monitors {
        let [second, third, fourth] = [10 + number, monitor / 250, monitor % 250 + 1];
        let host = [127, second, third, fourth].map(|byte| u8::try_from(byte).unwrap());
        let host = Ipv4Addr::from(host);
        let id = format!("{}-{monitor}", row.group.replace('#', "-"));
        let mut fields = json!({ "host": host.to_string(), "port": PORT, "locations": LOCATIONS });
        let fields = fields.as_object_mut().unwrap();
        fields.extend(row.fields.as_object().unwrap().clone());
        store.put_definition(group, &id, fields).await.unwrap();
        targets.push((id, Target::open((host, PORT).into(), row.failure)));
    }
    for location in LOCATIONS {
        let location: Location = location.parse().unwrap();
        store.list_agent(group, &location).await.unwrap();
    }
    targets
}
