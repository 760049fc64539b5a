//! The agents, each a location, and what they write.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use portpulse_testkit::embedded::{EmbeddedDynamo, TABLE};
use portpulse_testkit::sns::{SnsServer, TOPIC_ARN};
use serde_json::Value;

use crate::blips::is_of_blips;

pub(crate) const LOCATIONS: [&str; 3] = ["a", "b", "c"];

/// The running agents; killed on drop.
pub(crate) struct Agents(pub(crate) Vec<Child>);

impl Drop for Agents {
    fn drop(&mut self) {
        for agent in &mut self.0 {
            drop(agent.kill());
            drop(agent.wait());
        }
    }
}

/// What the agents have written.
#[derive(Default)]
pub(crate) struct Written {
    /// The checks of all groups and locations.
    pub(crate) checks: usize,
    /// The blips that a check saw, by monitor and time.
    pub(crate) seen: BTreeSet<(String, String)>,
}

/// Starts the agent of a location, and reads what it writes.
pub(crate) fn start(
    location: &'static str,
    dynamodb: &EmbeddedDynamo,
    sns: &SnsServer,
    written: &Arc<Mutex<Written>>,
) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_portpulse"))
        .args(["agent", "--json", "--location", location, "--listen", "off"])
        .args([
            "--table",
            TABLE,
            "--home-region",
            "eu-west-1",
            "--topic",
            TOPIC_ARN,
        ])
        .env("AWS_ENDPOINT_URL", dynamodb.endpoint_url())
        .env("AWS_ENDPOINT_URL_SNS", sns.endpoint_url())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env_remove("AWS_PROFILE")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let written = Arc::clone(written);
    std::thread::spawn(move || {
        for line in lines.map(Result::unwrap) {
            let event: Value = serde_json::from_str(&line).unwrap();
            match event["type"].as_str() {
                Some("check") => written.lock().unwrap().add(&event),
                Some("problem" | "warning") => eprintln!("{location}: {line}"),
                _ => {}
            }
        }
    });
    child
}

impl Written {
    fn add(&mut self, check: &Value) {
        self.checks += 1;
        let results = check["results"].as_object().unwrap().iter();
        let retried = results.filter(|(id, result)| is_of_blips(id) && !result["retries"].is_null());
        let seen = retried.map(|(id, _)| (id.clone(), check["time"].to_string()));
        self.seen.extend(seen);
    }
}
