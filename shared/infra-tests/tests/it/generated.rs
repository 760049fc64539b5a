//! Definitions files made up from a seed: good ones that use every field, and ones with a fault in each monitor.

use serde_json::{Map, Value, json};

/// A stream of numbers that a seed fixes (SplitMix64).
pub(crate) struct Chance(u64);

impl Chance {
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

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
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

/// A good file of `monitors` monitors. With `interval`, all of them have that one.
pub(crate) fn good(chance: &mut Chance, monitors: usize, interval: Option<&str>) -> Value {
    let ids: Vec<String> = (0..monitors)
        .map(|n| format!("m{n}.{}", chance.below(1000)))
        .collect();
    let mut all = Map::new();
    for (place, id) in ids.iter().enumerate() {
        let mut fields = fields(chance);
        if let Some(interval) = interval {
            fields.insert("interval".to_owned(), json!(interval));
        }
        // Those before it, so that no circle forms.
        if place > 0 && chance.once_in(4) {
            let parents = [&ids[chance.below(place)], &ids[place - 1]];
            fields.insert("depends_on".to_owned(), json!(parents));
        }
        all.insert(id.clone(), Value::Object(fields));
    }
    if interval.is_none() {
        all.insert("scripted".to_owned(), scripted());
    }
    let some = [&ids[chance.below(monitors)], &ids[chance.below(monitors)]];
    json!({
        "defaults": defaults(chance),
        "monitors": all,
        "maintenance": [
            { "from": "2026-11-22T02:00:00Z", "until": "2026-11-22T04:00:00+01:00", "monitors": some, "why": "é <&> \"quoted\"" },
            { "every": "mon, WED 22:30", "for": "90m", "zone": "Europe/Berlin", "tags": ["env=prod"] },
            { "every": "daily 02:00", "for": "2h" },
        ],
    })
}

fn defaults(chance: &mut Chance) -> Value {
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
        if chance.once_in(2) {
            defaults[name] = value;
        }
    }
    defaults
}

/// What goes with one service alone takes the place of the service that was picked.
fn options(chance: &mut Chance, set: &mut impl FnMut(&str, Value)) {
    let port = 9_000 + chance.below(100);
    match chance.below(16) {
        0 => {
            set("service", json!(chance.one(&["http", "https"])));
            set("http", chance.one(&http()));
        }
        1 => {
            set("service", json!("dns"));
            set("dns", chance.one(&dns()));
        }
        2 => {
            set("service", json!(chance.one(&["postgres", "submission", "imap"])));
            set("tls", json!(chance.one(&["starttls"])));
            set("warn_days", json!(chance.below(366)));
        }
        3 => {
            set("service", json!(chance.one(&["redis", "tls", "imaps"])));
            set("tls", json!(true));
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

/// A script stands in the place of a service, so that it is a monitor of its own.
fn scripted() -> Value {
    json!({
        "host": "chat.example.com", "port": 4222, "expect": "open", "close": "fin",
        "script": [{ "expect": "INFO {" }, { "send": "PING\r\n" }, { "expect": "PONG é" }],
    })
}

fn fields(chance: &mut Chance) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    set("host", json!(chance.one(&HOSTS)));
    if chance.once_in(3) {
        set("service", json!(chance.one(&SERVICES)));
        if chance.once_in(3) {
            set("port", json!(1 + chance.below(20) * 7));
        }
    } else {
        // Neither MySQL's port nor 25.
        set("port", json!(4000 + chance.below(60_000)));
        if chance.once_in(3) {
            set("expect", json!(chance.one(&["closed", "reachable", "open"])));
        }
        if chance.once_in(4) {
            set("close", json!(chance.one(&["fin", "quiet"])));
        }
    }
    options(chance, &mut set);
    let optional: [(&str, Value); 14] = [
        (
            "tier",
            json!(chance.one(&["critical", "supporting", "background"])),
        ),
        ("interval", json!(chance.one(&INTERVALS))),
        ("timeout", json!(chance.one(&["500ms", "3s", "30s"]))),
        ("slow_after", json!(chance.one(&["100ms", "200ms"]))),
        ("failures_to_open", json!(1 + chance.below(10))),
        ("successes_to_close", json!(1 + chance.below(10))),
        ("quorum", json!(1 + chance.below(2))),
        (
            "locations",
            json!(["eu-west-1", chance.one(&["us-east-1", "ap-south-1"])]),
        ),
        ("severity", json!(chance.one(&["critical", "warning", "info"]))),
        ("tags", json!([chance.one(&TAGS), chance.one(&TAGS)])),
        ("runbook", json!("https://wiki.example.com/run?book=1&x=%20#top")),
        ("enabled", json!(chance.once_in(2))),
        ("escalate_after", json!(chance.one(&["1m", "30m", "2h"]))),
        ("flapping_after", json!(chance.below(21))),
    ];
    for (name, value) in optional {
        if chance.once_in(3) {
            set(name, value);
        }
    }
    fields
}

/// A file in which each monitor has one fault, every field being wrong in every way.
pub(crate) fn faulty() -> Value {
    let wrong: [(&str, Vec<Value>); 26] = [
        (
            "host",
            vec![
                json!(null),
                json!(7),
                json!(""),
                json!("a b"),
                json!("1.2.3"),
                json!("http://a"),
                json!("a:1"),
                json!("-a"),
                json!("a..b"),
                json!("bücher.de"),
                json!("10.0.0.1"),
                json!("[::1]"),
                json!("2001:db8::1"),
                json!("localhost"),
                json!("db.localhost."),
                json!("169.254.1.1"),
                json!("256.1.1.1"),
                json!("x".repeat(64)),
            ],
        ),
        (
            "port",
            vec![
                json!(0),
                json!(65_536),
                json!(-1),
                json!("22"),
                json!(1.5),
                json!(25),
                json!(3306),
                json!(null),
            ],
        ),
        ("service", vec![json!("postgress"), json!(5), json!([])]),
        ("tier", vec![json!("urgent"), json!(1), json!(null)]),
        ("interval", vec![json!("3m"), json!("60s"), json!(60)]),
        (
            "timeout",
            vec![
                json!("99ms"),
                json!("31s"),
                json!("5"),
                json!(5),
                json!("5 s"),
                json!("400d"),
                json!("10m"),
            ],
        ),
        (
            "slow_after",
            vec![json!("0s"), json!("5s"), json!("fast"), json!(true)],
        ),
        ("expect", vec![json!("up"), json!(false)]),
        ("check", vec![json!("ready"), json!("ping"), json!(1)]),
        (
            "failures_to_open",
            vec![json!(0), json!(11), json!("2"), json!(1.5)],
        ),
        ("successes_to_close", vec![json!(0), json!(11), json!(null)]),
        ("quorum", vec![json!(0), json!(101), json!("all")]),
        (
            "locations",
            vec![
                json!([]),
                json!("eu-west-1"),
                json!(["eu-west-1", "EU"]),
                json!([1]),
            ],
        ),
        ("severity", vec![json!("fatal"), json!({})]),
        ("ip", vec![json!("v5"), json!(4), json!("v6")]),
        ("close", vec![json!("rst"), json!(1)]),
        (
            "tags",
            vec![
                json!("one"),
                json!(["a b", "good", ""]),
                json!([7]),
                json!(vec!["x"; 51]),
            ],
        ),
        (
            "runbook",
            vec![
                json!("wiki"),
                json!("ftp://x"),
                json!("https://"),
                json!("https://a b"),
                json!("http://<x>"),
                json!(format!("https://{}", "x".repeat(493))),
            ],
        ),
        (
            "depends_on",
            vec![json!("good"), json!(["nobody", "good", "No"]), json!([true])],
        ),
        ("enabled", vec![json!("true"), json!(1), json!(null)]),
        ("remind_every", vec![json!("4m"), json!("1y"), json!(4)]),
        ("escalate_after", vec![json!("59s"), json!("1y"), json!(4)]),
        (
            "flapping_after",
            vec![json!(-1), json!(21), json!("6"), json!(1.5)],
        ),
        ("hots", vec![json!("a"), json!(1)]),
        ("maintenance", vec![json!([])]),
        ("depends_on_groups", vec![json!({})]),
    ];
    let mut all = Map::new();
    all.insert(
        "good".to_owned(),
        json!({ "host": "a.example.com", "port": 8080 }),
    );
    for (field, values) in wrong {
        for (number, value) in values.into_iter().enumerate() {
            let mut monitor = json!({ "host": "a.example.com", "port": 8080 });
            monitor[field] = value;
            all.insert(format!("{}-{number}", field.replace('_', "-")), monitor);
        }
    }
    let between = [
        json!({ "host": "203.0.113.7", "port": 1, "ip": "v6" }),
        json!({ "host": "a", "service": "ssh", "check": "ready", "expect": "closed" }),
        json!({ "host": "a", "service": "ssh", "close": "quiet" }),
        json!({ "host": "a", "service": "mysql", "check": "connect" }),
        json!({ "host": "a", "service": "mysql", "expect": "reachable" }),
        json!({ "host": "a", "service": "mariadb", "expect": "closed" }),
        json!({ "host": "a", "service": "smtp" }),
        json!({ "host": "a", "service": "nosuch" }),
        json!({ "host": "a" }),
        json!({ "port": 1 }),
        json!({ "host": "a", "port": 1, "locations": ["eu-west-1", "eu-west-1"], "quorum": 2 }),
        json!({ "host": "a", "port": 1, "depends_on": ["between-11"] }),
        json!({ "host": "a", "port": 1, "depends_on": ["between-13"] }),
        json!({ "host": "a", "port": 1, "depends_on": ["between-14"] }),
        json!({ "host": "a", "port": 1, "depends_on": ["between-12", "good"] }),
        json!([1]),
        json!(null),
    ];
    for (number, monitor) in between.into_iter().enumerate() {
        all.insert(format!("between-{number}"), monitor);
    }
    all.insert("Upper".to_owned(), json!({ "host": "a", "port": 1 }));
    json!({
        "defaults": { "colour": "red", "host": "x" },
        "monitors": all,
        "maintenance": [
            { "from": "2026-11-22T02:00:00Z" },
            { "from": "soon", "until": "2026-11-22T02:00:00Z" },
            { "from": "2026-11-22T02:00:00Z", "until": "2026-11-22T02:00:00Z" },
            { "from": "2026-11-22T02:00:00Z", "until": "2026-11-23T02:00:00Z", "zone": "UTC" },
            { "every": "sunday 02:00", "for": "2h" },
            { "every": "sun 2:00", "for": "8d" },
            { "every": "sun 24:00", "for": "0s", "zone": "Mars Base" },
            { "every": "daily 02:00", "for": 2, "monitors": ["nobody", "good"], "tags": ["unused"] },
            { "every": "daily 02:00", "for": "2h", "monitors": "good", "tags": [], "why": 5 },
            { "every": "daily 02:00", "for": "2h", "when": "now", "why": "x".repeat(201) },
            "always",
        ],
        "monitor": {},
    })
}
