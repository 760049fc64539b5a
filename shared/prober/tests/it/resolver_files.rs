//! The resolver configuration of the system: search lists, final dots, the order of servers, and changes of the files.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use portpulse_core::target::Target;
use portpulse_prober::{NameServers, Prober, Settings, SystemFiles};
use tokio::time::Instant;

use crate::name_server::{Zone, has, serve};
use crate::{code, codes, peers, probe, target, with_name_server};

/// A folder with the two files, removed on drop.
pub(crate) struct Files(PathBuf);

impl Files {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("portpulse-resolver-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    pub(crate) fn settings(&self, server: SocketAddr) -> Settings {
        let files = SystemFiles {
            resolv_conf: self.0.join("resolv.conf"),
            hosts: self.0.join("hosts"),
            port: server.port(),
        };
        Settings {
            name_servers: NameServers::System(files),
            ..Settings::default()
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn check(resolv_conf: &str, zones: &[(&str, Zone)], name: &str, expected: &str) {
    let open = peers::open();
    let names = serve(zones.to_vec());
    let files = Files::new();
    files.write("resolv.conf", &format!("{resolv_conf}\nnameserver 127.0.0.1\n"));
    let outcomes = probe(
        files.settings(names.address),
        &[target(name, open.address.port())],
    )
    .await;
    assert_eq!(code(&outcomes[0]), expected, "{resolv_conf}: {name}");
}

#[tokio::test]
async fn search_list_is_followed_as_in_glibc() {
    let here = || has(&["127.0.0.1"]);
    let failing = "search broken.test good.test\noptions ndots:5";
    for zone in [Zone::Fails, Zone::Refuses, Zone::Silent] {
        let zones = [
            ("db.east.test.broken.test", zone.clone()),
            ("db.east.test", here()),
        ];
        check(failing, &zones, "db.east.test", "open").await;
        // The next domain of the list is asked, unless the servers are silent.
        let searched = [("db.broken.test", zone.clone()), ("db.good.test", here())];
        let expected = if matches!(zone, Zone::Silent) {
            "dns_timeout"
        } else {
            "open"
        };
        check(failing, &searched, "db", expected).await;
    }
    // What no server knows is not found; what one may know is not said to be absent.
    check("search good.test", &[], "db", "dns_not_found").await;
    check(
        "search broken.test",
        &[("db.broken.test", Zone::Fails)],
        "db",
        "dns_server_failure",
    )
    .await;
    check(
        "search good.test",
        &[("db.x", Zone::Fails)],
        "db.x",
        "dns_server_failure",
    )
    .await;
}

#[tokio::test]
async fn final_dot_ends_the_search() {
    let open = peers::open();
    let _refused = peers::refused_at(([127, 0, 0, 9], open.address.port()).into());
    let zones = [
        ("db.example.test", has(&["127.0.0.1"])),
        ("db.example.test.wild.test", has(&["127.0.0.9"])),
    ];
    let names = serve(zones);
    let files = Files::new();
    files.write(
        "resolv.conf",
        "search wild.test\noptions ndots:5\nnameserver 127.0.0.1\n",
    );
    let targets = ["db.example.test.", "db.example.test"].map(|name| target(name, open.address.port()));
    let outcomes = probe(files.settings(names.address), &targets).await;
    assert_eq!(codes(&outcomes), ["open", "refused"]);
}

#[tokio::test]
async fn first_server_that_knows_decides() {
    let open = peers::open();
    let here = || has(&["127.0.0.1"]);
    let first = serve([
        ("failing.test", Zone::Fails),
        ("refused.test", Zone::Refuses),
        ("silent.test", Zone::Silent),
        ("first.test", here()),
    ]);
    let second =
        serve(["absent.test", "failing.test", "refused.test", "silent.test"].map(|name| (name, here())));
    let settings = Settings {
        name_servers: NameServers::Explicit(vec![first.address, second.address]),
        ..Settings::default()
    };
    let asked = [
        "first.test",
        "absent.test",
        "failing.test",
        "refused.test",
        "silent.test",
    ];
    let targets = asked.map(|name| target(name, open.address.port()));
    let expected = ["open", "dns_not_found", "open", "open", "open"];
    assert_eq!(codes(&probe(settings, &targets).await), expected);
}

#[tokio::test]
async fn truncated_answer_is_asked_for_over_tcp() {
    let open = peers::open();
    let names = serve([("long.test", Zone::Truncated(vec![[127, 0, 0, 1].into()]))]);
    let targets = [target("long.test", open.address.port())];
    assert_eq!(
        codes(&probe(with_name_server(names.address), &targets).await),
        ["open"]
    );
}

#[tokio::test]
async fn changed_files_are_followed_without_restart() {
    let open = peers::open();
    let names = serve([("db.test", has(&["127.0.0.1"]))]);
    let files = Files::new();
    // Without a network there is no file, and no server on this machine.
    let prober = Prober::new(files.settings(names.address)).unwrap();
    let check = async |host: &str, expected: &str| {
        let targets: [Target; 1] = [target(host, open.address.port())];
        let deadline = Instant::now() + Duration::from_secs(60);
        assert_eq!(
            codes(&prober.probe(&targets, deadline).await),
            [expected],
            "{host}"
        );
    };
    files.write("resolv.conf", "nameserver 127.0.0.77\n");
    check("db.test", "no_data_resolver_down").await;
    files.write("resolv.conf", "nameserver 127.0.0.1\n");
    check("db.test", "open").await;
    check("db", "dns_not_found").await;
    files.write("resolv.conf", "search test\nnameserver 127.0.0.1\n");
    check("db", "open").await;
    check("other.example", "dns_not_found").await;
    files.write("hosts", "127.0.0.1 other.example\n");
    check("other.example", "open").await;
    std::fs::remove_file(files.0.join("hosts")).unwrap();
    check("other.example", "dns_not_found").await;
    files.write("resolv.conf", "");
    check("db.test", "open").await;
}
