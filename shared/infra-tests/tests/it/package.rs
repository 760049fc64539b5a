//! The zips that are deployed: what is in them, how large it is, and what it needs of the system.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{repository, scratch};

/// The most bytes of a zip: a start of the function downloads and unpacks it.
const MAX_BYTES: u64 = 5 << 20;
/// glibc of provided.al2023. <https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html>
const GLIBC: (u32, u32) = (2, 34);

/// The functions that are deployed.
const FUNCTIONS: [&str; 3] = ["checker", "relay", "status"];

/// Unpacks a function's zip into an empty folder.
pub(crate) fn unpacked(function: &str, architecture: &str, name: &str) -> PathBuf {
    let zip = zip(function, architecture);
    assert!(
        zip.exists(),
        "{} is missing: run infra/build {architecture}",
        zip.display()
    );
    let folder = scratch(name);
    // The standard library has no zip; Python's has, and building needs Python anyway.
    let python = Command::new("python3")
        .args(["-m", "zipfile", "-e"])
        .args([&zip, &folder])
        .status()
        .unwrap();
    assert!(python.success());
    folder
}

/// A function's zip, as `infra/build` leaves it.
pub(crate) fn zip(function: &str, architecture: &str) -> PathBuf {
    repository().join(format!("infra/dist/{function}-{architecture}.zip"))
}

/// The newest glibc that a binary asks for, by the versions of the symbols it names.
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
    let folder = unpacked(function, architecture, &format!("zip-{function}-{architecture}"));
    let size = fs::metadata(zip(function, architecture)).unwrap().len();
    assert!(
        size <= MAX_BYTES,
        "{function} for {architecture} has {size} bytes"
    );
    let files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["bootstrap"]);
    let binary = fs::read(folder.join("bootstrap")).unwrap();
    assert_eq!(&binary[..4], b"\x7fELF");
    // e_machine of the ELF header.
    assert_eq!(binary[18], machine, "not built for {architecture}");
    let needed = glibc_needed(&binary);
    assert!(needed <= GLIBC, "needs glibc {}.{}", needed.0, needed.1);
    // Where it was built is nobody's business, and would keep two machines from building the same.
    let here = repository();
    let home = std::env::var("HOME").unwrap();
    for place in [here.to_str().unwrap(), home.as_str()] {
        let holds = binary
            .windows(place.len())
            .any(|window| window == place.as_bytes());
        assert!(
            !holds || Path::new(place) == Path::new("/"),
            "the binary names {place}"
        );
    }
}

#[test]
#[ignore = "needs the zips: .ci/infra builds and runs it"]
fn the_x86_64_zips_fit_lambda() {
    FUNCTIONS
        .iter()
        .for_each(|function| check(function, "x86_64", 62));
}

#[test]
#[ignore = "needs the zips: .ci/infra builds and runs it"]
fn the_arm64_zips_fit_lambda_where_they_can_be_built() {
    let built = FUNCTIONS
        .iter()
        .filter(|function| zip(function, "arm64").exists());
    built.for_each(|function| check(function, "arm64", 183));
}
