//! Completes the check of a host that a source pings: a ping where the checkers can send ICMP, otherwise a connect.

use portpulse_core::id::Location;
use serde_json::Value;

use crate::draft::Draft;

/// What checks the hosts that a source pings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pings<'a> {
    /// A connect from any location: AWS regions cannot send ICMP.
    #[default]
    Connect,
    /// A ping from these agents, which the definitions declare.
    FromAgents(&'a [Location]),
    /// A ping from the machine that runs `portpulse local`.
    FromLocal,
}

const CHECK: &str = "check";
const PING: &str = "ping";

impl Draft {
    /// Sets a ping of a host.
    pub(crate) fn set_ping(&mut self, host: &str) {
        self.set("host", host);
        self.set(CHECK, PING);
    }

    /// Whether the draft pings its host.
    pub(crate) fn is_ping(&self) -> bool {
        self.text(CHECK) == Some(PING)
    }

    /// Adds the locations of a ping, or replaces the ping by a connect.
    pub(crate) fn complete_ping(&mut self, pings: Pings<'_>) {
        if !self.is_ping() {
            return;
        }
        match pings {
            Pings::Connect => {
                self.fields.remove(CHECK);
                self.set("port", 443);
                self.set("expect", "reachable");
                let reason = "AWS regions cannot send ICMP: became a connect to port 443, where open and refused both \
                              count as reachable. To ping from agents, import again with --agents and their names; for \
                              `portpulse local`, with --local.";
                self.changed(PING, reason);
            }
            Pings::FromAgents(agents) => {
                let names: Vec<Value> = agents.iter().map(|agent| agent.as_str().into()).collect();
                self.set("locations", names);
            }
            Pings::FromLocal => {}
        }
    }
}
