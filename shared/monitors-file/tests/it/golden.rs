//! One file for each mistake, with its exact messages.

use std::fs;
use std::path::Path;

use portpulse_core::definition::NetworkAccess;

/// Reads each `tests/invalid/NAME.yaml` and compares the mistakes with `NAME.txt`. `PORTPULSE_BLESS=1` in the environment
/// writes the expected files. Files named `lambda-…` are validated for a Lambda outside a VPC.
#[test]
fn mistakes_match_expected_messages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid");
    let bless = std::env::var_os("PORTPULSE_BLESS").is_some();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        seen += 1;
        let name = path.file_name().unwrap().to_str().unwrap();
        let network_access = if name.starts_with("lambda-") {
            NetworkAccess::PlainLambda
        } else {
            NetworkAccess::OwnNetwork
        };
        let found = match portpulse_monitors_file::read(&fs::read_to_string(&path).unwrap(), network_access) {
            Ok(_) => "no mistakes\n".to_owned(),
            Err(mistakes) => mistakes.iter().map(|mistake| format!("{mistake}\n")).collect(),
        };
        let golden = path.with_extension("txt");
        if bless {
            fs::write(golden, found).unwrap();
        } else {
            let expected = fs::read_to_string(golden).unwrap_or_default();
            if found != expected {
                wrong.push(format!("{name}: expected\n{expected}found\n{found}"));
            }
        }
    }
    assert!(seen > 50, "only {seen} files were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Targets that a Lambda cannot reach are valid on the user's own network.
#[test]
fn private_targets_are_valid_on_own_network() {
    let text = include_str!("../invalid/lambda-addresses.yaml");
    assert!(portpulse_monitors_file::read(text, NetworkAccess::OwnNetwork).is_ok());
    let text = include_str!("../invalid/lambda-port-25.yaml");
    assert!(portpulse_monitors_file::read(text, NetworkAccess::OwnNetwork).is_ok());
}
