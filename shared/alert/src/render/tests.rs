//! What every kind of notification looks like, and that no notification breaks the limits or its place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use portpulse_core::choice::Severity;
use portpulse_core::decide::{LocationView, View};
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

/// A notification of each kind, as it would be; of a monitor with all that a location may see of it.
fn sample(kind: Kind) -> Notification {
    let usual = notification::of(kind);
    if !matches!(usual.subject, Subject::Monitor(_)) {
        return usual;
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
        ..usual
    }
}

/// All of a message that anybody gets to see.
fn shown(message: &Message) -> String {
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
fn every_kind_reads_as_it_did() {
    for kind in Kind::ALL {
        let messages = messages(&[sample(*kind)]);
        assert_eq!(messages.len(), 1);
        insta::assert_snapshot!(kind.as_str(), shown(&messages[0]));
    }
}

/// The schema as it is published, and its words against those of the code.
fn schema() -> Value {
    serde_json::from_str(include_str!("../../notification.schema.json")).unwrap()
}

/// What is wrong with a message's JSON by the schema, if anything is.
fn misfits(json: &Value) -> Vec<String> {
    static VALIDATOR: LazyLock<jsonschema::Validator> =
        LazyLock::new(|| jsonschema::validator_for(&schema()).unwrap());
    let errors = VALIDATOR.iter_errors(json);
    errors.map(|error| format!("{error}")).collect()
}

#[test]
fn the_schema_takes_every_kind_and_refuses_what_is_none() {
    for kind in Kind::ALL {
        assert_eq!(misfits(&to_json(&sample(*kind))), [""; 0], "{kind}");
    }
    let together = &messages(&[Kind::Down; 4].map(sample))[0].json;
    assert_eq!(misfits(together), [""; 0]);
    let changed = |change: fn(&mut Value)| {
        let mut json = to_json(&sample(Kind::Down));
        change(&mut json);
        misfits(&json)
    };
    assert_eq!(
        changed(|json| json["more"] = json!("later")),
        [""; 0],
        "a field may come"
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
fn the_schema_names_every_field_and_every_word_and_no_other() {
    let schema = schema();
    let notification = &schema["$defs"]["notification"];
    let words = |place: &Value| -> BTreeSet<String> {
        let words = place["enum"].as_array().unwrap().iter();
        words
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    };
    fn all<T: Copy>(of: &[T], word: impl Fn(T) -> &'static str) -> BTreeSet<String> {
        of.iter().map(|each| word(*each).to_owned()).collect()
    }
    let fields = &notification["properties"];
    assert_eq!(words(&fields["kind"]), all(Kind::ALL, Kind::as_str));
    assert_eq!(words(&fields["status"]), all(Status::ALL, Status::as_str));
    assert_eq!(
        words(&schema["$defs"]["severity"]),
        all(Severity::ALL, Severity::as_str)
    );
    let view = &fields["locations"]["additionalProperties"];
    assert_eq!(words(&view["properties"]["view"]), all(View::ALL, View::as_str));
    let findings = words(&schema["$defs"]["finding"]);
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
    assert_eq!(names(&json["locations"]["eu-west-1"]), required(view));
}

#[test]
fn more_than_three_go_together() {
    let kinds = [Kind::Down, Kind::Recovered, Kind::LocationSilent, Kind::Recovered];
    let notifications = kinds.map(sample);
    assert_eq!(messages(&notifications[..3]).len(), 3);
    let together = messages(&notifications);
    assert_eq!(together.len(), 1);
    insta::assert_snapshot!("together", shown(&together[0]));
}

#[test]
fn a_whole_group_going_down_is_a_few_messages_that_fit() {
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
    // Those that have a successor leave no room for what would have fitted.
    for message in &messages[..messages.len() - 1] {
        assert!(message.bytes() > MAX_BYTES * 9 / 10, "{}", message.bytes());
    }
}

#[test]
fn no_notification_is_too_large_by_itself() {
    // Each of these characters is four once it stands in JSON within JSON.
    let long = "\"".repeat(2_000);
    let location = |number: usize| format!("region-{number}").parse().unwrap();
    let view = LocationView {
        view: View::Failing,
        ticks: 1,
        since: None,
        finding: Some(finding(Cause::Open, &long)),
    };
    let notification = Notification {
        finding: Some(finding(Cause::Open, &long)),
        target: Some(long.clone()),
        tags: vec![long.clone(); 100],
        runbook: Some(long.clone()),
        locations: (0..100).map(|number| (location(number), view.clone())).collect(),
        diagnostics: vec![long.clone(); 100],
        ..sample(Kind::Down)
    };
    let bytes = messages(&[notification])[0].bytes();
    assert!(bytes <= MAX_BYTES, "{bytes}");
}

#[test]
fn email_text_and_json_go_out_side_by_side() {
    let message = &messages(&[sample(Kind::Down)])[0];
    let payload: Value = serde_json::from_str(&message.payload()).unwrap();
    assert_eq!(payload["email"], json!(message.body));
    assert_eq!(payload["sms"], json!(message.sms));
    let default: Value = serde_json::from_str(payload["default"].as_str().unwrap()).unwrap();
    assert_eq!(default, message.json);
}

/// The lines of a body that this program wrote the beginning of.
fn begins_as_ours(line: &str) -> bool {
    let labels = [
        "Target ",
        "Cause ",
        "Was ",
        "Detail ",
        "Since ",
        "Changed ",
        "Severity ",
        "Runbook ",
        "Tags ",
        "Silence ",
        "Ack ",
        "Group ",
        "Id ",
    ];
    let others = ["What each location sees:", "What is wrong with it:", ""];
    line.starts_with("  ") || labels.iter().any(|label| line.starts_with(label)) || others.contains(&line)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_message_keeps_the_limits_and_everything_is_told_once(notifications in vec(notification::arbitrary(), 0..7)) {
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
            let misfits = misfits(&message.json);
            prop_assert!(misfits.is_empty(), "{:?} in {}", misfits, message.json);
            prop_assert!(message.attributes.values().all(|attribute| !attribute.value().is_empty()));
        }
        let notified: Vec<_> = messages.iter().flat_map(|message| &message.ids).collect();
        prop_assert_eq!(notified, notifications.iter().map(|each| &each.id).collect::<Vec<_>>());
    }

    #[test]
    fn nobody_elses_words_begin_a_line(notification in notification::arbitrary()) {
        let body = body(&notification);
        for line in body.lines().skip(1) {
            prop_assert!(begins_as_ours(line), "{:?}", line);
        }
    }
}
