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

/// Checks the decision table at the top of a service's file: the input of each case must have the result in the table.
///
/// A case names its row by the start of the answer's cell. Each row needs a case, and each case needs exactly one row.
pub(crate) fn check_table<D: Dialogue>(
    source: &str,
    cases: impl IntoIterator<Item = (&'static str, D, Vec<u8>)>,
) {
    let rows: Vec<_> = source
        .lines()
        .filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |")?.split_once(" | "))
        .filter(|row| *row != ("answer", "means"))
        .collect();
    let mut covered = vec![false; rows.len()];
    for (answer, dialogue, replies) in cases {
        let matching: Vec<_> = (0..rows.len())
            .filter(|&row| rows[row].0.starts_with(answer))
            .collect();
        let [row] = matching[..] else {
            panic!("`{answer}` matches {} rows of {rows:?}", matching.len())
        };
        covered[row] = true;
        let means = rows[row].1;
        let actual = transcript(dialogue, [replies.as_slice()]);
        assert!(
            matches_meaning(&actual, means),
            "{answer} should mean {means}: {actual}"
        );
    }
    for (row, covered) in rows.iter().zip(covered) {
        assert!(covered, "no case for row {row:?}");
    }
}

fn matches_meaning(actual: &str, means: &str) -> bool {
    let concluded = |word: &str| actual.contains(&format!("{word}: "));
    let word = means.split([':', ';', ',']).next().unwrap();
    match word {
        "healthy" => concluded(word) && actual.contains(", but ") == means.contains("with a warning"),
        "starting" | "busy" | "blocked" | "tls" => concluded(word),
        "wrong answer" => concluded("wrong_answer"),
        "wrong service" => {
            actual.contains("wrong_service") || actual == "too much" || actual.ends_with(" | too much")
        }
        // The driver distinguishes a closed connection from a silent one. The dialogue is waiting in both cases.
        "closed" | "silent" => actual.contains("waiting, then closed"),
        "result of the next request" => concluded("moved"),
        other => panic!("unknown meaning in table: {other}"),
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
        DialogueResult::Redirect(to) => format!("moved: {to}"),
        DialogueResult::WrongService => "wrong_service".to_owned(),
    }
}
