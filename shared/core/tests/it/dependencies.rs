//! The core has no I/O: tests its dependencies and its sources.

#[test]
fn core_has_only_pure_dependencies() {
    let manifest = include_str!("../../Cargo.toml");
    let section = manifest
        .split("[dependencies]")
        .nth(1)
        .and_then(|rest| rest.split("\n[").next())
        .unwrap();
    let names: Vec<_> = section
        .lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|n| !n.is_empty())
        .collect();
    assert_eq!(
        names,
        [
            "idna",
            "jiff",
            "regex-lite",
            "serde",
            "serde_json",
            "serde_json_path",
            "sha2",
            "strsim",
            "thiserror"
        ]
    );
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test reads the sources, the core reads nothing"
)]
fn core_sources_use_no_clock_or_environment() {
    let forbidden = [
        "Instant::now",
        "SystemTime::now",
        "Timestamp::now",
        "Zoned::now",
        "std::env::",
        "std::fs::",
        "std::net::Tcp",
        "async fn",
    ];
    let mut folders = vec![std::path::PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src"
    ))];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            files += 1;
            for word in forbidden {
                assert!(!text.contains(word), "{} has {word}", path.display());
            }
        }
    }
    assert!(files > 10, "only {files} files were read");
}
