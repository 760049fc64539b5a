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
fn texts_are_waited_for_in_order_and_told_with_their_lines() {
    let nats = script(&[
        (false, "INFO {"),
        (true, "CONNECT {}\r\nPING\r\n"),
        (false, "PONG"),
        (true, "QUIT\r\n"),
    ]);
    let make = || Scripted::new(&nats);
    check(
        make,
        b"hello\r\nINFO {\"a\":1}\r\n+OK\r\nPONG\r\n",
        "> step 2 | > step 4 | healthy: INFO {; PONG",
    );
    check(make, b"PONG\r\nINFO {", "> step 2 | more, then closed");
    check(
        make,
        b"200 ready: INFO {x} PONG",
        "> step 2 | > step 4 | healthy: 200 ready: INFO {; x} PONG",
    );
    fuzz(make, b"INFO {\"a\":1}\r\n+OK\r\nPONG\r\n");
}

#[test]
fn each_row_of_the_table_is_as_it_says() {
    let script = script(&[(true, "HI"), (false, "INFO")]);
    let plays = [
        ("every text", Scripted::new(&script), b"INFO".to_vec()),
        ("the end", Scripted::new(&script), b"INF".to_vec()),
        ("16 KiB", Scripted::new(&script), vec![b'x'; 17 * 1024]),
    ];
    check_table(include_str!("../script.rs"), plays);
}
