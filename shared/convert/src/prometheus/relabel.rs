//! Applies `relabel_configs` of Prometheus to the labels of a target.
//!
//! Source: <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config>

use std::collections::BTreeMap;

use regex::Regex;

use crate::source_fields::SourceFields;

pub(super) type Labels = BTreeMap<String, String>;

/// The maximum size of a compiled expression, in bytes.
const MAX_EXPRESSION: usize = 1 << 20;

/// A rule that can be applied.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    action: Action,
    source_labels: Vec<String>,
    separator: String,
    regex: Regex,
    target_label: String,
    replacement: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Replace,
    Keep,
    Drop,
    KeepEqual,
    DropEqual,
    LabelMap,
    LabelDrop,
    LabelKeep,
    Lowercase,
    Uppercase,
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// The reason, if the rule cannot be applied.
    pub(super) fn read(mut fields: SourceFields) -> Result<Self, &'static str> {
        let action = fields.text("action").unwrap_or_else(|| "replace".to_owned());
        let action = match action.to_ascii_lowercase().as_str() {
            "replace" => Action::Replace,
            "keep" => Action::Keep,
            "drop" => Action::Drop,
            "keepequal" => Action::KeepEqual,
            "dropequal" => Action::DropEqual,
            "labelmap" => Action::LabelMap,
            "labeldrop" => Action::LabelDrop,
            "labelkeep" => Action::LabelKeep,
            "lowercase" => Action::Lowercase,
            "uppercase" => Action::Uppercase,
            _ => return Err("The action of this rule is not supported, so the rule is not applied."),
        };
        let pattern = fields.text("regex").unwrap_or_else(|| "(.*)".to_owned());
        let regex = regex::RegexBuilder::new(&format!("^(?s:{pattern})$"))
            .size_limit(MAX_EXPRESSION)
            .build()
            .map_err(|_| "The expression of this rule is not supported, so the rule is not applied.")?;
        let is_joined = fields.has_empty("separator");
        let is_removed = fields.has_empty("replacement");
        let rule = Self {
            action,
            source_labels: fields.texts("source_labels"),
            separator: match fields.text("separator") {
                Some(separator) => separator,
                None if is_joined => String::new(),
                None => ";".to_owned(),
            },
            regex,
            target_label: fields.text("target_label").unwrap_or_default(),
            // An empty replacement removes the label.
            replacement: match fields.text("replacement") {
                Some(replacement) => replacement,
                None if is_removed => String::new(),
                None => "$1".to_owned(),
            },
        };
        let is_complete = !rule.target_label.is_empty()
            || !matches!(
                action,
                Action::Replace
                    | Action::Lowercase
                    | Action::Uppercase
                    | Action::KeepEqual
                    | Action::DropEqual
            );
        if is_complete {
            Ok(rule)
        } else {
            Err("This rule has no `target_label`, so the rule is not applied.")
        }
    }

    /// Changes the labels; `false` if the target is dropped.
    fn apply(&self, labels: &mut Labels) -> bool {
        let value = |name: &String| labels.get(name).map_or("", String::as_str);
        let values: Vec<&str> = self.source_labels.iter().map(value).collect();
        let source = values.join(&self.separator);
        match self.action {
            Action::Keep => return self.regex.is_match(&source),
            Action::Drop => return !self.regex.is_match(&source),
            Action::KeepEqual => return source == value(&self.target_label),
            Action::DropEqual => return source != value(&self.target_label),
            Action::Replace => {
                if let Some(found) = self.regex.captures(&source) {
                    let (mut target, mut replaced) = (String::new(), String::new());
                    found.expand(&self.target_label, &mut target);
                    found.expand(&self.replacement, &mut replaced);
                    set(labels, target, replaced);
                }
            }
            Action::Lowercase => set(labels, self.target_label.clone(), source.to_lowercase()),
            Action::Uppercase => set(labels, self.target_label.clone(), source.to_uppercase()),
            Action::LabelMap => {
                let mut mapped = Vec::new();
                for (name, value) in &*labels {
                    if let Some(found) = self.regex.captures(name) {
                        let mut target = String::new();
                        found.expand(&self.replacement, &mut target);
                        mapped.push((target, value.clone()));
                    }
                }
                labels.extend(mapped);
            }
            Action::LabelDrop => labels.retain(|name, _| !self.regex.is_match(name)),
            Action::LabelKeep => labels.retain(|name, _| self.regex.is_match(name)),
        }
        true
    }
}

/// Applies the rules in their order; `false` if the target is dropped.
pub(super) fn apply(rules: &[Rule], labels: &mut Labels) -> bool {
    rules.iter().all(|rule| rule.apply(labels))
}

/// A label with an empty value does not exist.
fn set(labels: &mut Labels, name: String, value: String) {
    if value.is_empty() {
        labels.remove(&name);
    } else {
        labels.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rules(rules: Value) -> Vec<Rule> {
        let rules = rules.as_array().cloned().unwrap_or_default();
        let read = |rule| Rule::read(SourceFields::from_value(rule).unwrap_or_default());
        rules.into_iter().map(|rule| read(rule).unwrap()).collect()
    }

    #[test]
    fn rules_change_and_drop_targets() {
        let check = |written: Value, address: &str, expected: Option<&str>| {
            let mut labels = Labels::from([("__address__".to_owned(), address.to_owned())]);
            let is_kept = apply(&rules(written), &mut labels);
            let target = labels.remove("__param_target").unwrap_or_default();
            assert_eq!(is_kept.then_some(target.as_str()), expected);
        };
        let plain = json!([{ "source_labels": ["__address__"], "target_label": "__param_target" }]);
        check(plain, "a.example.com", Some("a.example.com"));
        let prefixed = json!([{ "source_labels": ["__address__"], "regex": "(.*):.*", "replacement": "https://${1}/health",
                                "target_label": "__param_target" }]);
        check(prefixed, "a.example.com:1", Some("https://a.example.com/health"));
        let kept = json!([{ "source_labels": ["__address__"], "regex": "b.*", "action": "keep" }]);
        check(kept.clone(), "a", None);
        check(kept, "b1", Some(""));
    }
}
