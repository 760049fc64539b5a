//! Notifications for tests: a sample of each kind, and a strategy for arbitrary ones.
#![expect(clippy::unwrap_used, reason = "the samples are constant")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portpulse_core::choice::Severity;
use portpulse_core::decide::{AffectedMonitor, Explanation, LocationView, Notification, View};
use portpulse_core::diagnosis::{Diagnosis, Evidence, HostEvidence, Layer};
use portpulse_core::group_state::{Cause, Finding, Status};
use portpulse_core::id::Location;
use portpulse_core::outbox::{Kind, Subject};
use portpulse_core::outcome::{Detail, FailureClass};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// A sample notification of a kind.
pub fn of(kind: Kind) -> Notification {
    let monitor = Subject::Monitor("orders-db".parse().unwrap());
    let location = Subject::Location("eu-west-1".parse().unwrap());
    let found = |cause, detail: &str| {
        let detail = Detail::new(detail);
        Some(Finding { cause, detail })
    };
    let starting = found(
        Cause::Failed(FailureClass::Starting),
        "57P03 the database system is starting up",
    );
    let refused = found(Cause::Failed(FailureClass::Refused), "");
    let (subject, status, severity, finding) = match kind {
        Kind::Down | Kind::Reminder | Kind::Flapping | Kind::Escalated => {
            (monitor, Status::Down, Severity::Critical, starting.clone())
        }
        Kind::Recovered => (monitor, Status::Down, Severity::Critical, refused.clone()),
        Kind::Exposed => (
            monitor,
            Status::Exposed,
            Severity::Critical,
            found(Cause::Open, ""),
        ),
        Kind::Degraded => {
            let slow = found(Cause::Slow, "connect took 812.5 ms");
            (monitor, Status::Degraded, Severity::Warning, slow)
        }
        Kind::CertificateExpiring => {
            let expiring = found(
                Cause::Certificate,
                "the certificate expires in 6 days, on 2026-11-28",
            );
            (monitor, Status::Degraded, Severity::Warning, expiring)
        }
        Kind::Unknown => (
            monitor,
            Status::Unknown,
            Severity::Warning,
            found(Cause::NoData, ""),
        ),
        Kind::Advisory => (monitor, Status::Up, Severity::Info, refused.clone()),
        Kind::AdvisoryOver => (monitor, Status::Up, Severity::Info, None),
        Kind::LocationSilent | Kind::LocationBack | Kind::LocationSuspect | Kind::LocationTrusted => {
            (location, Status::Unknown, Severity::Warning, None)
        }
        Kind::HomeUnreachable | Kind::HomeReachable => {
            (Subject::Portpulse, Status::Unknown, Severity::Warning, None)
        }
        Kind::Test => return Notification::test(None, "2026-11-22T05:50:00Z".parse().unwrap()),
        Kind::BrokenDefinition => {
            let definition = Subject::Definition("Orders\nDB".to_owned());
            (definition, Status::Unknown, Severity::Warning, None)
        }
    };
    let of_monitor = matches!(subject, Subject::Monitor(_));
    let of_suspicion = [Kind::LocationSuspect, Kind::LocationTrusted].contains(&kind);
    let about = match (&subject, of_suspicion) {
        (Subject::Location(_), false) => "eu-west-1.3",
        (Subject::Location(_), true) => "eu-west-1.4",
        (Subject::Portpulse, _) => "home.3",
        (Subject::Monitor(_) | Subject::Definition(_), _) => "orders-db@2026-11-22T05:40:00Z.7",
    };
    let view = |view, ticks, since: Option<&str>, finding| LocationView {
        view,
        ticks,
        since: since.map(|since| since.parse().unwrap()),
        finding,
    };
    let locations = BTreeMap::from([
        (
            "eu-west-1".parse().unwrap(),
            view(View::Failing, 3, Some("2026-11-22T05:39:00Z"), starting),
        ),
        ("us-east-1".parse().unwrap(), view(View::Good, 0, None, None)),
        ("sa-east-1".parse().unwrap(), view(View::Silent, 0, None, None)),
    ]);
    let when = |condition: bool, text: &str| condition.then(|| text.to_owned());
    Notification {
        id: format!("{about}/{kind}"),
        kind,
        subject,
        check_group: Some("1m#0".parse().unwrap()),
        group: None,
        status,
        severity,
        audience: if kind == Kind::Escalated {
            BTreeSet::from([Severity::Critical, Severity::Warning])
        } else {
            BTreeSet::from([severity])
        },
        diagnosis: diagnosis(kind),
        since: "2026-11-22T05:39:00Z".parse().unwrap(),
        at: "2026-11-22T05:50:00Z".parse().unwrap(),
        monitors: of_monitor
            .then(|| AffectedMonitor {
                cause: finding.as_ref().map(|finding| finding.cause),
                ..affected("orders-db", "db.example.com:5432")
            })
            .into_iter()
            .collect(),
        finding,
        monitor_count: u32::from(of_monitor),
        target: when(of_monitor, "db.example.com:5432"),
        tags: when(of_monitor, "prod").into_iter().collect(),
        runbook: when(of_monitor, "https://wiki.example.com/orders-db?a=1&b=2"),
        page: when(of_monitor, "https://status.example.com/monitors/orders-db"),
        locations: if of_monitor { locations } else { BTreeMap::new() },
        diagnostics: diagnostics(kind).iter().map(|text| (*text).to_owned()).collect(),
    }
}

fn diagnostics(kind: Kind) -> &'static [&'static str] {
    if kind == Kind::BrokenDefinition {
        &["port: is missing (write a port, or a `service` that has one)"]
    } else if kind == Kind::HomeUnreachable {
        &[
            "from eu-west-1, checked once: 1 of 12 monitors fail, 0 could not be checked",
            "orders-db (db.example.com:5432) fails",
        ]
    } else {
        &[]
    }
}

/// An affected monitor.
pub fn affected(id: &str, target: &str) -> AffectedMonitor {
    AffectedMonitor {
        id: id.parse().unwrap(),
        name: None,
        target: Some(target.to_owned()),
        cause: None,
    }
}

/// A sample notification that three monitors of a host are down.
pub fn cluster() -> Notification {
    Notification {
        group: Some("Shop".to_owned()),
        monitors: vec![
            AffectedMonitor {
                name: Some("Orders database".to_owned()),
                cause: Some(Cause::Failed(FailureClass::Timeout)),
                ..affected("orders-db", "db.example.com:5432")
            },
            AffectedMonitor {
                cause: Some(Cause::Failed(FailureClass::Timeout)),
                ..affected("orders-replica", "db.example.com:5433")
            },
            AffectedMonitor {
                cause: Some(Cause::Failed(FailureClass::Unreachable)),
                ..affected("db-bastion", "db.example.com:22")
            },
        ],
        monitor_count: 3,
        diagnosis: Some(Explanation {
            diagnosis: Diagnosis {
                layer: Layer::Host,
                evidence: Some(Evidence {
                    failing: 2,
                    good: 0,
                    pending: 1,
                    host: HostEvidence::Silent { ports: 2 },
                    parent: None,
                }),
            },
            sentence: "Nothing on db.example.com answers from 2 of 3 locations: neither port 5432 nor 2 other checks."
                .to_owned(),
        }),
        finding: Some(Finding {
            cause: Cause::Failed(FailureClass::Timeout),
            detail: None,
        }),
        ..of(Kind::Down)
    }
}

/// A sample diagnosis for a kind; `None` if the kind is not about a fault of a monitor.
fn diagnosis(kind: Kind) -> Option<Explanation> {
    let (layer, sentence) = match kind {
        Kind::Down | Kind::Reminder | Kind::Flapping | Kind::Escalated => (
            Layer::Service,
            "Port 5432 of db.example.com accepts connections from 2 of 3 locations, but the service does not serve.",
        ),
        Kind::Recovered => (
            Layer::Port,
            "db.example.com answers on port 22 from 2 of 3 locations; port 5432 refuses: the service is down, not the host or the network.",
        ),
        Kind::Exposed => (
            Layer::Port,
            "Port 5432 of db.example.com is open from 2 of 3 locations, and must be closed.",
        ),
        Kind::CertificateExpiring => (
            Layer::Tls,
            "Port 5432 of db.example.com serves TLS from 2 of 3 locations, and its certificate expires soon.",
        ),
        Kind::Degraded => (
            Layer::Unknown,
            "Port 5432 of db.example.com is slow from 2 of 3 locations: the layer is unknown.",
        ),
        Kind::Unknown => (
            Layer::Checker,
            "No location has data on orders-db: the fault is in the checkers or their networks.",
        ),
        Kind::Advisory => (
            Layer::Unknown,
            "Port 5432 of db.example.com fails from 1 of 3 locations, and not from 1 location: the layer is unknown.",
        ),
        Kind::AdvisoryOver
        | Kind::LocationSilent
        | Kind::LocationBack
        | Kind::LocationSuspect
        | Kind::LocationTrusted
        | Kind::HomeUnreachable
        | Kind::HomeReachable
        | Kind::BrokenDefinition
        | Kind::Test => return None,
    };
    let host = if kind == Kind::Recovered {
        HostEvidence::Answers { port: 22 }
    } else {
        HostEvidence::Unchecked
    };
    let evidence = Evidence {
        failing: 2,
        good: 0,
        pending: 1,
        host,
        parent: None,
    };
    Some(Explanation {
        diagnosis: Diagnosis {
            layer,
            evidence: Some(evidence),
        },
        sentence: sentence.to_owned(),
    })
}

/// A sample notification that `monitor` is down.
pub fn down(monitor: &str) -> Notification {
    let sample = of(Kind::Down);
    let cause = sample.finding.as_ref().map(|finding| finding.cause);
    Notification {
        id: format!("{monitor}@2026-11-22T05:40:00Z.7/down"),
        subject: Subject::Monitor(monitor.parse().unwrap()),
        monitors: vec![AffectedMonitor {
            cause,
            ..affected(monitor, "db.example.com:5432")
        }],
        ..sample
    }
}

/// Hostile texts, as hosts, banners and files may contain.
fn hostile_text() -> impl Strategy<Value = String> {
    let hostile = select(vec![
        "\r\nX-Header: x",
        "\u{202e}\u{2066}",
        "\"}]",
        "\u{0}\u{1b}[2J",
        "\u{fffe}",
        "\u{7f}",
        "<!channel> <@U1> <https://evil.example|click>",
        "@everyone <@&1> [a](https://evil.example)",
        "**b** __u__ ~~s~~ ||s|| `c` ```\n# h\n> q",
        "<b onload=x>&lt;&amp;</b></code><a href=\"https://evil.example\">",
        "{{DATE(2026-11-22T05:40:00Z, SHORT)}} {{{{",
        "\\\\\\",
        "🔥👩‍👩‍👧‍👦",
        "/start@bot #tag",
        "javascript:alert(1)",
        "https://evil.example/?a=<b>&c=\"d\"",
        "…",
    ]);
    let long = (hostile.clone(), 0..400usize).prop_map(|(text, times)| text.repeat(times));
    let parts = vec(
        prop_oneof![4 => hostile.prop_map(str::to_owned), 4 => ".{0,40}", 1 => long],
        0..6,
    );
    parts.prop_map(|parts| parts.concat().chars().take(10_000).collect())
}

/// Arbitrary notifications with hostile texts.
pub fn arbitrary() -> impl Strategy<Value = Notification> {
    let location = || "[a-z0-9][a-z0-9-]{0,31}".prop_map(|name| name.parse::<Location>().unwrap());
    let subject = prop_oneof![
        "[a-z0-9][a-z0-9_.-]{0,63}".prop_map(|id| Subject::Monitor(id.parse().unwrap())),
        location().prop_map(Subject::Location),
        hostile_text().prop_map(Subject::Definition),
    ];
    let causes = vec![Cause::Failed(FailureClass::Starting), Cause::Open, Cause::NoData];
    let finding = move || {
        let found = (select(causes.clone()), hostile_text());
        option::of(found.prop_map(|(cause, detail)| Finding {
            cause,
            detail: Detail::new(&detail),
        }))
    };
    let view = (
        select(View::ALL),
        any::<u32>(),
        option::of(0i64..4_000_000_000),
        finding(),
    );
    let view = view.prop_map(|(view, ticks, since, finding)| LocationView {
        view,
        ticks,
        since: since.map(|since| at(since).to_string().parse().unwrap()),
        finding,
    });
    let head = (
        prop_oneof![hostile_text(), "[a-z]{1,9}@[0-9]{4}/[a-z_]{1,9}"],
        select(Kind::ALL),
        subject,
        select(Status::ALL),
        (select(Severity::ALL), btree_set(select(Severity::ALL), 1..3)),
    );
    let diagnosis = (select(Layer::ALL), option::of(1..9u32), hostile_text());
    let diagnosis = diagnosis.prop_map(|(layer, failing, sentence)| Explanation {
        diagnosis: Diagnosis {
            layer,
            evidence: failing.map(|failing| Evidence {
                failing,
                good: 1,
                pending: 0,
                host: HostEvidence::Silent { ports: failing },
                parent: None,
            }),
        },
        sentence,
    });
    let notified = (
        (finding(), option::of(diagnosis)),
        0i64..4_000_000_000,
        0i64..4_000_000_000,
        option::of(hostile_text()),
        option::of(prop_oneof![
            hostile_text(),
            "https://[a-z]{1,9}\\.example/[!-~]{0,99}"
        ]),
    );
    let lists = (
        vec(hostile_text(), 0..30),
        btree_map(location(), view, 0..60),
        vec(hostile_text(), 0..30),
    );
    (head, notified, lists).prop_map(|(head, notified, lists)| {
        let (id, kind, subject, status, (severity, audience)) = head;
        let ((finding, diagnosis), since, then, target, runbook) = notified;
        let (tags, locations, diagnostics) = lists;
        let monitors: Vec<_> = match &subject {
            Subject::Monitor(id) => (0..since % 60)
                .map(|number| AffectedMonitor {
                    id: if number == 0 {
                        id.clone()
                    } else {
                        format!("m{number}").parse().unwrap()
                    },
                    name: target.clone(),
                    target: target.clone(),
                    cause: finding.as_ref().map(|finding| finding.cause),
                })
                .collect(),
            Subject::Location(_) | Subject::Definition(_) | Subject::Portpulse => Vec::new(),
        };
        Notification {
            monitor_count: u32::try_from(monitors.len()).unwrap(),
            monitors,
            id: if id.is_empty() { "x/down".to_owned() } else { id },
            kind,
            subject,
            check_group: Some("1m#0".parse().unwrap()),
            group: runbook.clone(),
            status,
            severity,
            audience,
            finding,
            diagnosis,
            since: at(since),
            at: at(then),
            target,
            tags,
            page: runbook.clone(),
            runbook,
            locations,
            diagnostics,
        }
    })
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}
