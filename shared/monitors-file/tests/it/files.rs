//! Several files as one, and files in other encodings.

use portpulse_core::definition::{DefinitionFile, NetworkAccess};
use portpulse_monitors_file::{Source, read_files};

fn read(files: &[(&str, &[u8])]) -> Result<DefinitionFile, Vec<String>> {
    let sources: Vec<_> = files
        .iter()
        .map(|(name, bytes)| Source {
            name: (*name).to_owned(),
            bytes: bytes.to_vec(),
        })
        .collect();
    read_files(&sources, NetworkAccess::OwnNetwork).map_err(|mistakes| {
        let shown = mistakes
            .iter()
            .map(|mistake| format!("{}: {mistake}", sources[mistake.file].name));
        shown.collect()
    })
}

/// Compares the mistakes of files.
fn check(files: &[(&str, &[u8])], expected: &[&str]) {
    assert_eq!(read(files).err().unwrap_or_default(), expected, "{files:?}");
}

#[test]
fn sections_of_several_files_are_joined() {
    let first =
        b"defaults: { tags: [shop] }\nmonitors:\n  a: { host: a.example.com, port: 1, depends_on: [b] }\n";
    let second =
        b"agents: [office]\nmonitors:\n  b: { host: b.example.com, port: 2, locations: [home, office] }\n\
        maintenance:\n  - { every: daily 02:00, for: 1h, monitors: [a] }\n";
    let third = b"agents: [home]\nmaintenance:\n  - { every: daily 03:00, for: 1h, tags: [shop] }\n";
    let file = read(&[
        ("1.yaml", first),
        ("2.yaml", second),
        ("3.yaml", third),
        ("4.yaml", b"# empty\n"),
    ])
    .unwrap();
    let policies: Vec<_> = file
        .monitors()
        .iter()
        .map(|defined| defined.monitor.alert_policy())
        .collect();
    let counts: Vec<_> = policies
        .iter()
        .map(|policy| (policy.tags.len(), policy.maintenance.len()))
        .collect();
    assert_eq!(counts, [(1, 2), (1, 1)]);
}

#[test]
fn mistakes_name_their_file() {
    check(
        &[
            (
                "1.yaml",
                b"defaults: { port: 1 }\nmonitors:\n  a: { host: a, port: 0 }\n  b: { host: b }\n",
            ),
            (
                "2.yaml",
                b"defaults: { port: 2 }\n\nmonitors:\n  b: { host: c }\n  c: { host: c, prot: 1 }\n",
            ),
            (
                "3.yaml",
                b"maintenance:\n  - { every: daily 02:00, for: 1h, monitors: [d] }\n",
            ),
            ("4.yaml", b"- a\n"),
        ],
        &[
            "1.yaml: line 3: monitors.a.port: 0 is out of range (write a whole number from 1 to 65535)",
            "2.yaml: line 1: defaults: is a duplicate of 1.yaml:1 (remove or rename one of them)",
            "2.yaml: line 4: monitors.b: is a duplicate of 1.yaml:4 (remove or rename one of them)",
            "2.yaml: line 5: monitors.c.prot: unknown field (did you mean `port`?)",
            "3.yaml: line 2: maintenance.0.monitors.0: `d` is not a monitor in this file (use the id of a monitor in this file)",
            "4.yaml: line 1: the file is not a map of fields (start the file with `monitors:`, followed by `  id: { host: …, port: … }`)",
        ],
    );
}

#[test]
fn other_encodings_are_refused_with_their_line() {
    let utf16: Vec<u8> = "monitors:\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check(
        &[("a", &utf16)],
        &["a: line 1: the file is UTF-16, not UTF-8 (save the file as UTF-8)"],
    );
    check(
        &[("a", &[&[0xff, 0xfe], utf16.as_slice()].concat())],
        &["a: line 1: the file is UTF-16, not UTF-8 (save the file as UTF-8)"],
    );
    check(
        &[("a", b"monitors:\n  # f\xfcr alle\n  a: { host: a, port: 1 }\n")],
        &["a: line 2: the byte 0xfc is not UTF-8, and is `\u{fc}` in Latin-1 (save the file as UTF-8)"],
    );
    check(
        &[("a", b"\xef\xbb\xbfmonitors:\n  a: { host: a, port: 1 }\n")],
        &[],
    );
}
