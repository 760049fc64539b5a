//! Builds the tree from parser events, and refuses what is not allowed in definitions files: duplicate names, names that
//! are not strings, tags, several documents, and aliases that expand without limit.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use portpulse_core::definition::{Diagnostic, FieldPath, Help};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use serde_json::Value;

use crate::open::{Content, Key, OpenNode, Stack};
use crate::tree::{Entries, Entry, Kind, Node, Spot, Tree};
use crate::{MAX_BYTES, Mistake, scalar};

/// The maximum depth of nested values; definitions need five levels.
const MAX_DEPTH: usize = 32;
/// The maximum size that aliases may add to a file, in bytes as in [`Node::weight`].
const MAX_ALIASED: usize = MAX_BYTES;

impl Tree {
    /// Parses the text of the file with this index.
    pub(crate) fn parse(text: &str, ambiguous_scalars: AmbiguousScalars, file: usize) -> Self {
        let builder = Builder {
            ambiguous_scalars,
            file,
            ..Builder::default()
        };
        builder.build(text)
    }
}

/// A tag as written in YAML, such as `!!binary`.
fn tag_name(tag: &Tag) -> String {
    format!("{}{}", tag.handle, tag.suffix).replace("tag:yaml.org,2002:", "!!")
}

/// The state of the parser.
#[derive(Default)]
struct Builder {
    /// The index of the file.
    file: usize,
    open: Stack,
    root: Option<Rc<Node>>,
    anchors: HashMap<usize, Rc<Node>>,
    aliased: usize,
    documents: usize,
    ambiguous_scalars: AmbiguousScalars,
    mistakes: Vec<Mistake>,
}

/// How to handle unquoted text that YAML parsers interpret differently.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum AmbiguousScalars {
    /// Report a mistake.
    #[default]
    Refused,
    /// Read a string.
    Text,
}

/// Whether reading continues.
enum Next {
    Continue,
    Stop,
    /// Stop; the values read so far are complete.
    StopComplete,
}

impl Builder {
    fn spot(&self, line: usize) -> Spot {
        Spot {
            file: self.file,
            line,
        }
    }

    fn build(mut self, text: &str) -> Tree {
        let complete = if text.len() > MAX_BYTES {
            let what = format!("the file has {} bytes", text.len());
            self.mistake(
                1,
                what,
                format!("use at most {MAX_BYTES} bytes, or split the file into several installations"),
            );
            false
        } else {
            self.read(text)
        };
        let first = self.spot(1);
        let null = || Rc::new(Node::new(first, Kind::Scalar(Value::Null)));
        Tree {
            root: self.root.unwrap_or_else(null),
            mistakes: self.mistakes,
            complete,
        }
    }

    fn read(&mut self, text: &str) -> bool {
        let mut parser = Parser::new_from_str(text);
        loop {
            match parser.next_event() {
                None | Some(Ok((Event::StreamEnd, _))) => return true,
                Some(Ok((event, span))) => match self.event(event, span.start.line()) {
                    Next::Continue => {}
                    Next::Stop => return false,
                    Next::StopComplete => return true,
                },
                Some(Err(error)) => {
                    self.syntax_error(&error);
                    return false;
                }
            }
        }
    }

    fn event(&mut self, event: Event<'_>, line: usize) -> Next {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.mistake(
                        line,
                        "the file has a second document",
                        "remove the `---` and everything after it",
                    );
                    return Next::StopComplete;
                }
            }
            Event::Alias(anchor) => return self.alias(anchor, line),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), line);
                if self.tagged_scalar(&text, tag.as_deref(), anchor, line) {
                    return Next::Continue;
                }
                self.scalar(&text, style, anchor, line);
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), line);
                return self.begin(anchor, line, Content::List(Vec::new()));
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), line);
                let (entries, merged, key) = (BTreeMap::new(), None, Key::AwaitingName);
                return self.begin(anchor, line, Content::Map { entries, merged, key });
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
        Next::Continue
    }

    fn begin(&mut self, anchor: usize, line: usize, content: Content) -> Next {
        if self.open.depth() >= MAX_DEPTH {
            return self.too_deep(line);
        }
        if self.open.expects_name() {
            self.open.set_key(Key::Complex);
            self.mistake(
                line,
                "a list or map cannot be a name",
                "write a string before the `:`",
            );
        }
        self.open.push(OpenNode {
            spot: self.spot(line),
            anchor,
            content,
        });
        Next::Continue
    }

    fn end(&mut self) {
        let Some(OpenNode {
            spot,
            anchor,
            content,
        }) = self.open.pop()
        else {
            return;
        };
        let kind = match content {
            Content::List(nodes) => Kind::List(nodes),
            Content::Map {
                mut entries, merged, ..
            } => {
                if let Some(merged) = merged {
                    self.merge(&mut entries, &merged, spot.line);
                }
                Kind::Map(entries)
            }
        };
        let node = Rc::new(Node::new(spot, kind));
        self.anchor(anchor, &node);
        self.attach(node);
    }

    /// Adds the fields of the maps in `<<` that the map does not have.
    fn merge(&mut self, entries: &mut Entries, merged: &Node, line: usize) {
        let sources: Vec<&Node> = match &merged.kind {
            Kind::List(nodes) => nodes.iter().map(Rc::as_ref).collect(),
            Kind::Scalar(_) | Kind::Map(_) => vec![merged],
        };
        for source in sources {
            let Kind::Map(fields) = &source.kind else {
                self.mistake(
                    line,
                    "`<<` requires a map",
                    "use an alias of a map, such as `<<: *base`",
                );
                continue;
            };
            for (name, entry) in fields {
                entries.entry(name.clone()).or_insert_with(|| entry.clone());
            }
        }
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Next {
        // An anchor is added when its value is complete.
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            self.mistake(
                line,
                "contains an alias of itself",
                "write the value instead of the alias",
            );
            return Next::Stop;
        };
        if self.open.depth() + node.depth > MAX_DEPTH {
            return self.too_deep(line);
        }
        self.aliased = self.aliased.saturating_add(node.weight);
        if self.aliased > MAX_ALIASED {
            let what = "aliases make the file too large";
            self.mistake(
                line,
                what,
                "use fewer aliases, or move common fields to `defaults`",
            );
            return Next::Stop;
        }
        if self.open.expects_name() {
            match &node.kind {
                Kind::Scalar(Value::String(name)) => self.name(name.clone(), line),
                Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => {
                    let what = "an alias of a name must be a string";
                    self.mistake(line, what, "write a string before the `:`");
                    self.open.set_key(Key::Dropped);
                }
            }
        } else {
            self.attach(node);
        }
        Next::Continue
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, line: usize) {
        let value = match style {
            ScalarStyle::Plain => scalar::plain(text),
            ScalarStyle::SingleQuoted
            | ScalarStyle::DoubleQuoted
            | ScalarStyle::Literal
            | ScalarStyle::Folded => Ok(Value::String(text.to_owned())),
        };
        if self.open.expects_name() {
            if style == ScalarStyle::Plain && text == "<<" {
                self.merge_key(line);
                return;
            }
            self.name(text.to_owned(), line);
            if self.ambiguous_scalars == AmbiguousScalars::Refused && !matches!(value, Ok(Value::String(_))) {
                self.mistake(line, "the name is not a string in YAML", "put the name in quotes");
            }
            let node = Rc::new(Node::new(
                self.spot(line),
                Kind::Scalar(Value::String(text.to_owned())),
            ));
            self.anchor(anchor, &node);
            return;
        }
        let value = value.unwrap_or_else(|scalar::AmbiguousScalar { what, help }| {
            if self.ambiguous_scalars == AmbiguousScalars::Refused {
                self.mistake(line, format!("`{text}` {what}"), help);
            }
            // A string, so that the field is not reported as missing too.
            Value::String(text.to_owned())
        });
        let node = Rc::new(Node::new(self.spot(line), Kind::Scalar(value)));
        self.anchor(anchor, &node);
        self.attach(node);
    }

    fn name(&mut self, name: String, line: usize) {
        let first = self.open.line_of(&name);
        let spot = self.spot(line);
        self.open.set_key(Key::Named { name, spot });
        if let Some(first) = first {
            let what = format!("is a duplicate of line {first}");
            self.mistake(line, what, "remove or rename one of them");
            self.open.set_key(Key::Dropped);
        }
    }

    fn merge_key(&mut self, line: usize) {
        let again = self.open.has_merged();
        self.open.set_key(if again { Key::Dropped } else { Key::Merge });
        if again {
            self.mistake(
                line,
                "`<<` is a duplicate",
                "use one `<<` with a list: `<<: [*one, *two]`",
            );
        }
    }

    /// Adds a complete value to the tree.
    fn attach(&mut self, node: Rc<Node>) {
        if let Some(root) = self.open.attach(node) {
            self.root = Some(root);
        }
    }

    fn anchor(&mut self, anchor: usize, node: &Rc<Node>) {
        // The parser counts anchors from 1.
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(node));
        }
    }

    /// Reads a scalar of another program with a tag such as `!!binary` as a map of the tag to the text, because the text
    /// alone would be another value. Returns whether the scalar was read.
    fn tagged_scalar(&mut self, text: &str, tag: Option<&Tag>, anchor: usize, line: usize) -> bool {
        let name = tag.map(tag_name).unwrap_or_default();
        let is_core = matches!(
            name.as_str(),
            "" | "!!str" | "!!int" | "!!float" | "!!bool" | "!!null"
        );
        if self.ambiguous_scalars == AmbiguousScalars::Refused || is_core || self.open.expects_name() {
            return false;
        }
        let spot = self.spot(line);
        let value = Rc::new(Node::new(spot, Kind::Scalar(Value::String(text.to_owned()))));
        let node = Rc::new(Node::new(
            spot,
            Kind::Map(Entries::from([(name, Entry { spot, value })])),
        ));
        self.anchor(anchor, &node);
        self.attach(node);
        true
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, line: usize) {
        if self.ambiguous_scalars == AmbiguousScalars::Text {
            return;
        }
        if let Some(tag) = tag {
            let text = tag_name(tag);
            let help = "remove the tag; quote strings that look like other types";
            self.mistake(line, format!("has the tag `{}`", text.escape_debug()), help);
        }
    }

    fn too_deep(&mut self, line: usize) -> Next {
        let what = format!("is nested deeper than {MAX_DEPTH} levels");
        self.mistake(line, what, "use fewer levels");
        Next::Stop
    }

    fn syntax_error(&mut self, error: &ScanError) {
        let help = if error.info().contains("tab") {
            "indent with spaces"
        } else if error.info().contains("unknown anchor") {
            "define the anchor above with `&`; quote strings that start with `*`"
        } else {
            "check the indentation, brackets and quotes near this line"
        };
        let diagnostic = Diagnostic::new(
            FieldPath::root(),
            format!("this is not YAML: {}", error.info()),
            help,
        );
        self.mistakes
            .push(self.spot(error.marker().line()).mistake(diagnostic));
    }

    /// Adds a mistake in the current value.
    fn mistake(&mut self, line: usize, what: impl Into<String>, help: impl Into<Help>) {
        let at = self.open.path();
        let mistake = self.spot(line).mistake(Diagnostic::new(at, what, help));
        self.mistakes.push(mistake);
    }
}
