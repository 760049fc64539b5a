//! The open lists and maps during parsing, which determine where the next value belongs.

use std::rc::Rc;

use portpulse_core::definition::FieldPath;

use crate::tree::{Entries, Entry, Node, Spot};

/// The open lists and maps, the outermost first.
#[derive(Default)]
pub(crate) struct Stack(Vec<OpenNode>);

/// An open list or map.
pub(crate) struct OpenNode {
    pub(crate) spot: Spot,
    pub(crate) anchor: usize,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    List(Vec<Rc<Node>>),
    Map {
        entries: Entries,
        merged: Option<Rc<Node>>,
        key: Key,
    },
}

/// The state of an open map: before a name, or before a value.
pub(crate) enum Key {
    /// A name comes next.
    AwaitingName,
    /// The value of this name comes next.
    Named { name: String, spot: Spot },
    /// The value of `<<` comes next.
    Merge,
    /// A list or map in place of a name is open.
    Complex,
    /// The value of an invalid name comes next.
    Dropped,
}

impl Stack {
    pub(crate) fn depth(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn push(&mut self, open: OpenNode) {
        self.0.push(open);
    }

    pub(crate) fn pop(&mut self) -> Option<OpenNode> {
        self.0.pop()
    }

    /// Whether the next value is a name.
    pub(crate) fn expects_name(&self) -> bool {
        matches!(
            self.0.last(),
            Some(OpenNode {
                content: Content::Map {
                    key: Key::AwaitingName,
                    ..
                },
                ..
            })
        )
    }

    /// Whether the innermost map has a `<<`.
    pub(crate) fn has_merged(&self) -> bool {
        matches!(
            self.0.last(),
            Some(OpenNode {
                content: Content::Map { merged: Some(_), .. },
                ..
            })
        )
    }

    /// The line of this name in the innermost map, if it exists.
    pub(crate) fn line_of(&self, name: &str) -> Option<usize> {
        match &self.0.last()?.content {
            Content::Map { entries, .. } => entries.get(name).map(|entry| entry.spot.line),
            Content::List(_) => None,
        }
    }

    /// Sets the state of the innermost map.
    pub(crate) fn set_key(&mut self, next: Key) {
        if let Some(OpenNode {
            content: Content::Map { key, .. },
            ..
        }) = self.0.last_mut()
        {
            *key = next;
        }
    }

    /// Adds a complete value to the innermost list or map. Returns the value if it is the root.
    pub(crate) fn attach(&mut self, node: Rc<Node>) -> Option<Rc<Node>> {
        let Some(open) = self.0.last_mut() else {
            return Some(node);
        };
        match &mut open.content {
            Content::List(nodes) => nodes.push(node),
            Content::Map { entries, merged, key } => match std::mem::replace(key, Key::AwaitingName) {
                Key::Named { name, spot } => {
                    entries.insert(name, Entry { spot, value: node });
                }
                Key::Merge => *merged = Some(node),
                Key::Complex => *key = Key::Dropped,
                Key::AwaitingName | Key::Dropped => {}
            },
        }
        None
    }

    /// The path of the next value.
    pub(crate) fn path(&self) -> FieldPath {
        self.0
            .iter()
            .fold(FieldPath::root(), |at, open| match &open.content {
                Content::List(nodes) => at.index(nodes.len()),
                Content::Map {
                    key: Key::Named { name, .. },
                    ..
                } => at.field(name),
                Content::Map { .. } => at,
            })
    }
}
