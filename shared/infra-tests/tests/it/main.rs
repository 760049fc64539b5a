//! `infra/` against the code, against stand-ins of AWS, and against the limits of Lambda.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, on input of its own"
)]

mod definitions;
mod deployment;
mod destinations;
mod generated;
mod outage;
mod package;
mod schedule;
mod versions;

use std::fs;
use std::path::{Path, PathBuf};

/// The top of the repository.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// An empty folder for one test's files.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A copy of `infra/`, so that state and plug-ins stay out of the tree.
fn copy_of_infra(name: &str) -> PathBuf {
    let folder = scratch(name);
    copy(&repository().join("infra"), &folder);
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // What somebody's own use of the tree left there.
        let left =
            [".terraform", "dist"].contains(&name) || name.contains("tfstate") || name == "terraform.tfvars";
        match path.is_dir() {
            _ if left => {}
            true => copy(&path, &to.join(name)),
            false => drop(fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}
