//! Stand-ins of AWS as processes of their own: `moto_server` and `ministack`, on loopback.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A stand-in could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StandInError {
    /// Nobody said where the programs are.
    #[error("PORTPULSE_TOOLS is not set: name the folder that .ci/python-tools prints")]
    NoTools,
    /// The program could not be started.
    #[error("cannot run {}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The program ended, or said nothing of where it listens.
    #[error("{} does not say where it listens; it said:\n{said}", program.display())]
    Silent {
        /// The program.
        program: PathBuf,
        /// What it said instead.
        said: String,
    },
}

/// A stand-in as a process, ended when this is dropped.
#[derive(Debug)]
pub struct StandIn {
    child: Child,
    endpoint: String,
}

impl StandIn {
    /// Starts `moto_server`: it keeps resources and does nothing with them.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn moto() -> Result<Self, StandInError> {
        let program = tool("moto_server")?;
        let mut command = Command::new(&program);
        command
            .args(["-H", "127.0.0.1", "-p", "0"])
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true");
        Self::start(program, command)
    }

    /// Starts `ministack`: it fires rules, runs functions and delivers messages.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn ministack() -> Result<Self, StandInError> {
        let program = tool("ministack")?;
        // It wants to be told its port: one that is free now.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.map_err(|source| StandInError::Start {
            program: program.clone(),
            source,
        })?;
        let mut command = Command::new(&program);
        command
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.port().to_string());
        Self::start(program, command)
    }

    fn start(program: PathBuf, mut command: Command) -> Result<Self, StandInError> {
        let silent = |said: &str| StandInError::Silent {
            program: program.clone(),
            said: said.to_owned(),
        };
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|source| StandInError::Start {
            program: program.clone(),
            source,
        })?;
        let stderr = child.stderr.take();
        let mut stand_in = Self {
            child,
            endpoint: String::new(),
        };
        let mut lines = BufReader::new(stderr.ok_or_else(|| silent(""))?).lines();
        let mut said = String::new();
        for line in lines.by_ref().map_while(Result::ok) {
            let endpoint = line
                .split_once("Running on ")
                .and_then(|(_, rest)| rest.split_whitespace().next());
            if let Some(endpoint) = endpoint {
                endpoint.clone_into(&mut stand_in.endpoint);
                // It stops when nobody reads what it says.
                std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
                return Ok(stand_in);
            }
            said.push_str(&line);
            said.push('\n');
        }
        Err(silent(&said))
    }

    /// Its address, such as `http://127.0.0.1:5000`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What sends an AWS client there.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        environment(&self.endpoint)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What sends an AWS client to `endpoint`, with credentials that are worth nothing.
pub fn environment(endpoint: &str) -> Vec<(&'static str, OsString)> {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_MAX_ATTEMPTS", "2"),
    ]
    .map(|(name, value)| (name, value.into()))
    .into()
}

/// A program that `.ci/python-tools` installed.
///
/// # Errors
/// When `PORTPULSE_TOOLS` does not name their folder.
pub fn tool(name: &str) -> Result<PathBuf, StandInError> {
    let folder = std::env::var_os("PORTPULSE_TOOLS").ok_or(StandInError::NoTools)?;
    Ok(PathBuf::from(folder).join(name))
}

/// An operation of an AWS service, in the protocol that the service speaks.
#[derive(Debug, Clone, Copy)]
pub enum Operation<'a> {
    /// AWS JSON: the operation in a header, its input as JSON.
    Json {
        /// The service's prefix and the operation.
        target: &'a str,
        /// The input.
        body: &'a str,
    },
    /// AWS Query: the operation and its input as a form.
    Query(&'a str),
    /// A REST path.
    Get(&'a str),
    /// Lambda's `Invoke`.
    Invoke {
        /// The function's name.
        function: &'a str,
        /// Whether to wait for what it answers.
        invocation: Invocation,
        /// The event.
        event: &'a str,
    },
}

/// How a function is invoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invocation {
    /// The answer is the function's own.
    Awaited,
    /// As another service does it: tried again where it fails, and nobody waits.
    Asynchronous,
}

/// Asks a stand-in, which checks no signature, and gives the answer's body.
///
/// # Errors
/// When it cannot be reached, or does not answer with a status of success.
pub fn ask(endpoint: &str, region: &str, service: &str, operation: &Operation<'_>) -> io::Result<String> {
    let address = endpoint.trim_start_matches("http://");
    let (request, headers, body) = match operation {
        Operation::Json { target, body } => (
            "POST /".to_owned(),
            format!("Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: {target}\r\n"),
            *body,
        ),
        Operation::Query(form) => (
            "POST /".to_owned(),
            "Content-Type: application/x-www-form-urlencoded\r\n".to_owned(),
            *form,
        ),
        Operation::Get(path) => (format!("GET {path}"), String::new(), ""),
        Operation::Invoke {
            function,
            invocation,
            event,
        } => {
            let kind = match invocation {
                Invocation::Awaited => "RequestResponse",
                Invocation::Asynchronous => "Event",
            };
            (
                format!("POST /2015-03-31/functions/{function}/invocations"),
                format!("Content-Type: application/json\r\nX-Amz-Invocation-Type: {kind}\r\n"),
                *event,
            )
        }
    };
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "{request} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 \
         Credential=test/20261122/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n{headers}\r\n{body}",
        body.len(),
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body))
            if head
                .split(' ')
                .nth(1)
                .is_some_and(|status| status.starts_with('2')) =>
        {
            Ok(body.to_owned())
        }
        _ => Err(io::Error::other(format!("{service} answered: {answer}"))),
    }
}
