//! Compares the HCL that reads definitions with the Rust code: groups and items; and with the JSON Schema: what is valid.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use jsonschema::Validator;
use portpulse_core::definition::NetworkAccess;
use serde_json::{Map, Value, json};

use crate::generated::{Random, mutated_file, valid_file};
use crate::{copy, repository, scratch};
use portpulse_infra_tests::terraform::Terraform;

/// The number of generated files in a test.
const FILES: usize = 200;

/// The locations of the deployment in these tests.
const LOCATIONS: [&str; 4] = ["ap-south-1", "eu-central-1", "eu-west-1", "us-east-1"];

/// Reads files, each with a name, with the Terraform module.
fn read_with_terraform(name: &str, files: &BTreeMap<String, String>) -> Value {
    let directory = scratch(name);
    fs::create_dir_all(directory.join("files")).unwrap();
    for (name, text) in files {
        fs::write(directory.join("files").join(name), text).unwrap();
    }
    // A module must not refer to a module outside of its package: use a copy.
    copy(&repository().join("infra"), &directory.join("infra"));
    let main = format!(
        r#"
        module "definitions" {{
          source      = "./infra/modules/definitions"
          for_each    = fileset("${{path.module}}/files", "*")
          definitions = file("${{path.module}}/files/${{each.key}}")
          locations   = {LOCATIONS:?}
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
        "#
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
    let large = [(400, Some("1m")), (401, Some("5m")), (850, Some("1h"))];
    let small = (0..FILES).map(|n| (1 + n % 6, None));
    let files: BTreeMap<_, _> = large
        .into_iter()
        .chain(small)
        .enumerate()
        .map(|(n, (monitors, interval))| {
            let file = valid_file(&mut random, monitors, interval);
            (format!("file-{n}"), file.to_string())
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

/// The JSON Schema, with the locations of the deployment, as HCL has it.
fn schema() -> Value {
    let text = fs::read_to_string(repository().join("infra/monitors.schema.json")).unwrap();
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    // A rule between sections, which HCL leaves to `portpulse validate`.
    schema.as_object_mut().unwrap().remove("anyOf");
    for place in [
        "/properties/monitors/additionalProperties/properties",
        "/properties/defaults/properties",
    ] {
        let fields = schema.pointer_mut(place).unwrap();
        fields["locations"]["items"] = json!({ "enum": LOCATIONS });
        fields["quorum"]["maximum"] = json!(LOCATIONS.len());
    }
    schema
}

/// Whether a file is valid by the schema.
fn validator() -> Validator {
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema()).unwrap()
}

/// The monitor, or the section of the file, of a place such as `monitors.a.port` or `/monitors/a/port`.
fn part(place: &str, separator: char) -> String {
    let mut names = place.trim_start_matches(separator).split(separator);
    match names.next().unwrap() {
        // An invalid id is a mistake of the map.
        "monitors" => names
            .next()
            .filter(|id| *id != "Upper")
            .unwrap_or("monitors")
            .to_owned(),
        section @ ("agents" | "defaults" | "maintenance") => section.to_owned(),
        _ => "the file".to_owned(),
    }
}

#[test]
#[ignore = "needs Terraform: .ci/infra runs it"]
fn terraform_finds_mistakes_where_schema_does() {
    let mut random = Random::new(20_261_129);
    let documents: BTreeMap<_, _> = (0..FILES)
        .map(|n| (format!("file-{n}"), mutated_file(&mut random)))
        .collect();
    let files = documents
        .iter()
        .map(|(name, file)| (name.clone(), file.to_string()));
    let read = read_with_terraform("mutated-definitions", &files.collect());
    let validator = validator();
    let (mut different, mut found) = (Vec::new(), 0);
    for (name, file) in &documents {
        let errors = validator.iter_errors(file);
        // A missing or unknown name is a mistake of the map; HCL names its place.
        let by_schema: BTreeSet<_> = errors
            .map(|error| part(error.instance_path().as_str(), '/'))
            .collect();
        let diagnostics = read[name]["diagnostics"].as_array().unwrap();
        let by_terraform: BTreeSet<_> = diagnostics
            .iter()
            .map(|text| text.as_str().unwrap())
            .filter(|text| {
                !["cannot be reached", "cannot be sent", "AWS blocks"]
                    .iter()
                    .any(|rule| text.contains(rule))
            })
            .map(|text| part(text.split_once(": ").unwrap().0, '.'))
            .collect();
        found += by_schema.len();
        if by_schema != by_terraform {
            different.push(format!(
                "{name}: schema {by_schema:?}, Terraform {by_terraform:?}\n{file}\n{diagnostics:#?}"
            ));
        }
    }
    assert!(found > FILES, "too few mistakes: {found}");
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// The files of `shared/monitors-file/tests/invalid`, except those that are not YAML or have no content: `yamldecode` has its
/// own diagnostics of these.
fn invalid_files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(repository().join("shared/monitors-file/tests/invalid")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".yaml") && !name.starts_with("yaml-") {
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    assert!(files.len() > 40, "fixtures are missing");
    files
}

/// Each file is refused by Rust. The table says which of them the plan refuses too, because of the schema or of the deployment.
#[test]
#[ignore = "needs Terraform: .ci/infra runs it"]
fn each_invalid_file_is_refused_by_schema_terraform_or_rust() {
    let files = invalid_files();
    let read = read_with_terraform("invalid-definitions", &files);
    let mut table = String::new();
    for (name, text) in &files {
        assert!(
            portpulse_monitors_file::read(text, NetworkAccess::PlainLambda).is_err(),
            "{name}"
        );
        let diagnostics = read[name]["diagnostics"].as_array().unwrap();
        let rules = [
            "cannot be reached",
            "cannot be sent",
            "AWS blocks",
            "is defined",
            "these are deployed",
            "that are deployed",
        ];
        let is_rule = |text: &&Value| rules.iter().any(|rule| text.as_str().unwrap().contains(rule));
        let deployment = diagnostics.iter().filter(is_rule).count();
        let by = match (diagnostics.len() - deployment, deployment) {
            (0, 0) => "Rust alone",
            (0, _) => "Terraform",
            _ => "schema",
        };
        table.push_str(&format!("{name:32} {by}\n"));
    }
    insta::assert_snapshot!(table);
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
