//! Banners: what services last said of themselves to one location, such as a version, stored once an hour.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::id::{Location, MonitorId};
use crate::outcome::{Detail, Outcome};
use crate::period::{Grain, Period};
use crate::round::Definitions;
use crate::target::Check;
use crate::time::Tick;

/// The last banners that one location received from the monitors of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banners {
    /// The tick at which the banners were stored.
    pub tick: Tick,
    /// The last banner of each monitor. A monitor that never sent a banner is absent.
    pub by_monitor: BTreeMap<MonitorId, Banner>,
}

/// What an open service said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banner {
    /// The text of the service.
    pub text: Detail,
    /// The tick at which the service sent the text.
    pub at: Tick,
}

/// Whether a location stores banners at `tick`, where `before` is its previous tick (`None` for its first): at the first tick
/// that is `delay` after an hour. The limit of one write an hour bounds the costs.
pub fn is_due(before: Option<Tick>, tick: Tick, delay: SignedDuration) -> bool {
    let hour = |tick: Tick| {
        let time = tick.timestamp().saturating_sub(delay).unwrap_or(Timestamp::MIN);
        Period::containing(time, Grain::Hour)
    };
    before.is_none_or(|before| hour(before) != hour(tick))
}

/// The banners that services sent in a tick, or `None` if there are none.
pub fn banners_seen(
    outcomes: &BTreeMap<MonitorId, Outcome>,
    tick: Tick,
) -> Option<BTreeMap<MonitorId, Banner>> {
    let banners = outcomes.iter().filter_map(|(id, outcome)| match outcome {
        Outcome::Open(opened) => {
            let text = opened.banner.clone()?;
            Some((id.clone(), Banner { text, at: tick }))
        }
        // The group state holds what a failing check found.
        Outcome::Failed(_) | Outcome::NoData(_) => None,
    });
    let banners: BTreeMap<_, _> = banners.collect();
    (!banners.is_empty()).then_some(banners)
}

/// The banners that follow `before`. A monitor without a new banner keeps its last one; a monitor that this location no
/// longer checks is removed. Returns `None` if the banners of `tick` or of a later tick are already stored.
pub fn remembered(
    before: Option<&Banners>,
    tick: Tick,
    definitions: &Definitions,
    location: &Location,
    banners_seen: BTreeMap<MonitorId, Banner>,
) -> Option<Banners> {
    if before.is_some_and(|before| before.tick >= tick) {
        return None;
    }
    let is_checked = |id: &MonitorId| match definitions.monitors.get(id) {
        // A TCP connect receives no banner, and an older banner may belong to another service.
        Some(monitor) => {
            monitor.rule().locations.includes(location) && matches!(monitor.target().check, Check::Ready(_))
        }
        None => definitions.knows(id),
    };
    let old = before.into_iter().flat_map(|before| before.by_monitor.clone());
    let mut by_monitor: BTreeMap<_, _> = old.filter(|(id, _)| is_checked(id)).collect();
    by_monitor.extend(banners_seen);
    Some(Banners { tick, by_monitor })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{DefinitionFile, NetworkAccess};
    use crate::outcome::{Failure, FailureClass, NoData, Opened, Phase, Phases, Trust};
    use serde_json::json;

    fn tick(text: &str) -> Tick {
        format!("2026-11-22T{text}:00Z").parse().unwrap()
    }

    #[test]
    fn banners_are_due_at_the_first_tick_after_each_hour_and_delay() {
        for (before, now, due) in [
            (None, "05:41", true),
            (Some("05:41"), "05:42", false),
            (Some("05:00"), "05:59", false),
            (Some("05:59"), "06:00", true),
            (Some("05:59"), "06:03", true),
            (Some("05:00"), "07:00", true),
        ] {
            let found = is_due(before.map(tick), tick(now), SignedDuration::ZERO);
            assert_eq!(found, due, "{before:?} {now}");
        }
        let delay = SignedDuration::from_mins(5);
        for (before, now, due) in [
            ("05:59", "06:00", false),
            ("06:04", "06:05", true),
            ("06:05", "06:06", false),
        ] {
            assert_eq!(
                is_due(Some(tick(before)), tick(now), delay),
                due,
                "{before} {now}"
            );
        }
    }

    #[test]
    fn only_open_services_contribute_banners() {
        let open = |banner| {
            Outcome::Open(Opened {
                address: ([192, 0, 2, 1], 22).into(),
                phases: Phases::default(),
                trust: Trust::Kernel,
                warning: None,
                banner: Detail::new(banner),
            })
        };
        let failed = Outcome::Failed(Failure {
            class: FailureClass::Refused,
            phase: Phase::Connect,
            phases: Phases::default(),
            address: None,
            detail: Detail::new("Connection refused"),
        });
        let outcomes = [
            ("bastion", open("SSH-2.0-OpenSSH_9.6")),
            ("mute", open("")),
            ("dead", failed),
            ("no-data", Outcome::NoData(NoData::NoRoute)),
        ];
        let outcomes = outcomes.map(|(id, outcome)| (id.parse().unwrap(), outcome));
        let mut outcomes = BTreeMap::from(outcomes);
        assert_eq!(
            banners_seen(&outcomes, tick("05:00")),
            Some(BTreeMap::from([parse_line("bastion 05:00 SSH-2.0-OpenSSH_9.6")]))
        );
        outcomes.retain(|id, _| id.as_str() != "bastion");
        assert_eq!(banners_seen(&outcomes, tick("05:00")), None);
    }

    /// Banners from lines of the form `id time text`, one for each monitor.
    fn banners(at: &str, lines: &[&str]) -> Banners {
        Banners {
            tick: tick(at),
            by_monitor: lines.iter().map(|line| parse_line(line)).collect(),
        }
    }

    fn parse_line(line: &str) -> (MonitorId, Banner) {
        let parts: Vec<_> = line.splitn(3, ' ').collect();
        let banner = Banner {
            at: tick(parts[1]),
            text: Detail::new(parts[2]).unwrap(),
        };
        (parts[0].parse().unwrap(), banner)
    }

    #[test]
    fn last_banners_are_kept_for_checked_monitors_only() {
        let file = json!({ "monitors": {
            "a": { "host": "192.0.2.1", "service": "ssh" },
            "b": { "host": "192.0.2.1", "service": "smtps" },
            "elsewhere": { "host": "192.0.2.1", "service": "ssh", "locations": ["us-east-1"] },
            "mute": { "host": "192.0.2.1", "service": "ssh", "check": "connect" },
        }});
        let file = DefinitionFile::validate(&file, NetworkAccess::PlainLambda).unwrap();
        let monitors = file.monitors().iter().map(|defined| defined.monitor.clone());
        let definitions = Definitions {
            monitors: monitors.map(|monitor| (monitor.id().clone(), monitor)).collect(),
            broken: BTreeMap::from([("broken".to_owned(), Vec::new())]),
        };
        let location = "eu-west-1".parse().unwrap();
        let before = banners(
            "05:00",
            &[
                "a 05:00 one",
                "b 04:00 two",
                "elsewhere 05:00 three",
                "broken 05:00 four",
                "gone 05:00 five",
                "mute 05:00 six",
            ],
        );
        let next = |before: Option<&Banners>, at, banners_seen: &[&str]| {
            let banners_seen = banners_seen.iter().map(|line| parse_line(line)).collect();
            remembered(before, tick(at), &definitions, &location, banners_seen)
        };
        let all = ["a 06:00 new", "b 04:00 two", "broken 05:00 four"];
        assert_eq!(
            next(Some(&before), "06:00", &["a 06:00 new"]),
            Some(banners("06:00", &all))
        );
        assert_eq!(
            next(None, "06:00", &["a 06:00 new"]),
            Some(banners("06:00", &["a 06:00 new"]))
        );
        for late in ["05:00", "04:59"] {
            assert_eq!(next(Some(&before), late, &["a 05:00 late"]), None, "{late}");
        }
    }
}
