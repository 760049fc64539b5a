use super::*;
use crate::test_harness::{Table, check, fuzz};

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
    Table::of(include_str!("../script.rs"))
        .case("every text", ScriptDialogue::new(&script), "INFO")
        .case("the end", ScriptDialogue::new(&script), "INF")
        .case("16 KiB", ScriptDialogue::new(&script), [b'x'; 17 * 1024])
        .finish();
}
