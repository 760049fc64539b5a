//! YAML as a tree of values with their lines.

use std::collections::BTreeMap;
use std::rc::Rc;

use portpulse_core::definition::{Diagnostic, FieldPath};
use serde_json::Value;

use crate::Mistake;

/// The content of a file, as far as it could be read.
pub(crate) struct Tree {
    pub(crate) root: Rc<Node>,
    pub(crate) mistakes: Vec<Mistake>,
    /// Whether the file was read to the end.
    pub(crate) complete: bool,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    /// The index of the file, from 0.
    pub(crate) file: usize,
    /// The line, from 1.
    pub(crate) line: usize,
}

impl Spot {
    /// Adds the place to a diagnostic.
    pub(crate) fn mistake(self, diagnostic: Diagnostic) -> Mistake {
        let Self { file, line } = self;
        Mistake {
            file,
            line,
            diagnostic,
        }
    }
}

/// A value and its first line.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) spot: Spot,
    pub(crate) kind: Kind,
    /// The size of a copy in bytes: the text, and 16 for each value.
    pub(crate) weight: usize,
    /// The number of levels; a scalar has one.
    pub(crate) depth: usize,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Scalar(Value),
    List(Vec<Rc<Node>>),
    Map(Entries),
}

pub(crate) type Entries = BTreeMap<String, Entry>;

/// An entry of a map.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The place of the name.
    pub(crate) spot: Spot,
    pub(crate) value: Rc<Node>,
}

impl Node {
    pub(crate) fn new(spot: Spot, kind: Kind) -> Self {
        const EACH: usize = 16;
        let (inside, below) = match &kind {
            Kind::Scalar(Value::String(text)) => (text.len(), 0),
            Kind::Scalar(_) => (0, 0),
            Kind::List(nodes) => nodes.iter().fold((0, 0), |(weight, depth), node| {
                (weight + node.weight, depth.max(node.depth))
            }),
            Kind::Map(entries) => entries.iter().fold((0, 0), |(weight, depth), (name, entry)| {
                (
                    weight + name.len() + entry.value.weight,
                    depth.max(entry.value.depth),
                )
            }),
        };
        Self {
            spot,
            kind,
            weight: EACH + inside,
            depth: 1 + below,
        }
    }

    /// The value without lines.
    pub(crate) fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(nodes) => nodes.iter().map(|node| node.value()).collect(),
            Kind::Map(entries) => {
                let fields = entries
                    .iter()
                    .map(|(name, entry)| (name.clone(), entry.value.value()));
                Value::Object(fields.collect())
            }
        }
    }

    /// The place of the value at a path, or of its nearest parent in the file.
    pub(crate) fn spot_of(&self, at: &FieldPath) -> Spot {
        let (mut spot, mut node) = (self.spot, self);
        for part in at.parts() {
            let next = match &node.kind {
                Kind::Scalar(_) => None,
                Kind::List(nodes) => part
                    .parse()
                    .ok()
                    .and_then(|index: usize| nodes.get(index))
                    .map(|node| (node.spot, node)),
                Kind::Map(entries) => entries.get(part).map(|entry| (entry.spot, &entry.value)),
            };
            match next {
                Some((next_spot, next_node)) => (spot, node) = (next_spot, next_node),
                None => break,
            }
        }
        spot
    }

    /// Adds the place to a diagnostic.
    pub(crate) fn mistake(&self, diagnostic: Diagnostic) -> Mistake {
        self.spot_of(&diagnostic.at).mistake(diagnostic)
    }
}
