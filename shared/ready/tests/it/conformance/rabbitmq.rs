//! RabbitMQ: healthy.
//!
//! Packages: rabbitmq-server

use portpulse_core::service::Service;

use super::server::{Dir, Server, as_user, check, free_port, plain};

#[tokio::test]
#[ignore = "needs RabbitMQ: run .ci/run"]
async fn server_is_healthy() {
    let (dir, port, distribution) = (Dir::new(), free_port(), free_port());
    let settings = format!(
        "listeners.tcp.1 = 127.0.0.1:{port}\nlog.console = true\nlog.console.level = info\nlog.file = false\n"
    );
    dir.write("rabbitmq.conf", &settings);
    dir.write("plugins", "[].\n");
    dir.give_to("rabbitmq");
    // Otherwise the broker starts a port mapper that outlives it.
    let (mapper_dir, mapper_port) = (Dir::new(), free_port().to_string());
    let mut mapper = as_user("rabbitmq", "epmd");
    mapper.args(["-d", "-address", "127.0.0.1", "-port", &mapper_port]);
    let _mapper = Server::start(&mapper_dir, &mut mapper).ready("epmd running");
    // The broker has its own name, cookie and port mapper, so that it shares nothing with another broker of this
    // machine.
    let mut command = as_user("rabbitmq", "/usr/lib/rabbitmq/bin/rabbitmq-server");
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", dir.path())
        .env("LANG", "C.UTF-8")
        .env("RABBITMQ_NODENAME", format!("portpulse{port}@localhost"))
        .env("RABBITMQ_DIST_PORT", distribution.to_string())
        .env("ERL_EPMD_PORT", &mapper_port)
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_MNESIA_BASE", dir.at("mnesia"))
        .env("RABBITMQ_LOG_BASE", dir.at("logs"))
        .env("RABBITMQ_CONFIG_FILE", dir.at("rabbitmq.conf"))
        .env("RABBITMQ_CONF_ENV_FILE", dir.at("none"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", dir.at("plugins"));
    let mut server = Server::start(&dir, &mut command).ready("Server startup complete");
    for _ in 0..20 {
        check(&plain(Service::Rabbitmq, port), port, "healthy: Connection.Start").await;
    }
    server.wait_for("client unexpectedly closed TCP connection");
    // AMQP has no orderly close between `Connection.Start` and a login: each check logs a warning of these two lines.
    let expected_warnings = [
        "closing AMQP connection",
        "client unexpectedly closed TCP connection",
    ];
    server.check_log(&[
        expected_warnings[0],
        expected_warnings[1],
        "[info]",
        "rebuilding indices from scratch",
    ]);
}
