//! Runs the program of a Lambda function: environment, invocations and responses.

use std::collections::BTreeMap;
use std::io;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::runtime_api::{FunctionMessage, Invocation, RuntimeApi};

/// The maximum time for a response. Longer than any test takes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// The command for the program at `path` with `environment` and the variables that Lambda sets, and no others.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
pub fn program(path: &str, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(path);
    command
        .env_clear()
        .envs([
            ("AWS_LAMBDA_FUNCTION_NAME", "portpulse"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "g"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "s"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ])
        .envs(environment.iter().copied())
        .stdin(Stdio::null());
    command
}

/// A lookup of environment variables in `vars`, of which the last one with a name counts.
pub fn lookup(vars: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    let vars = vars
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let vars: BTreeMap<String, String> = vars.collect();
    move |name| vars.get(name).cloned()
}

/// A running program with a Runtime API of its own. Killed when dropped.
#[derive(Debug)]
pub struct Function {
    api: RuntimeApi,
    child: Child,
    invocations: u32,
}

impl Drop for Function {
    fn drop(&mut self) {
        // The program may have exited already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Function {
    /// Starts [`program`] and a Runtime API for it.
    ///
    /// # Errors
    /// If the Runtime API cannot listen, or the program cannot be started.
    pub async fn start(path: &str, environment: &[(&str, &str)]) -> io::Result<Self> {
        let api = RuntimeApi::start().await?;
        let child = program(path, environment)
            .env("AWS_LAMBDA_RUNTIME_API", api.url())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self {
            api,
            child,
            invocations: 0,
        })
    }

    /// The peak memory of the program in bytes: `VmHWM` on Linux.
    ///
    /// # Errors
    /// If the program has exited, or the system is not Linux.
    pub fn peak_memory(&self) -> io::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        let kilobytes = kilobytes.ok_or_else(|| io::Error::other("VmHWM is missing"))?;
        Ok(kilobytes * 1_024)
    }

    /// Invokes the function with an event, and returns the response.
    ///
    /// # Errors
    /// The function's error as `type: message`, or that the response is missing after a minute or invalid.
    pub async fn invoke(&mut self, event: &Value) -> Result<Value, String> {
        self.invocations += 1;
        let request_id = format!("invocation-{}", self.invocations);
        self.invoke_as(&request_id, event).await
    }

    /// Like [`Function::invoke`], with this request id: Lambda repeats a failed asynchronous invocation under its id.
    ///
    /// # Errors
    /// Like [`Function::invoke`].
    pub async fn invoke_as(&mut self, request_id: &str, event: &Value) -> Result<Value, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let invocation = Invocation {
            request_id: request_id.to_owned(),
            deadline_ms: u64::try_from((now + ANSWER_TIMEOUT).as_millis()).unwrap_or(u64::MAX),
            event: event.to_string(),
        };
        let answer = self.api.answer(invocation);
        let message = tokio::time::timeout(ANSWER_TIMEOUT, answer)
            .await
            .map_err(|_| "no response".to_owned())?;
        let read =
            |body: &str| serde_json::from_str::<Value>(body).map_err(|error| format!("{error}: {body}"));
        match message {
            Some(FunctionMessage::Response { body, .. }) => read(&body),
            Some(FunctionMessage::Error { body, .. }) => {
                let error = read(&body)?;
                let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
                Err(format!("{}: {}", text("errorType"), text("errorMessage")))
            }
            other @ (Some(FunctionMessage::Ready | FunctionMessage::InitError { .. }) | None) => {
                Err(format!("{other:?}"))
            }
        }
    }
}
