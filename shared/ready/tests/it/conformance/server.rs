//! Starts a real server in its own directory, and stops it after the test.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use portpulse_core::service::Service;
use portpulse_ready::{ExchangeReport, Request, TlsClient, exchange};

use crate::peer::{default_request, describe};

/// The maximum time that a server needs to start on a busy machine.
const START: Duration = Duration::from_secs(180);
/// Ports below the range of Linux's ephemeral ports, so that neither a client nor a test that binds port 0 takes the
/// port before the server starts.
const PORTS: Range<u16> = 12_000..32_000;
pub(super) const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(15);

/// A directory that is removed after the test.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "portpulse-ready-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file in the directory, as text.
    pub(crate) fn at(&self, name: &str) -> String {
        self.0.join(name).into_os_string().into_string().unwrap()
    }

    /// Writes a file, in which `{dir}` is replaced by the directory, and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.0.join(name), text.replace("{dir}", self.0.to_str().unwrap())).unwrap();
        self.at(name)
    }

    /// Changes the owner of the directory.
    pub(crate) fn give_to(&self, user: &str) {
        run(Command::new("chown").args(["-R", user]).arg(&self.0));
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Returns a port that was free when it was tested.
pub(crate) fn free_port() -> u16 {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    loop {
        let asked = ASKED.fetch_add(1, Ordering::Relaxed);
        let index =
            std::process::id().wrapping_mul(101).wrapping_add(asked) % u32::from(PORTS.end - PORTS.start);
        let port = PORTS.start + u16::try_from(index).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Runs a command, which must succeed, and returns its output.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}: run .ci/servers"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// A command that runs as another user, since some servers refuse to run as root.
pub(crate) fn as_user(user: &str, program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user, "--clear-groups", "--", program]);
    command
}

/// Whether a socket listens on a port (proc(5), `/proc/net/tcp`).
fn is_listening(port: u16) -> bool {
    let sockets =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|file| std::fs::read_to_string(file).unwrap_or_default());
    sockets.iter().flat_map(|sockets| sockets.lines()).any(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let (local, state) = (columns.next(), columns.nth(1));
        local.is_some_and(|local| local.ends_with(&format!(":{port:04X}"))) && state == Some("0A")
    })
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    stop: &'static str,
    log: PathBuf,
}

impl Server {
    /// Starts a server whose log is `log` in its directory, either written directly or through its standard outputs.
    pub(crate) fn start(dir: &Dir, command: &mut Command) -> Self {
        let log = dir.path().join("log");
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .process_group(0);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}: run .ci/servers"));
        Self {
            child,
            stop: "-TERM",
            log,
        }
    }

    /// Stops the server with another signal than TERM.
    pub(crate) fn stopped_by(mut self, signal: &'static str) -> Self {
        self.stop = signal;
        self
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until the log contains a text. A connection to test the port would itself appear in the log.
    pub(crate) fn ready(mut self, text: &str) -> Self {
        self.wait_for(text);
        self
    }

    /// Waits until the server listens, for servers that log their start before that.
    pub(crate) fn listening(mut self, port: u16) -> Self {
        self.wait_until(&format!("listener on {port}"), |_| is_listening(port));
        self
    }

    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |server| server.log().contains(text));
    }

    fn wait_until(&mut self, wanted: &str, is_reached: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !is_reached(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && started.elapsed() < START,
                "no `{wanted}` ({ended:?}): {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asserts that no line of the log reports a problem, except lines with one of the known texts.
    #[track_caller]
    pub(crate) fn check_log(&self, known: &[&str]) {
        let log = self.log();
        assert!(!log.is_empty(), "no log");
        let alarming = [
            "error",
            "warn",
            "fatal",
            "crit",
            "panic",
            "unexpected",
            "abort",
            "fail",
            "lost connection",
            "reset",
        ];
        let bad = log.lines().filter(|line| {
            let lower = line.to_lowercase();
            alarming.iter().any(|word| lower.contains(word)) && !known.iter().any(|word| line.contains(word))
        });
        let bad = bad.collect::<Vec<_>>();
        assert!(bad.is_empty(), "in the log:\n{}", bad.join("\n"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill")
            .args([self.stop, "--", &self.child.id().to_string()])
            .status();
        let started = Instant::now();
        while self.child.try_wait().is_ok_and(|ended| ended.is_none())
            && started.elapsed() < Duration::from_secs(10)
        {
            std::thread::sleep(Duration::from_millis(20));
        }
        // Remaining processes of the server's process group.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill")
            .args(["-KILL", "--", &group])
            .stderr(Stdio::null())
            .status();
        let _ = self.child.wait();
    }
}

/// The request for a service on a loopback port, without TLS.
pub(crate) fn plain(service: Service, port: u16) -> Request {
    default_request(
        service,
        "localhost".parse().unwrap(),
        port,
        &TlsClient::with_roots([]),
    )
}

/// Runs the exchange with a server on 127.0.0.1.
pub(crate) async fn ask(request: &Request, port: u16) -> ExchangeReport {
    ask_from(Ipv4Addr::LOCALHOST, request, port).await
}

/// Runs the exchange from another loopback address.
pub(crate) async fn ask_from(from: Ipv4Addr, request: &Request, port: u16) -> ExchangeReport {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let stream = socket
        .connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .await
        .unwrap();
    exchange(stream, request, tokio::time::Instant::now() + EXCHANGE_TIMEOUT).await
}

/// Runs the exchange and compares the start of its description.
pub(crate) async fn check(request: &Request, port: u16, expected: &str) {
    let summary = describe(&ask(request, port).await);
    assert!(
        summary.starts_with(expected),
        "{summary:?} instead of {expected:?}"
    );
}

/// Opens sessions until the server has no free connection, and returns the description of the refused exchange.
/// Repeated, because the checks use connections too.
pub(crate) async fn refusal_when_full(request: &Request, port: u16, session: &mut Command) -> String {
    session.stdout(Stdio::null()).stderr(Stdio::null());
    let mut sessions = Vec::new();
    let refused = loop {
        let summary = describe(&ask(request, port).await);
        if summary.starts_with("busy") || sessions.len() == 200 {
            break summary;
        }
        sessions.push(session.spawn().unwrap());
    };
    for session in &mut sessions {
        session.kill().unwrap();
        session.wait().unwrap();
    }
    refused
}
