//! What services last said of themselves to one region, such as a banner or a version, kept once an hour.

use std::collections::BTreeMap;

use crate::id::{MonitorId, Region};
use crate::outcome::{Detail, Outcome};
use crate::period::{Grain, Period};
use crate::round::Definitions;
use crate::target::Check;
use crate::time::Tick;

/// The last answers that one region had from the monitors of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The tick that noted them.
    pub tick: Tick,
    /// What each monitor said last; those that never said anything are not among them.
    pub said: BTreeMap<MonitorId, Said>,
}

/// What a service said of itself while it was open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// In its own words.
    pub text: Detail,
    /// When.
    pub at: Tick,
}

/// Whether a region notes words at a tick that counts, after the one `before` (none, where it is the first): once an
/// hour, for each time is a write.
pub fn are_due(before: Option<Tick>, tick: Tick) -> bool {
    let hour = |tick| Period::of(tick, Grain::Hour);
    before.is_none_or(|before| hour(before) != hour(tick))
}

/// What services said of themselves in a tick; `None` if nobody said anything.
pub fn spoken(outcomes: &BTreeMap<MonitorId, Outcome>, tick: Tick) -> Option<BTreeMap<MonitorId, Said>> {
    let said = outcomes.iter().filter_map(|(id, outcome)| match outcome {
        Outcome::Open(opened) => {
            let text = opened.said.clone()?;
            Some((id.clone(), Said { text, at: tick }))
        }
        // What a failing tick found stands on the board.
        Outcome::Failed(_) | Outcome::NoData(_) => None,
    });
    let said: BTreeMap<_, _> = said.collect();
    (!said.is_empty()).then_some(said)
}

/// The words that follow `before`: who said nothing this time is remembered by what it said last, who is no longer
/// checked from here is not. `None` if the words of this tick or a later one are kept already.
pub fn remembered(
    before: Option<&Words>,
    tick: Tick,
    definitions: &Definitions,
    region: &Region,
    spoken: BTreeMap<MonitorId, Said>,
) -> Option<Words> {
    if before.is_some_and(|before| before.tick >= tick) {
        return None;
    }
    let is_checked = |id: &MonitorId| match definitions.monitors.get(id) {
        // A bare connect hears nothing, and what was heard before it was one may be of another service.
        Some(monitor) => {
            monitor.rule().regions.includes(region) && matches!(monitor.target().check, Check::Ready(_))
        }
        None => definitions.knows(id),
    };
    let old = before.into_iter().flat_map(|before| before.said.clone());
    let mut said: BTreeMap<_, _> = old.filter(|(id, _)| is_checked(id)).collect();
    said.extend(spoken);
    Some(Words { tick, said })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{DefinitionFile, Vantage};
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
            assert_eq!(are_due(before.map(tick), tick(now)), due, "{before:?} {now}");
        }
    }

    #[test]
    fn who_is_open_speaks_for_itself_and_nobody_else_does() {
        let open = |said| {
            Outcome::Open(Opened {
                address: ([192, 0, 2, 1], 22).into(),
                phases: Phases::default(),
                trust: Trust::Kernel,
                warning: None,
                said: Detail::new(said),
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
            spoken(&outcomes, tick("05:00")),
            Some(BTreeMap::from([line_of_words(
                "bastion 05:00 SSH-2.0-OpenSSH_9.6"
            )]))
        );
        outcomes.retain(|id, _| id.as_str() != "bastion");
        assert_eq!(spoken(&outcomes, tick("05:00")), None);
    }

    /// Words as text: `id time text`, one a monitor.
    fn words(at: &str, lines: &[&str]) -> Words {
        Words {
            tick: tick(at),
            said: lines.iter().map(|line| line_of_words(line)).collect(),
        }
    }

    fn line_of_words(line: &str) -> (MonitorId, Said) {
        let parts: Vec<_> = line.splitn(3, ' ').collect();
        let said = Said {
            at: tick(parts[1]),
            text: Detail::new(parts[2]).unwrap(),
        };
        (parts[0].parse().unwrap(), said)
    }

    #[test]
    fn the_last_words_of_what_is_checked_from_here_are_remembered() {
        let file = json!({ "monitors": {
            "a": { "host": "192.0.2.1", "service": "ssh" },
            "b": { "host": "192.0.2.1", "service": "smtps" },
            "elsewhere": { "host": "192.0.2.1", "service": "ssh", "regions": ["us-east-1"] },
            "mute": { "host": "192.0.2.1", "service": "ssh", "check": "connect" },
        }});
        let file = DefinitionFile::validate(&file, Vantage::PlainLambda).unwrap();
        let monitors = file.monitors().iter().map(|defined| defined.monitor.clone());
        let definitions = Definitions {
            monitors: monitors.map(|monitor| (monitor.id().clone(), monitor)).collect(),
            broken: BTreeMap::from([("broken".to_owned(), Vec::new())]),
        };
        let region = "eu-west-1".parse().unwrap();
        let before = words(
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
        let next = |before: Option<&Words>, at, spoken: &[&str]| {
            let spoken = spoken.iter().map(|line| line_of_words(line)).collect();
            remembered(before, tick(at), &definitions, &region, spoken)
        };
        let all = ["a 06:00 new", "b 04:00 two", "broken 05:00 four"];
        assert_eq!(
            next(Some(&before), "06:00", &["a 06:00 new"]),
            Some(words("06:00", &all))
        );
        assert_eq!(
            next(None, "06:00", &["a 06:00 new"]),
            Some(words("06:00", &["a 06:00 new"]))
        );
        for late in ["05:00", "04:59"] {
            assert_eq!(next(Some(&before), late, &["a 05:00 late"]), None, "{late}");
        }
    }
}
