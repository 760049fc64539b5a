use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz, transcript};

fn plain() -> Ldap {
    Ldap::new(false)
}

fn with_upgrade() -> Ldap {
    Ldap::new(true)
}

/// A message with an `LDAPResult` of a code below 128 and a diagnostic message.
fn reply(id: u8, operation: u8, code: u8, text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    let mut message = vec![SEQUENCE, 12 + length, INTEGER, 1, id, operation, 7 + length];
    message.extend([ENUMERATED, 1, code, OCTET_STRING, 0, OCTET_STRING, length]);
    message.extend(text.as_bytes());
    message
}

fn done(code: u8, text: &str) -> Vec<u8> {
    reply(2, SEARCH_RESULT_DONE, code, text)
}

/// The entry that OpenLDAP 2.5 sends, in its long form of lengths.
const ENTRY: &[u8] = b"\x30\x84\0\0\0\x0d\x02\x01\x02\x64\x84\0\0\0\x04\x04\0\x30\0";

#[test]
fn result_of_search_decides() {
    let unbind = "| > 0\\x05\\x02\\x01\\x03B\\x00";
    let rows = [
        (
            [ENTRY, &done(0, "")].concat(),
            format!("healthy: LDAP result 0 (success) {unbind}"),
        ),
        (
            done(8, "authentication required"),
            format!("healthy: LDAP result 8 (strongerAuthRequired): authentication required {unbind}"),
        ),
        (
            done(53, "shutdown in progress, no authentication required here"),
            format!(
                "service_error: LDAP result 53 (unwillingToPerform): shutdown in progress, no authentication required here {unbind}"
            ),
        ),
        (done(51, ""), format!("busy: LDAP result 51 (busy) {unbind}")),
        (
            reply(0, EXTENDED_RESPONSE, 52, "shutting down"),
            "starting: the server disconnects: LDAP result 52 (unavailable): shutting down".to_owned(),
        ),
        // An entry alone, and another message id.
        (ENTRY.to_vec(), "waiting, then closed".to_owned()),
        (reply(1, SEARCH_RESULT_DONE, 0, ""), "wrong_service".to_owned()),
        // An indefinite length, excessive lengths, and elements that end after their message.
        (b"\x30\x80\x02\x01\x02".to_vec(), "wrong_service".to_owned()),
        (b"\x30\x84\xff\xff\xff\xff".to_vec(), "wrong_service".to_owned()),
        (
            b"\x30\x85\0\0\0\0\x05\x02\x01\x02".to_vec(),
            "wrong_service".to_owned(),
        ),
        (
            b"\x30\x05\x02\x01\x02\x65\x07\x0a\x01\0".to_vec(),
            "wrong_service".to_owned(),
        ),
        (
            b"\x30\x08\x02\x01\x02\x65\x03\x0a\x01\0".to_vec(),
            "wrong_service".to_owned(),
        ),
        (b"\x30\x00".to_vec(), "wrong_service".to_owned()),
    ];
    for (answer, expected) in rows {
        check(
            plain,
            &answer,
            &format!("> a search of the root DSE | {expected}"),
        );
    }
}

#[test]
fn tls_follows_its_acceptance() {
    let mut dialogue = with_upgrade();
    let mut input = Input::default();
    assert_eq!(dialogue.next(&mut input), Step::send("StartTLS", START_TLS));
    input.push(&reply(1, EXTENDED_RESPONSE, 0, ""));
    assert_eq!(dialogue.next(&mut input), Step::StartTls);
    assert_eq!(
        dialogue.next(&mut input),
        Step::send("a search of the root DSE", SEARCH)
    );
    input.push(&done(0, ""));
    let healthy = Step::healthy("LDAP result 0 (success)").with_closing_bytes(UNBIND);
    assert_eq!(dialogue.next(&mut input), healthy);
    let refusal = reply(1, EXTENDED_RESPONSE, 2, "unsupported extended operation");
    let text = transcript(with_upgrade(), [refusal.as_slice()]);
    assert!(
        text.starts_with("> StartTLS | tls: LDAP result 2 (protocolError): unsupported extended operation"),
        "{text}"
    );
}

#[test]
fn other_protocols_are_wrong_service() {
    check_other_services(plain, &[]);
    check_other_services(with_upgrade, &[]);
    fuzz(plain, &[ENTRY, &done(0, "")].concat());
    fuzz(with_upgrade, &reply(1, EXTENDED_RESPONSE, 2, "no"));
}

#[test]
fn decision_table_matches_code() {
    let codes = || (0..=127_u8).map(|code| code.to_string());
    let code_of = |code: &str| code.parse().unwrap();
    Table::of(include_str!("../ldap.rs"))
        .case("result 1 or 53", plain(), done(53, "authentication required"))
        .case("result 1 or 53", plain(), done(1, "BIND required"))
        .codes(&["result of the search"], codes(), |code| {
            (plain(), done(code_of(code), ""))
        })
        .codes(&["Notice of Disconnection"], codes(), |code| {
            (plain(), reply(0, EXTENDED_RESPONSE, code_of(code), ""))
        })
        .codes(
            &["refusal of StartTLS, if TLS is required"],
            codes().skip(1),
            |code| (with_upgrade(), reply(1, EXTENDED_RESPONSE, code_of(code), "")),
        )
        .finish();
}
