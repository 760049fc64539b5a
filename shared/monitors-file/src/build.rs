//! Builds the tree from the parser's events, and notes what a definitions file may not hold: names written
//! twice, names that are not text, tags, several documents, and aliases that grow without end.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use portpulse_core::definition::{Diagnostic, FieldPath};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use serde_json::Value;

use crate::open::{Holds, Key, Open, Stack};
use crate::tree::{Entries, Kind, Node, Tree};
use crate::{MAX_BYTES, Mistake, scalar};

/// How deep values may be nested; definitions need five levels.
const MAX_DEPTH: usize = 32;
/// The most that aliases may add to a file, in bytes as [`Node::weight`] counts them.
const MAX_ALIASED: usize = MAX_BYTES;

/// What has been read so far.
#[derive(Default)]
pub(crate) struct Builder {
    open: Stack,
    root: Option<Rc<Node>>,
    anchors: HashMap<usize, Rc<Node>>,
    aliased: usize,
    documents: usize,
    doubtful: Doubtful,
    mistakes: Vec<Mistake>,
}

/// What becomes of unquoted text that readers of YAML take for different things.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Doubtful {
    /// It is a mistake.
    #[default]
    Refused,
    /// It is text.
    Text,
}

/// Whether reading can go on.
enum Next {
    Continue,
    Stop,
    /// The rest is not read, but what was read is whole.
    Enough,
}

impl Builder {
    pub(crate) fn new(doubtful: Doubtful) -> Self {
        Self {
            doubtful,
            ..Self::default()
        }
    }

    /// Reads a whole text.
    pub(crate) fn build(mut self, text: &str) -> Tree {
        let complete = if text.len() > MAX_BYTES {
            let what = format!("the file has {} bytes", text.len());
            self.mistake(
                1,
                what,
                format!("keep to {MAX_BYTES}: split it into several installations"),
            );
            false
        } else {
            self.read(text)
        };
        let nothing = || Rc::new(Node::new(1, Kind::Scalar(Value::Null)));
        Tree {
            root: self.root.unwrap_or_else(nothing),
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
                    Next::Enough => return true,
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
                        "a second document begins",
                        "remove the `---` and what follows it",
                    );
                    return Next::Enough;
                }
            }
            Event::Alias(anchor) => return self.alias(anchor, line),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), line);
                self.scalar(&text, style, anchor, line);
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), line);
                return self.begin(anchor, line, Holds::List(Vec::new()));
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), line);
                let (entries, merged, key) = (BTreeMap::new(), None, Key::Awaited);
                return self.begin(anchor, line, Holds::Map { entries, merged, key });
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
        Next::Continue
    }

    fn begin(&mut self, anchor: usize, line: usize, holds: Holds) -> Next {
        if self.open.depth() >= MAX_DEPTH {
            return self.too_deep(line);
        }
        if self.open.awaits_name() {
            self.open.set_key(Key::Complex);
            self.mistake(
                line,
                "has a list or map where a name belongs",
                "write text before the `:`",
            );
        }
        self.open.push(Open { line, anchor, holds });
        Next::Continue
    }

    fn end(&mut self) {
        let Some(Open { line, anchor, holds }) = self.open.pop() else {
            return;
        };
        let kind = match holds {
            Holds::List(nodes) => Kind::List(nodes),
            Holds::Map {
                mut entries, merged, ..
            } => {
                if let Some(merged) = merged {
                    self.merge(&mut entries, &merged, line);
                }
                Kind::Map(entries)
            }
        };
        let node = Rc::new(Node::new(line, kind));
        self.anchor(anchor, &node);
        self.attach(node);
    }

    /// Adds the fields of the maps that `<<` names, where the map has none of its own.
    fn merge(&mut self, entries: &mut Entries, merged: &Node, line: usize) {
        let sources: Vec<&Node> = match &merged.kind {
            Kind::List(nodes) => nodes.iter().map(Rc::as_ref).collect(),
            Kind::Scalar(_) | Kind::Map(_) => vec![merged],
        };
        for source in sources {
            let Kind::Map(fields) = &source.kind else {
                self.mistake(
                    line,
                    "`<<` merges what is not a map",
                    "name the anchor of a map, such as `<<: *base`",
                );
                continue;
            };
            for (name, entry) in fields {
                entries.entry(name.clone()).or_insert_with(|| entry.clone());
            }
        }
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Next {
        // An anchor is known when its value has ended.
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            self.mistake(line, "holds an alias of itself", "write the value out");
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
                "use fewer of them, or put what they share into `defaults`",
            );
            return Next::Stop;
        }
        if self.open.awaits_name() {
            match &node.kind {
                Kind::Scalar(Value::String(name)) => self.name(name.clone(), line),
                Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => {
                    let what = "has an alias of something other than text where a name belongs";
                    self.mistake(line, what, "write text before the `:`");
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
        if self.open.awaits_name() {
            if style == ScalarStyle::Plain && text == "<<" {
                self.merge_key(line);
                return;
            }
            self.name(text.to_owned(), line);
            if self.doubtful == Doubtful::Refused && !matches!(value, Ok(Value::String(_))) {
                self.mistake(
                    line,
                    "has a name that YAML does not read as text",
                    "put the name in quotes",
                );
            }
            let node = Rc::new(Node::new(line, Kind::Scalar(Value::String(text.to_owned()))));
            self.anchor(anchor, &node);
            return;
        }
        let value = value.unwrap_or_else(|scalar::Doubt { what, help }| {
            if self.doubtful == Doubtful::Refused {
                self.mistake(line, format!("`{text}` {what}"), help);
            }
            // Text is what the value was at least, so that its field is not also reported as missing.
            Value::String(text.to_owned())
        });
        let node = Rc::new(Node::new(line, Kind::Scalar(value)));
        self.anchor(anchor, &node);
        self.attach(node);
    }

    fn name(&mut self, name: String, line: usize) {
        let first = self.open.line_of(&name);
        self.open.set_key(Key::Named { name, line });
        if let Some(first) = first {
            let what = format!("is written again; the first is on line {first}");
            self.mistake(line, what, "keep one, or rename one");
            self.open.set_key(Key::Dropped);
        }
    }

    fn merge_key(&mut self, line: usize) {
        let again = self.open.has_merged();
        self.open.set_key(if again { Key::Dropped } else { Key::Merge });
        if again {
            self.mistake(
                line,
                "has `<<` twice",
                "write one, with a list: `<<: [*one, *two]`",
            );
        }
    }

    /// Puts a finished value where it belongs.
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

    fn refuse_tag(&mut self, tag: Option<&Tag>, line: usize) {
        if let Some(tag) = tag {
            let text = format!("{}{}", tag.handle, tag.suffix).replace("tag:yaml.org,2002:", "!!");
            let help = "leave the tag out; text that looks like something else goes in quotes";
            self.mistake(line, format!("has the tag `{}`", text.escape_debug()), help);
        }
    }

    fn too_deep(&mut self, line: usize) -> Next {
        let what = format!("is nested deeper than {MAX_DEPTH} levels");
        self.mistake(line, what, "write it flatter");
        Next::Stop
    }

    fn syntax_error(&mut self, error: &ScanError) {
        let help = if error.info().contains("tab") {
            "indent with spaces"
        } else if error.info().contains("unknown anchor") {
            "define it above, with `&` and its name; text that begins with `*` goes in quotes"
        } else {
            "check the indentation, the brackets and the quotes around here"
        };
        let diagnostic = Diagnostic::new(
            FieldPath::root(),
            format!("this is not YAML: {}", error.info()),
            help,
        );
        self.mistakes
            .push(Mistake::new(error.marker().line(), diagnostic));
    }

    /// Notes what is wrong with the value that is being read.
    fn mistake(&mut self, line: usize, what: impl Into<String>, help: impl Into<String>) {
        let at = self.open.place();
        self.mistakes
            .push(Mistake::new(line, Diagnostic::new(at, what, help)));
    }
}
