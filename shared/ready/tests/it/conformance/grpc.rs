//! The health service of gRPC's own library: serving, not serving, without the health service, and with TLS.

use std::path::PathBuf;
use std::process::Command;

use portpulse_core::service::Service;

use super::server::{Dir, Server, check, free_port, plain};

/// A server whose health service has this state, or which has none.
const PROGRAM: &str = r#"
import sys, concurrent.futures, grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
port, state = sys.argv[1:]
server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
if state != "NONE":
    servicer = health.HealthServicer()
    servicer.set("", health_pb2.HealthCheckResponse.ServingStatus.Value(state))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
server.add_insecure_port(f"127.0.0.1:{port}")
server.start()
print("listening", flush=True)
server.wait_for_termination()
"#;

fn start(dir: &Dir, port: u16, state: &str) -> Server {
    let home = std::env::var("PORTPULSE_TOOLS_HOME").map(PathBuf::from);
    let home =
        home.unwrap_or_else(|_| PathBuf::from(std::env::var("HOME").unwrap()).join(".cache/portpulse-tools"));
    let python = home.join("bin/python");
    assert!(python.exists(), "{}: run .ci/python-tools grpc", python.display());
    let program = dir.write("server.py", PROGRAM);
    let mut command = Command::new(python);
    Server::start(dir, command.args([&program, &port.to_string(), state])).ready("listening")
}

#[tokio::test]
#[ignore = "needs gRPC: run .ci/run"]
async fn health_service_decides() {
    let rows = [
        ("SERVING", "healthy: SERVING"),
        (
            "NOT_SERVING",
            "service_error in ready: serving status 2 (NOT_SERVING)",
        ),
        ("UNKNOWN", "service_error in ready: serving status 0 (UNKNOWN)"),
        (
            "NONE",
            "wrong_service in ready: grpc-status 12 (UNIMPLEMENTED: the server has no health service): Method not found!",
        ),
    ];
    for (state, expected) in rows {
        let (dir, port) = (Dir::new(), free_port());
        let server = start(&dir, port, state);
        for _ in 0..20 {
            check(&plain(Service::Grpc, port), port, expected).await;
        }
        check(
            &plain(Service::Http, port),
            port,
            "wrong_service in ready: sent HEAD /, got `00 00 ",
        )
        .await;
        server.check_log(&[]);
    }
}
