//! Text from services, definitions and readers is escaped and cannot change the structure of a page.

use jiff::Timestamp;
use portpulse_core::control::Note;
use portpulse_core::outcome::Detail;
use portpulse_core::text::is_plain;
use portpulse_history::view::{Audience, Overview};
use portpulse_status::{Feed, Grouping, Selection, Span};
use proptest::prelude::*;
use scraper::{Html, Node};

use crate::sample::{
    banner, control, finding, incidents_html, monitor_html, monitor_page, overview, overview_html, site,
};

/// The structure of a page: all elements with the names of their attributes, in order.
fn structure(html: &str) -> Vec<String> {
    let document = Html::parse_document(html);
    let nodes = document.tree.root().descendants();
    nodes
        .filter_map(|node| match node.value() {
            Node::Element(element) => {
                let mut names: Vec<_> = element.attrs().map(|(name, _)| name).collect();
                names.sort_unstable();
                Some(format!("{} {names:?}", element.name()))
            }
            Node::Comment(comment) => Some(format!("comment {}", &**comment)),
            Node::Document
            | Node::Fragment
            | Node::Doctype(_)
            | Node::Text(_)
            | Node::ProcessingInstruction(_) => None,
        })
        .collect()
}

/// All values of attributes that contain URLs.
fn addresses(html: &str) -> Vec<String> {
    let document = Html::parse_document(html);
    let nodes = document.tree.root().descendants();
    let elements = nodes.filter_map(|node| node.value().as_element().cloned());
    elements
        .flat_map(|element| {
            let named = element
                .attrs()
                .filter(|(name, _)| matches!(*name, "href" | "src" | "action" | "xlink:href" | "formaction"));
            named.map(|(_, value)| value.to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

/// The sample with `text` in every field that others can write.
fn known(text: &str) -> Overview {
    let mut known = overview();
    for monitor in &mut known.monitors {
        for window in &mut monitor.maintenance {
            window.why = Some(text.to_owned());
        }
        let Some(inside) = monitor.inside.as_mut() else {
            continue;
        };
        inside.finding = Some(finding(text));
        // Notes have length limits.
        let fits = Note::new(text, Timestamp::UNIX_EPOCH, Some(text)).is_ok();
        let note = if fits { text } else { "x" };
        inside.control = inside.control.is_some().then(|| control(note, Some(note)));
        for visibility in inside.locations.values_mut() {
            visibility.finding = Some(finding(text));
            visibility.banner = Some(banner(text));
        }
    }
    for incident in known.open.iter_mut().chain(&mut known.closed) {
        if let Some(inside) = incident.inside.as_mut() {
            inside.finding = Some(finding(text));
        }
    }
    if let Some(inside) = known.inside.as_mut() {
        inside.broken = [(text.to_owned(), vec![text.to_owned()])].into();
        inside.unreadable = vec![text.to_owned()];
    }
    known
}

fn pages(text: &str) -> Vec<String> {
    let known = known(text);
    let selection = Selection {
        // Matches no monitor, so that only the text differs between the two pages.
        search: format!("{text} nowhere"),
        tag: Some(text.to_owned()),
        grouping: Grouping::Status,
        ..Selection::default()
    };
    vec![
        overview_html(&known, &Selection::default()),
        overview_html(&known, &selection),
        monitor_html(&monitor_page(&known, "orders-db"), Span::Day),
        incidents_html(&known),
        incident_html(&known),
    ]
}

/// The page of the first open incident.
fn incident_html(known: &Overview) -> String {
    site().incident(Audience::Private, &known.open[0].id, known).body
}

fn check(text: &str) {
    for (plain, hostile) in pages("x").iter().zip(pages(text)) {
        assert_eq!(structure(plain), structure(&hostile), "{text:?} changed the page");
        for address in addresses(&hostile) {
            let is_plain = address.starts_with('/') && !address.starts_with("//");
            let is_ours = is_plain || address == "#main" || address.starts_with("https://wiki.example.com/");
            assert!(is_ours, "{address}");
        }
    }
    // The text is shown, not dropped.
    let shown = Detail::new(text).unwrap();
    let incidents = crate::sample::texts(&incidents_html(&known(text)), ".incident .service-text q");
    let shown = shown.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(incidents[0], shown);
    let incident = crate::sample::texts(&incident_html(&known(text)), ".service-text q");
    assert_eq!(incident[..2], [shown.as_str(), shown.as_str()]);
    let page = monitor_html(&monitor_page(&known(text), "orders-db"), Span::Day);
    let answers = crate::sample::texts(&page, "td.service-text q");
    assert_eq!(answers[..2], [shown.as_str(), shown.as_str()]);
}

#[test]
fn common_html_injections_do_not_change_pages() {
    for text in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</title></style></textarea></script><svg onload=alert(1)>",
        "--><svg/onload=alert(1)><!--",
        "]]><b>",
        "javascript:alert(1)",
        "&lt;script&gt;&quot;&#x3c;b",
        "</q></p></li></ul></main><main>",
        "<base href=//evil.example>",
        "<meta http-equiv=refresh content=0;url=//evil.example>",
    ] {
        check(text);
    }
}

#[test]
fn pages_and_feeds_contain_no_control_characters() {
    let text = "a\u{1b}[2J\u{9b}b\u{7}\u{202e}c\u{2066}\u{e0041}";
    let known = known(text);
    let feeds = [
        Feed::Monitors,
        Feed::Incidents,
        Feed::Metrics(Default::default()),
        Feed::Atom,
    ];
    let feeds = feeds.map(|feed| site().feed(Audience::Private, &feed, &known).body);
    let page = monitor_page(&known, "orders-db");
    let json = site().monitor_feed(Audience::Private, Some(&page)).body;
    for body in pages(text).into_iter().chain(feeds).chain([json]) {
        let foreign = body.chars().find(|c| !is_plain(*c) && *c != '\n');
        assert_eq!(foreign, None, "{body}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn random_text_does_not_change_pages(text in "x[<>\"'&/=a-z;:# -]{0,60}|x\\PC{0,60}|x.{0,60}") {
        check(&text);
    }
}
