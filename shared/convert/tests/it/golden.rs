//! Samples like those that each project documents, and all that comes of them.

use std::fmt::Write;

use portpulse_convert::{Format, ImportError, Source, import};

fn imported(format: Format, sources: &[Source<'_>]) -> String {
    let import = import(format, sources).unwrap();
    let mut text = import.text;
    for left in import.left {
        writeln!(text, "{:?} {left}", left.kind).unwrap();
    }
    text
}

macro_rules! sample {
    ($name:literal) => {
        Source {
            name: $name,
            text: include_str!(concat!("../samples/", $name)),
        }
    };
}

#[test]
fn gatus() {
    insta::assert_snapshot!(imported(Format::Gatus, &[sample!("gatus.yaml")]));
}

#[test]
fn uptime_kuma() {
    insta::assert_snapshot!(imported(Format::UptimeKuma, &[sample!("uptime-kuma.json")]));
}

#[test]
fn prometheus() {
    let sources = [
        sample!("prometheus.yml"),
        sample!("blackbox.yml"),
        sample!("more.json"),
    ];
    insta::assert_snapshot!(imported(Format::Prometheus, &sources));
}

#[test]
fn uptime_flare() {
    insta::assert_snapshot!(imported(Format::UptimeFlare, &[sample!("uptimeflare.json")]));
}

#[test]
fn windows_at_one_time_are_one_and_a_file_has_at_most_a_hundred() {
    let endpoint = |index: usize| {
        let hour = index / 60;
        let minute = index % 60;
        format!(
            "  - {{ name: m{index}, url: 'tcp://a.example.com:{}', maintenance-windows: [{{ start: '00:00', duration: 1h }}, \
             {{ start: '{hour:02}:{minute:02}', duration: 2h }}] }}\n",
            index + 1
        )
    };
    let text = format!("endpoints:\n{}", (0..120).map(endpoint).collect::<String>());
    let import = import(
        Format::Gatus,
        &[Source {
            name: "x",
            text: &text,
        }],
    )
    .unwrap();
    assert_eq!(import.monitors, 120);
    let windows: Vec<_> = import
        .text
        .lines()
        .filter(|line| line.contains("every:"))
        .collect();
    assert_eq!(windows.len(), 100);
    let first = windows.first().unwrap();
    assert!(
        first.contains("daily 00:00") && first.ends_with("m118, m119] }"),
        "{first}"
    );
    let told: Vec<_> = import.left.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 21);
    assert_eq!(
        told.last().unwrap(),
        "m99: maintenance-windows.1: a file has at most 100 windows"
    );
}

#[test]
fn what_is_of_another_kind_or_holds_nothing_is_refused() {
    let refused = |format, text: &str| import(format, &[Source { name: "x", text }]).unwrap_err();
    for (format, text, complaint) in [
        (
            Format::Gatus,
            "modules: {}",
            "x is not of Gatus: it has no `endpoints:`",
        ),
        (
            Format::UptimeKuma,
            "{}",
            "x is not of Uptime Kuma: it has no `monitorList`",
        ),
        (
            Format::UptimeFlare,
            "[]",
            "x is not of UptimeFlare: it has no `monitors`, nor a `workerConfig` that has",
        ),
        (
            Format::Prometheus,
            "a: 1",
            "x is not of Prometheus: it has neither `modules:` nor `scrape_configs:`, and is no list of targets",
        ),
        (Format::Gatus, "a: [", "x: line 2: this is not YAML: "),
    ] {
        let error = refused(format, text).to_string();
        assert!(error.starts_with(complaint), "{error}");
    }
    let error = refused(Format::Gatus, "endpoints: [{ name: a, url: 'udp://a:1' }]");
    assert!(
        matches!(&error, ImportError::Nothing { left } if left.len() == 1),
        "{error:?}"
    );
}

#[test]
fn no_window_holds_back_more_than_it_did_where_it_comes_from() {
    let core = "endpoints: [{ name: core, url: 'tcp://a.example.com:1'";
    let nightly = "maintenance-windows: [{ start: '02:00', duration: 1h";
    let flare = |monitors: &str| {
        format!(
            r#"{{ "workerConfig": {{ "monitors": [{{ "id": "a", "name": "A", "method": "TCP_PING", "target": "a.example.com:1" }}] }},
            "maintenances": [{{ "start": "2026-12-01T00:00:00Z", "end": "2026-12-02T00:00:00Z"{monitors} }}] }}"#
        )
    };
    for (format, texts, windows, banner) in [
        (
            Format::Gatus,
            vec![format!("{core}, {nightly} }}] }}]"), format!("{core} }}]")],
            false,
            "covers a name that more than one monitor has",
        ),
        (
            Format::Gatus,
            vec![format!("{core}, {nightly}, every: [Monday, {{}}] }}] }}]")],
            false,
            "a day in `every` that is none",
        ),
        (
            Format::Gatus,
            vec![format!("{core}, {nightly} }}] }}]")],
            true,
            "",
        ),
        (
            Format::UptimeFlare,
            vec![flare("")],
            false,
            "names no monitor, and holds no alert back",
        ),
        (
            Format::UptimeFlare,
            vec![flare(r#", "monitors": ["a", null]"#)],
            false,
            "names no monitor",
        ),
        (
            Format::UptimeFlare,
            vec![flare(r#", "monitors": ["a"]"#)],
            true,
            "",
        ),
    ] {
        let sources: Vec<_> = texts
            .iter()
            .enumerate()
            .map(|(index, text)| Source {
                name: ["one", "two"][index],
                text,
            })
            .collect();
        let found = imported(format, &sources);
        assert_eq!(found.contains("maintenance:\n"), windows, "{found}");
        assert!(found.contains(banner), "{banner}: {found}");
    }
}
