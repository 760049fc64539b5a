//! `portpulse import` and `portpulse export`.

use std::fs;
use std::path::PathBuf;

use crate::program::{run, run_with_input};

fn sample(name: &str) -> String {
    format!(
        "{}/../../shared/convert/tests/samples/{name}",
        env!("CARGO_MANIFEST_DIR")
    )
}

/// A temporary file, removed on drop.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str) -> Self {
        let name = format!("portpulse-convert-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // The file may not exist.
        drop(fs::remove_file(&self.0));
    }
}

#[test]
fn imported_definitions_are_valid_and_leftovers_are_listed() {
    for (from, files, monitors, message) in [
        (
            "gatus",
            &["gatus.yaml"][..],
            11,
            "certificates are always verified",
        ),
        ("uptime-kuma", &["uptime-kuma.json"], 8, "Not needed:\n"),
        (
            "prometheus",
            &["prometheus.yml", "blackbox.yml", "more.json"],
            12,
            "Converted with a different meaning:\n",
        ),
        ("uptimeflare", &["uptimeflare.json"], 3, "Not converted:\n"),
    ] {
        let files: Vec<_> = files.iter().map(|name| sample(name)).collect();
        let mut args = vec!["import", "--from", from];
        args.extend(files.iter().map(String::as_str));
        let found = run(&args);
        assert_eq!(found.status, 0, "{from}: {}", found.err);
        assert!(
            found.err.ends_with(&format!("Imported {monitors} monitors.\n")),
            "{from}: {}",
            found.err
        );
        assert!(found.err.contains(message), "{from}: {}", found.err);
        let valid = run_with_input(&["validate", "--vpc", "-"], &found.out);
        assert_eq!(valid.status, 0, "{from}: {}", valid.out);
    }
}

#[test]
fn existing_file_is_overwritten_only_with_force() {
    let (temp_file, from) = (TempFile::new("monitors.yaml"), sample("gatus.yaml"));
    let args = ["import", "--from", "gatus", &from, "-o", temp_file.path()];
    assert_eq!(run(&args).status, 0);
    let written = fs::read_to_string(temp_file.path()).unwrap();
    fs::write(temp_file.path(), "mine").unwrap();
    let refused = run(&args);
    assert_eq!(refused.status, 2);
    assert!(
        refused
            .err
            .contains("already exists\n  help: add --force to overwrite it"),
        "{}",
        refused.err
    );
    assert_eq!(fs::read_to_string(temp_file.path()).unwrap(), "mine");
    let forced = run(&[
        "import",
        "--from",
        "gatus",
        &from,
        "-o",
        temp_file.path(),
        "--force",
    ]);
    assert_eq!((forced.status, forced.out.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(temp_file.path()).unwrap(), written);
}

#[test]
fn import_without_monitors_or_with_invalid_files_fails() {
    let found = run_with_input(
        &["import", "--from", "gatus", "-"],
        "endpoints: [{ name: a, url: 'udp://a:1' }]\n",
    );
    assert_eq!(found.status, 1);
    assert!(
        found.err.contains("of UDP services, only DNS is supported (a)"),
        "{}",
        found.err
    );
    let found = run_with_input(&["import", "--from", "uptimeflare", "-"], "a: [\n");
    assert_eq!(found.status, 2);
    let found = run(&["import", "--from", "nagios", "x"]);
    assert_eq!(found.status, 2);
}

#[test]
fn export_writes_targets_and_modules_for_prometheus() {
    let definitions = "monitors:\n  a: { host: a.example.com, port: 1, quorum: 2 }\n";
    let targets = run_with_input(&["export", "--prometheus", "-"], definitions);
    assert_eq!(targets.status, 0);
    assert!(targets.out.contains("\"a.example.com:1\""), "{}", targets.out);
    assert!(
        targets.err.contains("quorum: has no equivalent in a scrape"),
        "{}",
        targets.err
    );
    let modules = run_with_input(&["export", "--prometheus", "--blackbox", "-"], definitions);
    assert_eq!(
        modules.out,
        "modules:\n  tcp_connect: { prober: tcp, timeout: 5s }\n"
    );
    let invalid = run_with_input(&["export", "--prometheus", "-"], "monitors: {}\n");
    assert_eq!(invalid.status, 1);
    assert_eq!(run_with_input(&["export", "-"], definitions).status, 2);
}
