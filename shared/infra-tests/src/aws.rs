//! AWS emulators as child processes on 127.0.0.1: moto and `ministack`.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// An emulator cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// `PORTPULSE_TOOLS` is not set.
    #[error("PORTPULSE_TOOLS is not set: set it to the directory that .ci/python-tools prints")]
    NoTools,
    /// The program cannot be started.
    #[error("cannot run {}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The program ended without printing its address.
    #[error("{} ended without printing its address; its standard error:\n{stderr}", program.display())]
    NoAddress {
        /// The program.
        program: PathBuf,
        /// The standard error of the program.
        stderr: String,
    },
}

/// A running emulator. Dropping it ends the process.
#[derive(Debug)]
pub struct Emulator {
    child: Child,
    endpoint: String,
}

impl Emulator {
    /// Starts moto's server, which stores resources, filters messages, and runs neither schedules nor functions. `moto.py` adds a
    /// rule of AWS that it lacks.
    ///
    /// # Errors
    /// If the program is not installed or does not start.
    pub fn moto() -> Result<Self, EmulatorError> {
        let program = tool("python3")?;
        let mut command = Command::new(&program);
        command
            .args(["-c", include_str!("moto.py")])
            .args(["-H", "127.0.0.1", "-p", "0"])
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true");
        Self::start(program, command)
    }

    /// Starts `ministack`, which triggers schedules, runs functions and delivers messages.
    ///
    /// # Errors
    /// If the program is not installed or does not start.
    pub fn ministack() -> Result<Self, EmulatorError> {
        let program = tool("ministack")?;
        // It requires a port number: use one that is free now.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.map_err(|source| EmulatorError::Start {
            program: program.clone(),
            source,
        })?;
        let mut command = Command::new(&program);
        command
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.port().to_string());
        Self::start(program, command)
    }

    fn start(program: PathBuf, mut command: Command) -> Result<Self, EmulatorError> {
        let no_address = |stderr: &str| EmulatorError::NoAddress {
            program: program.clone(),
            stderr: stderr.to_owned(),
        };
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|source| EmulatorError::Start {
            program: program.clone(),
            source,
        })?;
        let stderr = child.stderr.take();
        let mut emulator = Self {
            child,
            endpoint: String::new(),
        };
        let mut lines = BufReader::new(stderr.ok_or_else(|| no_address(""))?).lines();
        let mut printed = String::new();
        for line in lines.by_ref().map_while(Result::ok) {
            let endpoint = line
                .split_once("Running on ")
                .and_then(|(_, rest)| rest.split_whitespace().next());
            if let Some(endpoint) = endpoint {
                endpoint.clone_into(&mut emulator.endpoint);
                // Keep reading: a full pipe would block the emulator.
                std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
                return Ok(emulator);
            }
            printed.push_str(&line);
            printed.push('\n');
        }
        Err(no_address(&printed))
    }

    /// The URL of the emulator, such as `http://127.0.0.1:5000`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Environment variables that make an AWS client use the emulator.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        environment(&self.endpoint)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Environment variables that make an AWS client use `endpoint`, with invalid credentials.
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

/// The path of a program that `.ci/python-tools` installed.
///
/// # Errors
/// If `PORTPULSE_TOOLS` is not set.
pub fn tool(name: &str) -> Result<PathBuf, EmulatorError> {
    let directory = std::env::var_os("PORTPULSE_TOOLS").ok_or(EmulatorError::NoTools)?;
    Ok(PathBuf::from(directory).join(name))
}

/// An operation of an AWS service, in the protocol of the service.
#[derive(Debug, Clone, Copy)]
pub enum Operation<'a> {
    /// AWS JSON: the operation in a header, the input as JSON.
    Json {
        /// The service's prefix and the operation.
        target: &'a str,
        /// The input.
        body: &'a str,
    },
    /// AWS Query: the operation and the input as a form.
    Query(&'a str),
    /// A GET request for a path.
    Get(&'a str),
    /// A POST request to a path.
    Post {
        /// The path.
        path: &'a str,
        /// The body.
        body: &'a str,
    },
    /// Lambda's `Invoke`.
    Invoke {
        /// The function's name.
        function: &'a str,
        /// Whether the response is that of the function.
        invocation: Invocation,
        /// The event.
        event: &'a str,
    },
}

/// How a function is invoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invocation {
    /// The response is that of the function.
    Synchronous,
    /// The event is queued, and a failed invocation is retried: as other services invoke functions.
    Asynchronous,
}

/// Sends a request to an emulator, which checks no signature, and returns the body of the response.
///
/// # Errors
/// If the emulator cannot be reached, or the status of the response is not 2xx.
pub fn call(endpoint: &str, region: &str, service: &str, operation: &Operation<'_>) -> io::Result<String> {
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
        Operation::Post { path, body } => (format!("POST {path}"), String::new(), *body),
        Operation::Invoke {
            function,
            invocation,
            event,
        } => {
            let kind = match invocation {
                Invocation::Synchronous => "RequestResponse",
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
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    match response.split_once("\r\n\r\n") {
        Some((head, body))
            if head
                .split(' ')
                .nth(1)
                .is_some_and(|status| status.starts_with('2')) =>
        {
            Ok(body.to_owned())
        }
        _ => Err(io::Error::other(format!("{service} responded: {response}"))),
    }
}
