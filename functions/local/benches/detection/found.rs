//! What was found: the times from failures to notifications, what was missed, and what must not be notified.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use portpulse_testkit::sns::{Published, Texts};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::blips::is_of_blips;
use crate::size::Size;

/// An outage that is not notified yet.
pub(crate) struct Outage {
    pub(crate) row: usize,
    pub(crate) failed: oneshot::Receiver<Instant>,
    pub(crate) notified: oneshot::Sender<()>,
}

/// What was found.
pub(crate) struct Found {
    /// The times of each row.
    times: Vec<Vec<Duration>>,
    /// The monitors whose outage was not notified.
    pub(crate) missed: Vec<String>,
    /// Notifications of blips, of several monitors, and others that must not be.
    unexpected: Vec<String>,
    /// Failures that fewer locations than the quorum saw first, because they began amid their checks.
    advisories: usize,
    pub(crate) blips_seen: usize,
}

impl Found {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            times: vec![Vec::new(); rows],
            missed: Vec::new(),
            unexpected: Vec::new(),
            advisories: 0,
            blips_seen: 0,
        }
    }

    /// Adds a notification. An outage that it notifies is over, and no longer open.
    pub(crate) fn add(&mut self, notification: &Value, open: &mut BTreeMap<String, Outage>) {
        let text = |field: &str| notification[field].as_str().unwrap_or_default();
        let is_alone = notification["monitor_count"] == 1;
        let id = text("monitor");
        match text("kind") {
            "down" if is_alone && open.contains_key(id) => {
                if let Some(mut outage) = open.remove(id) {
                    self.times[outage.row].push(outage.failed.try_recv().unwrap().elapsed());
                    outage.notified.send(()).unwrap();
                }
            }
            "recovered" if !open.contains_key(id) && !is_of_blips(id) => {}
            "advisory" | "advisory_over" if !is_of_blips(id) => self.advisories += 1,
            _ => self.unexpected.push(text("id").to_owned()),
        }
    }

    pub(crate) fn report(mut self, size: &Size) -> ExitCode {
        println!("| monitors | outages | median | 99th percentile | maximum | promised |");
        println!("|---|---|---|---|---|---|");
        let mut is_kept = self.missed.is_empty() && self.unexpected.is_empty();
        for (row, times) in size.rows.iter().zip(&mut self.times) {
            times.sort();
            let at = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1];
            is_kept &= at(99) <= row.promise;
            println!(
                "| {} | {} | {:.1?} | {:.1?} | {:.1?} | {:?} |",
                row.name,
                times.len(),
                at(50),
                at(99),
                at(100),
                row.promise
            );
        }
        let (monitors, minutes) = size.blips;
        let blips = monitors * usize::try_from(minutes).unwrap();
        println!(
            "{blips} blips of 0.1 to 3.9 s of a `critical` monitor, {} seen by a check",
            self.blips_seen
        );
        println!(
            "{} advisories, unexpected: {:?}, missed: {:?}",
            self.advisories, self.unexpected, self.missed
        );
        // Blips that no check sees prove nothing. A check is made some time after its tick, and the shortest blips are over then.
        if is_kept && self.blips_seen * 10 >= blips * 8 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// The notifications in the next published message.
pub(crate) async fn next(published: &mut mpsc::UnboundedReceiver<Published>) -> Option<Vec<Value>> {
    let Texts::ByProtocol(texts) = published.recv().await?.texts else {
        return Some(Vec::new());
    };
    let mut message: Value = serde_json::from_str(&texts["default"]).unwrap();
    Some(match message["notifications"].as_array_mut() {
        Some(notifications) => std::mem::take(notifications),
        None => vec![message],
    })
}
