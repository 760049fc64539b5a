//! The Unix socket by which other processes of the same user reach [`LocalAws`]: one request a connection, as JSON each way.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};

use crate::{Answer, LocalAws, Request};

/// The maximum of bytes of a request: DynamoDB takes 16 MB, and its JSON is quoted once more on the way.
const MAX_BYTES: u64 = 40 * 1024 * 1024;
/// How long a connection may take.
const MAX_TIME: Duration = Duration::from_secs(30);
/// How long to wait when a connection cannot be accepted, as for want of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens at `path`, where nothing may be yet, for this user alone. The folder must keep others out as well: between
/// the two steps here the socket has the mode that the process gives to new files.
///
/// # Errors
/// When the socket cannot be made.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers whoever connects, until this future is dropped.
pub async fn serve(listener: UnixListener, aws: LocalAws) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Whoever has left, or sends nothing that can be read, gets no answer.
                let answer = timeout(MAX_TIME, answer(stream, aws.clone()));
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

/// Asks whoever listens at `path`.
pub(crate) async fn ask(path: &Path, request: &Request) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(path).await?;
    stream.write_all(&serde_json::to_vec(request)?).await?;
    stream.shutdown().await?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await?;
    Ok(serde_json::from_slice(&text)?)
}
