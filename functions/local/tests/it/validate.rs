//! `portpulse validate`.

use serde_json::json;

use crate::program::{run, run_with_input};

const TWO_MISTAKES: &str =
    "monitors:\n  a: { host: a.example.com, port: 25 }\n  b: { host: b.example.com }\n";

#[test]
fn valid_file_is_summarized() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/monitors.yaml");
    let found = run(&["validate", example]);
    let expected = format!(
        "{example}: valid: 6 monitors in 2 groups\n  every 1m: 1 monitor in 1 shard\n  every 5m: 5 monitors in 1 shard\n"
    );
    assert_eq!((found.status, found.out, found.err), (0, expected, String::new()));

    let found = run(&["validate", "--json", example]);
    let expected = json!({
        "valid": true, "monitors": 6, "groups": { "1m#0": 1, "5m#0": 5 }, "shards": { "1m": 1, "5m": 1 },
    });
    assert_eq!((found.status, found.json()), (0, vec![expected]));
}

#[test]
fn mistakes_are_reported_with_line_and_help() {
    let found = run_with_input(&["validate", "-"], TWO_MISTAKES);
    let expected = "\
-:2: monitors.a.port: AWS blocks port 25 for a Lambda function outside a VPC
  help: use port 587 or 465, or check the host from locations with a VPC
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
fn vpc_option_allows_port_25() {
    let found = run_with_input(&["validate", "--vpc", "--json", "-"], TWO_MISTAKES);
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
