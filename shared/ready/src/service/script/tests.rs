use super::*;
use crate::rehearsal::{check, fuzz};

fn script(steps: &[(bool, &str)]) -> Result<Script, Vec<ScriptError>> {
    let step = |&(send, text): &(bool, &str)| {
        if send {
            ScriptStep::Send(text.into())
        } else {
            ScriptStep::Expect(text.into())
        }
    };
    Script::new(steps.iter().map(step).collect())
}

#[test]
fn texts_are_waited_for_in_order_and_told_with_their_lines() {
    let nats = script(&[
        (false, "INFO {"),
        (true, "CONNECT {}\r\nPING\r\n"),
        (false, "PONG"),
        (true, "QUIT\r\n"),
    ])
    .unwrap();
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
fn steps_that_make_no_script_are_all_named() {
    let told = |steps: &[(bool, &str)]| {
        script(steps)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let nothing = "a script must wait for something: add an `expect`";
    assert_eq!(told(&[]), ["a script has 1 to 16 steps", nothing]);
    assert_eq!(
        told(&[(true, "x"), (true, "")]),
        ["step 2 must have 1 to 1024 bytes", nothing]
    );
    assert_eq!(told(&[(false, "x"); 17]), ["a script has 1 to 16 steps"]);
    assert_eq!(
        told(&[(false, &"x".repeat(1025))]),
        ["step 1 must have 1 to 1024 bytes"]
    );
}
