//! Messages for malformed items and invalid definitions.

use super::*;

/// The errors of a decoder, with their sources.
type Decoder = fn(&Item) -> Result<(), String>;

fn error_of<R>(read: Result<R, Malformed>) -> Result<(), String> {
    read.map(drop).map_err(|error| crate::chain(&error))
}

fn at<'a>(item: &'a mut Item, path: &[&str]) -> &'a mut Item {
    path.iter().fold(item, |item, name| match item.get_mut(*name) {
        Some(A::M(map)) => map,
        other => panic!("{name} is {other:?}"),
    })
}

/// Replaces an attribute (`None`: removes it), and asserts the message of the decoder without its help.
fn check(item: &Item, path: &[&str], value: Option<A>, decode: Decoder, expected: &str) {
    let mut item = item.clone();
    let (name, path) = path.split_last().unwrap();
    let map = at(&mut item, path);
    match value {
        Some(value) => drop(map.insert((*name).to_owned(), value)),
        None => drop(map.remove(*name)),
    }
    let error = decode(&item).unwrap_err();
    let help = " (delete the item to reset its state)";
    assert!(error.contains(help), "{error}");
    assert_eq!(error.replace(help, ""), expected);
}

fn number(digits: &str) -> Option<A> {
    Some(A::N(digits.to_owned()))
}

fn text(text: &str) -> Option<A> {
    Some(A::S(text.to_owned()))
}

#[test]
fn newer_layout_version_is_reported_with_help() {
    let mut item = put_location_state(&samples::location_state());
    item.insert("v".to_owned(), A::N("2".to_owned()));
    let error = location_state::decode(&item).unwrap_err().to_string();
    let expected =
        "unsupported layout version 2, expected 1 (update Portpulse, or delete the item to reset its state)";
    assert_eq!(error, expected);
}

#[test]
fn malformed_location_state_is_reported_with_path() {
    let item = put_location_state(&samples::location_state());
    let long = format!("a\n{}", "b".repeat(100));
    let shown = format!(
        "`entries.a\\n{}` is invalid: `a\\n{}…`",
        "b".repeat(77),
        "b".repeat(78)
    );
    let not_an_id =
        "is not a monitor id: use 1 to 64 of a-z, 0-9, `-`, `_` and `.`, starting with a letter or digit";
    let orders = |name| ["entries", "orders-db", name];
    for (path, value, expected) in [
        (&["v"][..], None, "`v` is missing"),
        (&["entries"], None, "`entries` is missing"),
        (&orders("ticks"), None, "`entries.orders-db.ticks` is missing"),
        (
            &orders("ticks"),
            text("3"),
            "`entries.orders-db.ticks` is text, expected a number",
        ),
        (
            &orders("ticks"),
            number("-1"),
            "`entries.orders-db.ticks` is invalid: invalid digit found in string",
        ),
        (
            &orders("health"),
            text("fine"),
            "`entries.orders-db.health` is invalid: expected one of good, failing",
        ),
        (
            &["entries", long.as_str()],
            number("1"),
            &format!("{shown} {not_an_id}"),
        ),
    ] {
        let decode = |item: &Item| error_of(location_state::decode(item));
        check(&item, path, value, decode, expected);
    }
}

#[test]
fn malformed_decision_state_is_reported_with_path() {
    let mut item = put_decision_state(&samples::decision_state());
    let incident = at(&mut item, &["monitors", "orders-db", "health"]).clone();
    let orders = |name| ["monitors", "orders-db", name];
    for (path, value, expected) in [
        (
            &["outbox"][..],
            Some(A::L(vec![A::N("1".to_owned())])),
            "`outbox.0` is a number, expected a map",
        ),
        (
            &orders("broken"),
            text("yes"),
            "`monitors.orders-db.broken` is text, expected true",
        ),
        (
            &orders("health_changes"),
            text("29922097 soon"),
            "`monitors.orders-db.health_changes` is invalid: expected a list of minutes, such as 29922097 3 1",
        ),
        (
            &orders("unknown"),
            Some(A::M(incident)),
            "`monitors.orders-db.unknown` is invalid: `unknown` is not a known outcome code",
        ),
    ] {
        let decode = |item: &Item| error_of(decision_state::decode(item));
        check(&item, path, value, decode, expected);
    }
}

#[test]
fn malformed_history_is_reported_with_path() {
    let rollup: Decoder = |item| error_of(rollup::decode(item));
    let times: Decoder = |item| error_of(phase_rollup::decode(item));
    let results: Decoder = |item| error_of(results::decode(item));
    let banners: Decoder = |item| error_of(banners::decode(item));
    let not_times = "`phases.orders-db.tls` is invalid: expected a maximum in milliseconds and a list of bucket distances \
                     with counts, such as 12.5 63:58 1:2";
    for (item, path, value, decode, expected) in [
        (
            put_results(&samples::observations()),
            &["seen", "cache"][..],
            text("0.31 odd"),
            results,
            "`seen.cache` is invalid: `0.31 odd` is not a known outcome code",
        ),
        (
            put_rollup(&samples::rollup()),
            &["monitors", "orders-db", "total"],
            text("63:58 200:2"),
            rollup,
            "`monitors.orders-db.total` is invalid: expected a list of bucket distances with counts, such as 63:58 1:2",
        ),
        (
            put_rollup(&samples::rollup()),
            &["monitors", "orders-db", "max"],
            number("-1"),
            rollup,
            "`monitors.orders-db.max` is invalid: expected a time in milliseconds, such as 12.5",
        ),
        (
            put_rollup(&samples::rollup()),
            &["monitors", "cache", "failing", "odd"],
            number("1"),
            rollup,
            "`monitors.cache.failing.odd` is invalid: `odd` is not a known outcome code",
        ),
        (
            put_banners(&samples::banners()),
            &["banners", "mail", "text"],
            text("\u{1b}"),
            banners,
            "`banners.mail.text` is invalid: blank text",
        ),
    ] {
        check(&item, path, value, decode, expected);
    }
    let item = put_phase_rollup(&samples::phase_rollup());
    for invalid in ["12.5", "63:58 1:2", "12.5 63:58 200:2", "x 63:58"] {
        check(
            &item,
            &["phases", "orders-db", "tls"],
            text(invalid),
            times,
            not_times,
        );
    }
}

#[test]
fn silence_with_control_characters_is_valid() {
    let mut item = put_control(&samples::control());
    let silence = at(&mut item, &["silence"]);
    silence.insert("by".to_owned(), A::S("an\u{1b}[2Jn\u{202e}".to_owned()));
    silence.insert("why".to_owned(), A::S("a\nb\u{2066}".to_owned()));
    let silence = control::decode(&item).unwrap().silence.unwrap();
    assert_eq!((silence.note.by(), silence.note.why()), ("an [2Jn", Some("a b")));
}

#[test]
fn all_diagnostics_of_definition_are_reported() {
    let diagnostics = |change: &dyn Fn(&mut Item)| {
        let mut item = put_definition(&samples::definition());
        change(&mut item);
        let diagnostics = get_definition(&item).unwrap_err();
        diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        diagnostics(&|item| {
            item.insert("host".to_owned(), A::B(Blob::new("x")));
            item.insert("tags".to_owned(), A::L(vec![A::Bs(vec![Blob::new("x")])]));
        }),
        [
            "host: has an unsupported type: binary (use text or a number)",
            "tags.0: has an unsupported type: a set of binaries (use text or a number)",
        ]
    );
    assert_eq!(
        diagnostics(&|item| drop(item.insert("interval".to_owned(), A::S("5m".to_owned())))),
        [
            "interval: is 5m, but the item is in a group of 1m (write the item to a group of its interval, for example \
             with `terraform apply`)"
        ]
    );
}

#[test]
fn string_set_is_decoded_as_list() {
    let mut item = put_definition(&samples::definition());
    item.insert("tags".to_owned(), A::Ss(vec!["prod".to_owned()]));
    assert_eq!(
        get_definition(&item),
        get_definition(&put_definition(&samples::definition()))
    );
}

#[test]
fn ready_check_options_round_trip_and_invalid_ones_are_reported() {
    let fields = |options: Value| {
        let mut fields = json!({ "host": "a.example.com", "interval": group().interval.to_string() });
        let Value::Object(options) = options else {
            unreachable!("options that are {options}")
        };
        fields.as_object_mut().unwrap().extend(options);
        fields.as_object().unwrap().clone()
    };
    for options in [
        json!({ "service": "https", "warn_days": 30, "http": { "path": "/up", "status": [200, "3xx"], "follow": true } }),
        json!({ "service": "submission", "tls": "starttls" }),
        json!({ "service": "dns", "dns": { "name": "a.example", "must": ["192.0.2.1"], "transport": "udp" } }),
        json!({ "port": 4222, "script": [{ "send": "PING\r\n" }, { "expect": "PONG" }] }),
    ] {
        let fields = fields(options);
        let read = get_definition(&put_definition(&fields)).unwrap();
        let written = Monitor::from_attributes("orders-db", &Value::Object(fields)).unwrap();
        assert_eq!(read, written);
        assert!(matches!(
            read.target().check,
            portpulse_core::target::Check::Ready(_)
        ));
    }
    let mut item = put_definition(&fields(
        json!({ "service": "http", "http": { "path": "up", "text": 7 } }),
    ));
    let paths = |item: &Item| {
        let diagnostics = get_definition(item).unwrap_err();
        diagnostics
            .iter()
            .map(|diagnostic| diagnostic.at.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(paths(&item), ["http.text", "http.path"]);
    let blob = BTreeMap::from([("path".to_owned(), A::B(Blob::new(b"up".to_vec())))]);
    item.insert("http".to_owned(), A::M(blob.into_iter().collect()));
    assert_eq!(paths(&item), ["http.path"]);
}
