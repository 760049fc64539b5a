//! Golden texts of every kind of notification; limits of messages for any notification.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use portpulse_core::choice::Severity;
use portpulse_core::decide::{LocationView, View};
use portpulse_core::diagnosis::Layer;
use portpulse_core::group_state::{Cause, Finding, Status};
use portpulse_core::outcome::{Detail, FailureClass};
use portpulse_testkit::notification;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn finding(cause: Cause, detail: &str) -> Finding {
    let detail = Detail::new(detail);
    Finding { cause, detail }
}

/// A typical notification of a kind; for a monitor, with one location for each view.
fn sample(kind: Kind) -> Notification {
    let base = notification::of(kind);
    if !matches!(base.subject, Subject::Monitor(_)) {
        return base;
    }
    let view = |view, ticks, since: Option<&str>, finding| LocationView {
        view,
        ticks,
        since: since.map(|since| since.parse().unwrap()),
        finding,
    };
    let starting = finding(
        Cause::Failed(FailureClass::Starting),
        "57P03 the database system is starting up",
    );
    let refused = finding(Cause::Failed(FailureClass::Refused), "");
    let views = [
        (
            "eu-west-1",
            view(View::Failing, 3, Some("2026-11-22T05:39:00Z"), Some(starting)),
        ),
        (
            "eu-north-1",
            view(View::Failing, 1, Some("2026-11-22T05:41:00Z"), Some(refused)),
        ),
        ("us-east-1", view(View::Good, 0, None, None)),
        ("us-west-2", view(View::NoData, 0, None, None)),
        ("sa-east-1", view(View::Silent, 0, None, None)),
        (
            "ap-south-1",
            view(View::Suspect, 2, Some("2026-11-22T05:40:00Z"), None),
        ),
    ];
    let locations = views.map(|(location, view)| (location.parse().unwrap(), view));
    Notification {
        at: "2026-11-22T05:50:00.25Z".parse().unwrap(),
        tags: vec!["prod".to_owned(), "eu".to_owned()],
        locations: BTreeMap::from(locations),
        ..base
    }
}

/// All parts of a message as text.
fn transcript(message: &Message) -> String {
    let Message {
        ids,
        subject,
        body,
        sms,
        json,
        attributes,
    } = message;
    let attributes = attributes.iter();
    let attributes: Vec<_> = attributes
        .map(|(name, value)| format!("{name} {} {}", value.data_type(), value.value()))
        .collect();
    let json = serde_json::to_string_pretty(json).unwrap();
    format!(
        "ids: {ids:?}\nsubject: {subject}\nsms: {sms}\nattributes:\n  {}\n\n{body}\n{json}",
        attributes.join("\n  ")
    )
}

#[test]
fn every_kind_matches_its_snapshot() {
    for kind in Kind::ALL {
        let messages = messages(&[sample(*kind)]);
        assert_eq!(messages.len(), 1);
        insta::assert_snapshot!(kind.as_str(), transcript(&messages[0]));
    }
}

#[test]
fn cluster_matches_its_snapshot() {
    let cluster = Notification {
        locations: sample(Kind::Down).locations,
        ..notification::cluster()
    };
    assert_eq!(schema_errors(&to_json(&cluster)), [""; 0]);
    insta::assert_snapshot!("cluster", transcript(&messages(&[cluster])[0]));
}

#[test]
fn recovery_of_several_monitors_has_no_causes() {
    let recovered = Notification {
        kind: Kind::Recovered,
        ..notification::cluster()
    };
    let body = &messages(&[recovered])[0].body;
    assert!(body.contains("\n  db-bastion (db.example.com:22)\n"), "{body}");
}

#[test]
fn name_is_shown_with_id_where_text_allows() {
    for (name, in_subject, in_body) in [
        (
            "Orders database",
            "DOWN: Orders database since",
            "Orders database (orders-db) has been down",
        ),
        (
            "Überweisungen",
            "DOWN: orders-db since",
            "Überweisungen (orders-db) has been down",
        ),
    ] {
        let mut notification = sample(Kind::Down);
        notification.monitors[0].name = Some(name.to_owned());
        let message = &messages(&[notification])[0];
        assert!(message.subject.starts_with(in_subject), "{}", message.subject);
        assert!(message.sms.starts_with(in_subject), "{}", message.sms);
        assert!(message.body.contains(in_body), "{}", message.body);
    }
}

/// The published schema.
fn schema() -> Value {
    serde_json::from_str(include_str!("../../notification.schema.json")).unwrap()
}

/// The errors of a message's JSON by the schema.
fn schema_errors(json: &Value) -> Vec<String> {
    static VALIDATOR: LazyLock<jsonschema::Validator> =
        LazyLock::new(|| jsonschema::validator_for(&schema()).unwrap());
    let errors = VALIDATOR.iter_errors(json);
    errors.map(|error| format!("{error}")).collect()
}

#[test]
fn schema_accepts_every_kind_and_rejects_invalid_json() {
    for kind in Kind::ALL {
        assert_eq!(schema_errors(&to_json(&sample(*kind))), [""; 0], "{kind}");
    }
    let together = &messages(&[Kind::Down; 4].map(sample))[0].json;
    assert_eq!(schema_errors(together), [""; 0]);
    let changed = |change: fn(&mut Value)| {
        let mut json = to_json(&sample(Kind::Down));
        change(&mut json);
        schema_errors(&json)
    };
    assert_eq!(
        changed(|json| json["more"] = json!("later")),
        [""; 0],
        "an unknown field is valid"
    );
    let wrong: [fn(&mut Value); 7] = [
        |json| json["version"] = json!(2),
        |json| json["kind"] = json!("confused"),
        |json| json["audience"] = json!([]),
        |json| json["since"] = json!("yesterday"),
        |json| json["detail"] = json!("x".repeat(201)),
        |json| json["locations"]["eu-west-1"]["view"] = json!("odd"),
        |json| drop(json.as_object_mut().unwrap().remove("runbook")),
    ];
    for (number, change) in wrong.into_iter().enumerate() {
        assert_ne!(changed(change), [""; 0], "change {number}");
    }
}

#[test]
fn sample_events_fit_schema() {
    for event in [
        include_str!("../../../../events/relay-down.json"),
        include_str!("../../../../events/relay-together.json"),
    ] {
        let event: Value = serde_json::from_str(event).unwrap();
        let message = event["Records"][0]["Sns"]["Message"].as_str().unwrap();
        assert_eq!(schema_errors(&serde_json::from_str(message).unwrap()), [""; 0]);
    }
}

#[test]
fn schema_lists_all_fields_and_enum_values() {
    let schema = schema();
    let notification = &schema["$defs"]["notification"];
    let values = |place: &Value| -> BTreeSet<String> {
        let values = place["enum"].as_array().unwrap().iter();
        values
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect()
    };
    fn all<T: Copy>(of: &[T], text: impl Fn(T) -> &'static str) -> BTreeSet<String> {
        of.iter().map(|each| text(*each).to_owned()).collect()
    }
    let fields = &notification["properties"];
    assert_eq!(values(&fields["kind"]), all(Kind::ALL, Kind::as_str));
    assert_eq!(values(&fields["status"]), all(Status::ALL, Status::as_str));
    assert_eq!(
        values(&schema["$defs"]["severity"]),
        all(Severity::ALL, Severity::as_str)
    );
    let view = &fields["locations"]["additionalProperties"];
    assert_eq!(values(&view["properties"]["view"]), all(View::ALL, View::as_str));
    let findings = values(&schema["$defs"]["finding"]);
    for code in &findings {
        assert_eq!(code.parse::<Cause>().unwrap().code(), code);
    }
    for class in FailureClass::ALL {
        assert!(findings.contains(class.code()), "{class}");
    }
    let json = to_json(&sample(Kind::Down));
    let names = |object: &Value| {
        object
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<BTreeSet<_>>()
    };
    let required = |object: &Value| -> BTreeSet<String> {
        let names = object["required"].as_array().unwrap().iter();
        names.map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&json), names(fields));
    assert_eq!(names(&json), required(notification));
    let diagnosis = &schema["$defs"]["diagnosis"];
    assert_eq!(
        values(&diagnosis["properties"]["layer"]),
        all(Layer::ALL, Layer::as_str)
    );
    assert_eq!(names(&json["diagnosis"]), required(diagnosis));
    assert_eq!(names(&json["locations"]["eu-west-1"]), required(view));
}

#[test]
fn four_notifications_share_one_message() {
    let kinds = [Kind::Down, Kind::Recovered, Kind::LocationSilent, Kind::Recovered];
    let notifications = kinds.map(sample);
    assert_eq!(messages(&notifications[..3]).len(), 3);
    let together = messages(&notifications);
    assert_eq!(together.len(), 1);
    insta::assert_snapshot!("together", transcript(&together[0]));
}

#[test]
fn four_hundred_notifications_fit_few_messages() {
    let of = |number: usize| Notification {
        id: format!("m{number}/down"),
        subject: Subject::Monitor(format!("m{number}").parse().unwrap()),
        ..sample(Kind::Down)
    };
    let notifications: Vec<_> = (0..400).map(of).collect();
    let messages = messages(&notifications);
    let subjects: Vec<_> = messages.iter().map(|message| message.subject.as_str()).collect();
    assert!((2..=8).contains(&messages.len()), "{subjects:?}");
    assert!(
        subjects
            .iter()
            .all(|subject| subject.ends_with(&format!(" of {})", messages.len()))),
        "{subjects:?}"
    );
    assert!(
        messages.iter().all(|message| message.bytes() <= MAX_BYTES),
        "{subjects:?}"
    );
    // Every message but the last is nearly full.
    for message in &messages[..messages.len() - 1] {
        assert!(message.bytes() > MAX_BYTES * 9 / 10, "{}", message.bytes());
    }
}

#[test]
fn largest_single_notification_fits() {
    // In JSON within JSON, each of these characters takes four bytes.
    let long = "\"".repeat(2_000);
    let location = |number: usize| format!("location-{number}").parse().unwrap();
    let view = LocationView {
        view: View::Failing,
        ticks: 1,
        since: None,
        finding: Some(finding(Cause::Open, &long)),
    };
    let notification = Notification {
        finding: Some(finding(Cause::Open, &long)),
        target: Some(long.clone()),
        tags: (0..400).map(|number| format!("{number}{long}")).collect(),
        runbook: Some(long.clone()),
        page: Some(long.clone()),
        locations: (0..100).map(|number| (location(number), view.clone())).collect(),
        diagnostics: vec![long.clone(); 100],
        ..sample(Kind::Down)
    };
    let message = &messages(std::slice::from_ref(&notification))[0];
    assert!(message.bytes() <= MAX_BYTES, "{}", message.bytes());
    assert!(!message.body.ends_with("\n…\n"), "nothing is cut off");
    // An id has no limit of its own: the end of the email text makes room for it.
    for length in [5_000, 10_000, 15_000] {
        let notification = Notification {
            id: "\"".repeat(length),
            ..notification.clone()
        };
        let message = &messages(&[notification])[0];
        assert!(message.bytes() <= MAX_BYTES, "{length}: {}", message.bytes());
    }
    let longest = Notification {
        id: "\"".repeat(15_000),
        ..notification
    };
    assert!(messages(&[longest])[0].body.ends_with("\n…\n"));
}

#[test]
fn payload_contains_email_sms_and_json() {
    let message = &messages(&[sample(Kind::Down)])[0];
    let payload: Value = serde_json::from_str(&message.payload()).unwrap();
    assert_eq!(payload["email"], json!(message.body));
    assert_eq!(payload["sms"], json!(message.sms));
    let default: Value = serde_json::from_str(payload["default"].as_str().unwrap()).unwrap();
    assert_eq!(default, message.json);
}

/// Whether a line of a body begins with a label, an indent or a heading, and not with foreign text.
fn begins_with_known_label(line: &str) -> bool {
    let labels = [
        "Target ",
        "Cause ",
        "Cause was ",
        "Detail ",
        "Since ",
        "Changed ",
        "Severity ",
        "Runbook ",
        "Tags ",
        "Silence ",
        "Ack ",
        "Checked ",
        "Page ",
    ];
    let others = [
        "Locations:",
        "Errors in the definition:",
        "What the location sees:",
        "",
    ];
    let is_count = line
        .strip_prefix("Monitors (")
        .is_some_and(|rest| rest.ends_with("):"));
    is_count
        || line.starts_with("  ")
        || labels.iter().any(|label| line.starts_with(label))
        || others.contains(&line)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn messages_keep_limits_and_contain_each_notification_once(notifications in vec(notification::arbitrary(), 0..7)) {
        let messages = messages(&notifications);
        for message in &messages {
            prop_assert!(message.bytes() <= MAX_BYTES, "{}", message.bytes());
            prop_assert!((1..100).contains(&message.subject.len()));
            prop_assert!(message.subject.bytes().all(|b| (b' '..=b'~').contains(&b)), "{:?}", message.subject);
            prop_assert!(message.subject.starts_with(|c: char| c.is_ascii_alphanumeric()));
            prop_assert!(message.sms.len() <= MAX_SMS);
            prop_assert!(!message.sms.contains(['[', ']', '{', '}', '\\', '^', '~', '|', '`', '\n']), "{:?}", message.sms);
            let refused = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}');
            let payload = message.payload();
            prop_assert!(!payload.contains(refused));
            let payload: BTreeMap<String, String> = serde_json::from_str(&payload).unwrap();
            prop_assert!(!payload["email"].contains(refused) && !payload["default"].contains(refused));
            prop_assert!(serde_json::from_str::<Value>(&payload["default"]).is_ok());
            let schema_errors = schema_errors(&message.json);
            prop_assert!(schema_errors.is_empty(), "{:?} in {}", schema_errors, message.json);
            prop_assert!(message.attributes.values().all(|attribute| !attribute.value().is_empty()));
        }
        let notified: Vec<_> = messages.iter().flat_map(|message| &message.ids).collect();
        prop_assert_eq!(notified, notifications.iter().map(|each| &each.id).collect::<Vec<_>>());
    }

    #[test]
    fn foreign_text_never_begins_a_body_line(notification in notification::arbitrary()) {
        let body = body(&notification);
        for line in body.lines().skip(1) {
            prop_assert!(begins_with_known_label(line), "{:?}", line);
        }
    }
}
