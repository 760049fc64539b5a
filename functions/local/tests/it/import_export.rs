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
fn imported_definitions_are_valid_and_differences_are_listed() {
    for (from, files, summary, message) in [
        (
            "gatus",
            &["gatus.yaml"][..],
            "Imported 11 of 14 monitors from Gatus.",
            "Not carried over:\n",
        ),
        (
            "uptime-kuma",
            &["uptime-kuma.json"],
            "Imported 8 of 10 monitors from Uptime Kuma.",
            "Behaves differently:\n",
        ),
        (
            "prometheus",
            &["prometheus.yml", "blackbox.yml", "more.json"],
            "from Prometheus.",
            "Not needed:\n",
        ),
        (
            "uptimeflare",
            &["uptimeflare.json"],
            "from UptimeFlare.",
            "Not carried over:\n",
        ),
        (
            "upptime",
            &["upptimerc.yml"],
            "from Upptime.",
            "Not carried over:\n",
        ),
        (
            "cloudprober",
            &["cloudprober.cfg"],
            "from cloudprober.",
            "Not carried over:\n",
        ),
        (
            "terraform-state",
            &["terraform.json"],
            "from Terraform.",
            "Not needed:\n",
        ),
        (
            "docker-compose",
            &["compose.yaml"],
            "from Docker Compose.",
            "Not carried over:\n",
        ),
        (
            "kubernetes",
            &["kubernetes.yaml"],
            "from Kubernetes.",
            "Not needed:\n",
        ),
    ] {
        let files: Vec<_> = files.iter().map(|name| sample(name)).collect();
        let mut args = vec!["import", "--from", from];
        args.extend(files.iter().map(String::as_str));
        let found = run(&args);
        // Every sample has something that is not carried over.
        assert_eq!(found.status, 1, "{from}: {}", found.err);
        let last = found.err.lines().last().unwrap_or_default();
        assert!(last.contains(summary), "{from}: {}", found.err);
        assert!(found.err.contains(message), "{from}: {}", found.err);
        let valid = run_with_input(&["validate", "-"], &found.out);
        assert_eq!(valid.status, 0, "{from}: {}", valid.out);
        // The report ends with the command that validates the file.
        let temp_file = TempFile::new(&format!("{from} it's.yaml"));
        args.extend(["--output", temp_file.path()]);
        let written = run(&args);
        let last = written.err.lines().last().unwrap_or_default();
        let command = last
            .strip_prefix("Validate them with: portpulse validate ")
            .unwrap();
        let path = command.trim_matches('\'').replace("'\\''", "'");
        let valid = run(&["validate", &path]);
        assert_eq!(valid.status, 0, "{from}: {command}: {}", valid.out);
    }
}

#[test]
fn exit_status_and_json_say_whether_something_was_lost() {
    let complete =
        "endpoints: [{ name: a, url: 'tcp://a.example.com:1', conditions: ['[CONNECTED] == true'] }]";
    let found = run_with_input(&["import", "--from", "gatus", "-", "--json"], complete);
    assert_eq!(found.status, 0, "{}{}", found.out, found.err);
    let object = &found.json()[0];
    assert_eq!(object["report"]["imported"], 1);
    assert_eq!(object["report"]["lost"], serde_json::json!([]));
    assert!(
        object["definitions"]
            .as_str()
            .unwrap()
            .contains("host: a.example.com")
    );
    let partial = complete.replace("name: a", "name: a, client: { tunnel: x }");
    let found = run_with_input(&["import", "--from", "gatus", "-", "--json"], &partial);
    assert_eq!(found.status, 1);
    let lost = &found.json()[0]["report"]["lost"][0];
    assert_eq!(lost["field"], "client.tunnel");
    assert_eq!(lost["items"], serde_json::json!(["a"]));
}

#[test]
fn second_import_shows_what_is_new_changed_and_gone() {
    let temp_file = TempFile::new("again.yaml");
    let compose = |ports: &str| format!("services: {{ {ports} }}");
    let import = |text: &str, more: &[&str]| {
        let mut args = vec![
            "import",
            "--from",
            "docker-compose",
            "-",
            "-o",
            temp_file.path(),
            "--host",
            "h.example.com",
        ];
        args.extend(more);
        run_with_input(&args, text)
    };
    let first = compose("a: { ports: ['1:1'] }, b: { ports: ['2:2'] }");
    assert_eq!(import(&first, &[]).status, 0);
    let same = import(&first, &[]);
    assert_eq!(same.status, 0, "{}", same.err);
    assert!(same.err.contains("is up to date."), "{}", same.err);
    let second = compose("b: { ports: ['3:2'] }, c: { ports: ['4:4'] }");
    let kept = import(&second, &[]);
    assert_eq!(kept.status, 1, "{}", kept.err);
    assert!(
        kept.err
            .contains("  new      c\n  changed  b: port\n  gone     a\n"),
        "{}",
        kept.err
    );
    assert!(kept.err.contains("help: add --force"), "{}", kept.err);
    assert!(fs::read_to_string(temp_file.path()).unwrap().contains("port: 1"));
    let forced = import(&second, &["--force", "--json"]);
    assert_eq!(forced.status, 0, "{}", forced.err);
    assert_eq!(forced.json()[0]["changes"]["gone"], serde_json::json!(["a"]));
    assert!(fs::read_to_string(temp_file.path()).unwrap().contains("port: 4"));
}

#[test]
fn folders_of_gatus_and_placeholders_are_read() {
    let folder = std::env::temp_dir().join(format!("portpulse-gatus-{}", std::process::id()));
    fs::create_dir_all(folder.join("more")).unwrap();
    fs::write(
        folder.join("a.yaml"),
        "alerting: { slack: { default-alert: { failure-threshold: 7 } } }\n",
    )
    .unwrap();
    fs::write(
        folder.join("more/b.yml"),
        "endpoints: [{ name: a, url: 'tcp://${PORTPULSE_TEST_HOST}:1', alerts: [{ type: slack }], conditions: ['[CONNECTED] == true'] }]\n",
    )
    .unwrap();
    fs::write(folder.join("notes.txt"), "not: [yaml").unwrap();
    let path = folder.display().to_string();
    let mut command = crate::program::portpulse();
    command
        .args(["import", "--from", "gatus", "--env", &path])
        .env("PORTPULSE_TEST_HOST", "filled.example.com");
    let found = crate::program::Run::of(command.output().unwrap());
    assert!(
        found.out.contains("host: filled.example.com"),
        "{}{}",
        found.out,
        found.err
    );
    assert!(found.out.contains("failures_to_open: 7"), "{}", found.out);
    let kept = run(&["import", "--from", "gatus", &path]);
    assert_eq!(kept.status, 1);
    assert!(
        kept.err
            .contains("the value of ${PORTPULSE_TEST_HOST}. Set the variable, and import again with --env"),
        "{}",
        kept.err
    );
    fs::remove_dir_all(&folder).unwrap();
}

/// The tables of Uptime Kuma 1.x that matter, as its database has them.
const KUMA: &str = "
CREATE TABLE monitor (id INTEGER PRIMARY KEY, name VARCHAR(150), active BOOLEAN DEFAULT 1, interval INTEGER DEFAULT 20, url TEXT, type VARCHAR(20),
    hostname VARCHAR(255), port INTEGER, keyword VARCHAR(255), maxretries INTEGER DEFAULT 0, ignore_tls BOOLEAN DEFAULT 0, upside_down BOOLEAN DEFAULT 0,
    accepted_statuscodes_json TEXT DEFAULT '[\"200-299\"]', method TEXT DEFAULT 'GET', timeout DOUBLE, basic_auth_pass TEXT, parent INTEGER);
CREATE TABLE tag (id INTEGER PRIMARY KEY, name VARCHAR(255), color VARCHAR(255));
CREATE TABLE monitor_tag (id INTEGER PRIMARY KEY, monitor_id INTEGER, tag_id INTEGER, value TEXT);
CREATE TABLE setting (id INTEGER PRIMARY KEY, key VARCHAR(200), value TEXT);
CREATE TABLE notification (id INTEGER PRIMARY KEY, config VARCHAR(255));
CREATE TABLE maintenance (id INTEGER PRIMARY KEY, title VARCHAR(150), strategy VARCHAR(50), start_time TIME, weekdays VARCHAR(250), duration INTEGER,
    timezone VARCHAR(255), active BOOLEAN DEFAULT 1);
CREATE TABLE monitor_maintenance (id INTEGER PRIMARY KEY, monitor_id INTEGER, maintenance_id INTEGER);
INSERT INTO monitor (id, name, interval, url, type, basic_auth_pass) VALUES (1, 'Shop', 60, 'https://shop.example.com/', 'http', 's3cr3t');
INSERT INTO monitor (id, name, interval, hostname, port, type) VALUES (2, 'Gateway', 300, 'gw.example.com', 22, 'port');
INSERT INTO tag VALUES (1, 'env', '#fff');
INSERT INTO monitor_tag VALUES (1, 2, 1, 'prod');
INSERT INTO setting VALUES (1, 'serverTimezone', '\"Europe/Berlin\"'), (2, 'jwtSecret', 's3cr3t');
INSERT INTO notification VALUES (1, '{\"url\":\"https://x/s3cr3t\"}');
INSERT INTO maintenance VALUES (1, 'Backup', 'recurring-weekday', '02:30', '[1]', 3600, 'SAME_AS_SERVER', 1);
INSERT INTO monitor_maintenance VALUES (1, 2, 1);
";

#[test]
fn database_of_uptime_kuma_is_read_without_a_change() {
    let folder = std::env::temp_dir().join(format!("portpulse-kuma-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("kuma.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    // Uptime Kuma uses a write-ahead log, and may be running.
    database.pragma_update(None, "journal_mode", "WAL").unwrap();
    database.execute_batch(KUMA).unwrap();
    let files = || {
        let mut files: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                (path.clone(), fs::read(&path).unwrap())
            })
            .collect();
        files.sort();
        files
    };
    let before = files();
    let found = run(&["import", "--from", "uptime-kuma", path.to_str().unwrap()]);
    assert!(files() == before, "the files of the database changed");
    drop(database);
    fs::remove_dir_all(&folder).unwrap();
    assert!(
        found.err.ends_with("Imported 2 monitors from Uptime Kuma.\n"),
        "{}",
        found.err
    );
    assert!(found.out.contains("host: gw.example.com"), "{}", found.out);
    assert!(found.out.contains("tags: [env=prod]"), "{}", found.out);
    assert!(
        found
            .out
            .contains("every: \"mon 02:30\", for: 1h, monitors: [gateway]"),
        "{}",
        found.out
    );
    assert!(
        !format!("{}{}", found.out, found.err).contains("s3cr3t"),
        "{}",
        found.err
    );
}

#[test]
fn existing_file_is_overwritten_only_with_force() {
    let (temp_file, from) = (TempFile::new("monitors.yaml"), sample("gatus.yaml"));
    let args = ["import", "--from", "gatus", &from, "-o", temp_file.path()];
    let imported = run(&args);
    assert_eq!(
        imported.status, 1,
        "the sample has settings that are not carried over"
    );
    // The command that validates the file.
    let (_, command) = imported.err.split_once("Validate them with: portpulse ").unwrap();
    let words: Vec<_> = command.lines().next().unwrap().split(' ').collect();
    assert_eq!((words[0], run(&words).status), ("validate", 0), "{command}");
    let written = fs::read_to_string(temp_file.path()).unwrap();
    fs::write(temp_file.path(), "mine").unwrap();
    let refused = run(&args);
    refused.assert_refused("already exists\n  help: add --force to overwrite it");
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
    assert_eq!((forced.status, forced.out.as_str()), (1, ""));
    assert_eq!(fs::read_to_string(temp_file.path()).unwrap(), written);
}

#[test]
fn import_without_monitors_or_with_invalid_files_fails() {
    let found = run_with_input(
        &["import", "--from", "gatus", "-"],
        "endpoints: [{ name: a, url: 'udp://a:1' }]\n",
    );
    assert_eq!(found.status, 1);
    found.assert_err("Of UDP services, only DNS is supported. (a)");
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
    targets.assert_err("quorum: Has no equivalent in a scrape");
    let modules = run_with_input(&["export", "--prometheus", "--blackbox", "-"], definitions);
    assert_eq!(
        modules.out,
        "modules:\n  tcp_connect: { prober: tcp, timeout: 5s }\n"
    );
    let invalid = run_with_input(&["export", "--prometheus", "-"], "monitors: {}\n");
    assert_eq!((invalid.status, invalid.out.as_str()), (1, ""));
    invalid.assert_err("monitors");
    assert_eq!(run_with_input(&["export", "-"], definitions).status, 2);
}
