//! The schema and the core agree on every field.

use portpulse_core::definition::{Field, FieldDeclaration, Place, SECRET, Shape};
use serde_json::{Value, json};

use crate::{accepted_by_core, accepted_by_schema};

fn yaml(text: &str) -> Value {
    portpulse_monitors_file::read_value(text).unwrap()
}

/// A file in which the monitor `a` has the field; its other fields make the field possible.
fn file(field: Field, value: Value) -> Value {
    let mut monitor = json!({ "host": "a.example.com", "port": 8080 });
    let services = [
        (Field::Http, "http"),
        (Field::Dns, "dns"),
        (Field::Tls, "postgres"),
        (Field::Insecure, "tls"),
        (Field::WarnDays, "tls"),
        (Field::Ehlo, "smtp"),
    ];
    if let Some((_, service)) = services.iter().find(|(option, _)| *option == field) {
        monitor["service"] = json!(service);
    }
    if let Some(single) = field.of_entries() {
        monitor.as_object_mut().unwrap().remove(single.name());
    }
    monitor[field.name()] = value;
    json!({ "monitors": { "a": monitor, "other": { "host": "b.example.com", "port": 1 } } })
}

/// Values that a shape refuses.
fn wrong(shape: &Shape) -> Vec<Value> {
    let too_long = |max: usize| json!("x".repeat(max + 1));
    match shape {
        Shape::Text(text) => vec![json!(7), json!(true), json!([]), json!(""), too_long(text.max)],
        Shape::Choice(_) => vec![json!("other"), json!(""), json!(1), json!([])],
        Shape::Duration { min, max } => {
            let short = min.as_millis().saturating_sub(1);
            let long = max.as_millis() + 1;
            vec![
                json!(5),
                json!("5"),
                json!("5 s"),
                json!("1.5s"),
                json!("fast"),
                json!(format!("{short}ms")),
                json!(format!("{long}ms")),
                json!(null),
            ]
        }
        Shape::Number { min, max } => vec![
            json!(i64::from(*min) - 1),
            json!(i64::from(*max) + 1),
            json!("1"),
            json!(1.5),
            json!(null),
        ],
        Shape::Percent => vec![
            json!(0),
            json!(100),
            json!(-1),
            json!("99.9"),
            json!("99.9%"),
            json!(null),
        ],
        Shape::Bool => vec![json!("true"), json!(1), json!(null)],
        Shape::List { of, min, max } => {
            let mut all = vec![json!("one"), json!({}), json!(vec!["a"; max + 1])];
            all.extend(wrong(of).into_iter().map(|entry| json!([entry])));
            if *min > 0 {
                all.push(json!([]));
            }
            all
        }
        Shape::Map(fields) => {
            let mut all = vec![json!([]), json!("text"), json!({ "unknown": 1 })];
            for field in *fields {
                // An empty name of a DNS query is the root.
                let values = wrong(&field.shape)
                    .into_iter()
                    .filter(|value| *value != json!("") || field.name != "name");
                all.extend(values.map(|value| json!({ field.name: value })));
            }
            all
        }
        Shape::OneField(fields) => {
            let mut all = vec![json!({}), json!("text"), json!({ "unknown": "x" })];
            all.push(
                fields
                    .iter()
                    .map(|field| (field.name.to_owned(), json!("x")))
                    .collect(),
            );
            for field in *fields {
                all.extend(
                    wrong(&field.shape)
                        .into_iter()
                        .map(|value| json!({ field.name: value })),
                );
            }
            all
        }
        Shape::ByName { of, max, .. } => {
            let mut all = vec![json!([]), json!("text"), json!({ "a b": "x" })];
            all.push((0..=*max).map(|n| (format!("a{n}"), json!("env:A"))).collect());
            all.extend(wrong(of).into_iter().map(|value| json!({ "X-A": value })));
            all
        }
        Shape::Secret => wrong(&Shape::Text(SECRET)),
        Shape::Scalar => vec![json!([]), json!({}), json!(null)],
        Shape::ById(_) => vec![json!([]), json!("text")],
        Shape::Either { of, .. } => {
            // What every alternative refuses.
            let mut all = vec![json!({ "unknown": true }), json!("other")];
            if !of
                .iter()
                .any(|one| matches!(one, Shape::List { .. } | Shape::Either { .. }))
            {
                all.push(json!([]));
            }
            all
        }
    }
}

#[test]
fn schema_and_core_agree_on_every_field() {
    for field in Field::of_monitors() {
        let FieldDeclaration { shape, examples, .. } = field.declaration();
        let name = field.name();
        assert!(
            !examples.is_empty() || matches!(shape, Shape::Bool),
            "{name} has no examples"
        );
        for example in *examples {
            let file = file(field, yaml(example));
            assert!(accepted_by_core(&file), "the core refuses {name}: {example}");
            assert!(accepted_by_schema(&file), "the schema refuses {name}: {example}");
        }
        for value in wrong(shape) {
            let file = file(field, value.clone());
            assert!(!accepted_by_core(&file), "the core accepts {name}: {value}");
            assert!(!accepted_by_schema(&file), "the schema accepts {name}: {value}");
        }
    }
}

/// Hosts have too many forms for a shape.
#[test]
fn schema_and_core_agree_on_hosts() {
    let long = format!("{0}.{0}.{0}.{1}", "x".repeat(63), "y".repeat(61));
    let good = [
        "a",
        "DB.example.com.",
        "203.0.113.7",
        "255.255.255.255",
        "::1",
        "::",
        "[2001:db8::1]",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::",
        "::ffff:192.0.2.1",
        "1::192.0.2.1",
        "1:2:3:4:5:6:192.0.2.1",
        "[192.0.2.1]",
        "_sip.example.com",
        "1.example",
        "bücher.example",
        "xn--bcher-kva.example",
        "a.1",
        &long,
    ];
    for host in good {
        let file = file(Field::Host, json!(host));
        assert!(accepted_by_core(&file), "the core refuses {host}");
        assert!(accepted_by_schema(&file), "the schema refuses {host}");
    }
    let longer = format!("{long}y");
    let label = "x".repeat(64);
    let bad = [
        "",
        ".",
        "a..b",
        "-a",
        "a-",
        "http://a",
        "a/b",
        "a:1",
        "1.2.3",
        "256.1.1.1",
        "1.2.3.4.5",
        "a b",
        "${HOST}",
        "fe80::1%eth0",
        "a.example.com:443",
        "[::1",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7::8",
        "::1::",
        "12345::",
        "1:2:3:4:5:6:7:192.0.2.1",
        "[a.example.com]",
        "a:1:2",
        &longer,
        &label,
    ];
    for host in bad {
        let file = file(Field::Host, json!(host));
        assert!(!accepted_by_core(&file), "the core accepts {host}");
        assert!(!accepted_by_schema(&file), "the schema accepts {host}");
    }
}

#[test]
fn defaults_accept_exactly_the_declared_fields() {
    for field in Field::of_monitors() {
        let Some(example) = field.declaration().examples.first() else {
            continue;
        };
        let whole = file(field, yaml(example));
        let monitors =
            json!({ "a": { "host": "a.example.com", "port": 8080 }, "other": whole["monitors"]["other"] });
        let file = json!({ "defaults": { field.name(): yaml(example) }, "monitors": monitors });
        let allowed = field.declaration().place == Place::Everywhere;
        // Some fields need more to be valid in a monitor that takes them from the defaults.
        if allowed || accepted_by_core(&file) {
            assert!(
                accepted_by_schema(&file),
                "the schema refuses {} in defaults",
                field.name()
            );
        }
        assert_eq!(
            accepted_by_core(&file),
            allowed,
            "the core on {} in defaults",
            field.name()
        );
        assert_eq!(
            accepted_by_schema(&file),
            allowed,
            "the schema on {} in defaults",
            field.name()
        );
    }
}
