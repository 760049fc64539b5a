//! Situations of imports, exports and definitions, through the program: what people have, and what is right for it.

use crate::program::{Run, run, run_with_input};
use crate::workspace::Workspace;

/// An import, and what must hold of its result.
struct Case {
    name: &'static str,
    from: &'static str,
    input: &'static str,
    status: i32,
    /// Texts in the definitions, each with how often it appears.
    definitions: &'static [(&'static str, usize)],
    /// Texts in the report.
    report: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        name: "Gatus follows redirects with and without `client`",
        from: "gatus",
        input: r#"
endpoints:
  - { name: plain, url: "https://one.example.net/", conditions: ["[STATUS] == 200"] }
  - { name: timed, url: "https://two.example.net/", client: { timeout: 4s }, conditions: ["[STATUS] == 200"] }
"#,
        status: 0,
        definitions: &[
            ("follow: true", 2),
            ("follow: false", 0),
            ("timeout: 10s", 1),
            ("timeout: 4s", 1),
        ],
        report: &["Imported 2 monitors from Gatus."],
    },
    Case {
        name: "an alert without thresholds has those of `default-alert`",
        from: "gatus",
        input: r#"
alerting: { slack: { webhook-url: "https://hooks.example.net/x", default-alert: { failure-threshold: 5, success-threshold: 1 } } }
endpoints: [{ name: orders, url: "tcp://db.example.net:5432", conditions: ["[CONNECTED] == true"], alerts: [{ type: slack }] }]
"#,
        status: 1,
        definitions: &[("failures_to_open: 5", 1), ("successes_to_close: 1", 1)],
        report: &["alerting.slack"],
    },
    Case {
        name: "two texts in the body are both required",
        from: "gatus",
        input: r#"
endpoints: [{ name: m, url: "http://m.example.net/metrics", client: { timeout: 5s },
  conditions: ["[STATUS] == 200", "[BODY] == pat(*up 1*)", "[BODY] == pat(*ready 1*)"] }]
"#,
        status: 0,
        definitions: &[("text: \"up 1\"", 1), ("body_matches: [\"ready 1\"]", 1)],
        report: &[],
    },
    Case {
        name: "without a condition on the status, any status is up, and the limit is on the total time",
        from: "gatus",
        input: r#"
endpoints:
  - { name: reached, url: "https://one.example.net/", client: { timeout: 5s }, conditions: ["[CONNECTED] == true"] }
  - { name: fast, url: "https://two.example.net/", client: { timeout: 5s }, conditions: ["[RESPONSE_TIME] < 3000"] }
"#,
        status: 0,
        definitions: &[
            ("status: [\"100-999\"]", 2),
            ("fail_slower_than: 3s", 1),
            ("499", 0),
        ],
        report: &[],
    },
    Case {
        name: "a port that must be shut",
        from: "gatus",
        input: r#"endpoints: [{ name: shut, url: "tcp://203.0.113.9:23", conditions: ["[CONNECTED] == false"] }]"#,
        status: 0,
        definitions: &[("expect: closed", 1), ("port: 23", 1)],
        report: &[],
    },
    Case {
        name: "a limit of the response time fits into the timeout of Gatus",
        from: "gatus",
        input: r#"endpoints: [{ name: a, url: "https://one.example.net", conditions: ["[STATUS] == 200", "[RESPONSE_TIME] < 3000"] }]"#,
        status: 0,
        definitions: &[
            ("timeout: 10s", 1),
            ("slower_than", 1),
            ("fail_slower_than: 3s", 1),
        ],
        report: &[],
    },
    Case {
        name: "TLS in connection strings of every database",
        from: "uptime-kuma",
        input: r#"{ "monitorList": [
            { "name": "a", "type": "redis", "databaseConnectionString": "rediss://default:hidden1@a.example.net:6379" },
            { "name": "b", "type": "postgres", "databaseConnectionString": "postgres://u:hidden2@b.example.net/x?sslmode=require&target_session_attrs=any" },
            { "name": "c", "type": "mongodb", "databaseConnectionString": "mongodb://c.example.net/x?tls=true" },
            { "name": "d", "type": "mysql", "databaseConnectionString": "mysql://u:hidden3@d.example.net/x?ssl=true" },
            { "name": "e", "type": "sqlserver", "databaseConnectionString": "Server=e.example.net,1433;User Id=u;Password=hidden4;Encrypt=true" },
            { "name": "f", "type": "redis", "databaseConnectionString": "redis://f.example.net:6379" }] }"#,
        status: 1,
        definitions: &[
            ("tls: true", 2),
            ("tls: starttls", 2),
            ("tls: false", 1),
            ("hidden", 0),
        ],
        report: &["databaseConnectionString: user", "?target_session_attrs"],
    },
    Case {
        name: "a timeout of 0 is 0.8 of the interval, and named where it is cut",
        from: "uptime-kuma",
        input: r#"{ "monitorList": [
            { "name": "a", "type": "http", "url": "https://one.example.net/", "interval": 60, "timeout": 0 },
            { "name": "b", "type": "http", "url": "https://two.example.net/", "interval": 20, "timeout": 0 }] }"#,
        status: 1,
        definitions: &[("timeout: 30s", 1), ("timeout: 16s", 1)],
        report: &["timeout: The timeout of 48s became 30s: the range is 100ms to 30s. (a)\n"],
    },
    Case {
        name: "the exporter has the timeout of the scrape less half a second",
        from: "prometheus",
        input: r#"
modules: { http_2xx: { prober: http }, slow: { prober: http, timeout: 25s } }
scrape_configs:
  - { job_name: a, metrics_path: /probe, params: { module: [http_2xx] }, static_configs: [{ targets: ["https://one.example.net"] }] }
  - { job_name: b, metrics_path: /probe, params: { module: [slow] }, static_configs: [{ targets: ["https://two.example.net"] }] }
"#,
        status: 0,
        definitions: &[("timeout: 9500ms", 2), ("timeout: 25s", 0)],
        report: &[],
    },
    Case {
        name: "the target of `params` is watched",
        from: "prometheus",
        input: r#"
scrape_configs:
  - { job_name: one, metrics_path: /probe, params: { module: [tcp_connect], target: ["db.example.net:5432"] },
      static_configs: [{ targets: ["blackbox.example.net:9115"] }] }
"#,
        status: 0,
        definitions: &[
            ("host: db.example.net", 1),
            ("port: 5432", 1),
            ("blackbox.example.net", 0),
        ],
        report: &[],
    },
    Case {
        name: "a module that cannot be carried over stops no other",
        from: "prometheus",
        input: r#"
modules:
  http_2xx: { prober: http, timeout: 5s }
  bytes: { prober: tcp, tcp: { query_response: [{ send: !!binary AAAACATSFi8= }] } }
scrape_configs:
  - { job_name: a, metrics_path: /probe, params: { module: [http_2xx] }, static_configs: [{ targets: ["https://one.example.net"] }] }
"#,
        status: 0,
        definitions: &[("host: one.example.net", 1), ("timeout: 5s", 1)],
        report: &["module bytes"],
    },
    Case {
        name: "a job of another exporter is named as such",
        from: "prometheus",
        input: r#"
scrape_configs:
  - { job_name: routers, metrics_path: /snmp, params: { module: [if_mib] }, static_configs: [{ targets: ["r1.example.net"] }] }
  - { job_name: web, metrics_path: /probe, params: { module: [http_2xx] }, static_configs: [{ targets: ["https://one.example.net"] }] }
"#,
        status: 1,
        definitions: &[("host: one.example.net", 1), ("r1.example.net", 0)],
        report: &["exporter", "routers"],
    },
];

fn import(from: &str, more: &[&str], input: &str) -> Run {
    let mut args = vec!["import", "--from", from, "-"];
    args.extend(more);
    run_with_input(&args, input)
}

#[test]
fn each_situation_is_imported_as_its_source_means() {
    for case in CASES {
        let found = import(case.from, &[], case.input);
        let shown = format!("{}\n{}{}", case.name, found.out, found.err);
        assert_eq!(found.status, case.status, "{shown}");
        for (part, count) in case.definitions {
            assert_eq!(found.out.matches(part).count(), *count, "{part:?}: {shown}");
        }
        for part in case.report {
            assert!(found.err.contains(part), "{part:?}: {shown}");
        }
        let valid = run_with_input(&["validate", "-"], &found.out);
        assert_eq!(valid.status, 0, "{}: {shown}", valid.out);
    }
}

#[test]
fn mistakes_of_an_export_are_not_on_standard_output() {
    let invalid = "monitors:\n  a: { host: a.example.net }\n";
    for more in [
        &["export", "--prometheus", "-"][..],
        &["export", "--prometheus", "--blackbox", "-"],
    ] {
        let found = run_with_input(more, invalid);
        assert_eq!((found.status, found.out.as_str()), (1, ""), "{}", found.err);
        found.assert_err("-:2: monitors.a.port: is missing");
    }
}

#[test]
fn options_and_tags_of_defaults_are_merged_with_those_of_a_monitor() {
    let definitions = r#"
defaults: { tags: [env=prod], http: { method: GET, status: 2xx, follow: true } }
monitors:
  a: { host: a.example.net, service: https, tags: [team=net], http: { path: /x } }
  b: { host: b.example.net, service: https }
  c: { host: c.example.net, port: 1 }
"#;
    let targets = run_with_input(&["export", "--prometheus", "-"], definitions);
    assert_eq!(targets.status, 0, "{}", targets.err);
    assert!(
        targets.out.contains("\"https://a.example.net/x\""),
        "{}",
        targets.out
    );
    assert_eq!(
        targets.out.matches("\"env\": \"prod\"").count(),
        3,
        "{}",
        targets.out
    );
    assert_eq!(
        targets.out.matches("\"team\": \"net\"").count(),
        1,
        "{}",
        targets.out
    );
    // One module for both, with the options of `defaults`.
    let modules = run_with_input(&["export", "--prometheus", "--blackbox", "-"], definitions);
    assert_eq!(modules.out.matches("method: GET").count(), 1, "{}", modules.out);
    assert_eq!(
        modules.out.matches("follow_redirects: true").count(),
        1,
        "{}",
        modules.out
    );
    assert!(modules.out.contains("299]"), "{}", modules.out);
}

#[test]
fn misspelt_region_is_refused_by_every_command() {
    let workspace = Workspace::new("region");
    let path = workspace.0.join("monitors.yaml");
    std::fs::write(
        &path,
        "monitors:\n  a: { host: a.example.net, port: 1, locations: [eu-wst-1] }\n",
    )
    .unwrap();
    let path = path.to_str().unwrap();
    let data = workspace.0.join("data");
    let data = data.to_str().unwrap();
    for args in [
        &["validate", path][..],
        &["plan", path],
        &["seed", path, "--dry-run", "--data", data],
        &["export", "--prometheus", path],
    ] {
        let found = run(args);
        let shown = format!("{args:?} {}{}", found.out, found.err);
        assert!(
            found.status != 0 && shown.contains("did you mean `eu-west-1`?"),
            "{shown}"
        );
    }
    let agent = "agents: [office-berlin]\nmonitors:\n  a: { host: a.example.net, port: 1, locations: [office-berln] }\n";
    let found = run_with_input(&["validate", "-"], agent);
    assert!(
        found.status == 1 && found.out.contains("did you mean `office-berlin`?"),
        "{}",
        found.out
    );
}

/// What Gatus pings, and what it does not.
const ICMP: &str = r#"
endpoints:
  - { name: router, url: "icmp://router.example.net", conditions: ["[CONNECTED] == true"] }
  - { name: web, url: "https://one.example.net", conditions: ["[STATUS] == 200"] }
"#;

#[test]
fn hosts_are_pinged_from_the_agents_or_the_machine_that_the_options_name() {
    let workspace = Workspace::new("pings");
    let path = workspace.0.join("monitors.yaml");
    let path = path.to_str().unwrap();
    for (more, pings, lambda) in [
        (&[][..], "host: router.example.net\n    port: 443\n", 0),
        (
            &["--agents", "office-paris,office-berlin"],
            "    check: ping\n",
            0,
        ),
        (&["--local"], "    check: ping\n", 1),
    ] {
        let mut args = vec!["-o", path, "--force"];
        args.extend(more);
        let found = import("gatus", &args, ICMP);
        let written = std::fs::read_to_string(path).unwrap();
        assert_eq!(found.status, 0, "{}", found.err);
        assert!(written.contains(pings), "{more:?} {written}");
        assert_eq!(found.err.contains("--agents"), more.is_empty(), "{}", found.err);
        let has_agents = written.contains("agents: [office-berlin, office-paris]")
            && written.contains("locations: [office-berlin, office-paris]");
        assert_eq!(has_agents, more.len() > 1, "{written}");
        let valid = run(&["validate", path]);
        assert_eq!(valid.status, 0, "{more:?} {}", valid.out);
        // A Lambda function cannot ping.
        assert_eq!(run(&["validate", "--lambda", path]).status, lambda, "{more:?}");
    }
    for (more, part) in [
        (
            &["--agents", "eu-west-1"][..],
            "is an AWS region, which cannot send ICMP",
        ),
        (&["--agents", "a b"], "a b"),
        (&["--agents", "office-berlin", "--local"], "cannot be used with"),
    ] {
        import("gatus", more, ICMP).assert_refused(part);
    }
}
