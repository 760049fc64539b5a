//! Validates a ping: what has no effect on it, and the locations that can send it.

use std::collections::BTreeSet;

use super::context::NetworkAccess;
use super::diagnostic::Diagnostic;
use super::field::{Field, Values};
use super::help::Help;
use super::locations::AWS_REGIONS;
use super::reader::Reader;
use crate::choice::Expect;
use crate::id::Location;
use crate::target::Host;

/// The fields that have no effect on a ping.
const NO_EFFECT: &[Field] = &[
    Field::Port,
    Field::Service,
    Field::Close,
    Field::Tls,
    Field::Insecure,
    Field::WarnDays,
    Field::Ehlo,
    Field::Http,
    Field::Dns,
    Field::Script,
];

const REGION_CANNOT_PING: &str = "an AWS region cannot send ICMP";

impl Reader<'_> {
    /// Reduces the values to those of a ping, and adds a diagnostic for each field that was written for this monitor and has no
    /// effect. A field in `defaults:` applies only to the monitors that support it.
    pub(super) fn reduce_to_ping(&mut self, values: &mut Values) {
        for field in NO_EFFECT {
            if self.wrote_here(*field) {
                self.diagnostic(
                    *field,
                    "has no effect on a ping",
                    Help::RemoveFromPing(field.name()),
                );
            }
        }
        if self.wrote_here(Field::Expect) && values.expect.is_some_and(|expect| expect != Expect::Reachable) {
            let what = "cannot be combined with `check: ping`, which expects a reply";
            self.diagnostic(Field::Expect, what, Help::RemoveFromPing(Field::Expect.name()));
        }
        if values.host.as_ref().is_some_and(Host::is_srv) {
            let what = "is the name of SRV records, which a ping does not look up";
            self.diagnostic(Field::Host, what, "write the name or address of the host");
        }
        values.port = None;
        values.service = None;
        values.expect = Some(Expect::Reachable);
    }

    /// Adds a diagnostic for each location that is an AWS region. A machine of the user can send ICMP.
    pub(super) fn locations_can_ping(
        &mut self,
        locations: Option<&BTreeSet<Location>>,
        network_access: NetworkAccess,
    ) {
        let Some(locations) = locations else {
            if network_access == NetworkAccess::PlainLambda {
                let help = "name only agents in `locations`, or use `expect: reachable` and a port";
                self.diagnostic(
                    Field::Check,
                    format!("{REGION_CANNOT_PING}, and all regions check the monitor"),
                    help,
                );
            }
            return;
        };
        let is_region = |location: &&Location| AWS_REGIONS.contains(&location.as_str());
        let at = self.place(Field::Locations);
        for region in locations.iter().filter(is_region) {
            let what = format!("`{region}` cannot check a ping: {REGION_CANNOT_PING}");
            let help = "name only agents, or use `expect: reachable` and a port";
            self.diagnostics.push(Diagnostic::new(at.clone(), what, help));
        }
    }
}
