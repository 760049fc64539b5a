//! One page for one cause: random incidents are injected into a group of 50 monitors, three regions and two agents.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::group_state::{DecisionState, FleetState};
use portpulse_core::id::MonitorId;
use portpulse_core::outbox::{Kind, Stage};
use serde_json::{Value, json};

use crate::world::World;

const INCIDENTS: u64 = 1_000;
/// The minimum number of incidents that are one page: 99 %.
const MIN_SINGLE_PAGES: usize = 990;
const REGIONS: [&str; 3] = ["a", "b", "c"];
const AGENTS: [&str; 2] = ["d", "e"];
/// The majority of three regions, and of two agents.
const QUORUM: usize = 2;

/// What breaks. The monitors of an index share the host, address, parent or domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Broken {
    Host(usize),
    Address(usize),
    /// A switch, and all that is behind it.
    Parent(usize),
    /// The network of one location.
    Location(usize),
    /// The name servers of a domain.
    Name(usize),
    /// The certificate of one monitor has expired.
    Certificate(usize),
}

/// Numbers that follow from a seed (SplitMix64), so that the test is the same on each run.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(count).unwrap()).unwrap()
    }
}

const HOSTS: usize = 6;
const ADDRESSES: usize = 4;
const PARENTS: usize = 2;
const DOMAINS: usize = 2;
const AGENT_MONITORS: usize = 8;

/// The monitors, as id and fields, and the addresses of some.
fn fleet() -> (Vec<(String, Value)>, BTreeMap<MonitorId, std::net::IpAddr>) {
    let mut monitors = Vec::new();
    let mut add = |id: String, host: String, port: u16, more: Value| {
        // Each third monitor needs a second failure.
        let failures = if monitors.len() % 3 == 2 { 2 } else { 1 };
        let mut fields = json!({
            "host": host, "port": port, "failures_to_open": failures, "successes_to_close": 1, "locations": REGIONS,
        });
        fields
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        monitors.push((id, fields));
    };
    for host in 0..HOSTS {
        for (number, port) in [22, 443, 5432].into_iter().enumerate() {
            add(
                format!("host{host}-{number}"),
                format!("host{host}.example"),
                port,
                json!({}),
            );
        }
    }
    let mut addresses = BTreeMap::new();
    for address in 0..ADDRESSES {
        for number in 0..2 {
            let id = format!("address{address}-{number}");
            let at = [192, 0, 2, u8::try_from(address).unwrap()];
            addresses.insert(id.parse().unwrap(), at.into());
            add(
                id,
                format!("name{address}-{number}.example"),
                443 + number,
                json!({}),
            );
        }
    }
    for parent in 0..PARENTS {
        let switch = format!("parent{parent}");
        add(switch.clone(), format!("{switch}.example"), 22, json!({}));
        for child in 0..4 {
            let below = json!({ "depends_on": [switch], "depends_on_groups": { &switch: "1m#0" } });
            add(
                format!("{switch}-{child}"),
                format!("child{parent}-{child}.example"),
                80,
                below,
            );
        }
    }
    for domain in 0..DOMAINS {
        for number in 0..3 {
            let host = format!("n{number}.domain{domain}.example");
            add(format!("domain{domain}-{number}"), host, 25, json!({}));
        }
    }
    for number in 0..AGENT_MONITORS {
        let host = format!("private{number}.example");
        add(
            format!("agent-{number}"),
            host,
            5432,
            json!({ "locations": AGENTS }),
        );
    }
    (monitors, addresses)
}

impl Broken {
    fn random(random: &mut Random, monitors: usize) -> Self {
        match random.below(6) {
            0 => Self::Host(random.below(HOSTS)),
            1 => Self::Address(random.below(ADDRESSES)),
            2 => Self::Parent(random.below(PARENTS)),
            3 => Self::Location(random.below(REGIONS.len())),
            4 => Self::Name(random.below(DOMAINS)),
            _ => Self::Certificate(random.below(monitors)),
        }
    }

    /// The result of a monitor in a location; `None` if it is not affected.
    fn result(self, id: &MonitorId, number: usize, location: &str) -> Option<char> {
        let begins = |prefix: String| id.as_str() == prefix || id.as_str().starts_with(&format!("{prefix}-"));
        match self {
            Self::Host(host) => begins(format!("host{host}")).then_some('t'),
            Self::Address(address) => begins(format!("address{address}")).then_some('t'),
            Self::Parent(parent) => begins(format!("parent{parent}")).then_some('t'),
            Self::Location(at) => (REGIONS[at] == location).then_some('t'),
            Self::Name(domain) => begins(format!("domain{domain}")).then_some('f'),
            Self::Certificate(broken) => (number == broken).then_some('L'),
        }
    }
}

/// What was sent about one incident.
#[derive(Default)]
struct Sent {
    pages: Vec<String>,
    recoveries: Vec<String>,
    /// The number of monitors in the last recovery.
    recovered: usize,
}

/// Which monitors a page must name: computed from what the locations see, without the decision.
#[derive(Default)]
struct Oracle {
    /// The consecutive failures of each monitor in each location, and whether they are enough for an incident.
    failing: BTreeMap<MonitorId, BTreeMap<usize, u32>>,
    /// The monitors that were named, or joined a page.
    notified: BTreeSet<MonitorId>,
}

impl Oracle {
    fn saw(&mut self, id: &MonitorId, location: usize, is_failing: bool) {
        let streak = self
            .failing
            .entry(id.clone())
            .or_default()
            .entry(location)
            .or_default();
        *streak = if is_failing { *streak + 1 } else { 0 };
    }

    fn is_down(&self, world: &World, id: &MonitorId) -> bool {
        let needed = world.definitions.monitors[id].rule().failures_to_open;
        let locations = self.failing.get(id).into_iter().flatten();
        locations.filter(|(_, streak)| **streak >= needed).count() >= QUORUM
    }

    /// The monitors that are down now, were not notified before, and that no parent explains.
    fn due(&self, world: &World) -> BTreeSet<MonitorId> {
        let monitors = world.definitions.monitors.values();
        let due = monitors.filter(|monitor| {
            let mut parents = monitor.alert_policy().depends_on.keys();
            let is_explained = parents.any(|parent| self.is_down(world, parent));
            let is_notified = self.notified.contains(monitor.id());
            self.is_down(world, monitor.id()) && !is_explained && !is_notified
        });
        due.map(|monitor| monitor.id().clone()).collect()
    }
}

/// Injects one incident, and returns what was sent. One in twenty begins during the checks of a tick, which take some seconds of
/// a minute, so that some checks see it and others do not.
///
/// The first page must name exactly the monitors that are down then, and further ones only monitors that are down since.
fn inject(world: &mut World, broken: Broken, random: &mut Random) -> (Sent, BTreeSet<MonitorId>) {
    world.group_state.decision = DecisionState::default();
    world.group_state.locations.clear();
    world.fleet = FleetState::default();
    world.sent.clear();
    let numbers: BTreeMap<MonitorId, usize> = world.definitions.monitors.keys().cloned().zip(0..).collect();
    let begins_amid_tick = random.below(20) == 0;
    let seen_at_once: BTreeSet<(usize, usize)> = (0..5)
        .flat_map(|location| (0..numbers.len()).map(move |monitor| (location, monitor)))
        .filter(|_| random.below(2) == 0)
        .collect();
    let (mut sent, mut oracle) = (Sent::default(), Oracle::default());
    for tick in 1..=6 {
        let mut order = [0, 1, 2, 3, 4];
        for place in (1..order.len()).rev() {
            order.swap(place, random.below(place + 1));
        }
        for at in order {
            let location = ["a", "b", "c", "d", "e"][at];
            let seen = |id: &MonitorId| {
                let number = numbers[id];
                let is_there = match tick {
                    2 if begins_amid_tick => seen_at_once.contains(&(at, number)),
                    2..=4 => true,
                    _ => false,
                };
                broken
                    .result(id, number, location)
                    .filter(|_| is_there)
                    .unwrap_or('.')
            };
            for monitor in world.definitions.checked_by(&location.parse().unwrap()) {
                oracle.saw(monitor.id(), at, seen(monitor.id()) != '.');
            }
            let notifications = world.deliver(tick, location, seen);
            let due = oracle.due(world);
            let mut named = BTreeSet::new();
            let is_first = sent.pages.is_empty();
            // An advisory is no page: fewer locations than the quorum see a failure.
            let is_page = |kind| !matches!(kind, Kind::Advisory | Kind::AdvisoryOver);
            for notification in notifications.into_iter().filter(|sent| is_page(sent.kind)) {
                let text = format!("{tick} {}", notification.id);
                match notification.kind.stage() {
                    Stage::Active => {
                        let monitors = notification.monitors.into_iter().map(|monitor| monitor.id);
                        named.extend(monitors);
                        if let Broken::Location(at) = broken {
                            assert_eq!(notification.subject.to_string(), REGIONS[at], "{text}");
                        }
                        sent.pages.push(text);
                    }
                    Stage::Ended => {
                        sent.recovered = usize::try_from(notification.monitor_count).unwrap();
                        sent.recoveries.push(text);
                    }
                    Stage::Test => panic!("{text}"),
                }
            }
            if is_first {
                assert_eq!(named, due, "{broken:?} at {tick} in {location}: {:?}", sent.pages);
            } else {
                assert!(named.is_subset(&due), "{broken:?}: {named:?}, {due:?}");
            }
            oracle.notified.extend(due);
        }
    }
    (sent, oracle.notified)
}

#[test]
fn one_cause_is_one_page_that_names_what_is_down() {
    let (monitors, addresses) = fleet();
    assert_eq!(monitors.len(), 50);
    let monitors: Vec<_> = monitors
        .iter()
        .map(|(id, fields)| (id.as_str(), fields.clone()))
        .collect();
    let mut world = World::new(5, &monitors);
    world.addresses = addresses;
    let mut random = Random(17);
    let mut others = Vec::new();
    for number in 0..INCIDENTS {
        let broken = Broken::random(&mut random, monitors.len());
        let (sent, down) = inject(&mut world, broken, &mut random);
        let Sent {
            pages, recoveries, ..
        } = &sent;
        assert!(!pages.is_empty(), "missed: incident {number}: {broken:?}");
        assert_eq!(
            pages.len(),
            recoveries.len(),
            "{number}: {broken:?}: {pages:?} {recoveries:?}"
        );
        if pages.len() > 1 {
            others.push(format!("{number}: {broken:?}: {pages:?}"));
        } else {
            // The recovery counts those that joined after the page.
            assert_eq!(
                sent.recovered,
                down.len(),
                "{number}: {broken:?}: {pages:?}, {down:?}"
            );
        }
    }
    let single = usize::try_from(INCIDENTS).unwrap() - others.len();
    assert!(
        single >= MIN_SINGLE_PAGES,
        "only {single} are one page:\n{}",
        others.join("\n")
    );
}
