//! `portpulse validate`.

use serde_json::json;

use crate::program::{run, run_with_input};

const TWO_MISTAKES: &str =
    "monitors:\n  a: { host: a.example.com, port: 25 }\n  b: { host: b.example.com }\n";

#[test]
fn valid_file_is_summarized() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/monitors.yaml");
    let found = run(&["validate", example]);
    let expected = format!("{example}: valid: 6 monitors\n  every 1m: 1 monitor\n  every 5m: 5 monitors\n");
    assert_eq!((found.status, found.out, found.err), (0, expected, String::new()));

    let found = run(&["validate", "--json", example]);
    let expected = json!({ "valid": true, "monitors": 6, "insecure": [], "intervals": { "1m": 1, "5m": 5 } });
    assert_eq!((found.status, found.json()), (0, vec![expected]));
}

#[test]
fn mistakes_are_reported_with_line_and_help() {
    let found = run_with_input(&["validate", "--lambda", "-"], TWO_MISTAKES);
    let expected = "\
-:2: monitors.a.port: AWS blocks port 25 for a Lambda function outside a VPC
  help: use port 587 or 465, or check the host from agents, or from locations with a VPC
-:3: monitors.b.port: is missing
  help: write a port, or a `service` that has one
-: 2 mistakes
";
    assert_eq!(
        (found.status, found.out.as_str(), found.err.as_str()),
        (1, expected, "")
    );
}

#[test]
fn port_25_is_valid_outside_lambda() {
    let found = run_with_input(&["validate", "--json", "-"], TWO_MISTAKES);
    let expected = json!({
        "valid": false,
        "mistakes": [{
            "file": "-", "line": 3, "field": "monitors.b.port", "what": "is missing",
            "help": "write a port, or a `service` that has one",
        }],
    });
    assert_eq!((found.status, found.json()), (1, vec![expected]));
}

#[test]
fn unreadable_file_is_an_error() {
    let found = run(&["validate", "/nonexistent/monitors.yaml"]);
    let expected = "error: cannot read /nonexistent/monitors.yaml: No such file or directory (os error 2)\n";
    assert_eq!(
        (found.status, found.out.as_str(), found.err.as_str()),
        (2, "", expected)
    );
    assert_eq!(run(&["validate", "--colour"]).status, 2);
    assert_eq!(run(&[]).status, 2);
}

/// A folder with these files, removed at the end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
        let folder = std::env::temp_dir().join(format!("portpulse-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (name, content) in files {
            std::fs::write(folder.join(name), content).unwrap();
        }
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[test]
fn files_of_folder_are_read_as_one() {
    let folder = Folder::new(
        "validate-folder",
        &[
            (
                "a.yaml",
                b"monitors:\n  a: { host: a.example.com, port: 1, depends_on: [b] }\n",
            ),
            ("b.yml", b"monitors:\n  b: { host: b.example.com, port: 1 }\n"),
            ("notes.txt", b"not YAML: ["),
        ],
    );
    let path = folder.0.to_str().unwrap();
    let found = run(&["validate", "--json", path]);
    assert_eq!(
        found.json(),
        [json!({ "valid": true, "monitors": 2, "insecure": [], "intervals": { "5m": 2 } })]
    );

    std::fs::write(folder.0.join("c.yaml"), b"monitors:\n  # f\xfcr\n").unwrap();
    let found = run(&["validate", path]);
    let expected = format!("{path}/c.yaml:2: the byte 0xfc is not UTF-8");
    assert!(
        found.status == 1 && found.out.starts_with(&expected),
        "{}",
        found.out
    );
}

#[test]
fn show_names_origin_of_each_value() {
    let definitions = "\
defaults: { timeout: 2s, tags: [shop] }
monitors:
  web: { hosts: [a.example.com], service: https, tier: critical, tags: [edge], http: { path: /up } }
maintenance:
  - { every: sun 02:00, for: 2h, tags: [edge] }
";
    let found = run_with_input(&["show", "web-a.example.com", "-"], definitions);
    assert_eq!(found.status, 0, "{}", found.err);
    let lines: Vec<_> = found
        .out
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for line in [
        "host a.example.com monitor",
        "port 443 service https",
        "timeout 2s defaults",
        "interval 1m tier critical",
        "tags shop, edge monitor and defaults",
        "quorum majority built-in default",
        "tls true service https",
        "http HEAD /up monitor",
        "maintenance 1 window in `maintenance` maintenance",
    ] {
        assert!(lines.iter().any(|found| found == line), "{line}\n{}", found.out);
    }
    let found = run_with_input(&["show", "web-a.example.com", "-", "--json"], definitions);
    let fields = &found.json()[0]["fields"];
    assert_eq!(
        (&fields["tags"], &fields["interval"]["from"]),
        (
            &json!({ "value": ["shop", "edge"], "shown": "shop, edge", "from": "monitor and defaults" }),
            &json!("tier critical")
        )
    );
    let found = run_with_input(&["show", "web", "-"], definitions);
    found.assert_refused("monitor `web` is not defined in -\n  help: similar ids: web-a.example.com");
}
