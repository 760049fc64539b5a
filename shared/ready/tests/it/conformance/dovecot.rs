//! Dovecot: IMAP and POP3, plain, with STARTTLS, and with implicit TLS.
//!
//! Packages: dovecot-imapd dovecot-pop3d

use std::process::Command;

use portpulse_core::service::Service;

use super::server::{Dir, Server, check, free_port, plain};
use crate::authority::{Authority, Validity};
use crate::peer::{default_request, starttls_request};

#[tokio::test]
#[ignore = "needs Dovecot: run .ci/run"]
async fn dovecot_imap_and_pop3_are_healthy() {
    let (dir, [imap, imaps, pop3, pop3s]) = (Dir::new(), [(); 4].map(|()| free_port()));
    let authority = Authority::new("trusted");
    let issued = authority.issue("localhost", Validity::Good);
    dir.write("certificate", &issued.certificate_pem);
    dir.write("key", &issued.key_pem);
    let all = format!(
        "base_dir = {{dir}}/run\nstate_dir = {{dir}}/state\nlog_path = {{dir}}/log\nprotocols = imap pop3\n\
         listen = 127.0.0.1\nssl = yes\nssl_cert = <{{dir}}/certificate\nssl_key = <{{dir}}/key\n\
         mail_location = maildir:{{dir}}/mail\nverbose_ssl = yes\n\
         passdb {{\n driver = static\n args = nopassword=y\n}}\nuserdb {{\n driver = static\n args = uid=nobody gid=nogroup home={{dir}}\n}}\n\
         service imap-login {{\n chroot =\n inet_listener imap {{\n  port = {imap}\n }}\n inet_listener imaps {{\n  port = {imaps}\n  ssl = yes\n }}\n}}\n\
         service pop3-login {{\n chroot =\n inet_listener pop3 {{\n  port = {pop3}\n }}\n inet_listener pop3s {{\n  port = {pop3s}\n  ssl = yes\n }}\n}}\n"
    );
    let file = dir.write("dovecot.conf", &all);
    let server = Server::start(&dir, Command::new("dovecot").args(["-F", "-c", &file])).ready("starting up");

    let client = authority.client();
    let upgraded = |service, port| starttls_request(service, "localhost".parse().unwrap(), port, &client);
    let secured = |service, port| default_request(service, "localhost".parse().unwrap(), port, &client);
    let rows = [
        (plain(Service::Imap, imap), imap, "healthy: * OK "),
        (upgraded(Service::Imap, imap), imap, "healthy: * OK "),
        (secured(Service::Imaps, imaps), imaps, "healthy: * OK "),
        (plain(Service::Pop3, pop3), pop3, "healthy: +OK Dovecot"),
        (upgraded(Service::Pop3, pop3), pop3, "healthy: +OK Dovecot"),
        (secured(Service::Pop3s, pop3s), pop3s, "healthy: +OK Dovecot"),
    ];
    for (request, port, expected) in &rows {
        for _ in 0..10 {
            check(request, *port, expected).await;
        }
    }
    // Dovecot logs each client that leaves without a login, as information.
    server.check_log(&["Info: Disconnected: Aborted login by logging out"]);
}
