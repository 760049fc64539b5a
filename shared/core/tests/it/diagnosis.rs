//! Diagnoses of situations that were labelled by hand: the layer is the labelled one or unknown, never another one.

use std::collections::BTreeMap;
use std::net::IpAddr;

use portpulse_core::diagnosis::{Diagnosis, Layer};
use portpulse_core::group_state::Track;
use portpulse_core::id::MonitorId;
use portpulse_core::observation::Seen;
use portpulse_core::outbox::Kind;
use serde_json::{Value, json};

use crate::world::World;

const SITUATIONS: &str = include_str!("situations.txt");
const LOCATIONS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// One monitor of a situation.
struct Row {
    id: String,
    fields: Value,
    address: Option<IpAddr>,
    symbols: Vec<char>,
}

/// Reads `id=host:port SYMBOLS options`, or `id=host:ping …`.
fn rows(text: &str) -> Vec<Row> {
    let mut words = text.split_whitespace();
    let (id, target) = words.next().unwrap().split_once('=').unwrap();
    let (host, port) = target.rsplit_once(':').unwrap();
    let (host, address) = match host.split_once('@') {
        Some((host, address)) => (host, Some(address.parse().unwrap())),
        None => (host, host.parse().ok()),
    };
    let symbols: Vec<_> = words.next().unwrap().chars().collect();
    let mut fields = json!({ "host": host, "slow_after": "100ms", "failures_to_open": 1 });
    match port {
        "ping" => fields["check"] = json!("ping"),
        port => fields["port"] = json!(port.parse::<u16>().unwrap()),
    }
    for option in words {
        match option.split_once('=').unwrap() {
            ("expect", value) => fields["expect"] = json!(value),
            ("quorum", value) => fields["quorum"] = json!(value.parse::<u32>().unwrap()),
            ("on", parent) => {
                fields["depends_on"] = json!([parent]);
                fields["depends_on_groups"] = json!({ parent: "1m#0" });
            }
            other => panic!("unknown option {other:?}"),
        }
    }
    let row = |id: String, host: &str| {
        let mut fields = fields.clone();
        fields["host"] = json!(host);
        Row {
            id,
            fields,
            address,
            symbols: symbols.clone(),
        }
    };
    match id.split_once('*') {
        None => vec![row(id.to_owned(), host)],
        Some((id, count)) => (0..count.parse::<u32>().unwrap())
            .map(|number| row(format!("{id}{number}"), &format!("{host}{number}")))
            .collect(),
    }
}

/// Plays a situation, and returns the diagnosis of the first monitor.
fn diagnosis(situation: &str) -> Diagnosis {
    let rows: Vec<_> = situation.split(';').flat_map(rows).collect();
    let locations = rows[0].symbols.len();
    let monitors: Vec<_> = rows
        .iter()
        .map(|row| (row.id.as_str(), row.fields.clone()))
        .collect();
    let mut world = World::new(locations, &monitors);
    for row in &rows {
        let address = row.address.map(|address| (row.id.parse().unwrap(), address));
        world.addresses.extend(address);
    }
    let by_id: BTreeMap<&str, &Row> = rows.iter().map(|row| (row.id.as_str(), row)).collect();
    let good = |id: &MonitorId| {
        let is_closed = by_id[id.as_str()].fields["expect"] == "closed";
        if is_closed { 'x' } else { '.' }
    };
    for location in &LOCATIONS[..locations] {
        world.deliver(1, location, good);
    }
    let id: MonitorId = rows[0].id.parse().unwrap();
    for tick in 2..=6 {
        for (number, location) in LOCATIONS[..locations].iter().enumerate() {
            if rows[0].symbols[number] != '-' {
                world.deliver(tick, location, |id| by_id[id.as_str()].symbols[number]);
            }
        }
        let incidents = &world.group_state.decision.incidents;
        let tracks = [Track::Health, Track::Quality, Track::Visibility];
        let incident = tracks
            .into_iter()
            .find_map(|track| incidents.get(&(id.clone(), track)));
        if let Some(incident) = incident {
            return incident.diagnosis.clone().unwrap();
        }
    }
    panic!("no incident opens: {situation}")
}

#[test]
fn labelled_situations_are_diagnosed_rightly_or_unknown() {
    let lines = SITUATIONS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (mut all, mut undecided) = (0, Vec::new());
    let mut wrong = Vec::new();
    for line in lines {
        let (label, situation) = line.split_once(": ").unwrap();
        let (label, found) = (label.parse::<Layer>().unwrap(), diagnosis(situation).layer);
        all += 1;
        if label != found && found != Layer::Unknown {
            wrong.push(format!("{line}\n    diagnosed as {found}"));
        } else if label != found {
            undecided.push(line);
        }
    }
    assert!(all >= 200, "only {all} situations");
    assert!(wrong.is_empty(), "wrong:\n{}", wrong.join("\n"));
    // The exact list, so that a lost diagnosis is noticed.
    assert_eq!(undecided, UNDECIDED, "{}", undecided.join("\n"));
}

/// The situations in which a person would name the layer, and the rules do not.
const UNDECIDED: &[&str] = &[];

fn check(situation: &str, layer: Layer, sentence: &str) {
    let rows: Vec<_> = situation.split(';').flat_map(rows).collect();
    let found = diagnosis(situation);
    let monitors: Vec<_> = rows
        .iter()
        .map(|row| (row.id.as_str(), row.fields.clone()))
        .collect();
    let world = World::new(1, &monitors);
    let monitor = &world.definitions.monitors[&rows[0].id.parse().unwrap()];
    let observed = crate::symbols::observation(rows[0].symbols[0]);
    let cause = match observed.seen {
        Seen::Failed(class) => portpulse_core::group_state::Cause::Failed(class),
        Seen::Open { .. } | Seen::NoData(_) => portpulse_core::group_state::Cause::Open,
    };
    let text = found.sentence(monitor.id(), Some(monitor.target()), Some(cause));
    assert_eq!((found.layer, text.as_str()), (layer, sentence), "{situation}");
}

#[test]
fn diagnosis_names_its_evidence_in_one_sentence() {
    check(
        "db=db.example.com:5432 xxx; ssh=db.example.com:22 ...",
        Layer::Port,
        "db.example.com answers on port 22 from all 3 locations; port 5432 refuses: the service is down, not the host or the network.",
    );
    check(
        "db=db.example.com:5432 xx-",
        Layer::Port,
        "db.example.com refuses connections to port 5432 from 2 of 3 locations: the host answers, and no service listens on the port.",
    );
    check(
        "db=db.example.com:5432 ttt; ssh=db.example.com:22 ...",
        Layer::Port,
        "db.example.com answers on port 22 from all 3 locations; port 5432 does not answer: the port is filtered or its service hangs, not the host or the network.",
    );
    check(
        "db=db.example.com:5432 ttt; ssh=db.example.com:22 ttt",
        Layer::Host,
        "Nothing on db.example.com answers from all 3 locations: neither port 5432 nor the other check.",
    );
    check(
        "db=db.example.com:5432 tt.",
        Layer::Network,
        "db.example.com does not answer from 2 of 3 locations, and answers from 1 location: the fault is on the network path.",
    );
    check(
        "db=db.example.com:5432 t; web=g:443 t; mail=f:25 t",
        Layer::Network,
        "None of several hosts answers from the only location: the fault is in the network, not on db.example.com.",
    );
    check(
        "db=db.example.com:5432 nnn",
        Layer::Name,
        "The name db.example.com does not resolve from all 3 locations: the fault is in DNS.",
    );
    check(
        "db=db.example.com:5432 ttt",
        Layer::Unknown,
        "Port 5432 of db.example.com fails from all 3 locations: no other monitor of the group shows whether the host answers, so the layer is unknown.",
    );
    check(
        "db=db.example.com:5432 xxx on=sw; sw=s:22 ttt on=gw; gw=g:443 ttt",
        Layer::Dependency,
        "db depends on gw, which is down.",
    );
    check(
        "db=db.example.com:5432 xxx; host=db.example.com:ping ...",
        Layer::Port,
        "db.example.com answers to ping from all 3 locations; port 5432 refuses: the service is down, not the host or the network.",
    );
    check(
        "db=db.example.com:5432 ttt; host=db.example.com:ping ttt",
        Layer::Host,
        "Nothing on db.example.com answers from all 3 locations: neither port 5432 nor the other check.",
    );
    check(
        "host=db.example.com:ping ttt; ssh=db.example.com:22 ttt",
        Layer::Host,
        "Nothing on db.example.com answers from all 3 locations: neither ping nor the other check.",
    );
    check(
        "host=db.example.com:ping ttt; ssh=db.example.com:22 ...",
        Layer::Unknown,
        "db.example.com answers on port 22 from all 3 locations, but not to ping: ICMP is filtered or limited by the host or on the path.",
    );
    check(
        "host=db.example.com:ping tt.",
        Layer::Network,
        "db.example.com does not answer from 2 of 3 locations, and answers from 1 location: the fault is on the network path.",
    );
    check(
        "host=db.example.com:ping ttt",
        Layer::Unknown,
        "The ping to db.example.com fails from all 3 locations: no other monitor of the group shows whether the host answers, so the layer is unknown.",
    );
    check(
        "telnet=h:23 ... expect=closed",
        Layer::Port,
        "Port 23 of h is open from all 3 locations, and must be closed.",
    );
}

#[test]
fn diagnosis_improves_as_locations_report_and_stays_during_recovery() {
    let fields =
        |port: u16| json!({ "host": "h", "port": port, "failures_to_open": 1, "successes_to_close": 2 });
    let mut world = World::new(3, &[("db", fields(5432)), ("ssh", fields(22))]);
    let layers = |world: &World| {
        let incidents = world.group_state.decision.incidents.values();
        let evidence = |diagnosis: &Diagnosis| {
            let evidence = diagnosis.evidence.clone().unwrap();
            format!(
                "{} {}/{}/{}",
                diagnosis.layer, evidence.failing, evidence.good, evidence.pending
            )
        };
        incidents
            .map(|incident| evidence(incident.diagnosis.as_ref().unwrap()))
            .collect::<Vec<_>>()
            .join(", ")
    };
    world.play("1 ...");
    world.play("2 tt-");
    assert_eq!(layers(&world), "host 2/0/1, host 2/0/1");
    world.play("3 ttt");
    assert_eq!(layers(&world), "host 3/0/0, host 3/0/0");
    world.play("4 .tt");
    assert_eq!(layers(&world), "host 3/0/0, host 3/0/0");
}

/// The layer of the first open incident, and its evidence as `failing/good/pending`.
fn evidence(world: &World) -> String {
    let incident = world.group_state.decision.incidents.values().next().unwrap();
    let diagnosis = incident.diagnosis.as_ref().unwrap();
    let counts = diagnosis.evidence.as_ref().map(|evidence| {
        let counts = [evidence.failing, evidence.good, evidence.pending];
        counts.map(|count| count.to_string()).join("/")
    });
    format!("{} {}", diagnosis.layer, counts.unwrap_or_default())
}

/// Delivers a tick of the monitor `m`; every other monitor has the second symbols.
fn deliver(world: &mut World, tick: i64, of_m: &str, others: &str) {
    for ((location, own), other) in LOCATIONS.iter().zip(of_m.chars()).zip(others.chars()) {
        world.deliver(tick, location, |id| if id.as_str() == "m" { own } else { other });
    }
}

#[test]
fn diagnosis_of_dependency_is_replaced_while_the_fault_is_still_seen() {
    let child = json!({
        "failures_to_open": 1, "successes_to_close": 3, "depends_on": ["sw"], "depends_on_groups": { "sw": "1m#0" },
    });
    let parent = json!({ "failures_to_open": 1, "successes_to_close": 1 });
    for (ticks, expected) in [
        (&[(3, ".xx", "...")][..], "unknown 2/1/0"),
        (&[(3, "...", "xxx"), (4, "...", "...")], "dependency 3/0/0"),
    ] {
        let mut world = World::new(3, &[("m", child.clone()), ("sw", parent.clone())]);
        deliver(&mut world, 1, "...", "...");
        deliver(&mut world, 2, "xxx", "xxx");
        assert_eq!(evidence(&world), "dependency 3/0/0");
        for (tick, of_m, of_parent) in ticks {
            deliver(&mut world, *tick, of_m, of_parent);
        }
        assert_eq!(evidence(&world), expected, "{ticks:?}");
    }
}

#[test]
fn diagnosis_without_evidence_is_replaced_when_all_locations_see_the_fault() {
    let mut world = World::new(
        3,
        &[("m", json!({ "failures_to_open": 1, "successes_to_close": 2 }))],
    );
    world.play("1 ...\n2 xxx");
    let incidents = world.group_state.decision.incidents.values_mut();
    for incident in incidents {
        incident.diagnosis.as_mut().unwrap().evidence = None;
    }
    for (tick, symbols, expected) in [(3, ".xx", "port "), (4, "?xx", "port "), (5, "xxx", "port 3/0/0")] {
        world.play(&format!("{tick} {symbols}"));
        assert_eq!(evidence(&world), expected, "{symbols}");
    }
}

#[test]
fn diagnosis_of_warning_follows_its_cause() {
    let fields = json!({ "failures_to_open": 1, "successes_to_close": 2, "slow_after": "100ms" });
    let mut world = World::new(3, &[("m", fields)]);
    for (tick, symbols, expected) in [
        (2, "cc.", "tls 2/1/0"),
        (3, "ccc", "tls 3/0/0"),
        // The same cause in fewer locations, and another one.
        (4, "cc.", "tls 3/0/0"),
        (5, "ww.", "service 2/1/0"),
    ] {
        world.play(&format!("1 ...\n{tick} {symbols}"));
        assert_eq!(evidence(&world), expected, "{symbols}");
    }
}

#[test]
fn notification_has_the_diagnosis_of_its_incident() {
    let fields = |port: u16| json!({ "host": "db.example.com", "port": port, "failures_to_open": 1 });
    let mut world = World::new(3, &[("db", fields(5432)), ("ssh", fields(22))]);
    world.play("1 ...");
    let mut layers = Vec::new();
    for (tick, symbol) in [(2, 'x'), (3, '.'), (4, '.')] {
        for location in &LOCATIONS[..3] {
            let notified = world.deliver(
                tick,
                location,
                |id| if id.as_str() == "db" { symbol } else { '.' },
            );
            layers.extend(notified.iter().map(|notification| {
                let layer = notification.diagnosis.as_ref().map(|known| known.diagnosis.layer);
                (notification.kind, layer)
            }));
        }
    }
    assert_eq!(
        layers,
        [
            (Kind::Down, Some(Layer::Port)),
            (Kind::Recovered, Some(Layer::Port))
        ]
    );
}

#[test]
fn minority_failure_is_diagnosed_in_its_advisory() {
    let mut world = World::new(
        3,
        &[("db", json!({ "host": "h", "port": 5432, "failures_to_open": 1 }))],
    );
    let notified = world.notified("1 ...\n2 t..");
    let [(_, _, advisory)] = notified.as_slice() else {
        panic!("{notified:?}")
    };
    let known = advisory.diagnosis.as_ref().unwrap();
    assert_eq!(
        (advisory.kind, known.diagnosis.layer),
        (Kind::Advisory, Layer::Network)
    );
}
