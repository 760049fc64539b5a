//! A real resolver that answers SERVFAIL to every name: BIND, whose zone of the root cannot be loaded.
//!
//! Packages: bind9

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::dnsmasq::free_address;
use crate::resolver_files::Files;
use crate::{codes, probe, target};

/// A running server, which ends with this value.
struct Bind(Child);

impl Drop for Bind {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
#[ignore = "needs BIND: run .ci/run"]
async fn resolver_that_fails_for_every_name_is_no_failure_of_targets() {
    let (files, address) = (Files::new(), free_address());
    files.write("resolv.conf", "nameserver 127.0.0.1\n");
    files.write(
        "named.conf",
        &format!(
            "options {{ directory \"{0}\"; pid-file \"{0}/pid\"; session-keyfile none; recursion no; dnssec-validation no;\n\
             listen-on port {1} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; }};\ncontrols {{}};\n\
             zone \".\" {{ type slave; masters {{ 127.0.0.1 port 9; }}; }};\n",
            files.path("").display(),
            address.port(),
        ),
    );
    let mut child = Command::new("named")
        .args(["-g", "-n", "1", "-c"])
        .arg(files.path("named.conf"))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("named: {error}: run .ci/servers"));
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let _bind = Bind(child);
    let is_running = log.any(|line| line.unwrap().ends_with(" running"));
    assert!(is_running, "named ended");
    std::thread::spawn(move || log.for_each(drop));
    // The distinction of a fault of the resolver from one of a name does not depend on the number of names.
    for names in [
        &["db.example.test"][..],
        &["a.test", "b.test"],
        &["a.test", "b.test", "c.example", "d.example"],
    ] {
        let targets: Vec<_> = names.iter().map(|name| target(name, 1)).collect();
        let outcomes = probe(files.settings(address), &targets).await;
        assert_eq!(codes(&outcomes), vec!["no_data_resolver_down"; names.len()]);
    }
}
