//! The deployed zips: their content, size and system requirements.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{repository, scratch};

/// The maximum size of a zip: Lambda downloads and unpacks it in a cold start.
const MAX_BYTES: u64 = 4 << 20;
/// The glibc version of provided.al2023. <https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html>
const GLIBC: (u32, u32) = (2, 34);

/// The deployed functions.
const FUNCTIONS: [&str; 3] = ["checker", "relay", "status"];

/// Unpacks the zip of a function into an empty directory.
pub(crate) fn unpacked(function: &str, architecture: &str, name: &str) -> PathBuf {
    let zip = zip(function, architecture);
    assert!(
        zip.exists(),
        "{} is missing: run infra/build {architecture}",
        zip.display()
    );
    let directory = scratch(name);
    // Python reads zips, and the build requires Python anyway.
    let python = Command::new("python3")
        .args(["-m", "zipfile", "-e"])
        .args([&zip, &directory])
        .status()
        .unwrap();
    assert!(python.success());
    directory
}

/// The path of a zip that `infra/build` writes.
pub(crate) fn zip(function: &str, architecture: &str) -> PathBuf {
    repository().join(format!("infra/dist/{function}-{architecture}.zip"))
}

/// The minimum glibc version of a binary, from the versions of its symbols.
fn glibc_needed(binary: &[u8]) -> (u32, u32) {
    let versions = binary.windows(12).filter_map(|window| {
        let version = window.strip_prefix(b"GLIBC_2.")?;
        let digits: String = version
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .map(|byte| char::from(*byte))
            .collect();
        digits.parse().ok().map(|minor| (2, minor))
    });
    versions.max().unwrap()
}

fn check(function: &str, architecture: &str, machine: u8) {
    let directory = unpacked(function, architecture, &format!("zip-{function}-{architecture}"));
    let size = fs::metadata(zip(function, architecture)).unwrap().len();
    assert!(
        size <= MAX_BYTES,
        "{function} for {architecture} has {size} bytes, and the maximum is {MAX_BYTES}"
    );
    let files: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["bootstrap"]);
    let binary = fs::read(directory.join("bootstrap")).unwrap();
    assert_eq!(&binary[..4], b"\x7fELF");
    // The field e_machine of the ELF header.
    assert_eq!(binary[18], machine, "the binary is not for {architecture}");
    let needed = glibc_needed(&binary);
    assert!(
        needed <= GLIBC,
        "the binary requires glibc {}.{}",
        needed.0,
        needed.1
    );
    // Paths of the build machine would make builds differ between machines.
    let here = repository();
    let home = std::env::var("HOME").unwrap();
    for place in [here.to_str().unwrap(), home.as_str()] {
        let contains_path = binary
            .windows(place.len())
            .any(|window| window == place.as_bytes());
        assert!(
            !contains_path || Path::new(place) == Path::new("/"),
            "the binary contains the path {place}"
        );
    }
}

#[test]
#[ignore = "needs the zips: .ci/infra builds and runs it"]
fn x86_64_zips_meet_lambda_limits() {
    FUNCTIONS
        .iter()
        .for_each(|function| check(function, "x86_64", 62));
}

#[test]
#[ignore = "needs the zips: .ci/infra --all builds and runs it"]
fn arm64_zips_meet_lambda_limits() {
    FUNCTIONS
        .iter()
        .for_each(|function| check(function, "arm64", 183));
}
