//! `portpulse local --demo`: every state of a service, and the terminal output.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::json;

use crate::program::{portpulse, run};
use crate::workspace::{notified, of_type};

#[test]
fn demo_outage_opens_and_closes_within_half_a_minute() {
    let found = run(&["local", "--demo", "--json", "--for", "23s"]);
    assert_eq!(found.status, 0, "{}", found.err);
    let lines = found.json();
    let mut notified = notified(&lines);
    notified.sort();
    assert_eq!(
        notified,
        [
            "degraded slow",
            "down dies-and-returns",
            // `silent` is on the same host, and fails with it.
            "down refused",
            "recovered dies-and-returns"
        ]
    );
    let ids: BTreeSet<_> = of_type(&lines, "notification")
        .iter()
        .filter(|line| line["monitor"] == json!("dies-and-returns"))
        .map(|line| {
            line["id"]
                .as_str()
                .unwrap()
                .rsplit_once('/')
                .unwrap()
                .0
                .to_owned()
        })
        .collect();
    assert_eq!(
        ids.len(),
        1,
        "the notifications of an outage have the same incident id: {ids:?}"
    );

    let outcomes = |id: &str| -> BTreeSet<String> {
        let rounds = of_type(&lines, "check").into_iter();
        rounds
            .map(|line| line["results"][id]["outcome"].as_str().unwrap().to_owned())
            .collect()
    };
    for (id, expected) in [
        ("healthy", &["open"][..]),
        ("refused", &["refused"]),
        ("silent", &["timeout"]),
        ("slow", &["open"]),
        ("expected-closed", &["refused"]),
        ("dies-and-returns", &["open", "refused"]),
    ] {
        let expected = expected.iter().map(|outcome| (*outcome).to_owned()).collect();
        assert_eq!(outcomes(id), expected, "{id}");
    }
    let summary = lines.last().unwrap();
    assert_eq!(summary["type"], json!("summary"));
    assert_eq!(
        summary["open"],
        json!({ "refused": "down", "silent": "down", "slow": "degraded" })
    );
}

/// Runs the commands as if copied from the terminal.
#[test]
fn suggested_commands_reach_the_demo_and_its_data_are_removed() {
    let temp_dir = std::env::temp_dir().join(format!("portpulse-it-demo-{}", std::process::id()));
    fs::create_dir_all(&temp_dir).unwrap();
    let mut command = portpulse();
    command
        .args(["local", "--demo"])
        .env("TMPDIR", &temp_dir)
        .stdout(Stdio::piped());
    let mut demo = command.spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut suggested = |label: &str| {
        let line = lines.find(|line| line.trim_start().starts_with(label)).unwrap();
        line.trim_start().trim_start_matches(label).trim().to_owned()
    };
    let program = Path::new(env!("CARGO_BIN_EXE_portpulse")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    for label in ["Silence", "Ack"] {
        let suggested = suggested(label);
        let typed = Command::new("sh")
            .args(["-c", &suggested])
            .env("PATH", &path)
            .env_remove("PORTPULSE_TABLE")
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&typed.stderr);
        assert!(typed.status.success(), "{suggested}: {errors}");
    }
    let ended = Command::new("kill")
        .args(["-TERM", &demo.id().to_string()])
        .status();
    assert!(ended.unwrap().success());
    assert!(
        lines
            .last()
            .is_some_and(|line| line.starts_with("Open incidents"))
    );
    assert_eq!(demo.wait().unwrap().code(), Some(0));
    assert_eq!(fs::read_dir(&temp_dir).unwrap().count(), 0);
    fs::remove_dir(&temp_dir).unwrap();
}

/// Also without colours, a terminal shows a table that is redrawn in place below the notifications.
#[test]
fn table_is_redrawn_on_a_terminal() {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let size = Winsize {
        ws_row: 24,
        ws_col: 60,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&terminal, size).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let screen = fs::OpenOptions::new().read(true).write(true).open(name).unwrap();
    let mut command = portpulse();
    command
        .args(["local", "--demo", "--for", "4s"])
        .env("TERM", "xterm")
        .stdout(screen);
    let mut child = command.spawn().unwrap();
    // Reading fails when no process has the terminal open.
    drop(command);
    let mut shown = Vec::new();
    let mut chunk = [0; 4096];
    let mut terminal = fs::File::from(terminal);
    while let Ok(1..) = terminal.read(&mut chunk).inspect(|&count| {
        shown.extend_from_slice(&chunk[..count]);
    }) {}
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let shown = String::from_utf8(shown).unwrap().replace("\r\n", "\n");
    // Nine lines: an empty one, the counts, the header and six monitors.
    let frames: Vec<_> = shown.split("\u{1b}[9F\u{1b}[J").collect();
    assert!(frames.len() >= 4, "{shown:?}");
    for frame in &frames[1..] {
        assert_eq!(frame.matches("MONITOR           STATUS").count(), 1, "{frame:?}");
        let (_, table) = frame.split_once("\u{1b}[?7l").unwrap();
        let (table, _) = table.split_once("\u{1b}[?7h").unwrap();
        assert!(table.lines().all(|line| line.chars().count() <= 60), "{table}");
    }
    let alert = frames
        .iter()
        .find(|frame| frame.contains("DOWN: refused and 1 more since "))
        .unwrap();
    assert!(
        alert.find("DOWN: refused").unwrap() < alert.find("MONITOR").unwrap(),
        "{alert:?}"
    );
    assert!(!shown.contains("\u{1b}[31m"), "{shown:?}");
    assert!(
        shown.ends_with("Open incidents: refused (down), silent (down), slow (degraded).\n"),
        "{shown:?}"
    );
}
