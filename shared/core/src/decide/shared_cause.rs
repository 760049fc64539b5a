//! What an incident can have in common with others: a host, an address, a domain, a parent, a path, or the checkers.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::evidence::{address, failing_locations};
use super::input::Input;
use super::votes::Electorate;
use crate::cluster::MAX_TAGS;
use crate::diagnosis::Layer;
use crate::group_state::{Cause, DecisionState, Status, Track};
use crate::id::{Location, MonitorId};
use crate::outcome::{DnsFailure, FailureClass};
use crate::target::Host;

/// What several incidents can have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SharedCause {
    /// The host.
    Host(Host),
    /// The address that fails.
    Address(IpAddr),
    /// The domain above the host's name, if its name servers fail.
    Domain(String),
    /// The monitor that both depend on, or that one of them is.
    Parent(MonitorId),
    /// The locations whose network fails.
    Locations(BTreeSet<Location>),
    /// The checkers: no location has data.
    Checkers,
}

/// What an incident can have in common with others.
pub(super) fn shared_causes(
    input: &Input<'_>,
    electorate: &Electorate<'_>,
    next: &DecisionState,
    (id, track): &(MonitorId, Track),
) -> BTreeSet<SharedCause> {
    let (Some(monitor), Some(incident)) = (
        input.definitions.monitors.get(id),
        next.incidents.get(&(id.clone(), *track)),
    ) else {
        return BTreeSet::new();
    };
    if *track == Track::Visibility {
        return BTreeSet::from([SharedCause::Checkers]);
    }
    let host = &monitor.target().host;
    let mut causes = BTreeSet::from([SharedCause::Host(host.clone())]);
    if let Host::Address(address) = host {
        causes.insert(SharedCause::Address(*address));
    }
    if *track == Track::Quality || incident.status == Status::Exposed {
        return causes;
    }
    for (_, state) in electorate.counted(monitor) {
        causes.extend(address(id, state).map(SharedCause::Address));
    }
    let parents = monitor.alert_policy().depends_on.keys();
    causes.extend(parents.chain([id]).cloned().map(SharedCause::Parent));
    let cause = incident.finding.as_ref().map(|finding| finding.cause);
    let servers_fail = matches!(
        cause,
        Some(Cause::Failed(FailureClass::Dns(
            DnsFailure::ServerFailure | DnsFailure::Timeout
        )))
    );
    if let (Host::Name(name), true) = (host.without_final_dot(), servers_fail) {
        causes.insert(SharedCause::Domain(domain(&name).to_owned()));
    }
    let layer = incident.diagnosis.as_ref().map(|diagnosis| diagnosis.layer);
    if layer == Some(Layer::Network) {
        causes.insert(SharedCause::Locations(failing_locations(monitor, electorate)));
    }
    causes
}

/// The domain above a name of at least three labels; otherwise the name.
fn domain(name: &str) -> &str {
    match name.split_once('.') {
        Some((_, rest)) if rest.contains('.') => rest,
        Some(_) | None => name,
    }
}

/// Splits items, in their order, so that the monitors of each part have at most [`MAX_TAGS`] tags together.
pub(super) fn by_tags<T>(
    input: &Input<'_>,
    items: Vec<T>,
    monitor: impl Fn(&T) -> &MonitorId,
) -> Vec<Vec<T>> {
    let mut parts: Vec<(BTreeSet<&String>, Vec<T>)> = Vec::new();
    for item in items {
        let definition = input.definitions.monitors.get(monitor(&item));
        let tags = definition.map(|monitor| &monitor.alert_policy().tags);
        let tags: BTreeSet<_> = tags.into_iter().flatten().collect();
        match parts.last_mut() {
            Some((known, part)) if known.union(&tags).count() <= MAX_TAGS => {
                known.extend(tags);
                part.push(item);
            }
            Some(_) | None => parts.push((tags, vec![item])),
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domain_is_above_a_name_of_three_labels() {
        for (name, expected) in [
            ("db.example.com", "example.com"),
            ("a.b.example.com", "b.example.com"),
            ("example.com", "example.com"),
            ("db", "db"),
        ] {
            assert_eq!(domain(name), expected);
        }
    }
}
