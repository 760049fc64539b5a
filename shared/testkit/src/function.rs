//! A function's program at work as Lambda runs it: its environment, its invocations, its answers.

use std::io;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::runtime_api::{Heard, Invocation, RuntimeApi};

/// How long an answer is waited for: longer than anything on this machine takes.
const RETRY_POLICY: Duration = Duration::from_secs(60);

/// The program at `path` with what Lambda puts into every environment, and these variables; nothing of this process's own.
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

/// A program that fetches its invocations here; it is ended with this.
#[derive(Debug)]
pub struct Function {
    api: RuntimeApi,
    child: Child,
    invocations: u32,
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Function {
    /// Starts [`program`] beside a Runtime API of its own.
    ///
    /// # Errors
    /// When no port can be listened on, or the program cannot be started.
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

    /// The most memory that it has held so far, in bytes, as Linux counts it: `VmHWM`.
    ///
    /// # Errors
    /// When it has ended, or this is no Linux.
    pub fn peak_memory(&self) -> io::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        let kilobytes = kilobytes.ok_or_else(|| io::Error::other("there is no VmHWM"))?;
        Ok(kilobytes * 1_024)
    }

    /// Invokes it with an event, and returns what it answered.
    ///
    /// # Errors
    /// Its error, as `type: message`; or that it gave no answer within a minute, or none that is one.
    pub async fn invoke(&mut self, event: &Value) -> Result<Value, String> {
        self.invocations += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let invocation = Invocation {
            request_id: format!("invocation-{}", self.invocations),
            deadline_ms: u64::try_from((now + RETRY_POLICY).as_millis()).unwrap_or(u64::MAX),
            event: event.to_string(),
        };
        let answer = self.api.answer(invocation);
        let heard = tokio::time::timeout(RETRY_POLICY, answer)
            .await
            .map_err(|_| "no answer".to_owned())?;
        let read =
            |body: &str| serde_json::from_str::<Value>(body).map_err(|error| format!("{error}: {body}"));
        match heard {
            Some(Heard::Response { body, .. }) => read(&body),
            Some(Heard::Error { body, .. }) => {
                let error = read(&body)?;
                let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
                Err(format!("{}: {}", text("errorType"), text("errorMessage")))
            }
            other @ (Some(Heard::Ready | Heard::InitError { .. }) | None) => Err(format!("{other:?}")),
        }
    }
}
