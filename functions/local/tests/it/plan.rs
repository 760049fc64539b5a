//! `portpulse plan`.

use std::fmt::Write;

use crate::program::{run, run_with_input};

/// Definitions of 50 databases, checked every minute.
fn fifty() -> String {
    let mut text = "monitors:\n".to_owned();
    for number in 0..50 {
        writeln!(
            text,
            "  db-{number:02}: {{ host: db-{number:02}.example.com, service: postgres, tier: critical }}"
        )
        .unwrap();
    }
    text
}

#[test]
fn cost_of_fifty_monitors_from_three_locations() {
    let found = run_with_input(&["plan", "-", "--locations", "3"], &fifty());
    assert_eq!((found.status, found.err.as_str()), (0, ""));
    insta::assert_snapshot!(found.out);
}

#[test]
fn cost_includes_relay_status_page_and_sms_on_request() {
    let more = "--destinations 3 --views 20000 --sms 2 --sms-usd 0.05 --incidents 12";
    let args: Vec<_> = ["plan", "-"].into_iter().chain(more.split(' ')).collect();
    let found = run_with_input(&args, &fifty());
    assert_eq!((found.status, found.err.as_str()), (0, ""));
    insta::assert_snapshot!(found.out);
    for (args, message) in [
        (&["--sms", "1"][..], "--sms-usd <USD>"),
        (&["--sms", "1", "--sms-usd", "-1"], "unexpected argument '-1'"),
        (
            &["--sms", "1", "--sms-usd", "NaN"],
            "expected a price in US dollars such as 0.05",
        ),
    ] {
        let args: Vec<_> = ["plan", "-"].iter().chain(args).copied().collect();
        let found = run_with_input(&args, &fifty());
        assert_eq!(found.status, 2, "{args:?}");
        assert!(found.err.contains(message), "{args:?}: {}", found.err);
    }
}

#[test]
fn always_free_capacity_is_provisioned_and_json_is_complete() {
    let args = [
        "plan",
        "-",
        "--json",
        "--capacity",
        "always_free",
        "--locations",
        "eu-west-1,us-east-1",
    ];
    let found = run_with_input(&args, &fifty());
    let [plan] = &found.json()[..] else {
        panic!("{}", found.out)
    };
    assert_eq!((found.status, &plan["home"]), (0, &"eu-west-1".into()));
    assert_eq!(plan["always_free_fits"], "with_burst");
    let lines = plan["lines"].as_array().unwrap();
    let sum = |field: &str| {
        lines
            .iter()
            .map(|line| line[field].as_f64().unwrap())
            .sum::<f64>()
    };
    for field in ["usd", "usd_beyond_free"] {
        assert!(
            (sum(field) - plan[field].as_f64().unwrap()).abs() < 1e-9,
            "{field}"
        );
    }
    let capacity = lines
        .iter()
        .filter(|line| line["unit"].as_str().unwrap().contains("capacity"));
    assert!(
        capacity
            .clone()
            .all(|line| line["usd_beyond_free"] == 0.0 && line["usd"].as_f64().unwrap() > 1.0)
    );
    assert_eq!(capacity.count(), 2);
}

#[test]
fn agents_of_the_file_are_added_and_cost_no_lambda() {
    let file = |locations: &str| {
        format!(
            "agents: [office]\nmonitors:\n  a: {{ host: a.example.com, port: 1, interval: 1m }}\n  b: {{ host: b.example.com, port: 1, interval: 1m{locations} }}\n"
        )
    };
    let plan = |text: &str| {
        let found = run_with_input(&["plan", "-", "--json", "--locations", "eu-west-1"], text);
        assert_eq!((found.status, found.err.as_str()), (0, ""));
        found.json().remove(0)
    };
    let (without, with) = (plan(&file("")), plan(&file(", locations: [office, eu-west-1]")));
    assert_eq!(with["locations"], serde_json::json!(["eu-west-1", "office"]));
    assert_eq!(with["agents"], serde_json::json!(["office"]));
    let quantity = |plan: &serde_json::Value, name: &str| plan["quantities"][name].as_f64().unwrap();
    let more = quantity(&with, "invocations") - quantity(&without, "invocations");
    assert!(more.abs() < 1e-9, "{more}");
    assert!(quantity(&with, "write_units") > 1.9 * quantity(&without, "write_units"));
    let text = run_with_input(
        &["plan", "-", "--locations", "1"],
        &file(", check: ping, locations: [office]"),
    );
    assert_eq!(text.status, 1, "a ping has no port: {}", text.out);
    let ping = file(", locations: [office]").replace("b.example.com, port: 1", "b.example.com, check: ping");
    let text = run_with_input(&["plan", "-", "--locations", "1"], &ping);
    assert_eq!((text.status, text.err.as_str()), (0, ""));
    assert!(
        text.out
            .starts_with("-: 2 monitors in 2 locations: office (agent), us-east-1; table in us-east-1\n"),
        "{}",
        text.out
    );
}

#[test]
fn invalid_files_and_locations_are_refused() {
    let of_location =
        "monitors:\n  a: { host: a.example.com, port: 1, locations: [eu-central-1, sa-east-1] }\n";
    for (args, input, status, message) in [
        (
            &["plan", "-"][..],
            "monitors: {}\n",
            1,
            "-:1: monitors: no monitors are defined",
        ),
        (
            &["plan", "-", "--locations", "1"],
            of_location,
            2,
            "--locations 1 is too small: the monitors name 2 locations",
        ),
        (
            &["plan", "-", "--locations", "eu-central-1"],
            of_location,
            2,
            "--locations must include sa-east-1, which a monitor names",
        ),
        (
            &["plan", "-", "--locations", "18"],
            of_location,
            2,
            "--locations 18 is too large: the maximum is 17",
        ),
        (
            &["plan", "-", "--locations", "0"],
            "monitors:\n  a: { host: a.example.com, port: 1 }\n",
            2,
            "--locations requires at least one region",
        ),
        (
            &["plan", "-", "--locations", "Mars"],
            of_location,
            2,
            "`Mars` is not a location",
        ),
    ] {
        let found = run_with_input(args, input);
        let output = format!("{}{}", found.out, found.err);
        assert_eq!(found.status, status, "{args:?}: {output}");
        assert!(output.contains(message), "{args:?}: {output}");
    }
    let found = run(&["plan", "/nowhere/monitors.yaml"]);
    assert_eq!(found.status, 2);
}

#[test]
fn locations_of_monitors_are_included() {
    let of_location = "monitors:\n  a: { host: a.example.com, port: 1, locations: [ap-south-1] }\n";
    let found = run_with_input(
        &["plan", "-", "--json", "--locations", "2", "--home", "eu-west-3"],
        of_location,
    );
    assert_eq!(
        found.json()[0]["locations"],
        serde_json::json!(["ap-south-1", "eu-west-3"])
    );
}

#[test]
fn readmes_state_the_estimated_costs() {
    let found = run_with_input(&["plan", "-", "--json", "--locations", "3"], &fifty());
    let plan = &found.json()[0];
    let usd = |value: &serde_json::Value| format!("{:.2}", value.as_f64().unwrap());
    let (all, beyond) = (usd(&plan["usd"]), usd(&plan["usd_beyond_free"]));
    let checks = plan["health_checks"].as_array().unwrap();
    let [in_aws, elsewhere] = [&checks[0]["usd"], &checks[1]["usd"]].map(usd);
    let top = include_str!("../../../../README.md");
    let infra = include_str!("../../../../infra/README.md");
    assert!(
        top.contains(&format!("cost {all} USD a month, {beyond} of it beyond")),
        "{all} {beyond}"
    );
    for text in [
        format!("| **together** | **${all}** | **${beyond}** |"),
        format!("endpoints in AWS | ${in_aws} |"),
        format!("endpoints elsewhere | ${elsewhere} | ${elsewhere} |"),
    ] {
        assert!(infra.contains(&text), "{text}");
    }
}

#[test]
fn detection_times_and_shorter_intervals_are_shown() {
    let file = "monitors:\n  \
        orders: { host: a.example.com, service: postgres, tier: critical }\n  \
        payments: { host: b.example.com, port: 443, interval: 10s, timeout: 2s }\n  \
        bastion: { host: c.example.com, service: ssh, tier: supporting }\n  \
        old-telnet: { host: d.example.com, port: 23, expect: closed }\n  \
        router: { host: e.example.com, port: 443, expect: reachable, tier: background }\n  \
        paused: { host: f.example.com, port: 1, enabled: false }\n";
    let found = run_with_input(&["plan", "-", "--locations", "3"], file);
    assert_eq!((found.status, found.err.as_str()), (0, ""));
    let (table, _) = found.out.split_once("Monthly cost").unwrap();
    insta::assert_snapshot!(table);
    let (_, shorter) = found.out.split_once("With a shorter interval").unwrap();
    let (shorter, _) = shorter.split_once("\n\n").unwrap();
    insta::assert_snapshot!(shorter);
    let plan = &run_with_input(&["plan", "-", "--json"], file).json()[0];
    let detection = plan["detection"].as_array().unwrap();
    assert_eq!(detection.len(), 5);
    let telnet = detection
        .iter()
        .find(|one| one["monitor"] == "old-telnet")
        .unwrap();
    assert_eq!(telnet["refused"]["max_seconds"], 301.0);
    assert!(telnet["dropped"].is_null(), "{telnet}");
}

#[test]
fn shorter_intervals_name_monitors_that_do_not_fit() {
    let retries = "At 10s, the file is invalid until 1 monitor is changed, such as db (timeout: the check of 5s and its \
                   retries of 6s do not fit into the interval of 10s).";
    let longer_retries = "At 30s, the file is invalid until 1 monitor is changed, such as db (timeout: the check of 15s and \
                          its retries of 16s do not fit into the interval of 30s).";
    let timeout = "At 10s, the file is invalid until 1 monitor is changed, such as db (timeout: 15s is not below the \
                   interval of 10s).";
    for (fields, expected) in [
        ("timeout: 4500ms", &[][..]),
        ("timeout: 5s", &[retries]),
        ("timeout: 5s, retries: 0", &[]),
        ("timeout: 15s, retries: 0", &[timeout]),
        ("timeout: 15s", &[longer_retries, timeout]),
    ] {
        let file = format!(
            "monitors:\n  db: {{ host: a.example.com, port: 1, interval: 5m, {fields} }}\n  \
               web: {{ host: b.example.com, port: 1, interval: 10s, timeout: 2s }}\n"
        );
        let found = run_with_input(&["plan", "-"], &file);
        assert_eq!((found.status, found.err.as_str()), (0, ""));
        let notes: Vec<_> = found.out.lines().filter(|line| line.starts_with("At ")).collect();
        assert_eq!(notes, expected, "{fields}");
    }
}

#[test]
fn fifty_monitors_every_10_seconds_cost_less_than_15_dollars() {
    let file = fifty().replace("tier: critical", "tier: critical, interval: 10s, timeout: 2s");
    let found = run_with_input(&["plan", "-", "--json", "--locations", "3"], &file);
    let plan = &found.json()[0];
    let beyond = plan["usd_beyond_free"].as_f64().unwrap();
    assert!((5.0..15.0).contains(&beyond), "{beyond}");
    assert_eq!(plan["shorter_intervals"], serde_json::json!([]));
}
