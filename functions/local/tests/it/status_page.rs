//! The status page of `portpulse local`: its address and access control.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use socket2::{Domain, Socket, Type};

use crate::program::{Running, portpulse, run};
use crate::sockets;
use crate::workspace::Workspace;

struct Served {
    program: Running,
    address: String,
}

impl Served {
    fn start(args: &[&str]) -> Self {
        let mut command = portpulse();
        command
            .args(["local", "--demo", "--listen", "127.0.0.1:0"])
            .args(args);
        let program = Running::start(&mut command);
        let url = program.page();
        let address = url.strip_prefix("http://").unwrap().trim_end_matches('/');
        Self {
            address: address.to_owned(),
            program,
        }
    }

    /// Waits for the end of a round of checks.
    fn wait_for_checks(&self) {
        self.program.lines_to(|line| line.contains("  local  every 1m  "));
    }

    /// The response to a request with this `Host` header.
    fn get(&self, path: &str, host: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn loopback_page_shows_everything_and_refuses_other_hosts() {
    let served = Served::start(&[]);
    let answer = served.get("/", "localhost");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("dies-and-returns"), "{answer}");
    let answer = served.get("/monitors/healthy", &served.address);
    assert!(answer.contains("127.0.0.1"), "{answer}");
    let answer = served.get("/", "rebound.example");
    assert!(
        answer.starts_with("HTTP/1.1 421") && !answer.contains("healthy"),
        "{answer}"
    );
    let answer = served.get("/metrics", "localhost");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A program that has a page or JSON already gets no body, until the content changes.
#[test]
fn unchanged_content_is_not_sent_again() {
    let served = Served::start(&[]);
    served.wait_for_checks();
    let header = |answer: &str, name: &str| {
        let line = answer.lines().find_map(|line| line.strip_prefix(name));
        line.map(str::to_owned)
    };
    for path in [
        "/",
        "/monitors/healthy",
        "/incidents",
        "/api/monitors",
        "/metrics",
    ] {
        // The demo goes on: the content may change between two requests, and then has another tag.
        let mut tag = String::new();
        let unchanged = (0..20).find_map(|_| {
            let head =
                format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"0\", {tag}\r\n\r\n");
            let answer = served.ask(&head);
            tag = header(&answer, "etag: ").unwrap();
            answer.starts_with("HTTP/1.1 304").then_some(answer)
        });
        let unchanged = unchanged.unwrap_or_else(|| panic!("{path} is always sent"));
        assert!(unchanged.ends_with("\r\n\r\n"), "{path} has a body: {unchanged}");
    }
}

#[test]
fn banners_are_shown_after_the_first_check() {
    let served = Served::start(&[]);
    served.wait_for_checks();
    let answer = served.get("/monitors/healthy", "localhost");
    let banner = "<q>Portpulse demo service</q> <span class=\"quiet\">answered at ";
    assert!(answer.contains(banner), "{answer}");
    let answer = served.get("/api/monitors/healthy", "localhost");
    assert!(answer.contains("\"banners\":{\"local\":{\"at\":"), "{answer}");
}

#[test]
fn public_page_hides_addresses_and_banners() {
    let served = Served::start(&["--public"]);
    served.wait_for_checks();
    for path in ["/monitors/healthy", "/api/monitors/healthy"] {
        let answer = served.get(path, "status.example.com");
        assert!(
            answer.starts_with("HTTP/1.1 200") && !answer.contains("demo service"),
            "{answer}"
        );
    }
    let answer = served.get("/monitors/healthy", "status.example.com");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(!answer.contains("127.0.0.1"), "{answer}");
}

#[test]
fn page_for_other_hosts_requires_public_or_a_token() {
    run(&["local", "--demo", "--listen", "0.0.0.0:0", "--for", "1s"]).assert_refused("add --public");
    run(&["local", "--demo", "--listen", "nowhere"]).assert_refused("such as 127.0.0.1:8080");
}

/// Sends an incomplete request, whether the connection is accepted or not.
fn incomplete_request(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_nonblocking(true).unwrap();
    // The connection may be in progress, or wait for the backlog.
    drop(socket.connect(&address.into()));
    drop(socket.send(b"GET / HTTP/1.1\r\nHost: loc"));
    socket
}

#[test]
fn slow_readers_do_not_delay_checks_and_notifications() {
    const FILES: usize = 256;
    let workspace = Workspace::new("slow-readers");
    let (open, target) = sockets::open();
    workspace.define(&[("db", &target)]);
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -n {FILES} && exec \"$0\" \"$@\"")]);
    let mut program = workspace.local(&workspace.0.join("data"), "127.0.0.1:0");
    program.args(["--public", "--speed", "60"]);
    limited
        .arg(program.get_program())
        .args(program.get_args())
        .env("NO_COLOR", "1");
    let program = Running::start(&mut limited);
    let address = program
        .page()
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    let is_check = |line: &str| line.contains("  local  every 1m  ");
    program.lines_to(is_check);

    let slow: Vec<_> = (0..2 * FILES)
        .map(|_| incomplete_request(address.parse().unwrap()))
        .collect();
    program.lines.try_iter().for_each(drop);
    for _ in 0..4 {
        let lines = program.lines_to(is_check).join("\n");
        assert!(lines.ends_with("1 of 1 as expected"), "{lines}");
    }
    drop(open);
    program.lines_to(|line| line.contains("Z  DOWN: db"));
    drop(slow);
    let served = Served { program, address };
    let answer = served.get("/", "status.example.com");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn session_ends_when_local_restarts() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let workspace = Workspace::new("status-page-session");
    let file = workspace.0.join("token");
    std::fs::write(&file, TOKEN).unwrap();
    let served = || Served::start(&["--token-file", file.to_str().unwrap()]);
    let with_cookie = |served: &Served, cookie: &str| {
        served.ask(&format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n"
        ))
    };
    let first = served();
    let form = format!("token={TOKEN}");
    let head = "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: ";
    let answer = first.ask(&format!("{head}{}\r\n\r\n{form}", form.len()));
    let (_, cookie) = answer.split_once("set-cookie: ").unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let answer = with_cookie(&first, cookie);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(first);
    let answer = with_cookie(&served(), cookie);
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
}
