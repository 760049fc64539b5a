//! DynamoDB usage of a tick in normal operation, from the sizes of the items read and written.

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
use portpulse_store::item_sizes::{self, ItemSize};
use portpulse_store::size;
use portpulse_store::table::Read;

/// A connect time with the maximum number of digits below one second.
pub(crate) const SAMPLE_CONNECT: Duration = Duration::from_micros(123_450);
/// A name resolution from the resolver's cache.
const SAMPLE_DNS: Duration = Duration::from_micros(1_200);
/// A TLS handshake of two round trips.
const SAMPLE_TLS: Duration = Duration::from_millis(247);
/// A readiness exchange of one round trip.
const SAMPLE_READY: Duration = Duration::from_millis(124);
/// A sample time.
pub(crate) const SAMPLE_TIME: Timestamp = Timestamp::constant(1_795_305_660, 0);

/// The usage of one tick of one group in one location: a query of the state and two puts; and a query of the definitions,
/// which an invocation of several ticks makes once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TickCost {
    /// DynamoDB write units.
    pub write_units: f64,
    /// DynamoDB read units of the state.
    pub read_units: f64,
    /// DynamoDB read units of the definitions.
    pub definition_read_units: f64,
    /// Bytes of the state read over the network.
    pub read_bytes: usize,
    /// Bytes of the definitions read over the network.
    pub definition_bytes: usize,
    /// Bytes written over the network.
    pub written_bytes: usize,
    /// Bytes of the results in the table until they expire.
    pub stored_bytes: usize,
}

impl TickCost {
    /// The number of requests per tick.
    pub const REQUESTS: u32 = 4;
    /// Those of them that read definitions.
    pub const REQUESTS_FOR_DEFINITIONS: u32 = 1;

    /// The usage of a tick of `group` in `location`, one of the `expected` locations.
    pub fn of(
        group: GroupId,
        definitions: &[&Defined],
        location: &Location,
        expected: &BTreeSet<Location>,
    ) -> Self {
        let tick = Tick::containing(SAMPLE_TIME, group.interval);
        let open = |monitor: &Monitor| {
            Observation::from(Seen::Open {
                connect: SAMPLE_CONNECT,
                others: other_phases(monitor),
                remark: Remark::None,
            })
        };
        let seen: Observations = checked_monitors(definitions, location)
            .map(|monitor| (monitor.id().clone(), open(monitor)))
            .collect();
        let results = item_sizes::results(group, tick, location, &seen);
        let row = item_sizes::nominal_location_state(group, tick, location);

        let definitions = total(definitions.iter().map(|defined| item_sizes::definition(defined)));
        let rows = expected
            .iter()
            .map(|location| item_sizes::nominal_location_state(group, tick, location));
        let listed = expected
            .iter()
            .map(|location| item_sizes::expectation(group, location));
        let group_state = total(
            rows.chain(listed)
                .chain([item_sizes::nominal_decision_state(group)]),
        );
        Self {
            write_units: as_quantity(size::write_units(results.stored) + size::write_units(row.stored)),
            read_units: size::read_units(group_state.stored, Read::Strong),
            definition_read_units: size::read_units(definitions.stored, Read::Eventual),
            read_bytes: group_state.sent,
            definition_bytes: definitions.sent,
            written_bytes: results.sent + row.sent,
            stored_bytes: results.stored,
        }
    }
}

/// The enabled monitors that a location checks.
pub(crate) fn checked_monitors<'a>(
    definitions: &'a [&Defined],
    location: &'a Location,
) -> impl Iterator<Item = &'a Monitor> {
    let monitors = definitions.iter().map(|defined| &defined.monitor);
    monitors.filter(|monitor| monitor.is_enabled() && monitor.rule().locations.includes(location))
}

/// The phases of a good check other than connect.
pub(crate) fn other_phases(monitor: &Monitor) -> OtherPhases<Option<Duration>> {
    let target = monitor.target();
    let (tls, ready) = match &target.check {
        Check::Connect(_) | Check::Ping => (None, None),
        // Over UDP the response counts as the connect.
        Check::Ready(readiness) if readiness.protocol().is_over_udp() => (None, None),
        Check::Ready(readiness) => (
            (readiness.tls() != Tls::Off).then_some(SAMPLE_TLS),
            (*readiness.protocol() != Protocol::TlsAlone).then_some(SAMPLE_READY),
        ),
    };
    let dns = match target.host {
        Host::Name(_) => Some(SAMPLE_DNS),
        Host::Address(_) => None,
    };
    OtherPhases { dns, tls, ready }
}

fn total(weights: impl Iterator<Item = ItemSize>) -> ItemSize {
    weights.fold(ItemSize { stored: 0, sent: 0 }, |sum, each| ItemSize {
        stored: sum.stored + each.stored,
        sent: sum.sent + each.sent,
    })
}

/// Converts a count to a quantity.
pub(crate) fn as_quantity(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
