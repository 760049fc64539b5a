//! Postfix: healthy, with STARTTLS, with implicit TLS, and refusing clients.
//!
//! Packages: postfix

use std::process::Command;

use portpulse_core::service::Service;

use super::server::{Dir, Server, check, free_port, plain, run};
use crate::authority::{Authority, Validity};
use crate::peer::{default_request, starttls_request};

#[tokio::test]
#[ignore = "needs Postfix: run .ci/run"]
async fn postfix_serves_with_and_without_tls_and_rejects() {
    let (dir, [port, smtps, away, screened, strict]) = (Dir::new(), [(); 5].map(|()| free_port()));
    let authority = Authority::new("trusted");
    let issued = authority.issue("localhost", Validity::Good);
    dir.write("certificate", &issued.certificate_pem);
    dir.write("key", &issued.key_pem);
    for part in ["queue", "data", "etc"] {
        std::fs::create_dir(dir.path().join(part)).unwrap();
    }
    let main = "compatibility_level = 3.6\nqueue_directory = {dir}/queue\ndata_directory = {dir}/data\n\
        command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\nsetgid_group = postdrop\n\
        inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = mail.example\nmydestination =\nalias_maps =\n\
        alias_database =\nlocal_recipient_maps =\nmaillog_file = {dir}/log\nmaillog_file_prefixes = {dir}\n\
        mynetworks =\npostscreen_greet_action = enforce\npostscreen_greet_wait = 2s\nsmtpd_tls_cert_file = {dir}/certificate\nsmtpd_tls_key_file = {dir}/key\nsmtpd_tls_security_level = may\n\
        meta_directory = /etc/postfix\nshlib_directory = /usr/lib/postfix\n";
    dir.write("etc/main.cf", main);
    dir.write("etc/dynamicmaps.cf", "");
    let services = format!(
        "127.0.0.1:{port} inet n - n - - smtpd\n\
         127.0.0.1:{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n\
         127.0.0.1:{away} inet n - n - - smtpd -o smtpd_delay_reject=no -o smtpd_client_restrictions=reject\n\
         127.0.0.1:{strict} inet n - n - - smtpd -o smtpd_delay_reject=no -o smtpd_helo_required=yes -o smtpd_helo_restrictions=reject_invalid_helo_hostname,reject_non_fqdn_helo_hostname\n\
         127.0.0.1:{screened} inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\n\
         postlog unix-dgram n - n - 1 postlogd\nanvil unix - - n - 1 anvil\ntlsmgr unix - - n 1000? 1 tlsmgr\n\
         rewrite unix - - n - - trivial-rewrite\nproxymap unix - - n - - proxymap\ncleanup unix n - n - 0 cleanup\n\
         qmgr unix n - n 300 1 qmgr\n"
    );
    dir.write("etc/master.cf", &services);
    run(Command::new("chown").args(["postfix", &dir.at("data")]));
    run(Command::new("postfix").args(["-c", &dir.at("etc"), "check"]));
    let mut command = Command::new("/usr/lib/postfix/sbin/master");
    let server = Server::start(&dir, command.args(["-c", &dir.at("etc"), "-d"])).ready("daemon started");

    let client = authority.client();
    let secured = |service, port| default_request(service, "localhost".parse().unwrap(), port, &client);
    let upgraded = starttls_request(Service::Submission, "localhost".parse().unwrap(), port, &client);
    let wrapped = secured(Service::Smtps, smtps);
    for _ in 0..20 {
        check(
            &plain(Service::Smtp, port),
            port,
            "healthy: 220 mail.example ESMTP Postfix",
        )
        .await;
        check(&upgraded, port, "healthy: 220 mail.example ESMTP Postfix").await;
        check(&wrapped, smtps, "healthy: 220 mail.example ESMTP Postfix").await;
    }
    server.check_log(&[]);
    // The last line of the greeting comes after two seconds; by default, after six.
    check(
        &plain(Service::Smtp, screened),
        screened,
        "healthy: 220 mail.example ESMTP Postfix",
    )
    .await;
    // The address literal in EHLO is a valid name of a client (RFC 5321, section 4.1.3).
    check(
        &plain(Service::Smtp, strict),
        strict,
        "healthy: 220 mail.example ESMTP Postfix",
    )
    .await;
    check(&plain(Service::Smtp, away), away, "blocked in ready: 554 ").await;
    server.check_log(&[]);
}
