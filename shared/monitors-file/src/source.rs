//! Files of definitions: their bytes as text, and several files as one tree.

use std::rc::Rc;

use portpulse_core::definition::{Diagnostic, FieldPath};
use serde_json::Value;

use crate::Mistake;
use crate::build::AmbiguousScalars;
use crate::tree::{Entries, Kind, Node, Spot, Tree};

/// One file.
#[derive(Debug, Clone)]
pub struct Source {
    /// The name, as in messages.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// The text of a file, or why it is none.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Mistake> {
    let refuse = |line, what: String| {
        let help = "save the file as UTF-8";
        Mistake::new(line, Diagnostic::new(FieldPath::root(), what, help))
    };
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] = bytes {
        return Err(refuse(1, "the file is UTF-16, not UTF-8".to_owned()));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let (before, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let byte = rest.first().copied().unwrap_or_default();
        let guess = match char::from(byte) {
            c if c.is_alphanumeric() => format!(", and is `{c}` in Latin-1"),
            _ => String::new(),
        };
        refuse(line, format!("the byte 0x{byte:02x} is not UTF-8{guess}"))
    })
}

impl Tree {
    /// Parses files of definitions as if they were one: maps are joined, lists are concatenated, and no other value or key of
    /// a map is in two files.
    pub(crate) fn join(sources: &[Source]) -> Self {
        let mut mistakes = Vec::new();
        let mut complete = true;
        let mut roots = Vec::new();
        for (file, source) in sources.iter().enumerate() {
            match text(&source.bytes) {
                Ok(text) => {
                    let tree = Self::parse(text, AmbiguousScalars::Refused, file);
                    mistakes.extend(tree.mistakes);
                    complete &= tree.complete;
                    roots.push(tree.root);
                }
                Err(mistake) => {
                    mistakes.push(Mistake { file, ..mistake });
                    complete = false;
                }
            }
        }
        let root = match roots.as_slice() {
            [root] => Rc::clone(root),
            roots => joined(roots, sources, &mut mistakes),
        };
        Self {
            root,
            mistakes,
            complete,
        }
    }
}

/// The top-level fields of all files.
fn joined(roots: &[Rc<Node>], sources: &[Source], mistakes: &mut Vec<Mistake>) -> Rc<Node> {
    let mut top = Entries::new();
    for root in roots {
        let fields = match &root.kind {
            Kind::Map(fields) => fields,
            // A file without content.
            Kind::Scalar(Value::Null) => continue,
            Kind::Scalar(_) | Kind::List(_) => {
                let help = "start the file with `monitors:`, followed by `  id: { host: …, port: … }`";
                let what = "the file is not a map of fields";
                mistakes.push(root.spot.mistake(Diagnostic::new(FieldPath::root(), what, help)));
                continue;
            }
        };
        for (name, entry) in fields {
            let Some(before) = top.get_mut(name) else {
                top.insert(name.clone(), entry.clone());
                continue;
            };
            let at = FieldPath::root().field(name);
            match (name.as_str(), &before.value.kind, &entry.value.kind) {
                ("monitors", Kind::Map(first), Kind::Map(second)) => {
                    let mut all = first.clone();
                    for (id, entry) in second {
                        match all.get(id) {
                            Some(first) => {
                                mistakes.push(duplicate(&at.field(id), first.spot, entry.spot, sources));
                            }
                            None => drop(all.insert(id.clone(), entry.clone())),
                        }
                    }
                    before.value = Rc::new(Node::new(before.spot, Kind::Map(all)));
                }
                ("maintenance" | "agents", Kind::List(first), Kind::List(second)) => {
                    let all = first.iter().chain(second).map(Rc::clone).collect();
                    before.value = Rc::new(Node::new(before.spot, Kind::List(all)));
                }
                (_, Kind::Scalar(Value::Null), _) => *before = entry.clone(),
                (_, _, Kind::Scalar(Value::Null)) => {}
                // For anchors, which end with their file.
                (name, _, _) if name.starts_with("x-") => {}
                _ => mistakes.push(duplicate(&at, before.spot, entry.spot, sources)),
            }
        }
    }
    let spot = Spot { file: 0, line: 1 };
    let kind = if top.is_empty() {
        Kind::Scalar(Value::Null)
    } else {
        Kind::Map(top)
    };
    Rc::new(Node::new(spot, kind))
}

fn duplicate(at: &FieldPath, first: Spot, second: Spot, sources: &[Source]) -> Mistake {
    let name = sources.get(first.file).map_or("", |source| source.name.as_str());
    let what = format!("is a duplicate of {name}:{}", first.line);
    second.mistake(Diagnostic::new(at.clone(), what, "remove or rename one of them"))
}
