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
