//! What is applied asks for no Terraform newer than `required_version` says; its tests may.

use std::fs;
use std::path::{Path, PathBuf};

use crate::repository;

/// Functions, blocks and the like, with the version that brought them.
/// Source: <https://github.com/hashicorp/terraform/blob/main/CHANGELOG.md>
const NEWER: [(&str, &str); 7] = [
    ("provider::", "1.8"),
    ("issensitive(", "1.8"),
    ("templatestring(", "1.9"),
    ("ephemeralasnull(", "1.10"),
    ("\nremoved {", "1.7"),
    ("\nephemeral \"", "1.10"),
    ("write_only", "1.11"),
];

fn configurations(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with(".terraform") {
            configurations(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "tf") {
            found.push(path);
        }
    }
}

/// The other variables that each `validation` of a file refers to: only Terraform 1.9 and newer let it.
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
fn what_is_applied_needs_no_more_than_terraform_1_5() {
    let mut files = Vec::new();
    configurations(&repository().join("infra"), &mut files);
    assert!(files.len() > 15, "{files:?}");
    let mut wrong = Vec::new();
    for path in files {
        let text = format!("\n{}", fs::read_to_string(&path).unwrap());
        let newer = NEWER.iter().filter(|(words, _)| text.contains(words));
        wrong.extend(
            newer.map(|(words, version)| format!("{}: {} needs {version}", path.display(), words.trim())),
        );
        wrong.extend(
            foreign_references(&text)
                .into_iter()
                .map(|what| format!("{}: {what}", path.display())),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mistaken = "\nvariable \"a\" {\n  validation {\n    condition = var.a < var.b\n  }\n}\n";
    assert_eq!(foreign_references(mistaken), ["a refers to b"]);
}
