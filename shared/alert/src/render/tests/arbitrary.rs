//! Any notification that there could be.

use portpulse_core::board::{Cause, Verdict};
use portpulse_core::choice::Severity;
use portpulse_core::decide::{Notification, RegionView, View};
use portpulse_core::outbox::{Kind, Subject};
use portpulse_core::outcome::FailureClass;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::finding;

fn foreign() -> impl Strategy<Value = String> {
    let nasty = select(vec![
        "\r\nSubject: x",
        "\u{202e}",
        "\"}",
        "\u{0}",
        "\u{fffe}",
        "\u{7f}",
        "]}",
        "\\",
        "…",
    ]);
    vec(prop_oneof![nasty.prop_map(str::to_owned), ".{0,40}"], 0..6).prop_map(|parts| parts.concat())
}

/// Any notification, however hostile its texts.
pub(super) fn arbitrary() -> impl Strategy<Value = Notification> {
    let id = "[a-z0-9][a-z0-9_.-]{0,63}";
    let region = || "[a-z0-9][a-z0-9-]{0,31}".prop_map(|name| name.parse().unwrap());
    let subject = prop_oneof![
        id.prop_map(|id| Subject::Monitor(id.parse().unwrap())),
        region().prop_map(Subject::Region),
        foreign().prop_map(Subject::Definition),
    ];
    let causes = select(vec![
        Cause::Failed(FailureClass::Starting),
        Cause::Open,
        Cause::Blind,
    ]);
    let finding =
        || option::of((causes.clone(), foreign()).prop_map(|(cause, detail)| finding(cause, &detail)));
    let second = || 0i64..4_000_000_000;
    let view = (select(View::ALL), any::<u32>(), option::of(second()), finding());
    let view = view.prop_map(|(view, ticks, since, finding)| RegionView {
        view,
        ticks,
        since: since.map(|second| {
            jiff::Timestamp::from_second(second)
                .unwrap()
                .to_string()
                .parse()
                .unwrap()
        }),
        finding,
    });
    let head = (
        foreign(),
        select(Kind::ALL),
        subject,
        select(Verdict::ALL),
        (select(Severity::ALL), btree_set(select(Severity::ALL), 1..3)),
    );
    let told = (
        finding(),
        second(),
        second(),
        option::of(foreign()),
        option::of(foreign()),
    );
    let lists = (
        vec(foreign(), 0..6),
        btree_map(region(), view, 0..5),
        vec(foreign(), 0..6),
    );
    (head, told, lists).prop_map(|(head, told, lists)| {
        let (id, kind, subject, verdict, (severity, audience)) = head;
        let (finding, since, at, target, runbook) = told;
        let (tags, regions, faults) = lists;
        let time = |second| jiff::Timestamp::from_second(second).unwrap();
        Notification {
            id,
            kind,
            subject,
            group: Some("1m#0".parse().unwrap()),
            verdict,
            severity,
            audience,
            finding,
            since: time(since),
            at: time(at),
            target,
            tags,
            runbook,
            regions,
            faults,
        }
    })
}
