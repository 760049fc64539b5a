//! The data of `portpulse local` are accessible to its user only: no TCP port except the status page, no file that others
//! can read, no file opened through a link.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Stdio;

use crate::program::{Run, Running, portpulse};
use crate::sockets;
use crate::webhook::Webhook;
use crate::workspace::Workspace;

/// A workspace with one monitor of an open port.
pub(crate) fn one_monitor(name: &str) -> (Workspace, std::net::TcpListener) {
    let workspace = Workspace::new(name);
    let (open, address) = sockets::open();
    workspace.define(&[("web", &address)]);
    (workspace, open)
}

/// A run with `--data`.
pub(crate) fn run_with_data(workspace: &Workspace, data: &Path) -> Run {
    let mut command = workspace.local(data, "off");
    Run::of(command.args(["--for", "1s"]).output().unwrap())
}

pub(crate) fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o777
}

/// The TCP ports that a process listens on.
fn listening(process: u32) -> BTreeSet<u16> {
    let links = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let links = links.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    let sockets: BTreeSet<_> = links
        .filter_map(|link| {
            let name = link.display().to_string();
            Some(name.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
        })
        .collect();
    let mut ports = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let Ok(table) = fs::read_to_string(format!("/proc/{process}/net/{table}")) else {
            continue;
        };
        for line in table.lines().skip(1) {
            let fields: Vec<_> = line.split_whitespace().collect();
            // Fields 1, 3 and 9: local address, state (0A is LISTEN) and inode.
            if fields[3] == "0A" && sockets.contains(fields[9]) {
                let port = fields[1].rsplit_once(':').unwrap().1;
                ports.insert(u16::from_str_radix(port, 16).unwrap());
            }
        }
    }
    ports
}

#[test]
fn local_listens_on_the_status_page_port_only() {
    let (workspace, _open) = one_monitor("data-dir-ports");
    let watch = Running::start(&mut workspace.local(&workspace.0.join("data"), "127.0.0.1:0"));
    let page = watch.page();
    let port = page.trim_end_matches('/').rsplit_once(':').unwrap().1;
    watch.lines_to(|line| line.contains("as expected"));
    assert_eq!(
        listening(watch.child.id()),
        BTreeSet::from([port.parse().unwrap()])
    );
}

#[test]
fn running_instance_is_reached_with_a_long_data_path() {
    let (workspace, _open) = one_monitor("data-dir-long");
    // Longer than the maximum path of a Unix socket.
    let data = workspace.0.join("d".repeat(120));
    let run = |args: &[&str]| Run::of(portpulse().args(args).arg("--data").arg(&data).output().unwrap());
    let watch = Running::start(&mut workspace.local(&data, "off"));
    watch.lines_to(|line| line.contains("as expected"));
    let running = run(&["status"]);
    running.assert_err("(portpulse local is running)\n");
    drop(watch);
    let stopped = run(&["status"]);
    stopped.assert_err("(portpulse local is not running)\n");
    assert_eq!([running.status, stopped.status], [0, 0]);
}

#[test]
fn shared_dir_with_unrelated_files_is_refused() {
    let (workspace, _open) = one_monitor("data-dir-shared");
    let data = workspace.0.join("data");
    fs::create_dir(&data).unwrap();
    chmod(&data, 0o755);
    fs::write(data.join("index.html"), "shared").unwrap();
    let refused = workspace.run(&["--for", "1s"]);
    refused.assert_refused("other users can read it");
    assert_eq!(mode(&data), 0o755);
    assert_eq!(fs::read_dir(&data).unwrap().count(), 1);
}

#[test]
fn data_dir_permissions_are_restricted_at_start() {
    let (workspace, _open) = one_monitor("data-dir-modes");
    let data = workspace.0.join("data");
    let files = || {
        let entries = fs::read_dir(&data).unwrap();
        let modes = entries.map(|entry| {
            let path = entry.unwrap().path();
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                mode(&path),
            )
        });
        modes.collect::<Vec<_>>()
    };
    assert_eq!(workspace.run(&["--for", "1s"]).status, 0);
    // Wider permissions, as other tools may set them.
    chmod(&data, 0o755);
    for (name, _) in files() {
        chmod(&data.join(name), 0o644);
    }
    let watch = Running::start(workspace.command(&["--json"]).stderr(Stdio::null()));
    watch.lines_to(|line| line.contains("\"check\""));
    let found = files();
    assert_eq!(mode(&data), 0o700);
    let names: BTreeSet<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    let all = [
        "lock",
        "portpulse.sqlite",
        "portpulse.sqlite-shm",
        "portpulse.sqlite-wal",
        "running.json",
        "socket",
    ];
    assert_eq!(names, BTreeSet::from(all));
    assert!(found.iter().all(|(_, mode)| *mode == 0o600), "{found:?}");
}

#[test]
fn links_in_the_data_dir_are_not_followed() {
    let (workspace, _open) = one_monitor("data-dir-links");
    let (data, other) = (workspace.0.join("data"), workspace.0.join("precious"));
    let begin = || {
        drop(fs::remove_dir_all(&data));
        fs::create_dir(&data).unwrap();
        chmod(&data, 0o700);
        fs::write(&other, "precious").unwrap();
        chmod(&other, 0o644);
    };
    let untouched = |of: &str| {
        assert_eq!(fs::read_to_string(&other).unwrap(), "precious", "{of}");
        assert_eq!(mode(&other), 0o644, "{of}");
    };
    let refused = |of: &str, why: &str| {
        workspace.run(&["--for", "1s"]).assert_refused(why);
        untouched(of);
    };
    for name in [
        "lock",
        "portpulse.sqlite",
        "portpulse.sqlite-wal",
        "portpulse.sqlite-shm",
        "portpulse.sqlite-journal",
    ] {
        begin();
        symlink(&other, data.join(name)).unwrap();
        refused(
            name,
            &format!("its file {name} is a symbolic link\n  help: remove the file, or "),
        );
        begin();
        fs::hard_link(&other, data.join(name)).unwrap();
        refused(
            name,
            &format!(
                "its file {name} is not a regular file with a single link\n  help: remove the file, or "
            ),
        );
        fs::remove_file(&other).unwrap();
    }
    // Files that are created at start replace links.
    for name in ["running.json", "running.json.draft", "socket"] {
        begin();
        symlink(&other, data.join(name)).unwrap();
        let run = workspace.run(&["--for", "1s"]);
        assert_eq!(run.status, 0, "{name}: {}", run.err);
        untouched(name);
    }
    // The directory itself is a link.
    begin();
    let elsewhere = workspace.0.join("elsewhere");
    fs::rename(&data, &elsewhere).unwrap();
    symlink(&elsewhere, &data).unwrap();
    refused(
        "data",
        "symbolic links are not supported\n  help: use the path of its target",
    );
    fs::remove_file(&data).unwrap();
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn dir_that_others_own_or_can_write_to_is_refused() {
    let (workspace, _open) = one_monitor("data-dir-others");
    let data = workspace.0.join("data");
    fs::create_dir(&data).unwrap();
    let refused = |data: &Path, why: &str| {
        run_with_data(&workspace, data).assert_refused(why);
    };
    for writable in [0o777, 0o770, 0o1777] {
        chmod(&data, writable);
        refused(
            &data,
            "other users can write to it\n  help: if all its files are yours, run `chmod 700` on it; otherwise ",
        );
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0);
        assert_eq!(data.metadata().unwrap().mode() & 0o7777, writable);
    }
    chmod(&data, 0o700);
    let foreign = match std::os::unix::fs::chown(&data, Some(65_534), None) {
        Ok(()) => data,
        // Without root privileges: `/` is owned by another user.
        Err(_) => "/".into(),
    };
    refused(&foreign, "another user owns it\n  help: run as that user, or ");
}

#[test]
fn world_readable_secrets_cause_a_warning() {
    let (workspace, _open) = one_monitor("data-dir-secrets");
    let webhook = Webhook::start(&[]);
    let relay = workspace.relay(&[("audit", webhook.address), ("other", webhook.address)]);
    let secrets = workspace.secrets();
    let key = workspace.0.join("secrets/ssm/portpulse/key");
    let token = workspace.0.join("token");
    fs::write(&token, "0123456789abcdef0123456789abcdef").unwrap();
    let run = || {
        let mut command = workspace.command(&["--for", "1s", "--relay", &relay, "--secrets", &secrets]);
        command.arg("--token-file").arg(&token);
        let run = Run::of(command.output().unwrap());
        assert_eq!(run.status, 0, "{}", run.err);
        run.err
    };
    let warning = |path: &Path| {
        let path = path.canonicalize().unwrap();
        let path = path.display();
        format!(
            "warning: every user of this machine can read or change {path}\n  help: run `chmod 600 {path}`\n"
        )
    };
    chmod(&token, 0o644);
    chmod(&key, 0o604);
    assert_eq!(run(), warning(&token) + &warning(&key));
    chmod(&token, 0o640);
    assert_eq!(run(), warning(&key));
    // Other users cannot reach the file.
    chmod(&workspace.0.join("secrets"), 0o700);
    assert_eq!(run(), "");
}

#[test]
fn import_does_not_write_through_a_link() {
    let workspace = Workspace::new("data-dir-import");
    let (source, other, link) = (
        workspace.0.join("gatus.yaml"),
        workspace.0.join("precious"),
        workspace.0.join("link"),
    );
    fs::write(
        &source,
        "endpoints: [{ name: a, url: \"tcp://a.example.com:1\", conditions: [\"[CONNECTED] == true\"] }]\n",
    )
    .unwrap();
    fs::write(&other, "precious").unwrap();
    symlink(&other, &link).unwrap();
    let mut command = portpulse();
    command
        .args(["import", "--from", "gatus", "--force", "-o"])
        .args([&link, &source]);
    let run = Run::of(command.output().unwrap());
    run.assert_refused("is a symbolic link\n  help: use the path of its target\n");
    assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
}
