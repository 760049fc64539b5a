//! Forms of signed-in readers: who may send them, and what they ask for.

use http::Method;
use portpulse_core::group_state::{Cause, Health, Stability};
use portpulse_core::outcome::FailureClass;
use portpulse_history::view::{Audience, IncidentInside};
use portpulse_status::{Access, Action, FormSecret, Initiator, Received, Request, Site, Span};

use crate::sample::{attributes, monitor_page, now, overview, public, texts};

fn site(access: Access) -> Site {
    Site::new(access, 5).with_actions(FormSecret::new("a random text"))
}

fn private() -> Site {
    site(Access::Loopback)
}

fn page() -> String {
    let known = monitor_page(&overview(), "orders-db");
    private()
        .monitor(Audience::Private, Span::Quarter, Some(&known))
        .body
}

fn token() -> String {
    attributes(&page(), "form.action input[name=token]", "value").remove(0)
}

fn post(path: &str, form: &str) -> Request {
    Request {
        method: Method::POST,
        path: path.to_owned(),
        host: Some("localhost".to_owned()),
        body: form.as_bytes().to_vec(),
        ..Request::default()
    }
}

fn status(site: &Site, request: &Request) -> u16 {
    match site.receive(request, now()) {
        Received::Response(response) => response.status,
        Received::Action(..) => 200,
        Received::Page(page) => panic!("{page:?}"),
    }
}

#[test]
fn form_with_token_asks_for_its_action() {
    let token = token();
    let incident = overview().open[0].id.to_string();
    let of = incident.split('@').next().unwrap();
    let path = format!("/monitors/{of}");
    let ask =
        |form: &str| match private().receive(&post(&path, &format!("token={token}&by=ann&{form}")), now()) {
            Received::Action(id, action) => format!("{id} {}", shown(&action)),
            Received::Response(response) => format!(
                "{} {}",
                response.status,
                texts(&response.body, "main p").join(" ")
            ),
            Received::Page(page) => panic!("{page:?}"),
        };
    let encoded = incident.replace('@', "%40").replace(':', "%3A");
    assert_eq!(
        ask("action=acknowledge&reason=on+it"),
        format!("{of} acknowledged by ann: Some(\"on it\")")
    );
    assert_eq!(
        ask("action=acknowledge&reason="),
        format!("{of} acknowledged by ann: None")
    );
    assert_eq!(
        ask("action=silence&hours=2"),
        format!("{of} silenced until 2026-11-22T07:41:20Z by ann")
    );
    assert_eq!(
        ask(&format!(
            "action=note&incident={encoded}&text=disk+full&public=yes"
        )),
        format!("{of} note on {incident}: disk full, Public")
    );
    for (form, part) in [
        ("action=silence&hours=1000", "`hours`"),
        ("action=silence&hours=2&by=", "200"),
        (
            "action=note&incident=other%402026-11-22T05%3A40%3A00Z.7&text=x",
            "`incident`",
        ),
        (
            &format!("action=note&incident={encoded}&text="),
            "the note is empty",
        ),
        (
            &format!("action=note&incident={encoded}&text=x&public=no"),
            "`public`",
        ),
        (
            &format!(
                "action=note&incident={encoded}&text={}&public=yes",
                "%E6%96%87".repeat(500)
            ),
            "the note is longer than 500 bytes",
        ),
        ("action=delete", "`action`"),
    ] {
        let answer = ask(form);
        if form.ends_with("by=") {
            // The first value of a field counts.
            assert!(answer.contains("silenced"), "{answer}");
        } else {
            assert!(
                answer.starts_with("400 ") && answer.contains(part),
                "{form}: {answer}"
            );
        }
    }
}

fn shown(action: &Action) -> String {
    match action {
        Action::Acknowledge(note) => format!("acknowledged by {}: {:?}", note.by(), note.why()),
        Action::Silence(silence) => format!("silenced until {} by {}", silence.until, silence.note.by()),
        Action::AddNote(note) => format!(
            "note on {}: {}, {:?}",
            note.incident,
            note.text(),
            note.visibility
        ),
    }
}

#[test]
fn foreign_form_is_refused() {
    let form = format!("token={}&action=acknowledge&by=ann", token());
    let own = post("/monitors/orders-db", &form);
    assert_eq!(status(&private(), &own), 200);
    let foreign = Request {
        initiator: Initiator::OtherOrigin,
        ..own.clone()
    };
    assert_eq!(status(&private(), &foreign), 403, "a page of another origin");
    for body in [
        "action=acknowledge&by=ann",
        "token=&action=acknowledge&by=ann",
        "token=0&action=acknowledge&by=ann",
    ] {
        assert_eq!(
            status(&private(), &post("/monitors/orders-db", body)),
            403,
            "{body}"
        );
    }
    assert_eq!(
        status(&site(Access::Public), &own),
        405,
        "a public page has no actions"
    );
    assert_eq!(
        status(&Site::new(Access::Loopback, 5), &own),
        405,
        "the page only reads"
    );
    assert_eq!(status(&private(), &post("/", &form)), 405);
    let rebound = Request {
        host: Some("rebound.example".to_owned()),
        ..own
    };
    assert_eq!(status(&private(), &rebound), 421);
}

#[test]
fn forms_are_on_private_pages_only() {
    let html = page();
    let actions = attributes(&html, "form.action input[name=action]", "value");
    assert_eq!(actions[..2], ["acknowledge", "silence"], "{actions:?}");
    assert!(actions.contains(&"note".to_owned()));
    let known = monitor_page(&public(), "orders-db");
    let html = site(Access::Public)
        .monitor(Audience::Public, Span::Quarter, Some(&known))
        .body;
    assert!(!html.contains("<form"), "{html}");
}

#[test]
fn timeline_has_notes_acknowledgement_and_dependencies_in_order() {
    let mut known = monitor_page(&overview(), "orders-db");
    let incident = &mut known.incidents[0];
    let at = |minute: i64| incident.opened + jiff::SignedDuration::from_mins(minute);
    let note = portpulse_core::operator_note::OperatorNote::new(
        incident.id.clone(),
        "bob",
        at(2),
        "the disk is full",
        portpulse_core::definition::Visibility::Public,
    );
    let acknowledged = portpulse_core::control::Note::new("ann", at(1), Some("on it")).unwrap();
    incident.notes = vec![note.unwrap()];
    incident.inside = Some(IncidentInside {
        acknowledged: Some(acknowledged),
        cause_changes: vec![(
            at(3),
            Cause::Failed(FailureClass::Timeout),
            Cause::Failed(FailureClass::Refused),
        )],
        stability: Stability::Flapping {
            state: Health::Failing,
            notified: Some(at(4)),
        },
        urgency: portpulse_core::group_state::Urgency::Escalated,
        dependencies: ["cache".parse().unwrap()].into(),
        ..incident.inside.clone().unwrap()
    });
    let html = private()
        .monitor(Audience::Private, Span::Quarter, Some(&known))
        .body;
    let entries = texts(&html, ".columns .timeline li");
    let find = |part: &str| {
        entries
            .iter()
            .position(|entry| entry.contains(part))
            .unwrap_or_else(|| panic!("{part}: {entries:?}"))
    };
    assert!(
        !html.contains("notified again"),
        "the first notification is the last one"
    );
    let order = [
        "opened: quorum reached",
        "notified",
        "acknowledged by ann: on it",
        "the disk is full bob, public",
        "cause changed from timeout to refused",
        "flapping: changes too often for notifications",
        "escalated to critical",
        "depends on cache, which has an open incident",
    ]
    .map(find);
    assert!(order.is_sorted(), "{entries:?}");
    let of_flapping = entries.iter().filter(|entry| entry.contains("flapping"));
    assert_eq!(of_flapping.count(), 1, "{entries:?}");
}

#[test]
fn last_notification_is_not_called_a_reminder() {
    let mut known = monitor_page(&overview(), "orders-db");
    let inside = known.incidents[0].inside.as_mut().unwrap();
    // A reminder, and then the escalation.
    let (first, _) = inside.notified.unwrap();
    inside.notified = Some((first, first + jiff::SignedDuration::from_mins(30)));
    inside.reminders = 1;
    let html = private()
        .monitor(Audience::Private, Span::Quarter, Some(&known))
        .body;
    let entries = texts(&html, ".columns .timeline li");
    let last = entries.iter().find(|entry| entry.contains("notified again"));
    assert!(
        last.is_some_and(|entry| entry.contains("(1 reminder in total)")),
        "{entries:?}"
    );
}
