//! The status page of `portpulse local`: where it is, and who may read it.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::program::{Running, portpulse, run};

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

    /// Waits for a tick to end.
    fn after_a_tick(&self) {
        self.program.lines_to(|line| line.contains("  local  1m#0  "));
    }

    /// The whole answer to a request that names this host.
    fn get(&self, path: &str, host: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn it_shows_this_machine_everything_and_no_name_that_was_made_to_point_here() {
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

#[test]
fn it_shows_what_services_say_of_themselves_from_the_first_tick_on() {
    let served = Served::start(&[]);
    served.after_a_tick();
    let answer = served.get("/monitors/healthy", "localhost");
    let words = "<q>Portpulse's demo, at your service</q> <span class=\"quiet\">answered at ";
    assert!(answer.contains(words), "{answer}");
    let answer = served.get("/api/monitors/healthy", "localhost");
    assert!(answer.contains("\"said\":{\"local\":{\"at\":"), "{answer}");
}

#[test]
fn the_public_is_shown_no_addresses_and_no_words() {
    let served = Served::start(&["--public"]);
    served.after_a_tick();
    for path in ["/monitors/healthy", "/api/monitors/healthy"] {
        let answer = served.get(path, "status.example.com");
        assert!(
            answer.starts_with("HTTP/1.1 200") && !answer.contains("at your service"),
            "{answer}"
        );
    }
    let answer = served.get("/monitors/healthy", "status.example.com");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(!answer.contains("127.0.0.1"), "{answer}");
}

#[test]
fn others_are_let_in_only_if_that_was_asked_for() {
    let found = run(&["local", "--demo", "--listen", "0.0.0.0:0", "--for", "1s"]);
    assert_eq!(found.status, 2);
    assert!(found.err.contains("add --public"), "{}", found.err);
    let found = run(&["local", "--demo", "--listen", "nowhere"]);
    assert_eq!(found.status, 2);
    assert!(found.err.contains("such as 127.0.0.1:8080"), "{}", found.err);
}
