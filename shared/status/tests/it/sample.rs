//! Sample views of four monitors: one down, one slow, one with different results by location, one up; and their pages.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portpulse_core::banners::Banner;
use portpulse_core::by_phase::ByPhase;
use portpulse_core::control::{Acknowledgement, Control, Note, Silence};
use portpulse_core::definition::{Monitor, NetworkAccess};
use portpulse_core::group::GroupId;
use portpulse_core::group_state::{
    Cause, Ending, Finding, IncidentId, LocationKind, LocationProblem, Status, Track,
};
use portpulse_core::id::Location;
use portpulse_core::outcome::{Detail, FailureClass};
use portpulse_core::period::{Grain, Period};
use portpulse_core::target::Check;
use portpulse_core::time::Tick;
use portpulse_core::uptime::{CheckedSeconds, ObservedTime, Outages};
use portpulse_history::view::{
    Audience, Bar, IncidentInside, IncidentView, LeftOut, LocationStanding, LocationVisibility, Maintenance,
    MonitorInside, MonitorPage, MonitorView, Overview, OverviewInside, Percentiles, Point, Slot, Uptime,
    VisibilityState,
};
use portpulse_status::{Access, Selection, Site, Span};
use portpulse_testkit::incident::down_since;
use scraper::{Html, Selector};

pub(crate) const DEFINITIONS: &str = "
monitors:
  bastion: { host: bastion.example.com, service: ssh, tags: [edge] }
  cache: { host: 192.0.2.7, port: 6379, tier: critical, group: Shop, tags: [shop, team=a] }
  orders-db:
    host: db.example.com
    service: postgres
    tier: critical
    description: The primary of the order service.
    group: Shop
    tags: [shop]
    remind_every: 1h
    escalate_after: 30m
    runbook: https://wiki.example.com/orders-db?step=1&more
  queue: { host: mq.example.com, port: 5672, slow_after: 100ms }
maintenance:
  - { monitors: [queue, cache], from: 2026-11-22T05:00:00Z, until: 2026-11-22T06:00:00Z, why: update }
  - { tags: [shop], every: sun 02:00, for: 2h }
";

pub(crate) fn now() -> Timestamp {
    "2026-11-22T05:41:20Z".parse().unwrap()
}

pub(crate) fn monitors() -> BTreeMap<String, (GroupId, Monitor)> {
    let file = portpulse_monitors_file::read(DEFINITIONS, NetworkAccess::OwnNetwork).unwrap();
    let all = file.monitors().iter();
    all.map(|defined| {
        (
            defined.monitor.id().to_string(),
            (defined.group, defined.monitor.clone()),
        )
    })
    .collect()
}

fn tick(text: &str) -> Tick {
    text.parse().unwrap()
}

pub(crate) fn finding(detail: &str) -> Finding {
    Finding {
        cause: Cause::Failed(FailureClass::Refused),
        detail: Detail::new(detail),
    }
}

/// The last `count` periods: no data in the first quarter, failures in the third last, times around `ms`.
fn points(grain: Grain, count: i64, ms: u64) -> Vec<Point> {
    let last = Period::containing(now(), grain);
    let point = |back: i64| {
        let is_known = back < count * 3 / 4;
        let wave = ms + u64::try_from(back * 7 % 5).unwrap();
        Point {
            slot: Slot::Period(last.later(-back)),
            good: if is_known { 58 } else { 0 },
            retried: if back == 3 { 1 } else { 0 },
            failing: if back == 2 { 30 } else { 0 },
            no_data: if is_known { 2 } else { 0 },
            total: is_known.then_some(Percentiles {
                p50: Duration::from_millis(wave),
                p95: Duration::from_millis(wave * 2),
                max: Duration::from_millis(wave * 9),
            }),
            phases: ByPhase::default(),
        }
    };
    (0..count).rev().map(point).collect()
}

/// A check each minute of the last three hours, of which one failed.
fn checks(ms: u64) -> Vec<Point> {
    let interval = portpulse_core::time::Interval::OneMinute;
    let first = tick("2026-11-22T02:42:00Z");
    let point = |minute: u32| {
        let is_good = minute != 90;
        let time = Duration::from_millis(ms + u64::from(minute * 7 % 5));
        Point {
            slot: Slot::Check(first.later(interval, minute), interval),
            retried: 0,
            good: is_good.into(),
            failing: (!is_good).into(),
            no_data: 0,
            total: is_good.then_some(Percentiles {
                p50: time,
                p95: time,
                max: time,
            }),
            phases: ByPhase::default(),
        }
    };
    (0..180).map(point).collect()
}

fn times(times: Percentiles, factor: u32) -> Percentiles {
    Percentiles {
        p50: times.p50 * factor,
        p95: times.p95 * factor,
        max: times.max * factor,
    }
}

/// The uptime bars that correspond to [`points`].
fn bars(grain: Grain, count: i64) -> Vec<Bar> {
    let last = Period::containing(now(), grain);
    let bar = |back: i64| {
        let period = last.later(-back);
        let observed = if back < count * 3 / 4 { grain.seconds() } else { 0 };
        let opened = last.later(-2).start() + SignedDuration::from_mins(10);
        let outage = incident("any", Track::Health, opened, Some(SignedDuration::from_mins(20)));
        let closed = portpulse_core::group_state::ClosedIncident {
            monitor: "any".parse().unwrap(),
            track: Track::Health,
            incident: portpulse_core::group_state::Incident {
                opened: Tick::containing(outage.opened, portpulse_core::time::Interval::OneMinute),
                ..down_since(Tick::containing(
                    outage.since,
                    portpulse_core::time::Interval::OneMinute,
                ))
            },
            closed: Tick::containing(
                outage.closed.unwrap().0,
                portpulse_core::time::Interval::OneMinute,
            ),
            ending: Ending::Recovered,
        };
        let outages = Outages::of([&closed], [], now());
        Bar {
            period,
            watched: outages.observed_for(period, Timestamp::MAX, CheckedSeconds { observed, failing: 0 }),
        }
    };
    (0..count).rev().map(bar).collect()
}

fn sum(bars: &[Bar]) -> Option<ObservedTime> {
    Some(
        bars.iter()
            .fold(ObservedTime::default(), |sum, bar| sum.and(bar.watched)),
    )
}

/// A silence, and an acknowledgement of the open incident.
pub(crate) fn control(by: &str, why: Option<&str>) -> Control {
    let at: Timestamp = "2026-11-22T05:40:00Z".parse().unwrap();
    let note = Note::new(by, at, why).unwrap();
    let until = "2026-11-22T07:00:00Z".parse().unwrap();
    let silence = Silence::new(until, note.clone()).unwrap();
    let incidents = ["orders-db@2026-11-22T05:38:00Z.7".to_owned()].into();
    Control::default()
        .silenced(silence)
        .acknowledged(Acknowledgement { incidents, note })
}

/// A banner recorded at 05:00.
pub(crate) fn banner(text: &str) -> Banner {
    Banner {
        text: Detail::new(text).unwrap(),
        at: tick("2026-11-22T05:00:00Z"),
    }
}

pub(crate) fn visibility(state: VisibilityState, ms: u64, found: Option<&str>) -> LocationVisibility {
    let hours = points(Grain::Hour, 24, ms);
    LocationVisibility {
        kind: Some(LocationKind::Region),
        state,
        since: found.map(|_| tick("2026-11-22T05:37:00Z")),
        seen: Some(tick("2026-11-22T05:41:00Z")),
        finding: found.map(finding),
        banner: Some(banner("PostgreSQL, wants SCRAM-SHA-256")),
        total: hours.last().and_then(|point| point.total),
        phases: ByPhase::default(),
        checks: checks(ms),
        hours,
        days: points(Grain::Day, 90, ms),
    }
}

fn view(id: &str, status: Status, locations: &[(&str, LocationVisibility)]) -> MonitorView {
    let (group, definition) = monitors().remove(id).unwrap();
    let (hours, days) = (bars(Grain::Hour, 24), bars(Grain::Day, 90));
    let mut locations: BTreeMap<Location, _> = locations
        .iter()
        .map(|(location, visibility)| (location.parse().unwrap(), visibility.clone()))
        .collect();
    if matches!(definition.target().check, Check::Ready(_)) {
        for visibility in locations.values_mut() {
            let points = visibility.hours.iter_mut().chain(&mut visibility.days);
            points.for_each(|point| {
                point.phases.connect = point.total;
                point.phases.ready = point.total.map(|connect| times(connect, 3));
                point.total = point.total.map(|connect| times(connect, 4));
            });
        }
    }
    MonitorView {
        id: id.parse().unwrap(),
        about: definition.about().clone(),
        status,
        since: (status != Status::Up).then(|| "2026-11-22T05:37:00Z".parse().unwrap()),
        is_flapping: false,
        in_maintenance: id == "queue",
        maintenance: maintenance(id),
        uptime: Uptime {
            day: sum(&hours),
            week: sum(&days[83..]),
            month: sum(&days[60..]),
            quarter: sum(&days),
        },
        hours,
        days,
        inside: Some(Box::new(MonitorInside {
            group,
            definition,
            finding: locations
                .values()
                .find_map(|visibility| visibility.finding.clone()),
            advisory: None,
            control: (id == "orders-db").then(|| control("ann", Some("moving it"))),
            locations,
            hours: points(Grain::Hour, 24, 12),
            days: points(Grain::Day, 90, 12),
        })),
    }
}

/// The maintenance windows of a monitor, as in [`DEFINITIONS`].
fn maintenance(id: &str) -> Vec<Maintenance> {
    let window = |from: &str, until: &str, why: Option<&str>| Maintenance {
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
        why: why.map(str::to_owned),
    };
    let update = window("2026-11-22T05:00:00Z", "2026-11-22T06:00:00Z", Some("update"));
    let sunday = window("2026-11-29T02:00:00Z", "2026-11-29T04:00:00Z", None);
    match id {
        "queue" => vec![update],
        "cache" => vec![update, sunday],
        "orders-db" => vec![sunday],
        _ => Vec::new(),
    }
}

pub(crate) fn incident(
    id: &str,
    track: Track,
    since: Timestamp,
    length: Option<SignedDuration>,
) -> IncidentView {
    let opened = Tick::containing(
        since + SignedDuration::from_mins(1),
        portpulse_core::time::Interval::OneMinute,
    );
    IncidentView {
        id: IncidentId {
            monitor: id.parse().unwrap(),
            opened,
            revision: 7,
            track,
        },
        status: match track {
            Track::Health => Status::Down,
            Track::Quality => Status::Degraded,
            Track::Visibility => Status::Unknown,
        },
        since,
        opened: opened.timestamp(),
        closed: length.map(|length| (since + length, Ending::Recovered)),
        title: id.to_owned(),
        notes: Vec::new(),
        inside: Some(IncidentInside {
            cause_changes: Vec::new(),
            diagnosis: None,
            cluster: None,
            finding: Some(finding("connection refused by 192.0.2.7")),
            notified: Some((
                opened.timestamp() + SignedDuration::from_secs(4),
                opened.timestamp() + SignedDuration::from_secs(4),
            )),
            reminders: 0,
            withheld: None,
            never_notified: None,
            urgency: portpulse_core::group_state::Urgency::Normal,
            stability: portpulse_core::group_state::Stability::Steady,
            acknowledged: None,
            silenced: None,
            dependencies: Default::default(),
        }),
    }
}

/// The private overview.
pub(crate) fn overview() -> Overview {
    use VisibilityState::{Failing, Good, Impaired, Silent};
    let at = |text: &str| text.parse().unwrap();
    let refused = Some("FATAL: the database system is starting up");
    let down = [
        ("eu-central-1", visibility(Failing, 8, refused)),
        ("eu-west-1", visibility(Failing, 21, refused)),
        ("us-east-1", visibility(Failing, 92, refused)),
    ];
    let slow = [
        ("eu-central-1", visibility(Impaired, 130, None)),
        ("us-east-1", visibility(Good, 90, None)),
    ];
    let split = [
        ("eu-central-1", visibility(Good, 9, None)),
        ("us-east-1", visibility(Failing, 95, Some("no answer"))),
    ];
    let fine = [
        ("eu-central-1", visibility(Good, 7, None)),
        ("us-east-1", visibility(Silent, 88, None)),
    ];
    Overview {
        at: now(),
        monitors: vec![
            view("orders-db", Status::Down, &down),
            view("queue", Status::Degraded, &slow),
            view("bastion", Status::Up, &split),
            view("cache", Status::Up, &fine),
        ],
        open: vec![
            incident("orders-db", Track::Health, at("2026-11-22T05:37:00Z"), None),
            incident("queue", Track::Quality, at("2026-11-22T04:30:00Z"), None),
        ],
        closed: vec![incident(
            "cache",
            Track::Health,
            at("2026-11-20T11:00:00Z"),
            Some(SignedDuration::from_mins(95)),
        )],
        left_out: LeftOut::default(),
        inside: Some(OverviewInside {
            locations: BTreeMap::from([(
                "us-east-1".parse().unwrap(),
                LocationStanding {
                    last: None,
                    problem: Some((LocationProblem::Silent, at("2026-11-22T05:30:00Z"))),
                },
            )]),
            kinds: [
                ("eu-central-1", LocationKind::Region),
                ("office-berlin", LocationKind::Agent),
                ("us-east-1", LocationKind::Region),
            ]
            .map(|(name, kind)| (name.parse().unwrap(), Some(kind)))
            .into_iter()
            .collect(),
            broken: BTreeMap::from([("broken one".to_owned(), vec!["`host` is missing".to_owned()])]),
            unreadable: vec!["group#1m#0/location#x is of a later version".to_owned()],
        }),
    }
}

/// The public overview: the same without private data.
pub(crate) fn public() -> Overview {
    let mut known = overview();
    known.inside = None;
    for monitor in &mut known.monitors {
        monitor.inside = None;
        monitor
            .maintenance
            .iter_mut()
            .for_each(|window| window.why = None);
    }
    let incidents = known.open.iter_mut().chain(&mut known.closed);
    incidents.for_each(|incident| incident.inside = None);
    known
}

/// The page view of one monitor.
pub(crate) fn monitor_page(known: &Overview, id: &str) -> MonitorPage {
    let incidents = known.open.iter().chain(&known.closed);
    MonitorPage {
        at: known.at,
        monitor: known
            .monitors
            .iter()
            .find(|monitor| monitor.id.as_str() == id)
            .unwrap()
            .clone(),
        incidents: incidents
            .filter(|incident| incident.id.monitor.as_str() == id)
            .cloned()
            .collect(),
        left_out: LeftOut::default(),
    }
}

pub(crate) fn site() -> Site {
    Site::new(Access::Loopback, 5)
}

/// The HTML of the overview.
pub(crate) fn overview_html(known: &Overview, selection: &Selection) -> String {
    site().overview(Audience::Private, selection, known).body
}

/// The HTML of a monitor page.
pub(crate) fn monitor_html(known: &MonitorPage, span: Span) -> String {
    site().monitor(Audience::Private, span, Some(known)).body
}

/// The HTML of the incidents page.
pub(crate) fn incidents_html(known: &Overview) -> String {
    site()
        .incidents(
            Audience::Private,
            &portpulse_status::IncidentSelection::default(),
            known,
        )
        .body
}

/// The texts of the elements that match a selector, with normalised white space.
pub(crate) fn texts(html: &str, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    let document = Html::parse_document(html);
    let found = document.select(&selector);
    found
        .map(|element| {
            let text: String = element.text().collect();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// The values of an attribute of the elements that match a selector.
pub(crate) fn attributes(html: &str, selector: &str, name: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    let document = Html::parse_document(html);
    let found = document.select(&selector);
    found
        .filter_map(|element| element.attr(name))
        .map(str::to_owned)
        .collect()
}
