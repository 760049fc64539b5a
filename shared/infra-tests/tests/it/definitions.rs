//! The HCL that reads definitions against the Rust code that does: same groups, same items, same faults.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use portpulse_core::definition::NetworkAccess;
use serde_json::{Map, Value, json};

use crate::generated::{Chance, faulty, good};
use crate::{repository, scratch};
use portpulse_infra_tests::terraform::Terraform;

/// Reads each file, given by a name, with the Terraform module.
fn read_with_terraform(name: &str, files: &BTreeMap<String, String>) -> Value {
    let folder = scratch(name);
    fs::create_dir_all(folder.join("files")).unwrap();
    for (name, text) in files {
        fs::write(folder.join("files").join(name), text).unwrap();
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
    fs::write(folder.join("main.tf"), main).unwrap();
    let terraform = Terraform::init(&folder, Vec::new()).unwrap();
    terraform.apply(&json!({})).unwrap();
    terraform.output("read").unwrap()
}

/// What an attribute in DynamoDB's JSON says.
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
fn groups_shards_and_items_come_out_as_in_rust() {
    let mut chance = Chance::new(20_261_122);
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
                good(&mut chance, *monitors, *interval).to_string(),
            )
        })
        .collect();
    let read = read_with_terraform("good-definitions", &files);
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

/// The place that `place: what is wrong (the help)` names.
fn place(diagnostic: &str) -> String {
    if diagnostic.starts_with("the file ") {
        return String::new();
    }
    diagnostic.split_once(": ").unwrap().0.to_owned()
}

/// Faults that only one of the two can find, or tells of elsewhere: file, place, why.
const DIFFERENCES: [(&str, &str, &str); 8] = [
    (
        "enabled.yaml",
        "monitors.a.enabled",
        "`yamldecode` takes yes for true",
    ),
    (
        "id.yaml",
        "monitors.tab\\there\\u001b[31m",
        "Rust escapes control characters",
    ),
    ("id.yaml", "monitors.tab\there\u{1b}[31m", "HCL does not"),
    (
        "maintenance-recurring.yaml",
        "maintenance.0.zone",
        "HCL does not know the names of zones",
    ),
    (
        "maintenance-single.yaml",
        "maintenance.0.until",
        "`yamldecode` takes a date for its midnight",
    ),
    (
        "many-at-once.yaml",
        "monitors.cache.interval",
        "`yamldecode` keeps the last of two",
    ),
    (
        "many-at-once.yaml",
        "monitors.old-telnet.port",
        "`yamldecode` takes 023 for a number",
    ),
    (
        "defaults-of-one-monitor.yaml",
        "defaults.depends_on.0",
        "told once, at defaults.depends_on",
    ),
];

#[test]
#[ignore = "needs Terraform: .ci/infra runs it"]
fn faults_are_found_where_rust_finds_them() {
    let mut files = BTreeMap::from([("faulty".to_owned(), faulty().to_string())]);
    let invalid = repository().join("shared/monitors-file/tests/invalid");
    for entry in fs::read_dir(invalid).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // How text becomes values is the reader's business: `yamldecode` has a reader of its own, which refuses a
        // file without any.
        if name.ends_with(".yaml") && !name.starts_with("yaml-") && name != "empty.yaml" {
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    assert!(files.len() > 40, "the fixtures have moved");
    let read = read_with_terraform("faulty-definitions", &files);
    let mut different = Vec::new();
    for (name, text) in &files {
        let mistakes = portpulse_monitors_file::read(text, NetworkAccess::PlainLambda).unwrap_err();
        let mistakes: Vec<_> = mistakes
            .iter()
            .map(|mistake| mistake.diagnostic.to_string())
            .collect();
        let rust: BTreeSet<_> = mistakes.iter().map(|diagnostic| place(diagnostic)).collect();
        // What only a deployment can know is not in Rust's rules.
        let of_deployment = ["does not check here", "can never be met by 4 regions"];
        let diagnostics = read[name]["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|diagnostic| diagnostic.as_str().unwrap());
        let hcl: BTreeSet<_> = diagnostics
            .filter(|diagnostic| !of_deployment.iter().any(|words| diagnostic.contains(words)))
            .map(place)
            .collect();
        assert!(!hcl.is_empty(), "{name} is accepted by Terraform");
        let known = |at: &&String| {
            !DIFFERENCES
                .iter()
                .any(|(file, place, _)| file == name && place == at)
        };
        let in_one = |one: &BTreeSet<String>, other: &BTreeSet<String>, which: &str| -> Vec<String> {
            one.difference(other)
                .filter(known)
                .map(|at| format!("{name}: {at} in {which} alone"))
                .collect()
        };
        different.extend(in_one(&rust, &hcl, "Rust"));
        different.extend(in_one(&hcl, &rust, "HCL"));
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Unquoted words, numbers and times: what one reader of YAML or another takes for something else.
const SCALARS: &str = include_str!("../scalars.txt");

#[test]
#[ignore = "needs Terraform: .ci/infra runs it"]
fn unquoted_text_that_rust_accepts_means_the_same_to_terraform() {
    let mut monitors = Vec::new();
    for (field, rest) in [("tags: [", "]"), ("failures_to_open: ", "")] {
        for scalar in SCALARS.lines() {
            let fields = format!("{{ host: a.example.com, port: 1, {field}{scalar}{rest} }}");
            let alone = format!("monitors: {{ m: {fields} }}");
            if portpulse_monitors_file::read(&alone, NetworkAccess::PlainLambda).is_ok() {
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
