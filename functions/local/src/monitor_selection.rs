//! Selects monitors of a table by id, pattern or tag, as `ack`, `silence`, `unsilence` and `list` do.

use std::collections::BTreeMap;

use glob::Pattern;
use portpulse_core::definition::near_misses;
use portpulse_core::group::GroupId;
use portpulse_core::id::MonitorId;
use portpulse_store::definitions::StoredDefinition;
use serde_json::Value;

use crate::output::{CommandError, with_help};
use crate::table_access::OpenTable;

/// The stored definitions of a table.
pub(crate) type Definitions = BTreeMap<GroupId, BTreeMap<String, StoredDefinition>>;

/// The monitors that a command works on: those with one of the ids, or with one of the tags.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct SelectionArgs {
    /// The ids of monitors, or patterns: `*` is any text, `?` any character, as in 'orders-*'
    #[arg(value_name = "ID")]
    ids: Vec<String>,

    /// Select the monitors with this tag; repeatable
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
}

/// Whether all monitors may be selected by `--all`.
#[derive(Debug, clap::Args)]
pub(crate) struct ControlSelectionArgs {
    #[command(flatten)]
    selection: SelectionArgs,

    /// Select all monitors
    #[arg(long, conflicts_with_all = ["ids", "tags"], required_unless_present_any = ["ids", "tags"])]
    all: bool,
}

/// Monitors with their groups.
pub(crate) type Selected = BTreeMap<MonitorId, GroupId>;

impl ControlSelectionArgs {
    /// The selected monitors of the table.
    pub(crate) async fn read(&self, table: &OpenTable) -> Result<Selected, CommandError> {
        let selected = self.selection.select(&definitions(table).await?);
        selected.map_err(|problem| refused(table, &problem))
    }
}

impl SelectionArgs {
    /// The selected monitors; all without ids and tags. The error lists every id, pattern and tag without a monitor.
    pub(crate) fn select(&self, definitions: &Definitions) -> Result<Selected, String> {
        let all = || definitions.values().flatten();
        let mut selected = vec![self.ids.is_empty() && self.tags.is_empty(); all().count()];
        let mut problems = Vec::new();
        let mut add = |is_selected: &dyn Fn(&str, &StoredDefinition) -> bool,
                       problem: &dyn Fn() -> String| {
            let mut found = false;
            for (slot, (id, definition)) in selected.iter_mut().zip(all()) {
                let is_selected = is_selected(id, definition);
                *slot |= is_selected;
                found |= is_selected;
            }
            if !found {
                problems.push(problem());
            }
        };
        for text in &self.ids {
            let ids = || all().map(|(id, _)| id.as_str());
            match Pattern::new(text) {
                Ok(pattern) if text.contains(['*', '?', '[']) => {
                    add(&|id, _| pattern.matches(id), &|| {
                        format!("no monitor matches `{}`", text.escape_debug())
                    });
                }
                Ok(_) | Err(_) => add(&|id, _| id == text, &|| unknown_id(text, ids())),
            }
        }
        for tag in &self.tags {
            let known = || all().flat_map(|(_, definition)| tags(definition));
            add(&|_, definition| tags(definition).any(|own| own == tag), &|| {
                let problem = format!("no monitor has the tag `{}`", tag.escape_debug());
                let mut near = near_misses(tag, known());
                near.dedup();
                match near.as_slice() {
                    [] => problem,
                    near => with_help(problem, format_args!("similar tags: {}", near.join(", "))),
                }
            });
        }
        if !problems.is_empty() {
            return Err(problems.join("\n"));
        }
        let groups = definitions
            .iter()
            .flat_map(|(group, of_group)| of_group.keys().map(move |id| (id, *group)));
        let selected = groups.zip(selected).filter(|(_, is_selected)| *is_selected);
        // An id that is not valid belongs to no monitor that could be checked.
        Ok(selected
            .filter_map(|((id, group), _)| Some((id.parse().ok()?, group)))
            .collect())
    }
}

/// The definitions of the table, including disabled and invalid ones.
pub(crate) async fn definitions(table: &OpenTable) -> Result<Definitions, CommandError> {
    let all = table.store.all_stored_definitions(&BTreeMap::new()).await;
    all.map_err(|error| CommandError::failed(format!("read the definitions of {table}"), error))
}

/// Finds a monitor and its group by id.
pub(crate) async fn find_monitor(table: &OpenTable, id: &str) -> Result<(MonitorId, GroupId), CommandError> {
    let all = definitions(table).await?;
    let group = all.iter().find(|(_, definitions)| definitions.contains_key(id));
    if let (Some((group, _)), Ok(monitor)) = (group, id.parse()) {
        return Ok((monitor, *group));
    }
    let ids = all.values().flat_map(BTreeMap::keys).map(String::as_str);
    Err(refused(table, &unknown_id(id, ids)))
}

/// The error of a selection, with the table that was searched.
pub(crate) fn refused(table: &OpenTable, problem: &str) -> CommandError {
    CommandError::usage(format!("{table}: {problem}"))
}

fn unknown_id<'a>(id: &str, ids: impl Iterator<Item = &'a str>) -> String {
    let help = match near_misses(id, ids).as_slice() {
        [] => "`portpulse list` lists all monitors".to_owned(),
        near => format!("similar ids: {}", near.join(", ")),
    };
    with_help(
        format_args!("monitor `{}` does not exist", id.escape_debug()),
        help,
    )
}

/// The tags of a definition.
pub(crate) fn tags(definition: &StoredDefinition) -> impl Iterator<Item = &str> {
    let tags = definition
        .attributes
        .as_ref()
        .ok()
        .and_then(|attributes| attributes.get("tags"));
    tags.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portpulse_store::definitions::Owner;
    use serde_json::json;

    /// `orders-db` and `orders-web` with the tag `prod`, `cache` with `test`.
    #[track_caller]
    fn check(ids: &[&str], tags: &[&str], expected: Result<&[&str], &str>) {
        let definition = |tag: &str| StoredDefinition {
            owner: Owner::Seed,
            attributes: Ok(json!({ "tags": [tag] }).as_object().unwrap().clone()),
        };
        let of = |monitors: &[(&str, &str)]| {
            let monitors = monitors
                .iter()
                .map(|(id, tag)| ((*id).to_owned(), definition(tag)));
            monitors.collect::<BTreeMap<_, _>>()
        };
        let definitions = Definitions::from([
            (
                "1m#0".parse().unwrap(),
                of(&[("orders-db", "prod"), ("cache", "test")]),
            ),
            ("5m#0".parse().unwrap(), of(&[("orders-web", "prod")])),
        ]);
        let selection = SelectionArgs {
            ids: ids.iter().map(ToString::to_string).collect(),
            tags: tags.iter().map(ToString::to_string).collect(),
        };
        let selected = selection.select(&definitions);
        let selected = selected.map(|selected| selected.keys().map(ToString::to_string).collect::<Vec<_>>());
        let expected = expected.map(|ids| ids.iter().map(ToString::to_string).collect());
        assert_eq!(selected, expected.map_err(str::to_owned));
    }

    #[test]
    fn ids_patterns_and_tags_select_monitors() {
        check(&[], &[], Ok(&["cache", "orders-db", "orders-web"]));
        check(&["cache"], &[], Ok(&["cache"]));
        check(&["orders-*"], &[], Ok(&["orders-db", "orders-web"]));
        check(&["orders-d?", "cache"], &[], Ok(&["cache", "orders-db"]));
        check(&[], &["test"], Ok(&["cache"]));
        check(&["cache"], &["prod"], Ok(&["cache", "orders-db", "orders-web"]));
    }

    #[test]
    fn unknown_ids_patterns_and_tags_are_listed_with_suggestions() {
        check(
            &["ordres-db", "cache", "web-*"],
            &["prdo"],
            Err(
                "monitor `ordres-db` does not exist\n  help: similar ids: orders-db, orders-web\n\
                 no monitor matches `web-*`\n\
                 no monitor has the tag `prdo`\n  help: similar tags: prod",
            ),
        );
        let message = "monitor `smtp` does not exist\n  help: `portpulse list` lists all monitors";
        check(&["smtp"], &[], Err(message));
    }
}
