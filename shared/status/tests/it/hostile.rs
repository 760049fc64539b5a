//! Words from outside stay words: whatever a service, a definition or a reader writes, the page keeps its form.

use jiff::Timestamp;
use portpulse_core::control::Note;
use portpulse_core::outcome::Detail;
use portpulse_core::text::is_plain;
use portpulse_history::view::{Audience, Overview};
use portpulse_status::{By, Feed, Selection, Span};
use proptest::prelude::*;
use scraper::{Html, Node};

use crate::sample::{
    banner, control, finding, incidents_html, monitor_html, monitor_page, overview, overview_html, site,
};

/// Every element with the names of its attributes, in order: what a page is but for its words.
fn form(html: &str) -> Vec<String> {
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

/// Every place that names an address.
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

/// What is known, with these words wherever somebody else may have written them.
fn known(words: &str) -> Overview {
    let mut known = overview();
    for monitor in &mut known.monitors {
        for window in &mut monitor.maintenance {
            window.why = Some(words.to_owned());
        }
        let Some(inside) = monitor.inside.as_mut() else {
            continue;
        };
        inside.finding = Some(finding(words));
        // The longest and the emptiest of the words are refused.
        let fits = Note::new(words, Timestamp::UNIX_EPOCH, Some(words)).is_ok();
        let note = if fits { words } else { "x" };
        inside.control = inside.control.is_some().then(|| control(note, Some(note)));
        for visibility in inside.locations.values_mut() {
            visibility.finding = Some(finding(words));
            visibility.banner = Some(banner(words));
        }
    }
    for incident in known.open.iter_mut().chain(&mut known.closed) {
        if let Some(inside) = incident.inside.as_mut() {
            inside.finding = Some(finding(words));
        }
    }
    if let Some(inside) = known.inside.as_mut() {
        inside.broken = [(words.to_owned(), vec![words.to_owned()])].into();
        inside.unreadable = vec![words.to_owned()];
    }
    known
}

fn pages(words: &str) -> Vec<String> {
    let known = known(words);
    let selection = Selection {
        // Something that no monitor matches, so that the words alone make the difference.
        words: format!("{words} nowhere"),
        tag: Some(words.to_owned()),
        by: By::Status,
        ..Selection::default()
    };
    vec![
        overview_html(&known, &Selection::default()),
        overview_html(&known, &selection),
        monitor_html(&monitor_page(&known, "orders-db"), Span::Day),
        incidents_html(&known),
    ]
}

fn check(words: &str) {
    for (plain, hostile) in pages("x").iter().zip(pages(words)) {
        assert_eq!(form(plain), form(&hostile), "{words:?} changed the page");
        for address in addresses(&hostile) {
            let is_plain = address.starts_with('/') && !address.starts_with("//");
            let is_ours = is_plain || address == "#main" || address.starts_with("https://wiki.example.com/");
            assert!(is_ours, "{address}");
        }
    }
    // And they are shown, not lost.
    let shown = Detail::new(words).unwrap();
    let incidents = crate::sample::texts(&incidents_html(&known(words)), ".incident .words q");
    let shown = shown.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(incidents[0], shown);
    let page = monitor_html(&monitor_page(&known(words), "orders-db"), Span::Day);
    let answers = crate::sample::texts(&page, "td.words q");
    assert_eq!(answers[..2], [shown.as_str(), shown.as_str()]);
}

#[test]
fn what_was_tried_elsewhere_does_not_work_here() {
    for words in [
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
        check(words);
    }
}

#[test]
fn no_page_and_no_feed_carries_what_moves_the_cursor_or_the_eye() {
    let words = "a\u{1b}[2J\u{9b}b\u{7}\u{202e}c\u{2066}\u{e0041}";
    let known = known(words);
    let feeds = [Feed::Monitors, Feed::Incidents, Feed::Metrics, Feed::Atom];
    let feeds = feeds.map(|feed| site().feed(Audience::Private, &feed, &known).body);
    let page = monitor_page(&known, "orders-db");
    let json = site().monitor_feed(Audience::Private, Some(&page)).body;
    for body in pages(words).into_iter().chain(feeds).chain([json]) {
        let foreign = body.chars().find(|c| !is_plain(*c) && *c != '\n');
        assert_eq!(foreign, None, "{body}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_words_change_a_page(words in "x[<>\"'&/=a-z;:# -]{0,60}|x\\PC{0,60}|x.{0,60}") {
        check(&words);
    }
}
