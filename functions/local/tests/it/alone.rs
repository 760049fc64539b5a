//! What `portpulse local` keeps and answers is for its user alone: no TCP port but the page's, no file that others can read,
//! nothing that is opened through a link.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Stdio;

use crate::hook::Hook;
use crate::place::Place;
use crate::program::{Run, Running, portpulse};
use crate::sockets;

/// A place with one open port to watch.
fn watched(name: &str) -> (Place, std::net::TcpListener) {
    let place = Place::new(name);
    let (open, address) = sockets::open();
    place.define(&[("web", &address)]);
    (place, open)
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o777
}

/// The TCP ports on which a process listens.
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
            // The local address, the state, of which 0A is listening, and the inode.
            if fields[3] == "0A" && sockets.contains(fields[9]) {
                let port = fields[1].rsplit_once(':').unwrap().1;
                ports.insert(u16::from_str_radix(port, 16).unwrap());
            }
        }
    }
    ports
}

#[test]
fn a_watch_listens_on_no_tcp_port_but_that_of_its_page() {
    let (place, _open) = watched("alone-ports");
    let mut command = portpulse();
    command
        .args(["local", "--listen", "127.0.0.1:0", "--monitors"])
        .arg(place.0.join("monitors.yaml"))
        .arg("--data")
        .arg(place.0.join("data"));
    let watch = Running::start(&mut command);
    let page = watch.page();
    let port = page.trim_end_matches('/').rsplit_once(':').unwrap().1;
    watch.lines_to(|line| line.contains("as expected"));
    assert_eq!(
        listening(watch.child.id()),
        BTreeSet::from([port.parse().unwrap()])
    );
}

#[test]
fn a_running_watch_is_reached_however_long_the_path_of_its_data_is() {
    let (place, _open) = watched("alone-long");
    // Longer than the address of a socket can be.
    let data = place.0.join("d".repeat(120));
    let run = |args: &[&str]| Run::of(portpulse().args(args).arg("--data").arg(&data).output().unwrap());
    let mut command = portpulse();
    command
        .args(["local", "--listen", "off", "--monitors"])
        .arg(place.0.join("monitors.yaml"))
        .arg("--data")
        .arg(&data);
    let watch = Running::start(&mut command);
    watch.lines_to(|line| line.contains("as expected"));
    let status = run(&["status"]);
    assert_eq!(status.status, 0, "{}", status.err);
    assert!(status.err.contains("where portpulse runs\n"), "{}", status.err);
    drop(watch);
    let status = run(&["status"]);
    assert_eq!(status.status, 0, "{}", status.err);
    assert!(
        status.err.contains("where portpulse does not run now\n"),
        "{}",
        status.err
    );
}

#[test]
fn folder_with_other_files_is_not_taken_from_those_who_share_it() {
    let (place, _open) = watched("alone-shared");
    let data = place.0.join("data");
    fs::create_dir(&data).unwrap();
    chmod(&data, 0o755);
    fs::write(data.join("index.html"), "shared").unwrap();
    let refused = place.run(&["--for", "1s"]);
    assert_eq!(refused.status, 2);
    assert!(refused.err.contains("others can read it"), "{}", refused.err);
    assert_eq!(mode(&data), 0o755);
    assert_eq!(fs::read_dir(&data).unwrap().count(), 1);
}

#[test]
fn the_data_are_for_their_user_alone_whatever_they_were_before() {
    let (place, _open) = watched("alone-modes");
    let data = place.0.join("data");
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
    assert_eq!(place.run(&["--for", "1s"]).status, 0);
    // As other tools leave them.
    chmod(&data, 0o755);
    for (name, _) in files() {
        chmod(&data.join(name), 0o644);
    }
    let watch = Running::start(place.command(&["--json"]).stderr(Stdio::null()));
    watch.lines_to(|line| line.contains("\"tick\""));
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
fn nothing_is_opened_through_a_link() {
    let (place, _open) = watched("alone-links");
    let (data, other) = (place.0.join("data"), place.0.join("precious"));
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
        let run = place.run(&["--for", "1s"]);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{of}: {}", run.err);
        assert!(run.err.contains(why), "{of}: {}", run.err);
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
        refused(name, &format!("{name} in it is a symbolic link (remove it, or "));
        begin();
        fs::hard_link(&other, data.join(name)).unwrap();
        refused(
            name,
            &format!("{name} in it is no file of its own (remove it, or "),
        );
        fs::remove_file(&other).unwrap();
    }
    // What a watch makes anew takes the place of a link.
    for name in ["running.json", "running.json.draft", "socket"] {
        begin();
        symlink(&other, data.join(name)).unwrap();
        let run = place.run(&["--for", "1s"]);
        assert_eq!(run.status, 0, "{name}: {}", run.err);
        untouched(name);
    }
    // And the folder itself.
    begin();
    let elsewhere = place.0.join("elsewhere");
    fs::rename(&data, &elsewhere).unwrap();
    symlink(&elsewhere, &data).unwrap();
    refused("data", "it is a symbolic link (name the folder that it leads to)");
    fs::remove_file(&data).unwrap();
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn a_folder_that_others_own_or_write_to_is_refused() {
    let (place, _open) = watched("alone-others");
    let data = place.0.join("data");
    fs::create_dir(&data).unwrap();
    let refused = |data: &Path, why: &str| {
        let mut command = portpulse();
        command
            .args(["local", "--listen", "off", "--for", "1s", "--monitors"])
            .arg(place.0.join("monitors.yaml"))
            .arg("--data")
            .arg(data);
        let run = Run::of(command.output().unwrap());
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{}", run.err);
        assert!(run.err.contains(why), "{}", run.err);
    };
    for writable in [0o777, 0o770, 0o1777] {
        chmod(&data, writable);
        refused(
            &data,
            "other users can write to it (if everything in it is yours, `chmod 700` it; or ",
        );
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0);
        assert_eq!(data.metadata().unwrap().mode() & 0o7777, writable);
    }
    chmod(&data, 0o700);
    let strange = match std::os::unix::fs::chown(&data, Some(65_534), None) {
        Ok(()) => data,
        // Not root: then the root of the file system belongs to somebody else.
        Err(_) => "/".into(),
    };
    refused(&strange, "it belongs to another user (run as that user, or ");
}

#[test]
fn secrets_that_everybody_can_read_are_warned_of() {
    let (place, _open) = watched("alone-secrets");
    let hook = Hook::start(&[]);
    let relay = place.relay(&[("audit", hook.address), ("other", hook.address)]);
    let secrets = place.secrets();
    let key = place.0.join("secrets/ssm/portpulse/key");
    let token = place.0.join("token");
    fs::write(&token, "0123456789abcdef0123456789abcdef").unwrap();
    let run = || {
        let mut command = place.command(&["--for", "1s", "--relay", &relay, "--secrets", &secrets]);
        command.arg("--token-file").arg(&token);
        let run = Run::of(command.output().unwrap());
        assert_eq!(run.status, 0, "{}", run.err);
        run.err
    };
    let warning = |path: &Path| {
        let path = path.canonicalize().unwrap();
        let path = path.display();
        format!("Warning: every user of this machine can read or change {path} (`chmod 600` it)\n")
    };
    chmod(&token, 0o644);
    chmod(&key, 0o604);
    assert_eq!(run(), warning(&token) + &warning(&key));
    chmod(&token, 0o640);
    assert_eq!(run(), warning(&key));
    // Nobody else gets there.
    chmod(&place.0.join("secrets"), 0o700);
    assert_eq!(run(), "");
}

#[test]
fn an_import_does_not_write_through_a_link() {
    let place = Place::new("alone-import");
    let (source, other, link) = (
        place.0.join("gatus.yaml"),
        place.0.join("precious"),
        place.0.join("link"),
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
    assert_eq!(run.status, 2, "{}", run.err);
    assert!(
        run.err
            .contains("is a symbolic link: name the file that it leads to\n"),
        "{}",
        run.err
    );
    assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
}

/// A run that keeps its data in `data`.
fn run_with_data(place: &Place, data: &Path) -> Run {
    let mut command = portpulse();
    command
        .args(["local", "--listen", "off", "--for", "1s", "--monitors"])
        .arg(place.0.join("monitors.yaml"))
        .arg("--data")
        .arg(data);
    Run::of(command.output().unwrap())
}

#[test]
fn data_below_a_folder_that_others_can_change_is_refused() {
    let (place, _open) = watched("alone-ancestors");
    let above = place.0.join("above");
    let data = above.join("between/data");
    fs::create_dir_all(&data).unwrap();
    chmod(&data, 0o700);
    let refused = |why: &str| {
        let run = run_with_data(&place, &data);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{}", run.err);
        assert!(run.err.contains(why), "{}", run.err);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0);
    };
    for writable in [0o777, 0o770, 0o702] {
        chmod(&above, writable);
        let why = format!(
            "other users can write to {} above it (`chmod go-w` ",
            above.display()
        );
        refused(&why);
    }
    chmod(&above, 0o755);
    // Only root can give a folder away.
    if std::os::unix::fs::chown(&above, Some(65_534), None).is_ok() {
        refused(&format!("{} above it belongs to another user (", above.display()));
        std::os::unix::fs::chown(&above, Some(0), None).unwrap();
    }
    // As /tmp is.
    chmod(&above, 0o1777);
    let run = run_with_data(&place, &data);
    assert_eq!(run.status, 0, "{}", run.err);
}

#[test]
fn empty_folder_that_others_can_read_is_taken_and_closed() {
    let (place, _open) = watched("alone-empty");
    let data = place.0.join("data");
    fs::create_dir(&data).unwrap();
    chmod(&data, 0o755);
    let run = run_with_data(&place, &data);
    assert_eq!(run.status, 0, "{}", run.err);
    assert_eq!(mode(&data), 0o700);
}

#[test]
fn link_with_a_separator_at_its_end_is_refused() {
    let (place, _open) = watched("alone-separator");
    let (target, link) = (place.0.join("target"), place.0.join("link"));
    fs::create_dir(&target).unwrap();
    chmod(&target, 0o700);
    symlink(&target, &link).unwrap();
    let run = run_with_data(&place, &link.join(""));
    assert_eq!(run.status, 2, "{}", run.err);
    assert!(run.err.contains("it is a symbolic link"), "{}", run.err);
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
}

#[test]
fn file_of_another_user_in_the_data_is_refused() {
    let (place, _open) = watched("alone-file");
    let data = place.0.join("data");
    fs::create_dir(&data).unwrap();
    chmod(&data, 0o700);
    fs::write(data.join("lock"), "").unwrap();
    // Only root can give a file away.
    if std::os::unix::fs::chown(data.join("lock"), Some(65_534), None).is_err() {
        return;
    }
    let run = run_with_data(&place, &data);
    assert_eq!(run.status, 2, "{}", run.err);
    assert!(
        run.err.contains("lock in it belongs to another user"),
        "{}",
        run.err
    );
}
