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

/// A file of this test alone, gone when it ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("portpulse-convert-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It may never have been made.
        drop(fs::remove_file(&self.0));
    }
}

#[test]
fn what_is_imported_is_valid_and_what_is_left_is_told_apart() {
    for (from, files, monitors, complaint) in [
        (
            "gatus",
            &["gatus.yaml"][..],
            11,
            "  certificates are always checked",
        ),
        ("uptime-kuma", &["uptime-kuma.json"], 8, "Not needed:\n"),
        (
            "prometheus",
            &["prometheus.yml", "blackbox.yml", "more.json"],
            12,
            "Carried over, and different now:\n",
        ),
        ("uptimeflare", &["uptimeflare.json"], 3, "Not carried over:\n"),
    ] {
        let files: Vec<_> = files.iter().map(|name| sample(name)).collect();
        let mut args = vec!["import", "--from", from];
        args.extend(files.iter().map(String::as_str));
        let found = run(&args);
        assert_eq!(found.status, 0, "{from}: {}", found.err);
        assert!(
            found.err.ends_with(&format!("{monitors} monitors imported\n")),
            "{from}: {}",
            found.err
        );
        assert!(
            found.err.contains(complaint.trim_start()),
            "{from}: {}",
            found.err
        );
        let valid = run_with_input(&["validate", "--vpc", "-"], &found.out);
        assert_eq!(valid.status, 0, "{from}: {}", valid.out);
    }
}

#[test]
fn a_file_that_is_there_is_only_overwritten_by_force() {
    let (scratch, from) = (Scratch::new("monitors.yaml"), sample("gatus.yaml"));
    let args = ["import", "--from", "gatus", &from, "-o", scratch.path()];
    assert_eq!(run(&args).status, 0);
    let written = fs::read_to_string(scratch.path()).unwrap();
    fs::write(scratch.path(), "mine").unwrap();
    let refused = run(&args);
    assert_eq!(refused.status, 2);
    assert!(
        refused
            .err
            .contains("is there already: give --force to overwrite it"),
        "{}",
        refused.err
    );
    assert_eq!(fs::read_to_string(scratch.path()).unwrap(), "mine");
    let forced = run(&[
        "import",
        "--from",
        "gatus",
        &from,
        "-o",
        scratch.path(),
        "--force",
    ]);
    assert_eq!((forced.status, forced.out.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(scratch.path()).unwrap(), written);
}

#[test]
fn what_cannot_be_imported_is_said() {
    let found = run_with_input(
        &["import", "--from", "gatus", "-"],
        "endpoints: [{ name: a, url: 'udp://a:1' }]\n",
    );
    assert_eq!(found.status, 1);
    assert!(
        found.err.contains("only DNS is checked over UDP (a)"),
        "{}",
        found.err
    );
    let found = run_with_input(&["import", "--from", "uptimeflare", "-"], "a: [\n");
    assert_eq!(found.status, 2);
    let found = run(&["import", "--from", "nagios", "x"]);
    assert_eq!(found.status, 2);
}

#[test]
fn targets_and_modules_are_written_for_prometheus() {
    let definitions = "monitors:\n  a: { host: a.example.com, port: 1, quorum: 2 }\n";
    let targets = run_with_input(&["export", "--prometheus", "-"], definitions);
    assert_eq!(targets.status, 0);
    assert!(targets.out.contains("\"a.example.com:1\""), "{}", targets.out);
    assert!(
        targets.err.contains("quorum: is not of a scrape"),
        "{}",
        targets.err
    );
    let modules = run_with_input(&["export", "--prometheus", "--blackbox", "-"], definitions);
    assert_eq!(
        modules.out,
        "modules:\n  tcp_connect: { prober: tcp, timeout: 5s }\n"
    );
    let faulty = run_with_input(&["export", "--prometheus", "-"], "monitors: {}\n");
    assert_eq!(faulty.status, 1);
    assert_eq!(run_with_input(&["export", "-"], definitions).status, 2);
}
