//! The configuration uses no feature newer than its `required_version`. Its tests may.

use std::fs;
use std::path::{Path, PathBuf};

use crate::repository;

/// Functions and blocks with the Terraform version that added them.
/// Source: <https://github.com/hashicorp/terraform/blob/main/CHANGELOG.md>
const FEATURES: [(&str, &str); 7] = [
    ("provider::", "1.8"),
    ("issensitive(", "1.8"),
    ("templatestring(", "1.9"),
    ("ephemeralasnull(", "1.10"),
    ("\nremoved {", "1.7"),
    ("\nephemeral \"", "1.10"),
    ("write_only", "1.11"),
];

fn add_configurations(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with(".terraform") {
            add_configurations(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "tf") {
            found.push(path);
        }
    }
}

/// References of validations to other variables, which require Terraform 1.9.
fn foreign_references(text: &str) -> Vec<String> {
    let mut foreign = Vec::new();
    for block in text.split("\nvariable \"").skip(1) {
        let (name, body) = block.split_once('"').unwrap();
        let body = body.split("\n}\n").next().unwrap();
        for reference in body.split("var.").skip(1) {
            let word: String = reference
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if word != name {
                foreign.push(format!("{name} refers to {word}"));
            }
        }
    }
    foreign
}

#[test]
fn configuration_requires_at_most_terraform_1_5() {
    let mut files = Vec::new();
    add_configurations(&repository().join("infra"), &mut files);
    assert!(files.len() > 15, "{files:?}");
    let mut findings = Vec::new();
    for path in files {
        let text = format!("\n{}", fs::read_to_string(&path).unwrap());
        let newer = FEATURES.iter().filter(|(feature, _)| text.contains(feature));
        findings.extend(
            newer.map(|(feature, version)| {
                format!("{}: {} requires {version}", path.display(), feature.trim())
            }),
        );
        findings.extend(
            foreign_references(&text)
                .into_iter()
                .map(|reference| format!("{}: {reference}", path.display())),
        );
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    let example = "\nvariable \"a\" {\n  validation {\n    condition = var.a < var.b\n  }\n}\n";
    assert_eq!(foreign_references(example), ["a refers to b"]);
}
