//! Imports samples that follow the documentation of each project.

use std::fmt::Write;

use portpulse_convert::{Format, ImportError, Source, import};

fn imported(format: Format, sources: &[Source<'_>]) -> String {
    let import = import(format, sources).unwrap();
    let mut text = import.text;
    for notes in import.notes {
        writeln!(text, "{:?} {notes}", notes.kind).unwrap();
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
fn equal_windows_merge_and_a_file_has_at_most_100() {
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
    let shown: Vec<_> = import.notes.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 21);
    assert_eq!(
        shown.last().unwrap(),
        "m99: maintenance-windows.1: a file has at most 100 windows"
    );
}

#[test]
fn wrong_format_and_empty_files_are_refused() {
    let refused = |format, text: &str| import(format, &[Source { name: "x", text }]).unwrap_err();
    for (format, text, message) in [
        (
            Format::Gatus,
            "modules: {}",
            "x is not a Gatus file: `endpoints:` is missing",
        ),
        (
            Format::UptimeKuma,
            "{}",
            "x is not a Uptime Kuma file: `monitorList` is missing",
        ),
        (
            Format::UptimeFlare,
            "[]",
            "x is not a UptimeFlare file: `monitors` or `workerConfig.monitors` is missing",
        ),
        (
            Format::Prometheus,
            "a: 1",
            "x is not a Prometheus file: it must be a list of targets, or have `modules:` or `scrape_configs:`",
        ),
        (Format::Gatus, "a: [", "x: line 2: this is not YAML: "),
    ] {
        let error = refused(format, text).to_string();
        assert!(error.starts_with(message), "{error}");
    }
    let error = refused(Format::Gatus, "endpoints: [{ name: a, url: 'udp://a:1' }]");
    assert!(
        matches!(&error, ImportError::NoMonitors { notes } if notes.len() == 1),
        "{error:?}"
    );
}

#[test]
fn converted_window_never_suppresses_more_than_its_source() {
    let core = "endpoints: [{ name: core, url: 'tcp://a.example.com:1'";
    let nightly = "maintenance-windows: [{ start: '02:00', duration: 1h";
    let flare = |monitors: &str| {
        format!(
            r#"{{ "workerConfig": {{ "monitors": [{{ "id": "a", "name": "A", "method": "TCP_PING", "target": "a.example.com:1" }}] }},
            "maintenances": [{{ "start": "2026-12-01T00:00:00Z", "end": "2026-12-02T00:00:00Z"{monitors} }}] }}"#
        )
    };
    for (format, texts, windows, note) in [
        (
            Format::Gatus,
            vec![format!("{core}, {nightly} }}] }}]"), format!("{core} }}]")],
            false,
            "names a monitor, but several have this name",
        ),
        (
            Format::Gatus,
            vec![format!("{core}, {nightly}, every: [Monday, {{}}] }}] }}]")],
            false,
            "valid days in `every`",
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
            "names no monitor, so it has no effect",
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
        assert!(found.contains(note), "{note}: {found}");
    }
}
