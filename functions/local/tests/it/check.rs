//! `portpulse check` with real ports.

use std::io::Read;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::{Run, Running, portpulse, run, run_with_input};
use crate::sockets;

#[test]
fn table_shows_open_and_refused_ports() {
    let ((_open, open), (_refused, refused)) = (sockets::open(), sockets::refused());
    let found = run(&["check", &open, &refused]);
    let summary = regex::Regex::new(r"^2 of 2 checked in [0-9.]+ s: 1 as expected, 1 failing\.\n$").unwrap();
    assert!(found.status == 1 && summary.is_match(&found.err), "{}", found.err);
    let lines: Vec<Vec<&str>> = found
        .out
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0], ["TARGET", "RESULT", "TOTAL", "DETAIL"]);
    let of = |target: &str| lines.iter().find(|line| line[0] == target).unwrap();
    let first = of(&open);
    assert!(
        first[1] == "open" && first[2].parse::<f64>().unwrap() < 1_000.0 && first[3] == "ms",
        "{first:?}"
    );
    assert_eq!(of(&refused)[1..3], ["✗", "refused"]);
}

/// The line of a target in JSON output, which has the order of the results.
fn of_target(found: &Run, target: &str) -> Value {
    let mut lines = found.json().into_iter();
    lines.rfind(|line| line["target"] == target).unwrap()
}

#[test]
fn json_has_one_object_per_line() {
    let ((_open, open), (_refused, refused)) = (sockets::open(), sockets::refused());
    let found = run(&["check", "--json", &open, &refused]);
    assert_eq!((found.status, found.json().len()), (1, 2));
    let line = of_target(&found, &open);
    assert_eq!(
        (&line["address"], &line["outcome"], &line["as_expected"]),
        (&json!(open), &json!("open"), &json!(true))
    );
    assert!(line["phases"]["connect_ms"].as_f64().unwrap() < 1_000.0);
    assert!(line["phases"].get("dns_ms").is_none());
    let line = of_target(&found, &refused);
    assert_eq!(
        (&line["outcome"], &line["phase"], &line["as_expected"]),
        (&json!("refused"), &json!("connect"), &json!(false))
    );
}

#[test]
fn ctrl_c_sums_up_the_results_so_far() {
    let (_silent, silent) = sockets::open();
    let loading = answering("-LOADING Redis is loading the dataset in memory\r\n", 1);
    let mut command = portpulse();
    command
        .args([
            "check",
            "--service",
            "redis",
            "--timeout",
            "30s",
            &silent,
            &loading,
        ])
        .stderr(Stdio::piped());
    let mut running = Running::start(&mut command);
    // The result of the first is printed while the second waits.
    running.lines_to(|line| line.starts_with(&loading));
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &running.child.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    let mut message = String::new();
    running
        .child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut message)
        .unwrap();
    assert_eq!(running.child.wait().unwrap().code(), Some(130));
    assert!(
        message.starts_with("Interrupted. 1 of 2 checked in ")
            && message.ends_with(" s: 0 as expected, 1 failing.\n"),
        "{message}"
    );
}

#[test]
fn url_sets_service_port_and_path() {
    let page = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let web = answering(page, 1);
    let found = run(&[
        "check",
        "--json",
        "--http-status",
        "404",
        &format!("http://{web}/up"),
    ]);
    assert_eq!(
        (found.status, &found.json()[0]["target"]),
        (0, &json!(web)),
        "{}",
        found.out
    );
}

#[test]
fn exit_status_depends_on_the_expected_result() {
    let ((_open, open), (_refused, refused)) = (sockets::open(), sockets::refused());
    for (expect, target, status) in [
        ("open", &open, 0),
        ("open", &refused, 1),
        ("closed", &open, 1),
        ("closed", &refused, 0),
        ("reachable", &open, 0),
        ("reachable", &refused, 0),
    ] {
        assert_eq!(
            run(&["check", "--expect", expect, target]).status,
            status,
            "{expect} {target}"
        );
    }
}

#[test]
fn target_file_mistakes_have_line_numbers() {
    let (_open, open) = sockets::open();
    let found = run_with_input(
        &["check", "--json", "--file", "-"],
        &format!("# ours\n{open}\n\n{open} # again\n"),
    );
    assert_eq!((found.status, found.json().len()), (0, 2));

    let found = run_with_input(&["check", "--file", "-", "::1:22"], &format!("{open}\nb:99999\n"));
    let expected = "error: ::1:22: IPv6 addresses require brackets\n  help: write [ADDRESS]:PORT\n\
                    -:2: b:99999: port: 99999 is out of range\n  help: write a whole number from 1 to 65535\n";
    assert_eq!(
        (found.status, found.out.as_str(), found.err.as_str()),
        (2, "", expected)
    );
}

#[test]
fn invalid_usage_is_explained() {
    for (args, part) in [
        (
            &["check"][..],
            "no target given\n  help: add HOST:PORT, --file or --monitors",
        ),
        (
            &["check", "db"],
            "db: port: is missing\n  help: write HOST:PORT, or add --service",
        ),
        (&["check", "db:1", "--timeout", "5"], "`5` is not a duration"),
        (
            &["check", "db:1", "--timeout", "1ms"],
            "timeout: 1ms is too short\n  help: write a duration from 100ms to 30s",
        ),
        (
            &["check", "db:1", "--service", "oracle"],
            "[possible values: postgres,",
        ),
        (
            &["check", "db:1", "--file", "/nonexistent"],
            "cannot read /nonexistent: No such file",
        ),
    ] {
        let found = run(args);
        found.assert_refused(part);
    }
}

#[test]
fn colours_are_used_only_if_forced_or_on_a_terminal() {
    let (_open, open) = sockets::open();
    let forced = Run::of(
        portpulse()
            .env_remove("NO_COLOR")
            .env("CLICOLOR_FORCE", "1")
            .args(["check", &open])
            .output()
            .unwrap(),
    );
    assert!(forced.out.contains("\u{1b}[32mopen\u{1b}[0m"), "{:?}", forced.out);
    let plain = Run::of(
        portpulse()
            .env_remove("NO_COLOR")
            .args(["check", &open])
            .output()
            .unwrap(),
    );
    assert!(!plain.out.contains('\u{1b}'), "{:?}", plain.out);
}

/// As with `| head -1`.
#[test]
fn closed_output_is_not_an_error() {
    let (_open, open) = sockets::open();
    let mut command = portpulse();
    command
        .args(["check", "--json", &open])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let mut message = String::new();
    child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), message.as_str()), (Some(0), ""));
}

/// A server on loopback that answers this number of requests with `response`.
fn answering(response: &'static str, requests: usize) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for _ in 0..requests {
            let (mut stream, _) = listener.accept().unwrap();
            let mut received = Vec::new();
            let mut byte = [0];
            while !received.ends_with(b"\r\n") && stream.read(&mut byte).unwrap() == 1 {
                received.push(byte[0]);
            }
            std::io::Write::write_all(&mut stream, response.as_bytes()).unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    address
}

#[test]
fn readiness_check_shows_the_response_of_the_service() {
    let redis = answering("-LOADING Redis is loading the dataset in memory\r\n", 1);
    let found = run(&["check", "--service", "redis", &redis]);
    assert_eq!(found.status, 1);
    let parts = [
        "starting",
        "ready ",
        " ms, LOADING Redis is loading the dataset in memory",
    ];
    assert!(parts.iter().all(|part| found.out.contains(part)), "{}", found.out);

    let page = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8\r\n\r\nall well";
    for (options, status, outcome) in [
        (&["--http-path", "/up", "--http-status", "200,3xx"][..], 0, "open"),
        (&["--http-text", "all well"], 0, "open"),
        (&["--http-text", "all is lost"], 1, "wrong_answer"),
        (&["--http-status", "204"], 1, "wrong_answer"),
    ] {
        let web = answering(page, 1);
        let found = run(&[&["check", "--json", &web], options].concat());
        assert_eq!(found.json()[0]["outcome"], json!(outcome), "{options:?}");
        assert_eq!(found.status, status, "{options:?}");
    }
}

#[test]
fn monitors_option_checks_monitors_as_defined() {
    let chat = answering("INFO {}\r\n", 2);
    let port = chat.rsplit(':').next().unwrap();
    let (_refused, refused) = sockets::refused();
    let shut = refused.rsplit(':').next().unwrap();
    let file = format!(
        "monitors:\n  chat: {{ host: 127.0.0.1, port: {port}, script: [{{ send: \"HI\\r\\n\" }}, {{ expect: INFO }}] }}\n  \
         shut: {{ host: 127.0.0.1, port: {shut}, expect: closed }}\n  asleep: {{ host: 127.0.0.1, port: 1, enabled: false }}\n"
    );
    let found = run_with_input(&["check", "--json", "--monitors", "-"], &file);
    assert_eq!((found.status, found.json().len()), (0, 2), "{}", found.err);
    let (chat_line, shut_line) = (of_target(&found, &chat), of_target(&found, &refused));
    assert_eq!(
        (&chat_line["monitor"], &chat_line["banner"]),
        (&json!("chat"), &json!("INFO"))
    );
    assert_eq!(
        (&shut_line["monitor"], &shut_line["outcome"]),
        (&json!("shut"), &json!("refused"))
    );
    let found = run_with_input(&["check", "--monitors", "-", "chat"], &file);
    assert!(
        found.status == 0 && found.out.contains(&format!("chat ({chat})")),
        "{}",
        found.out
    );
    for (id, help) in [("unknown", ""), ("chta", "  help: similar ids: chat\n")] {
        let found = run_with_input(&["check", "--monitors", "-", id], &file);
        let message = format!("error: monitor `{id}` is not defined in -\n{help}");
        assert_eq!((found.status, found.err), (2, message));
    }
}

#[test]
fn options_follow_the_rules_of_definitions() {
    for (args, part) in [
        (
            &["--service", "redis", "--starttls"][..],
            "tls: the protocol does not support STARTTLS\n  help: use --tls instead",
        ),
        (&["--starttls"], "help: add --tls, or --service"),
        (
            &["--service", "http", "--warn-days", "9"],
            "help: add --tls, or leave --warn-days out",
        ),
        (&["--http-path", "up"], "http.path: `up` is not a path"),
        (&["--dns-must", "192.0.2.1"], "dns.name: is missing"),
        (&["--ehlo", "a b"], "ehlo: "),
        (
            &["--service", "redis", "--ehlo", "mail.example"],
            "ehlo: requires",
        ),
        (&["--tls", "--starttls"], "cannot be used with"),
        (&["--monitors", "x.yaml", "--tls"], "cannot be used with"),
    ] {
        let found = run(&[&["check", "a.example:8080"], args].concat());
        assert_eq!(found.status, 2, "{args:?}");
        assert!(found.err.contains(part), "{args:?}: {}", found.err);
    }
}
