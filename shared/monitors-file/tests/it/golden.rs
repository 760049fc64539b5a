//! One file for each mistake, with its exact messages.

use std::fs;
use std::path::Path;

use portpulse_core::definition::{Field, NetworkAccess};
use portpulse_core::service::Service;

/// Reads each `tests/invalid/NAME.yaml` and compares the mistakes with `NAME.txt`. `PORTPULSE_BLESS=1` in the environment
/// writes the expected files, in which `SERVICES` and `FIELDS` stand for the lists of all
/// services and fields. Files named `lambda-…` are
/// validated for a Lambda outside a VPC.
#[test]
fn mistakes_match_expected_messages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid");
    let bless = std::env::var_os("PORTPULSE_BLESS").is_some();
    let services = Service::ALL.iter().map(|service| service.as_str());
    let services = services.collect::<Vec<_>>().join(", ");
    let (all_but_last, last) = services.rsplit_once(", ").unwrap();
    let services = format!("{all_but_last} or {last}");
    let fields = Field::of_monitors()
        .map(Field::name)
        .collect::<Vec<_>>()
        .join(", ");
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
        let found = found.replace(&services, "SERVICES").replace(&fields, "FIELDS");
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

/// The locations of a monitor decide who must reach its target.
#[test]
fn private_targets_are_valid_if_only_agents_check_them() {
    for (locations, is_valid) in [
        ("[office]", true),
        ("[office, home]", true),
        ("[office, eu-west-1]", false),
        ("[eu-west-1]", false),
        ("null", false),
    ] {
        let text = format!(
            "agents: [office, home]\nmonitors:\n  a: {{ host: 10.0.0.1, port: 25, locations: {locations} }}\n"
        );
        let read = portpulse_monitors_file::read(&text, NetworkAccess::PlainLambda);
        assert_eq!(read.is_ok(), is_valid, "{locations}: {read:?}");
    }
}

#[test]
fn ping_is_valid_from_agents_and_from_own_machine() {
    for (locations, access, is_valid) in [
        (", locations: [office]", NetworkAccess::PlainLambda, true),
        (
            ", locations: [office, eu-west-1]",
            NetworkAccess::PlainLambda,
            false,
        ),
        (
            ", locations: [office, eu-west-1]",
            NetworkAccess::OwnNetwork,
            false,
        ),
        ("", NetworkAccess::PlainLambda, false),
        ("", NetworkAccess::OwnNetwork, true),
        (", locations: [local]", NetworkAccess::OwnNetwork, true),
    ] {
        let text = format!(
            "agents: [office]\ndefaults: {{ port: 5432, service: postgres, expect: open, tls: false }}\n\
             monitors:\n  a: {{ host: 10.0.0.1, check: ping{locations} }}\n"
        );
        let read = portpulse_monitors_file::read(&text, access);
        assert_eq!(read.is_ok(), is_valid, "{locations} {access:?}: {read:?}");
        let Ok(file) = read else { continue };
        let [defined] = file.monitors() else {
            panic!("{file:?}")
        };
        assert_eq!(defined.monitor.target().to_string(), "10.0.0.1");
        assert_eq!(
            defined.monitor.service(),
            None,
            "the service in `defaults` does not apply"
        );
    }
}
