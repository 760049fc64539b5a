//! Runs a dialogue in tests without a socket: bytes in, a transcript as text out.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::dialogue::{Dialogue, DialogueResult, EndOfStream, Step};
use crate::input::Input;

/// Runs a dialogue on `answers`, split at every position, and compares the transcript with `expected`.
///
/// `answers` is everything that the target sends, in order. The transcript lists sent requests (`> PING`), the start of
/// TLS, the result and the closing bytes. If there is no result when the input ends, the transcript says `waiting` and
/// the meaning of the end of the stream.
pub(crate) fn check<D: Dialogue>(make: impl Fn() -> D, answers: &[u8], expected: &str) {
    let whole = transcript(make(), [answers]);
    assert_eq!(whole, expected, "to {:?}", answers.escape_ascii().to_string());
    for at in 1..answers.len() {
        let (first, second) = answers.split_at(at);
        assert_eq!(transcript(make(), [first, second]), whole, "split at {at}");
        // Truncated input must not panic, and must not be healthy unless the complete input is.
        let cut = transcript(make(), [first]);
        assert!(
            cut == whole || !cut.contains("healthy: ") || whole.contains("healthy: "),
            "cut at {at}: {cut}"
        );
    }
    assert_eq!(transcript(make(), answers.chunks(1)), whole, "byte by byte");
}

/// A dialogue of any service, as `service::dialogue` creates it.
impl<D: Dialogue + ?Sized> Dialogue for Box<D> {
    fn next(&mut self, input: &mut Input) -> Step {
        (**self).next(input)
    }

    fn end_of_stream(&mut self, input: &Input) -> EndOfStream {
        (**self).end_of_stream(input)
    }

    fn max_bytes(&self) -> usize {
        (**self).max_bytes()
    }
}

/// The decision table at the top of a service's file: `| condition | code | outcome | why |`.
///
/// A cell of codes has `1045`, `28…` (every code that starts like that), `400` to `499`, or `any other`. The test of a
/// service plays a case for every row without a code, and all codes for the others; no row may be left.
pub(crate) struct Table {
    rows: Vec<Row>,
}

struct Row {
    condition: String,
    codes: String,
    outcome: String,
    played: bool,
}

impl Table {
    pub(crate) fn of(source: &str) -> Self {
        let cells = |line: &str| -> Option<Row> {
            let line = line.strip_prefix("//! | ")?.strip_suffix(" |")?;
            let [condition, codes, outcome, why] = line.split(" | ").collect::<Vec<_>>()[..] else {
                panic!("not four cells: {line}")
            };
            assert!(!why.is_empty(), "no reason: {line}");
            (condition != "condition").then(|| Row {
                condition: condition.to_owned(),
                codes: codes.to_owned(),
                outcome: outcome.to_owned(),
                played: false,
            })
        };
        Self {
            rows: source.lines().filter_map(cells).collect(),
        }
    }

    /// Plays an example of the row whose condition starts with this text.
    pub(crate) fn case<D: Dialogue>(mut self, condition: &str, dialogue: D, reply: impl AsRef<[u8]>) -> Self {
        let matching = self
            .rows
            .iter_mut()
            .filter(|row| row.condition.starts_with(condition));
        let [row] = &mut matching.collect::<Vec<_>>()[..] else {
            panic!("`{condition}` is not the start of one condition")
        };
        row.played = true;
        let actual = transcript(dialogue, [reply.as_ref()]);
        let expected = row.outcome.as_str();
        assert!(
            has_outcome(&actual, expected),
            "{condition} should be {expected}: {actual}"
        );
        self
    }

    /// Plays all codes, of which each must have the outcome of its row among the rows with these conditions. A code
    /// without a row of its own has the row `any other`, which is never open.
    pub(crate) fn codes<D: Dialogue>(
        mut self,
        conditions: &[&str],
        all: impl IntoIterator<Item = String>,
        play: impl Fn(&str) -> (D, Vec<u8>),
    ) -> Self {
        for code in all {
            let mut rows = self
                .rows
                .iter_mut()
                .filter(|row| conditions.contains(&row.condition.as_str()));
            let row = rows
                .find(|row| has_code(&row.codes, &code))
                .unwrap_or_else(|| panic!("no row of {conditions:?} has the code {code}"));
            row.played = true;
            assert!(row.codes != "any other" || !row.outcome.starts_with("open"));
            let (dialogue, reply) = play(&code);
            let actual = transcript(dialogue, [reply.as_slice()]);
            assert!(
                has_outcome(&actual, &row.outcome),
                "{conditions:?} {code} should be {}: {actual}",
                row.outcome
            );
        }
        self
    }

    /// Checks that every row was played.
    pub(crate) fn finish(self) {
        for row in self.rows {
            assert!(row.played, "not played: {} {}", row.condition, row.codes);
        }
    }
}

/// Whether a cell of codes covers a code. Rows are read from the top.
fn has_code(cell: &str, code: &str) -> bool {
    if cell == "any other" {
        return true;
    }
    let quoted: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
    if let (true, [from, to]) = (cell.contains("` to `"), &quoted[..]) {
        let number = |text: &str| text.parse::<u32>().unwrap();
        return (number(from)..=number(to)).contains(&number(code));
    }
    quoted.iter().any(|quoted| match quoted.strip_suffix('…') {
        Some(start) => code.starts_with(start),
        None => *quoted == code,
    })
}

fn has_outcome(actual: &str, outcome: &str) -> bool {
    let concluded = |word: &str| actual.contains(&format!("{word}: "));
    match outcome {
        "open" => concluded("healthy") && !actual.contains(", but "),
        "open, with a warning" => concluded("healthy") && actual.contains(", but "),
        "wrong_service" => {
            actual.contains("wrong_service") || actual == "too much" || actual.ends_with(" | too much")
        }
        // The driver distinguishes a closed connection from a silent one. The dialogue is waiting in both cases.
        "closed" | "silent" | "timeout" => actual.contains("waiting, then closed"),
        "next request" => concluded("moved"),
        "starting" | "busy" | "blocked" | "tls" | "service_error" | "no_backend" | "wrong_answer" => {
            concluded(outcome)
        }
        other => panic!("unknown outcome in table: {other}"),
    }
}

/// Checks that greetings of other protocols, and their errors for unknown requests, are wrong services; `except` names
/// the exceptions.
pub(crate) fn check_other_services<D: Dialogue>(make: impl Fn() -> D, except: &[&str]) {
    for (name, replies) in &OTHER_SERVICES {
        let text = transcript(make(), [*replies]);
        let is_wrong = text.contains("wrong_service");
        assert_eq!(is_wrong, !except.contains(name), "{name}: {text}");
    }
}

const OTHER_SERVICES: [(&str, &[u8]); 12] = [
    ("amqp", b"AMQP\x00\x00\x09\x01"),
    (
        "ftp",
        b"220 (vsFTPd 3.0.3)\r\n500 Unknown command\r\n500 Unknown command\r\n",
    ),
    ("http", b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
    ("imap", b"* OK [CAPABILITY IMAP4rev1] ready\r\n"),
    ("memcached", b"ERROR\r\n"),
    (
        "mysql",
        b"\x4a\0\0\0\x0a8.0.36\0\x01\0\0\0abcdefgh\0\xff\xff!\x02\0\xff\xdf\x15\0\0",
    ),
    ("pop3", b"+OK POP3 ready\r\n"),
    ("postgres", b"E\0\0\0\x20SFATAL\0C08P01\0Minvalid length\0\0"),
    ("redis", b"-ERR unknown command 'GET'\r\n"),
    ("ssh", b"SSH-2.0-OpenSSH_9.2p1\r\n"),
    ("tls", b"\x15\x03\x01\x00\x02\x02\x16"),
    ("vnc", b"RFB 003.008\n"),
];

/// Runs a dialogue on random bytes, and on a valid answer with random changes.
pub(crate) fn fuzz<D: Dialogue>(make: impl Fn() -> D, good: &[u8]) {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    let noise = prop::collection::vec(any::<u8>(), 0..300);
    let mut runner = TestRunner::default();
    runner
        .run(&(changes, noise, 1..40usize), |(changes, noise, size)| {
            let mut changed = good.to_vec();
            for (at, byte) in changes {
                if let Some(place) = changed.get_mut(at.index(good.len().max(1))) {
                    *place = byte;
                }
            }
            let whole = transcript(make(), [changed.as_slice()]);
            // The result must not depend on how the same bytes are split.
            let split = transcript(make(), changed.chunks(size));
            prop_assert_eq!(conclusion(&whole), conclusion(&split));
            transcript(make(), noise.chunks(size));
            changed.extend(noise);
            transcript(make(), changed.chunks(size));
            Ok(())
        })
        .unwrap();
}

fn conclusion(transcript: &str) -> &str {
    transcript.rsplit(" | ").next().unwrap()
}

/// Runs a dialogue on these replies, then ends the stream, and returns the transcript.
pub(crate) fn transcript<'a, D: Dialogue>(
    mut dialogue: D,
    replies: impl IntoIterator<Item = &'a [u8]>,
) -> String {
    let mut replies = replies.into_iter().filter(|bytes| !bytes.is_empty());
    let mut input = Input::default();
    let mut lines = Vec::new();
    for _ in 0..100_000 {
        match dialogue.next(&mut input) {
            Step::Send { name, .. } => lines.push(format!("> {name}")),
            Step::StartTls => lines.push("tls".to_owned()),
            Step::Done(dialogue_result, closing_bytes) => {
                lines.push(describe_result(&dialogue_result));
                if !closing_bytes.is_empty() {
                    lines.push(format!("> {}", closing_bytes.escape_ascii()));
                }
                return lines.join(" | ");
            }
            Step::Receive if input.total_bytes() > dialogue.max_bytes() => return "too much".to_owned(),
            Step::Receive => match replies.next() {
                Some(bytes) => input.push(bytes),
                None => {
                    lines.push(match dialogue.end_of_stream(&input) {
                        EndOfStream::Closed { hint } => format!("waiting, then closed{hint}"),
                        EndOfStream::Concluded(dialogue_result) => describe_result(&dialogue_result),
                    });
                    return lines.join(" | ");
                }
            },
        }
    }
    panic!("endless dialogue: {lines:?}");
}

fn describe_result(dialogue_result: &DialogueResult) -> String {
    match dialogue_result {
        DialogueResult::Healthy {
            banner,
            warning: None,
        } => format!("healthy: {banner}"),
        DialogueResult::Healthy {
            banner,
            warning: Some(warning),
        } => format!("healthy: {banner}, but {warning}"),
        DialogueResult::Failed(class, message) => format!("{class}: {message}"),
        DialogueResult::Redirect { location, .. } => format!("moved: {location}"),
        DialogueResult::RepeatWithGet => "moved: to GET".to_owned(),
        DialogueResult::WrongService => "wrong_service".to_owned(),
    }
}
