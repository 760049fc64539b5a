//! What services last said of themselves to one location, such as a banner or a version, kept once an hour.

use std::collections::BTreeMap;

use crate::id::{Location, MonitorId};
use crate::outcome::{Detail, Outcome};
use crate::period::{Grain, Period};
use crate::round::Definitions;
use crate::target::Check;
use crate::time::Tick;

/// The last answers that one location had from the monitors of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banners {
    /// The tick that noted them.
    pub tick: Tick,
    /// What each monitor said last; those that never said anything are not among them.
    pub banner: BTreeMap<MonitorId, Banner>,
}

/// What a service said of itself while it was open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banner {
    /// In its own words.
    pub text: Detail,
    /// When.
    pub at: Tick,
}

/// Whether a location notes words at a tick that counts, after the one `before` (none, where it is the first): once an
/// hour, for each time is a write.
pub fn is_due(before: Option<Tick>, tick: Tick) -> bool {
    let hour = |tick| Period::of(tick, Grain::Hour);
    before.is_none_or(|before| hour(before) != hour(tick))
}

/// What services said of themselves in a tick; `None` if nobody said anything.
pub fn banners_seen(
    outcomes: &BTreeMap<MonitorId, Outcome>,
    tick: Tick,
) -> Option<BTreeMap<MonitorId, Banner>> {
    let banner = outcomes.iter().filter_map(|(id, outcome)| match outcome {
        Outcome::Open(opened) => {
            let text = opened.banner.clone()?;
            Some((id.clone(), Banner { text, at: tick }))
        }
        // What a failing tick found stands on the board.
        Outcome::Failed(_) | Outcome::NoData(_) => None,
    });
    let banner: BTreeMap<_, _> = banner.collect();
    (!banner.is_empty()).then_some(banner)
}

/// The words that follow `before`: who said nothing this time is remembered by what it said last, who is no longer
/// checked from here is not. `None` if the words of this tick or a later one are kept already.
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
        // A bare connect hears nothing, and what was heard before it was one may be of another service.
        Some(monitor) => {
            monitor.rule().locations.includes(location) && matches!(monitor.target().check, Check::Ready(_))
        }
        None => definitions.knows(id),
    };
    let old = before.into_iter().flat_map(|before| before.banner.clone());
    let mut banner: BTreeMap<_, _> = old.filter(|(id, _)| is_checked(id)).collect();
    banner.extend(banners_seen);
    Some(Banners { tick, banner })
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
    fn words_are_due_at_the_first_tick_of_an_hour_and_at_the_first_ever() {
        for (before, now, due) in [
            (None, "05:41", true),
            (Some("05:41"), "05:42", false),
            (Some("05:00"), "05:59", false),
            (Some("05:59"), "06:00", true),
            (Some("05:59"), "06:03", true),
            (Some("05:00"), "07:00", true),
        ] {
            assert_eq!(is_due(before.map(tick), tick(now)), due, "{before:?} {now}");
        }
    }

    #[test]
    fn who_is_open_speaks_for_itself_and_nobody_else_does() {
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
            ("unseen", Outcome::NoData(NoData::NoRoute)),
        ];
        let outcomes = outcomes.map(|(id, outcome)| (id.parse().unwrap(), outcome));
        let mut outcomes = BTreeMap::from(outcomes);
        assert_eq!(
            banners_seen(&outcomes, tick("05:00")),
            Some(BTreeMap::from([line_of_words(
                "bastion 05:00 SSH-2.0-OpenSSH_9.6"
            )]))
        );
        outcomes.retain(|id, _| id.as_str() != "bastion");
        assert_eq!(banners_seen(&outcomes, tick("05:00")), None);
    }

    /// Words as text: `id time text`, one a monitor.
    fn banners(at: &str, lines: &[&str]) -> Banners {
        Banners {
            tick: tick(at),
            banner: lines.iter().map(|line| line_of_words(line)).collect(),
        }
    }

    fn line_of_words(line: &str) -> (MonitorId, Banner) {
        let parts: Vec<_> = line.splitn(3, ' ').collect();
        let banner = Banner {
            at: tick(parts[1]),
            text: Detail::new(parts[2]).unwrap(),
        };
        (parts[0].parse().unwrap(), banner)
    }

    #[test]
    fn the_last_words_of_what_is_checked_from_here_are_remembered() {
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
            let banners_seen = banners_seen.iter().map(|line| line_of_words(line)).collect();
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
