//! Messages for malformed items and invalid definitions.

use super::*;

/// Asserts the message of a decoder for an item after one change.
fn check<R: Debug>(
    mut item: Item,
    change: impl FnOnce(&mut Item),
    decode: impl Fn(&Item) -> Result<R, Malformed>,
    expected: &str,
) {
    change(&mut item);
    let error = decode(&item).unwrap_err();
    let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let chain: Vec<_> = chain.map(ToString::to_string).collect();
    assert_eq!(chain.join(": "), expected);
}

fn at<'a>(item: &'a mut Item, path: &[&str]) -> &'a mut Item {
    path.iter().fold(item, |item, name| match item.get_mut(*name) {
        Some(A::M(map)) => map,
        other => panic!("{name} is {other:?}"),
    })
}

#[test]
fn malformed_item_is_reported_with_path_and_help() {
    let number = |digits: &str| A::N(digits.to_owned());
    let text = |text: &str| A::S(text.to_owned());
    let state = || put_location_state(&samples::location_state());
    let orders = ["entries", "orders-db"];
    check(
        state(),
        |item| drop(item.insert("v".to_owned(), number("2"))),
        location_state::decode,
        "unsupported layout version 2, expected 1 (update Portpulse, or delete the item to reset its state)",
    );
    check(
        state(),
        |item| drop(item.remove("v")),
        location_state::decode,
        "`v` is missing (delete the item to reset its state)",
    );
    check(
        state(),
        |item| drop(item.remove("entries")),
        location_state::decode,
        "`entries` is missing (delete the item to reset its state)",
    );
    check(
        state(),
        |item| drop(at(item, &orders).remove("ticks")),
        location_state::decode,
        "`entries.orders-db.ticks` is missing (delete the item to reset its state)",
    );
    check(
        state(),
        |item| drop(at(item, &orders).insert("ticks".to_owned(), text("3"))),
        location_state::decode,
        "`entries.orders-db.ticks` is text, expected a number (delete the item to reset its state)",
    );
    check(
        state(),
        |item| drop(at(item, &orders).insert("ticks".to_owned(), number("-1"))),
        location_state::decode,
        "`entries.orders-db.ticks` is invalid (delete the item to reset its state): invalid digit found in string",
    );
    check(
        state(),
        |item| drop(at(item, &orders).insert("health".to_owned(), text("fine"))),
        location_state::decode,
        "`entries.orders-db.health` is invalid (delete the item to reset its state): expected one of good, failing",
    );
    check(
        state(),
        |item| drop(at(item, &["entries"]).insert(format!("a\n{}", "b".repeat(100)), number("1"))),
        location_state::decode,
        &format!(
            "`entries.a\\n{}` is invalid (delete the item to reset its state): `a\\n{}…` is not a monitor id: use 1 to \
             64 of a-z, 0-9, `-`, `_` and `.`, starting with a letter or digit",
            "b".repeat(77),
            "b".repeat(78),
        ),
    );
    check(
        put_decision_state(&samples::decision_state()),
        |item| match item.get_mut("outbox") {
            Some(A::L(outbox)) => outbox[1] = number("1"),
            other => panic!("{other:?}"),
        },
        decision_state::decode,
        "`outbox.1` is a number, expected a map (delete the item to reset its state)",
    );
    for (name, value, expected) in [
        (
            "broken",
            text("yes"),
            "`monitors.orders-db.broken` is text, expected true (delete the item to reset its state)",
        ),
        (
            "health_changes",
            text("29922097 soon"),
            "`monitors.orders-db.health_changes` is invalid (delete the item to reset its state): expected a list of \
             minutes, such as 29922097 3 1",
        ),
        (
            "unknown",
            A::M(
                at(
                    &mut put_decision_state(&samples::decision_state()),
                    &["monitors", "orders-db", "health"],
                )
                .clone(),
            ),
            "`monitors.orders-db.unknown` is invalid (delete the item to reset its state): `unknown` is not a known outcome \
             code",
        ),
    ] {
        check(
            put_decision_state(&samples::decision_state()),
            |item| drop(at(item, &["monitors", "orders-db"]).insert(name.to_owned(), value)),
            decision_state::decode,
            expected,
        );
    }
    check(
        put_results(&samples::observations()),
        |item| drop(at(item, &["seen"]).insert("cache".to_owned(), text("0.31 odd"))),
        results::decode,
        "`seen.cache` is invalid (delete the item to reset its state): `0.31 odd` is not a known outcome code",
    );
    let orders = ["monitors", "orders-db"];
    check(
        put_rollup(&samples::rollup()),
        |item| drop(at(item, &orders).insert("connect".to_owned(), text("63:58 200:2"))),
        rollup::decode,
        "`monitors.orders-db.connect` is invalid (delete the item to reset its state): expected a list of bucket \
         distances with counts, such as 63:58 1:2",
    );
    check(
        put_rollup(&samples::rollup()),
        |item| drop(at(item, &orders).insert("max".to_owned(), number("-1"))),
        rollup::decode,
        "`monitors.orders-db.max` is invalid (delete the item to reset its state): expected a time in milliseconds, \
         such as 12.5",
    );
    for invalid in ["12.5", "63:58 1:2", "12.5 63:58 200:2", "x 63:58"] {
        check(
            put_other_times(&samples::other_times()),
            |item| drop(at(item, &["phases", "orders-db"]).insert("tls".to_owned(), text(invalid))),
            other_times::decode,
            "`phases.orders-db.tls` is invalid (delete the item to reset its state): expected a maximum in milliseconds and \
             a list of bucket distances with counts, such as 12.5 63:58 1:2",
        );
    }
    check(
        put_rollup(&samples::rollup()),
        |item| drop(at(item, &["monitors", "cache", "failing"]).insert("odd".to_owned(), number("1"))),
        rollup::decode,
        "`monitors.cache.failing.odd` is invalid (delete the item to reset its state): `odd` is not a known outcome \
         code",
    );
    check(
        put_banners(&samples::banners()),
        |item| drop(at(item, &["banners", "mail"]).insert("text".to_owned(), text("\u{1b}"))),
        banners::decode,
        "`banners.mail.text` is invalid (delete the item to reset its state): blank text",
    );
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
