//! `infra/build --from-release`, with a release on a local server.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::account::script;
use crate::{repository, scratch};

type Files = BTreeMap<String, Vec<u8>>;

/// An HTTP server on 127.0.0.1 that has `files` by their paths. Returns its URL.
fn serve(files: Files) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
            let path = lines
                .first()
                .and_then(|line| line.split(' ').nth(1))
                .unwrap_or_default();
            let (status, body) = match files.get(path) {
                Some(body) => ("200 OK", body.as_slice()),
                None => ("404 Not Found", &b"nothing"[..]),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            // The client may have gone.
            let _ = stream.write_all(&[head.as_bytes(), body].concat());
        }
    });
    url
}

/// A release with a zip of each function for x86_64, and their checksums.
fn release() -> Files {
    let mut files = Files::new();
    let mut sums = String::new();
    for function in ["checker", "relay", "status"] {
        let name = format!("{function}-x86_64.zip");
        let body = format!("the zip of {function}").into_bytes();
        for byte in Sha256::digest(&body) {
            let _ = write!(sums, "{byte:02x}");
        }
        let _ = writeln!(sums, "  {name}");
        files.insert(format!("/v1.2.3/{name}"), body);
    }
    files.insert("/v1.2.3/SHA256SUMS".to_owned(), sums.into_bytes());
    files
}

/// Downloads the zips for x86_64 of `version` to an empty directory. Returns the status, the output and the directory.
fn download(name: &str, version: &str, files: Files) -> (i32, String, PathBuf) {
    let directory = scratch(name);
    fs::create_dir(directory.join("infra")).unwrap();
    let build = directory.join("infra/build");
    fs::copy(repository().join("infra/build"), &build).unwrap();
    let (status, printed) = script(
        &build,
        &["--from-release", version, "x86_64"],
        vec![("PORTPULSE_RELEASES", serve(files).into())],
    );
    (status, printed, directory.join("infra/dist"))
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
#[ignore = "needs Bash and curl: .ci/infra runs it"]
fn zips_of_release_are_written() {
    let (status, printed, dist) = download("release-good", "v1.2.3", release());
    assert_eq!(status, 0, "{printed}");
    assert_eq!(
        names(&dist),
        ["checker-x86_64.zip", "relay-x86_64.zip", "status-x86_64.zip"]
    );
    assert_eq!(
        fs::read(dist.join("relay-x86_64.zip")).unwrap(),
        b"the zip of relay"
    );
    // Without GitHub's CLI and repository, the builder is not known.
    assert!(printed.contains("only checksums were verified"), "{printed}");
}

#[test]
#[ignore = "needs Bash and curl: .ci/infra runs it"]
fn changed_zip_of_release_is_refused() {
    let mut files = release();
    files.insert("/v1.2.3/status-x86_64.zip".to_owned(), b"something else".to_vec());
    let (status, printed, dist) = download("release-changed", "v1.2.3", files);
    assert_eq!(status, 1, "{printed}");
    assert!(
        printed.contains("status-x86_64.zip does not have the SHA-256 in SHA256SUMS of v1.2.3"),
        "{printed}"
    );
    assert_eq!(names(&dist), Vec::<String>::new(), "all zips or none");
}

#[test]
#[ignore = "needs Bash and curl: .ci/infra runs it"]
fn zip_without_checksum_is_refused() {
    let mut files = release();
    let sums = String::from_utf8(files["/v1.2.3/SHA256SUMS"].clone()).unwrap();
    let without: String = sums
        .lines()
        .filter(|line| !line.contains("relay"))
        .map(|line| format!("{line}\n"))
        .collect();
    files.insert("/v1.2.3/SHA256SUMS".to_owned(), without.into_bytes());
    let (status, printed, dist) = download("release-incomplete", "v1.2.3", files);
    assert_eq!(status, 1, "{printed}");
    assert!(
        printed.contains("has no checksum of relay-x86_64.zip"),
        "{printed}"
    );
    assert_eq!(names(&dist), Vec::<String>::new());
}

#[test]
#[ignore = "needs Bash and curl: .ci/infra runs it"]
fn missing_release_is_an_error() {
    let (status, printed, _) = download("release-missing", "v9.9.9", release());
    assert_ne!(status, 0, "{printed}");
    assert!(printed.contains("404"), "{printed}");
    let (status, printed, _) = download("release-invalid", "latest", release());
    assert_eq!(status, 2, "{printed}");
}
