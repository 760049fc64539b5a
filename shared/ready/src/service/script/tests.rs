use super::*;
use crate::test_harness::{check, check_table, fuzz};

fn script(steps: &[(bool, &str)]) -> Script {
    let step = |&(send, text): &(bool, &str)| {
        if send {
            ScriptStep::Send(text.into())
        } else {
            ScriptStep::Expect(text.into())
        }
    };
    Script::new(steps.iter().map(step).collect()).unwrap()
}

#[test]
fn expected_texts_match_in_order_and_are_reported() {
    let nats = script(&[
        (false, "INFO {"),
        (true, "CONNECT {}\r\nPING\r\n"),
        (false, "PONG"),
        (true, "QUIT\r\n"),
    ]);
    let make = || ScriptDialogue::new(&nats);
    check(
        make,
        b"hello\r\nINFO {\"a\":1}\r\n+OK\r\nPONG\r\n",
        "> step 2 | > step 4 | healthy: INFO {; PONG",
    );
    check(make, b"PONG\r\nINFO {", "> step 2 | waiting, then closed");
    check(
        make,
        b"200 ready: INFO {x} PONG",
        "> step 2 | > step 4 | healthy: 200 ready: INFO {; x} PONG",
    );
    fuzz(make, b"INFO {\"a\":1}\r\n+OK\r\nPONG\r\n");
}

#[test]
fn decision_table_matches_code() {
    let script = script(&[(true, "HI"), (false, "INFO")]);
    let cases = [
        ("every text", ScriptDialogue::new(&script), b"INFO".to_vec()),
        ("the end", ScriptDialogue::new(&script), b"INF".to_vec()),
        ("16 KiB", ScriptDialogue::new(&script), vec![b'x'; 17 * 1024]),
    ];
    check_table(include_str!("../script.rs"), cases);
}
