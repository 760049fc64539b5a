//! Tests of `infra/`: its rules against the Rust code, deployments on AWS emulators, and the limits of Lambda.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking, and index only into their own input"
)]

mod account;
mod definitions;
mod deployment;
mod destinations;
mod examples;
mod generated;
mod outage;
mod package;
mod release;
mod schedule;
mod schemas;
mod versions;

use std::fs;
use std::path::{Path, PathBuf};

/// The top directory of the repository.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// An empty directory for the files of one test.
fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if directory.exists() {
        fs::remove_dir_all(&directory).unwrap();
    }
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// An example of `infra/examples/` in a copy of `infra/`, so that no state and no providers are written to the repository.
fn copy_of_example(example: &str, name: &str) -> PathBuf {
    let directory = scratch(name);
    copy(&repository().join("infra"), &directory);
    directory.join("examples").join(example)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // Skip the local files of a real deployment.
        let is_local = [".terraform", "dist"].contains(&name) || name.contains("tfstate");
        match path.is_dir() {
            _ if is_local => {}
            true => copy(&path, &to.join(name)),
            false => drop(fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}
