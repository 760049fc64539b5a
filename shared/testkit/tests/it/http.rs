//! Raw HTTP requests.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a request such as `POST /path` to the server at `url`, below its secret path, and returns the raw response.
/// `headers` precede the required headers.
pub(crate) async fn request(url: &str, line: &str, headers: &[(&str, &str)], body: &str) -> String {
    let (address, secret) = url.trim_start_matches("http://").split_once('/').unwrap();
    let (method, path) = line.split_once(' ').unwrap();
    let line = format!("{method} /{secret}{path}");
    send(address, &line, headers, body).await
}

/// Sends a request to `address`, and returns the raw response.
pub(crate) async fn send(address: &str, line: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("{line} HTTP/1.1\r\n");
    let has_host = headers.iter().any(|(name, _)| *name == "Host");
    let host = [("Host", address)];
    let host = if has_host { &[] } else { &host[..] };
    for (name, value) in headers.iter().chain(host) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!(
        "Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
