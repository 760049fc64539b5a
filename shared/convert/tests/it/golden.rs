//! Imports samples that follow the documentation of each project.

use std::fmt::Write;

use portpulse_convert::{Format, ImportError, Options, Report, Source, import};

/// The definitions and the report.
fn imported(format: Format, sources: &[Source<'_>]) -> String {
    let import = import(format, sources, &Options::default()).unwrap();
    format!("{}{}", import.text, shown(&import.report))
}

fn shown(report: &Report) -> String {
    let mut text = format!("{} of {}\n", report.imported, report.found);
    for (kind, differences) in [
        ("lost", &report.lost),
        ("changed", &report.changed),
        ("not needed", &report.not_needed),
    ] {
        for each in differences {
            let items = each.items.join(", ");
            writeln!(text, "{kind} [{}] {} ({items})", each.field, each.reason).unwrap();
        }
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
fn uptime_kuma_tables() {
    insta::assert_snapshot!(imported(Format::UptimeKuma, &[sample!("kuma-tables.json")]));
}

#[test]
fn upptime() {
    insta::assert_snapshot!(imported(Format::Upptime, &[sample!("upptimerc.yml")]));
}

#[test]
fn cloudprober() {
    insta::assert_snapshot!(imported(Format::Cloudprober, &[sample!("cloudprober.cfg")]));
}

#[test]
fn terraform() {
    insta::assert_snapshot!(imported(Format::Terraform, &[sample!("terraform.json")]));
}

#[test]
fn compose() {
    insta::assert_snapshot!(imported(Format::Compose, &[sample!("compose.yaml")]));
}

#[test]
fn kubernetes() {
    insta::assert_snapshot!(imported(Format::Kubernetes, &[sample!("kubernetes.yaml")]));
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
        &Options::default(),
    )
    .unwrap();
    assert_eq!(import.report.imported, 120);
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
    let lost = import
        .report
        .lost
        .iter()
        .find(|each| each.field == "maintenance-windows");
    let lost = lost.unwrap();
    assert_eq!(lost.reason, "A definitions file has at most 100 windows.");
    assert_eq!(lost.items.len(), 21);
}

#[test]
fn wrong_format_and_empty_files_are_refused() {
    let refused =
        |format, text: &str| import(format, &[Source { name: "x", text }], &Options::default()).unwrap_err();
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
            "x is not a Prometheus file: it must be a list of targets, or have `modules:`, `scrape_configs:` or `groups:`",
        ),
        (Format::Gatus, "a: [", "x: line 2: this is not YAML: "),
    ] {
        let error = refused(format, text).to_string();
        assert!(error.starts_with(message), "{error}");
    }
    let error = refused(Format::Gatus, "endpoints: [{ name: a, url: 'udp://a:1' }]");
    assert!(
        matches!(&error, ImportError::NoMonitors { report } if report.lost.len() == 1),
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
            true,
            "monitors: [core] }",
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
            "The window names no monitor, so it has no effect",
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
