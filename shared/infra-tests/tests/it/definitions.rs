//! Compares the HCL that reads definitions with the Rust code: groups, items, and places of diagnostics.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use portpulse_core::definition::NetworkAccess;
use serde_json::{Map, Value, json};

use crate::generated::{Random, invalid_file, valid_file};
use crate::{repository, scratch};
use portpulse_infra_tests::terraform::Terraform;

/// Reads files, each with a name, with the Terraform module.
fn read_with_terraform(name: &str, files: &BTreeMap<String, String>) -> Value {
    let directory = scratch(name);
    fs::create_dir_all(directory.join("files")).unwrap();
    for (name, text) in files {
        fs::write(directory.join("files").join(name), text).unwrap();
    }
    let infra = repository().join("infra");
    let main = format!(
        r#"
        module "definitions" {{
          source      = "{infra}/modules/definitions"
          for_each    = fileset("${{path.module}}/files", "*")
          definitions = file("${{path.module}}/files/${{each.key}}")
          presets     = jsondecode(file("{infra}/presets.json"))
          regions     = ["ap-south-1", "eu-central-1", "eu-west-1", "us-east-1"]
        }}
        output "read" {{
          value = {{
            for name, file in module.definitions : name => {{
              diagnostics = file.diagnostics
              shards = file.shards
              groups = file.groups
              items  = {{ for id, item in file.items : id => jsondecode(item) }}
            }}
          }}
        }}
        "#,
        infra = infra.display(),
    );
    fs::write(directory.join("main.tf"), main).unwrap();
    let terraform = Terraform::init(&directory, Vec::new()).unwrap();
    terraform.apply(&json!({})).unwrap();
    terraform.output("read").unwrap()
}

/// The value of an attribute in DynamoDB's JSON.
fn plain(attribute: &Value) -> Value {
    let (kind, value) = attribute.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "S" | "BOOL" => value.clone(),
        "N" => serde_json::from_str(value.as_str().unwrap()).unwrap(),
        "L" => value.as_array().unwrap().iter().map(plain).collect(),
        "M" => plain_map(value),
        other => unreachable!("an attribute of type {other}"),
    }
}

fn plain_map(attributes: &Value) -> Value {
    let attributes = attributes.as_object().unwrap();
    attributes
        .iter()
        .map(|(name, value)| (name.clone(), plain(value)))
        .collect::<Map<_, _>>()
        .into()
}

#[test]
#[ignore = "needs Terraform: .ci/infra runs it"]
fn terraform_groups_shards_and_items_equal_rust() {
    let mut random = Random::new(20_261_122);
    let sizes = [
        (1, None),
        (60, None),
        (60, None),
        (400, Some("1m")),
        (401, Some("5m")),
        (850, Some("1h")),
    ];
    let files: BTreeMap<_, _> = sizes
        .iter()
        .enumerate()
        .map(|(n, (monitors, interval))| {
            (
                format!("file-{n}"),
                valid_file(&mut random, *monitors, *interval).to_string(),
            )
        })
        .collect();
    let read = read_with_terraform("valid-definitions", &files);
    for (name, text) in &files {
        let file = portpulse_monitors_file::read(text, NetworkAccess::PlainLambda).unwrap();
        let found = &read[name];
        assert_eq!(found["diagnostics"], json!([]), "{name}");
        let shards: Value = file
            .shards()
            .iter()
            .map(|(interval, count)| (interval.to_string(), json!(count)))
            .collect::<Map<_, _>>()
            .into();
        assert_eq!(found["shards"], shards, "{name}");
        assert_eq!(
            found["items"].as_object().unwrap().len(),
            file.monitors().len(),
            "{name}"
        );
        for defined in file.monitors() {
            let id = defined.monitor.id().as_str();
            assert_eq!(
                found["groups"][id],
                json!(defined.group.to_string()),
                "{name} {id}"
            );
            let mut item = plain_map(&found["items"][id]);
            let item_fields = item.as_object_mut().unwrap();
            assert_eq!(
                item_fields.remove("pk"),
                Some(json!(format!("monitors#{}", defined.group))),
                "{name} {id}"
            );
            assert_eq!(item_fields.remove("sk"), Some(json!(id)), "{name}");
            assert_eq!(item, Value::Object(defined.attributes.clone()), "{name} {id}");
        }
    }
}

/// The place of a diagnostic, which has the form `place: what (help)`.
fn place(diagnostic: &str) -> String {
    if diagnostic.starts_with("the file ") {
        return String::new();
    }
    diagnostic.split_once(": ").unwrap().0.to_owned()
}

/// Diagnostics that only one of the two finds, or that have another place there: file, place, reason.
const DIFFERENCES: [(&str, &str, &str); 8] = [
    (
        "enabled.yaml",
        "monitors.a.enabled",
        "`yamldecode` reads yes as true",
    ),
    (
        "id.yaml",
        "monitors.tab\\there\\u001b[31m",
        "Rust escapes control characters",
    ),
    (
        "id.yaml",
        "monitors.tab\there\u{1b}[31m",
        "HCL does not escape them",
    ),
    (
        "maintenance-recurring.yaml",
        "maintenance.0.zone",
        "HCL has no list of time zones",
    ),
    (
        "maintenance-single.yaml",
        "maintenance.0.until",
        "`yamldecode` reads a date as its midnight",
    ),
    (
        "many-at-once.yaml",
        "monitors.cache.interval",
        "`yamldecode` keeps the second of two equal keys",
    ),
    (
        "many-at-once.yaml",
        "monitors.old-telnet.port",
        "`yamldecode` reads 023 as a number",
    ),
    (
        "defaults-of-one-monitor.yaml",
        "defaults.depends_on.0",
        "HCL reports it once, at defaults.depends_on",
    ),
];

#[test]
#[ignore = "needs Terraform: .ci/infra runs it"]
fn terraform_diagnostics_have_same_places_as_rust() {
    let mut files = BTreeMap::from([("generated".to_owned(), invalid_file().to_string())]);
    let invalid = repository().join("shared/monitors-file/tests/invalid");
    for entry in fs::read_dir(invalid).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // Invalid YAML and empty files are the concern of the YAML reader, and `yamldecode` has its own.
        if name.ends_with(".yaml") && !name.starts_with("yaml-") && name != "empty.yaml" {
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    assert!(files.len() > 40, "fixtures are missing");
    let read = read_with_terraform("invalid-definitions", &files);
    let mut different = Vec::new();
    for (name, text) in &files {
        let mistakes = portpulse_monitors_file::read(text, NetworkAccess::PlainLambda).unwrap_err();
        let mistakes: Vec<_> = mistakes
            .iter()
            .map(|mistake| mistake.diagnostic.to_string())
            .collect();
        let rust: BTreeSet<_> = mistakes.iter().map(|diagnostic| place(diagnostic)).collect();
        // Rust does not have the rules that depend on the deployment.
        let deployment_rules = ["is not a region of this deployment", "regions of this deployment"];
        let diagnostics = read[name]["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|diagnostic| diagnostic.as_str().unwrap());
        let hcl: BTreeSet<_> = diagnostics
            .filter(|diagnostic| !deployment_rules.iter().any(|text| diagnostic.contains(text)))
            .map(place)
            .collect();
        assert!(!hcl.is_empty(), "{name} is valid for Terraform");
        let known = |at: &&String| {
            !DIFFERENCES
                .iter()
                .any(|(file, place, _)| file == name && place == at)
        };
        let only_in = |one: &BTreeSet<String>, other: &BTreeSet<String>, which: &str| -> Vec<String> {
            one.difference(other)
                .filter(known)
                .map(|at| format!("{name}: {at} only in {which}"))
                .collect()
        };
        different.extend(only_in(&rust, &hcl, "Rust"));
        different.extend(only_in(&hcl, &rust, "HCL"));
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Unquoted words, numbers and times that YAML readers interpret differently.
const SCALARS: &str = include_str!("../scalars.txt");

#[test]
#[ignore = "needs Terraform: .ci/infra runs it"]
fn unquoted_scalars_valid_in_rust_equal_terraform() {
    let mut monitors = Vec::new();
    for (field, rest) in [("tags: [", "]"), ("failures_to_open: ", "")] {
        for scalar in SCALARS.lines() {
            let fields = format!("{{ host: a.example.com, port: 1, {field}{scalar}{rest} }}");
            let file = format!("monitors: {{ m: {fields} }}");
            if portpulse_monitors_file::read(&file, NetworkAccess::PlainLambda).is_ok() {
                monitors.push(format!("  m{}: {fields}\n", monitors.len()));
            }
        }
    }
    assert!(
        monitors.len() > 30 && monitors.len() < SCALARS.lines().count(),
        "{monitors:?}"
    );
    let text = format!("monitors:\n{}", monitors.concat());
    let read = read_with_terraform("scalars", &BTreeMap::from([("scalars".to_owned(), text.clone())]));
    assert_eq!(read["scalars"]["diagnostics"], json!([]));
    let file = portpulse_monitors_file::read(&text, NetworkAccess::PlainLambda).unwrap();
    for defined in file.monitors() {
        let id = defined.monitor.id().as_str();
        let item = plain_map(&read["scalars"]["items"][id]);
        for field in ["tags", "failures_to_open"] {
            let (hcl, rust) = (item.get(field), defined.attributes.get(field));
            assert_eq!(hcl, rust, "{}", monitors[id[1..].parse::<usize>().unwrap()]);
        }
    }
}
