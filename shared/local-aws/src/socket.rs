//! A Unix socket to [`LocalAws`] for other processes of the same user: one request and one answer for each connection, as
//! JSON.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};

use crate::{Answer, LocalAws, Request};

/// The maximum bytes of a request: DynamoDB accepts 16 MB, and its JSON is escaped once more here.
const MAX_BYTES: u64 = 40 * 1024 * 1024;
/// The maximum duration of a connection.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The pause after a failed accept, for example if file descriptors are exhausted.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens at `path`, which must not exist, for this user only. The folder must be private too: until its mode is set, the
/// socket has the default mode of new files.
///
/// # Errors
/// If the socket cannot be created.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves connections until the future is dropped.
pub async fn serve(listener: UnixListener, aws: LocalAws) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Disconnected clients and malformed requests get no answer.
                let answer = timeout(TIMEOUT, answer(stream, aws.clone()));
                tokio::spawn(async { drop(answer.await) });
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

async fn answer(mut stream: UnixStream, aws: LocalAws) -> io::Result<()> {
    let mut text = Vec::new();
    (&mut stream).take(MAX_BYTES).read_to_end(&mut text).await?;
    let request: Request = serde_json::from_slice(&text)?;
    let answer = tokio::task::spawn_blocking(move || aws.answer(&request)).await?;
    stream.write_all(&serde_json::to_vec(&answer)?).await
}

/// Sends a request to the socket at `path`, and returns the answer.
pub(crate) async fn send(path: &Path, request: &Request) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(path).await?;
    stream.write_all(&serde_json::to_vec(request)?).await?;
    stream.shutdown().await?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await?;
    Ok(serde_json::from_slice(&text)?)
}
