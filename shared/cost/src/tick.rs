//! What one tick asks of DynamoDB when all is well, by the sizes of the items that it reads and writes.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use portpulse_core::definition::{Defined, Monitor};
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::observation::{Observation, Remark, Seen};
use portpulse_core::other_phases::OtherPhases;
use portpulse_core::readiness::{Protocol, Tls};
use portpulse_core::round::Observations;
use portpulse_core::target::{Check, Host};
use portpulse_core::time::Tick;
use portpulse_store::layout::{self, Weight};
use portpulse_store::size;
use portpulse_store::table::Read;

/// A connect time with as many digits as there are below a second.
pub(crate) const CONNECT: Duration = Duration::from_micros(123_450);
/// A name that the resolver has in its cache.
const DNS: Duration = Duration::from_micros(1_200);
/// Two round trips.
const TLS: Duration = Duration::from_millis(247);
/// One round trip.
const READY: Duration = Duration::from_millis(124);
/// A time like those that are written.
pub(crate) const SOME_TIME: Timestamp = Timestamp::constant(1_795_305_660, 0);

/// What one tick of one group costs in one region: two queries, and two puts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TickCost {
    /// DynamoDB's write units.
    pub write_units: f64,
    /// DynamoDB's read units.
    pub read_units: f64,
    /// What it reads, in bytes on the network.
    pub read_bytes: usize,
    /// What it writes, in bytes on the network.
    pub written_bytes: usize,
    /// What its results occupy in the table until they expire, in bytes.
    pub kept_bytes: usize,
}

impl TickCost {
    /// The requests of a tick.
    pub const REQUESTS: u32 = 4;

    /// A tick of the `group` of these `definitions`, checked from `location`, one of the `expected`.
    pub fn of(
        group: GroupId,
        definitions: &[&Defined],
        location: &Location,
        expected: &BTreeSet<Location>,
    ) -> Self {
        let tick = Tick::containing(SOME_TIME, group.interval);
        let open = |monitor: &Monitor| Observation {
            seen: Seen::Open {
                connect: CONNECT,
                others: other_phases(monitor),
                remark: Remark::None,
            },
            detail: None,
        };
        let seen: Observations = checked(definitions, location)
            .map(|monitor| (monitor.id().clone(), open(monitor)))
            .collect();
        let results = layout::results(group, tick, location, &seen);
        let row = layout::nominal_location_state(group, tick, location);

        let definitions = total(definitions.iter().map(|defined| layout::definition(defined)));
        let rows = expected
            .iter()
            .map(|location| layout::nominal_location_state(group, tick, location));
        let listed = expected
            .iter()
            .map(|location| layout::expectation(group, location));
        let group_state = total(rows.chain(listed).chain([layout::nominal_decision_state(group)]));
        Self {
            write_units: whole(size::write_units(results.stored) + size::write_units(row.stored)),
            read_units: size::read_units(definitions.stored, Read::Eventual)
                + size::read_units(group_state.stored, Read::Strong),
            read_bytes: definitions.sent + group_state.sent,
            written_bytes: results.sent + row.sent,
            kept_bytes: results.stored,
        }
    }
}

/// The monitors that a region checks.
pub(crate) fn checked<'a>(
    definitions: &'a [&Defined],
    location: &'a Location,
) -> impl Iterator<Item = &'a Monitor> {
    let monitors = definitions.iter().map(|defined| &defined.monitor);
    monitors.filter(|monitor| monitor.is_enabled() && monitor.rule().locations.includes(location))
}

/// The phases of a good check beside its connect.
pub(crate) fn other_phases(monitor: &Monitor) -> OtherPhases<Option<Duration>> {
    let target = monitor.target();
    let (tls, ready) = match &target.check {
        Check::Connect(_) => (None, None),
        // Its answer stands for the connect.
        Check::Ready(readiness) if readiness.protocol().is_over_udp() => (None, None),
        Check::Ready(readiness) => (
            (readiness.tls() != Tls::Off).then_some(TLS),
            (*readiness.protocol() != Protocol::TlsAlone).then_some(READY),
        ),
    };
    let dns = match target.host {
        Host::Name(_) => Some(DNS),
        Host::Address(_) => None,
    };
    OtherPhases { dns, tls, ready }
}

fn total(weights: impl Iterator<Item = Weight>) -> Weight {
    weights.fold(Weight { stored: 0, sent: 0 }, |sum, each| Weight {
        stored: sum.stored + each.stored,
        sent: sum.sent + each.sent,
    })
}

/// A count as a quantity.
pub(crate) fn whole(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
