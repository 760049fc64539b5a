//! Generated definitions files: valid ones, random with a seed, that use every field; and an invalid one that breaks every rule.

use serde_json::{Map, Value, json};

/// A pseudorandom number generator (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 33).unwrap() % bound
    }

    fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

const INTERVALS: [&str; 7] = ["1m", "2m", "5m", "10m", "15m", "30m", "1h"];
const SERVICES: [&str; 6] = ["postgres", "ssh", "https", "redis", "mysql", "submission"];
const TAGS: [&str; 5] = ["env=prod", "team:orders", "a.b/c", "x_1", "UPPER"];
const HOSTS: [&str; 7] = [
    "db.example.com",
    "DB.Example.com.",
    "203.0.113.7",
    "_sip.example.com",
    "a",
    "xn--bcher-kva.example",
    "1.example",
];

/// A valid file with `monitors` monitors, all with the same interval if `interval` is given.
pub(crate) fn valid_file(random: &mut Random, monitors: usize, interval: Option<&str>) -> Value {
    let ids: Vec<String> = (0..monitors)
        .map(|n| format!("m{n}.{}", random.below(1000)))
        .collect();
    let mut all = Map::new();
    for (place, id) in ids.iter().enumerate() {
        let mut fields = fields(random);
        if let Some(interval) = interval {
            fields.insert("interval".to_owned(), json!(interval));
        }
        // Only earlier monitors, so that no cycle forms.
        if place > 0 && random.one_in(4) {
            let parents = [&ids[random.below(place)], &ids[place - 1]];
            fields.insert("depends_on".to_owned(), json!(parents));
        }
        all.insert(id.clone(), Value::Object(fields));
    }
    if interval.is_none() {
        all.insert("scripted".to_owned(), scripted());
    }
    let some = [&ids[random.below(monitors)], &ids[random.below(monitors)]];
    json!({
        "defaults": defaults(random),
        "monitors": all,
        "maintenance": [
            { "from": "2026-11-22T02:00:00Z", "until": "2026-11-22T04:00:00+01:00", "monitors": some, "why": "é <&> \"quoted\"" },
            { "every": "mon, WED 22:30", "for": "90m", "zone": "Europe/Berlin", "tags": ["env=prod"] },
            { "every": "daily 02:00", "for": "2h" },
        ],
    })
}

fn defaults(random: &mut Random) -> Value {
    let mut defaults = json!({ "tags": TAGS });
    let optional = [
        ("tier", json!("critical")),
        ("interval", json!("10m")),
        ("remind_every", json!("4h")),
        ("slow_after", json!("150ms")),
        ("enabled", json!(true)),
        ("warn_days", json!(30)),
        ("tls", json!("starttls")),
        ("http", json!({ "path": "/up", "status": "2xx" })),
        ("dns", json!({ "name": "example.com" })),
    ];
    for (name, value) in optional {
        if random.one_in(2) {
            defaults[name] = value;
        }
    }
    defaults
}

/// Sets options, and a service that supports them instead of the one already set.
fn options(random: &mut Random, set: &mut impl FnMut(&str, Value)) {
    let port = 9_000 + random.below(100);
    match random.below(16) {
        0 => {
            set("service", json!(random.pick(&["http", "https"])));
            set("http", random.pick(&http()));
        }
        1 => {
            set("service", json!("dns"));
            set("dns", random.pick(&dns()));
        }
        2 => {
            set("service", json!(random.pick(&["postgres", "submission", "imap"])));
            set("tls", json!(random.pick(&["starttls"])));
            set("warn_days", json!(random.below(366)));
        }
        3 => {
            set("service", json!(random.pick(&["redis", "tls", "imaps"])));
            set(
                "tls",
                random.pick(&[json!(true), json!({ "name": "b.example.com" })]),
            );
            set("insecure", json!(random.one_in(2)));
        }
        4 => {
            set("service", json!("http"));
            set("tls", json!(false));
        }
        _ => return,
    }
    set("port", json!(port));
    set("expect", json!("open"));
    set("close", json!("fin"));
}

fn http() -> Vec<Value> {
    vec![
        json!({}),
        json!({ "path": "/health?a=1&b=%20", "status": 204, "follow": false }),
        json!({ "method": "GET", "status": [200, "3xx", "400-404"], "text": "é \"well\" <&>", "follow": true }),
        json!({ "method": "OPTIONS", "status": "2xx" }),
        json!({ "status": ["2xx"] }),
    ]
}

fn dns() -> Vec<Value> {
    vec![
        json!({}),
        json!({ "name": "www.example.com", "must": ["192.0.2.1"], "must_not": ["192.0.2.66"], "transport": "udp" }),
        json!({ "name": "Example.com.", "type": "MX", "must": ["10 mail.example.com."], "transport": "tcp" }),
        json!({ "name": "example.com", "type": "AAAA", "must": ["2001:db8::1"] }),
        json!({ "name": "example.com", "type": "TXT", "must_not": ["v=spf1 \"é\" -all"] }),
        json!({ "type": "NS", "name": "." }),
    ]
}

/// A monitor with a script, which cannot be combined with a service.
fn scripted() -> Value {
    json!({
        "host": "chat.example.com", "port": 4222, "expect": "open", "close": "fin",
        "script": [{ "expect": "INFO {" }, { "send": "PING\r\n" }, { "expect": "PONG é" }],
    })
}

fn fields(random: &mut Random) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    set("host", json!(random.pick(&HOSTS)));
    if random.one_in(3) {
        set("service", json!(random.pick(&SERVICES)));
        if random.one_in(3) {
            set("port", json!(1 + random.below(20) * 7));
        }
    } else {
        // Avoids 25 and the port of MySQL, which have rules of their own.
        set("port", json!(4000 + random.below(60_000)));
        if random.one_in(3) {
            set("expect", json!(random.pick(&["closed", "reachable", "open"])));
        }
        if random.one_in(4) {
            set("close", json!(random.pick(&["fin", "quiet"])));
        }
    }
    options(random, &mut set);
    let optional: [(&str, Value); 14] = [
        (
            "tier",
            json!(random.pick(&["critical", "supporting", "background"])),
        ),
        ("interval", json!(random.pick(&INTERVALS))),
        ("timeout", json!(random.pick(&["500ms", "3s", "30s"]))),
        ("slow_after", json!(random.pick(&["100ms", "200ms"]))),
        ("failures_to_open", json!(1 + random.below(10))),
        ("successes_to_close", json!(1 + random.below(10))),
        ("quorum", json!(1 + random.below(2))),
        (
            "locations",
            json!(["eu-west-1", random.pick(&["us-east-1", "ap-south-1"])]),
        ),
        ("severity", json!(random.pick(&["critical", "warning", "info"]))),
        ("tags", json!([random.pick(&TAGS), random.pick(&TAGS)])),
        ("runbook", json!("https://wiki.example.com/run?book=1&x=%20#top")),
        ("enabled", json!(random.one_in(2))),
        ("escalate_after", json!(random.pick(&["1m", "30m", "2h"]))),
        ("flapping_after", json!(random.below(21))),
    ];
    for (name, value) in optional {
        if random.one_in(3) {
            set(name, value);
        }
    }
    fields
}

/// Values that most fields refuse.
fn junk() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(11),
        json!(70_000),
        json!(""),
        json!("5"),
        json!("5 s"),
        json!("soon"),
        json!("https://"),
        json!("UPPER case"),
        json!("eu-wset-1"),
        json!([]),
        json!([7]),
        json!(["a b"]),
        json!(["eu-wset-1", "us-east-1"]),
        json!([{ "send": "x", "expect": "y" }, { "wait": "z" }]),
        json!({}),
        json!({ "unknown": 1 }),
        json!({ "status": ["200", 700, "6xx"], "path": "x", "method": "POST", "text": "" }),
        json!({ "type": "ANY", "must": "192.0.2.1", "must_not": [1], "transport": "tls" }),
        json!("x".repeat(600)),
    ]
}

/// A valid file in which some fields of the monitors, the defaults and the windows are replaced, renamed or removed.
pub(crate) fn mutated_file(random: &mut Random) -> Value {
    let mut file = valid_file(random, 6, None);
    let junk = junk();
    let mutate = |fields: &mut Map<String, Value>, random: &mut Random| {
        let names: Vec<_> = fields.keys().cloned().collect();
        let name = random.pick(&names);
        match random.below(6) {
            0 => drop(fields.remove(&name)),
            1 => {
                let value = fields.remove(&name);
                fields.insert(format!("{name}x"), value.unwrap_or_default());
            }
            _ => drop(fields.insert(name, random.pick(&junk))),
        }
    };
    let monitors = file["monitors"].as_object().unwrap().clone();
    // Ids without dots, so that a place has one reading.
    let renamed = monitors
        .into_values()
        .enumerate()
        .map(|(n, mut fields)| {
            fields.as_object_mut().unwrap().remove("depends_on");
            if !random.one_in(3) {
                mutate(fields.as_object_mut().unwrap(), random);
            }
            (format!("m{n}"), fields)
        })
        .collect();
    file["monitors"] = Value::Object(renamed);
    for window in file["maintenance"].as_array_mut().unwrap() {
        window.as_object_mut().unwrap().remove("monitors");
        if random.one_in(4) {
            mutate(window.as_object_mut().unwrap(), random);
        }
    }
    match random.below(12) {
        0 => mutate(file["defaults"].as_object_mut().unwrap(), random),
        1 => file["monitors"]["Upper"] = json!({ "host": "a", "port": 1 }),
        2 => file["monitors"]["m0"] = random.pick(&junk),
        3 => file["colour"] = json!("red"),
        4 => file["defaults"] = random.pick(&junk),
        _ => {}
    }
    file
}
