//! The lists and maps whose ends have not come: where the next value belongs.

use std::rc::Rc;

use portpulse_core::definition::FieldPath;

use crate::tree::{Entries, Entry, Node};

/// The lists and maps that the next event stands in, the outermost first.
#[derive(Default)]
pub(crate) struct Stack(Vec<Open>);

/// A list or map whose end has not come.
pub(crate) struct Open {
    pub(crate) line: usize,
    pub(crate) anchor: usize,
    pub(crate) holds: Holds,
}

pub(crate) enum Holds {
    List(Vec<Rc<Node>>),
    Map {
        entries: Entries,
        merged: Option<Rc<Node>>,
        key: Key,
    },
}

/// Where a map stands: before a name, or before the value of one.
pub(crate) enum Key {
    /// A name comes next.
    Awaited,
    /// The value of this name comes next.
    Named { name: String, line: usize },
    /// The value of `<<` comes next.
    Merge,
    /// A list or map stands where a name belongs, and is not at its end.
    Complex,
    /// The value of a name that cannot be used comes next.
    Dropped,
}

impl Stack {
    pub(crate) fn depth(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn push(&mut self, open: Open) {
        self.0.push(open);
    }

    pub(crate) fn pop(&mut self) -> Option<Open> {
        self.0.pop()
    }

    /// Whether the next value is a name.
    pub(crate) fn awaits_name(&self) -> bool {
        matches!(
            self.0.last(),
            Some(Open {
                holds: Holds::Map {
                    key: Key::Awaited,
                    ..
                },
                ..
            })
        )
    }

    /// Whether the innermost map has had a `<<`.
    pub(crate) fn has_merged(&self) -> bool {
        matches!(
            self.0.last(),
            Some(Open {
                holds: Holds::Map { merged: Some(_), .. },
                ..
            })
        )
    }

    /// The line on which the innermost map has this name already.
    pub(crate) fn line_of(&self, name: &str) -> Option<usize> {
        match &self.0.last()?.holds {
            Holds::Map { entries, .. } => entries.get(name).map(|entry| entry.line),
            Holds::List(_) => None,
        }
    }

    /// Says where the innermost map stands now.
    pub(crate) fn set_key(&mut self, next: Key) {
        if let Some(Open {
            holds: Holds::Map { key, .. },
            ..
        }) = self.0.last_mut()
        {
            *key = next;
        }
    }

    /// Puts a finished value where it belongs; gives it back where nothing is open, for it is the whole file.
    pub(crate) fn attach(&mut self, node: Rc<Node>) -> Option<Rc<Node>> {
        let Some(open) = self.0.last_mut() else {
            return Some(node);
        };
        match &mut open.holds {
            Holds::List(nodes) => nodes.push(node),
            Holds::Map { entries, merged, key } => match std::mem::replace(key, Key::Awaited) {
                Key::Named { name, line } => {
                    entries.insert(name, Entry { line, value: node });
                }
                Key::Merge => *merged = Some(node),
                Key::Complex => *key = Key::Dropped,
                Key::Awaited | Key::Dropped => {}
            },
        }
        None
    }

    /// The place of the value that comes next.
    pub(crate) fn place(&self) -> FieldPath {
        self.0
            .iter()
            .fold(FieldPath::root(), |at, open| match &open.holds {
                Holds::List(nodes) => at.index(nodes.len()),
                Holds::Map {
                    key: Key::Named { name, .. },
                    ..
                } => at.field(name),
                Holds::Map { .. } => at,
            })
    }
}
