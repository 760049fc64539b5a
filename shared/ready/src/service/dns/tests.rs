use portpulse_core::readiness::{RecordType, Transport};

use super::*;
use crate::test_harness::{Table, check, check_other_services, fuzz};

const ID: QueryId = QueryId::fixed(0x7070);

fn over_tcp(check: &DnsCheck) -> impl Fn() -> Dns + use<'_> {
    move || Dns::over_tcp(check, ID)
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

/// A reply to the check's question with these encoded answer records; a refusal is of a server without recursion.
fn reply(check: &DnsCheck, code: u8, records: &[&[u8]]) -> Vec<u8> {
    let mut message = query(check, ID);
    message[2] = 0x81;
    message[3] = if code == 5 { code } else { 0x80 | code };
    message[7] = u8::try_from(records.len()).unwrap();
    message.extend(records.concat());
    framed(&message)
}

fn ask(name: &str, record_type: RecordType, must: &[&str], must_not: &[&str]) -> DnsCheck {
    let owned = |records: &[&str]| {
        records
            .iter()
            .map(|&record| record.to_owned())
            .collect::<Vec<_>>()
    };
    DnsCheck::new(name, record_type, &owned(must), &owned(must_not), Transport::Tcp).unwrap()
}

const A_192_0_2_1: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\x0e\x10\0\x04\xc0\0\x02\x01";

#[test]
fn reply_is_reported_with_its_records() {
    let root = DnsCheck::default();
    check(
        over_tcp(&root),
        &reply(&root, 0, &[]),
        "> . NS | healthy: . NS: NOERROR",
    );
    let ns = b"\0\0\x02\0\x01\0\0\x0e\x10\0\x14\x01A\x0cROOT-servers\x03net\0";
    check(
        over_tcp(&root),
        &reply(&root, 0, &[ns]),
        "> . NS | healthy: . NS: NOERROR a.root-servers.net",
    );
}

#[test]
fn required_and_forbidden_records_are_checked() {
    let rows = [
        (
            &["192.0.2.1"][..],
            &[][..],
            "healthy: a.example A: NOERROR 192.0.2.1",
        ),
        (
            &["192.0.2.2"],
            &[],
            "wrong_answer: 192.0.2.2 is missing: a.example A: NOERROR 192.0.2.1",
        ),
        (
            &[],
            &["192.0.2.1"],
            "wrong_answer: 192.0.2.1 must not be present: a.example A: NOERROR 192.0.2.1",
        ),
        (&[], &["192.0.2.2"], "healthy: a.example A: NOERROR 192.0.2.1"),
    ];
    for (must, must_not, expected) in rows {
        let dns_check = ask("A.example.", RecordType::A, must, must_not);
        check(
            over_tcp(&dns_check),
            &reply(&dns_check, 0, &[A_192_0_2_1]),
            &format!("> a.example A | {expected}"),
        );
    }
    let dns_check = ask("a.example", RecordType::A, &["192.0.2.1"], &[]);
    let transcript = "> a.example A | wrong_answer: 192.0.2.1 is missing: a.example A: SERVFAIL";
    check(over_tcp(&dns_check), &reply(&dns_check, 2, &[]), transcript);
}

#[test]
fn record_types_match_zone_file_format() {
    let rows: [(RecordType, &[u8], &str); 10] = [
        (
            RecordType::A,
            b"\0\x01\0\x01\0\0\0\0\0\x04\xc0\0\x02\x01",
            "192.0.2.1",
        ),
        (
            RecordType::Aaaa,
            b"\0\x1c\0\x01\0\0\0\0\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01",
            "2001:DB8:0::1",
        ),
        (
            RecordType::Cname,
            b"\0\x05\0\x01\0\0\0\0\0\x04\x01B\xc0\x0e",
            "b.Example.",
        ),
        (
            RecordType::Ns,
            b"\0\x02\0\x01\0\0\0\0\0\x04\x01b\xc0\x0e",
            "b.example",
        ),
        (
            RecordType::Ptr,
            b"\0\x0c\0\x01\0\0\0\0\0\x04\x01b\xc0\x0e",
            "b.example",
        ),
        (
            RecordType::Mx,
            b"\0\x0f\0\x01\0\0\0\0\0\x06\0\x0a\x01b\xc0\x0e",
            "10 b.example.",
        ),
        (
            RecordType::Txt,
            b"\0\x10\0\x01\0\0\0\0\0\x0a\x04v=sp\x04f1 x",
            "v=spf1 x",
        ),
        (
            RecordType::Soa,
            b"\0\x06\0\x01\0\0\0\0\0\x1e\x01N\xc0\x0e\x04root\0\x78\xc3\x0b\x84\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04",
            "n.example. root. 2026048388 1 2 3 4",
        ),
        (
            RecordType::Srv,
            b"\0\x21\0\x01\0\0\0\0\0\x0a\0\x01\0\x02\x13\xc4\x01B\xc0\x0e",
            "1 2 5060 b.example",
        ),
        (
            RecordType::Caa,
            b"\x01\x01\0\x01\0\0\0\0\0\x13\x80\x05iSSue\x6cets.example",
            "128 issue \"lets.example\"",
        ),
    ];
    for (record_type, data, written) in rows {
        let dns_check = ask("a.example", record_type, &[written], &[]);
        let record = [b"\xc0\x0c".as_slice(), data].concat();
        let transcript = crate::test_harness::transcript(
            over_tcp(&dns_check)(),
            [reply(&dns_check, 0, &[&record]).as_slice()],
        );
        assert!(transcript.contains("healthy: "), "{transcript}");
        let dns_check = ask("a.example", record_type, &[], &[written]);
        let transcript = crate::test_harness::transcript(
            over_tcp(&dns_check)(),
            [reply(&dns_check, 0, &[&record]).as_slice()],
        );
        assert!(transcript.contains("must not be present"), "{transcript}");
    }
}

#[test]
fn unrelated_reply_is_wrong_service() {
    let root = DnsCheck::default();
    check_other_services(over_tcp(&root), &[]);
    let mut other_id = reply(&root, 0, &[]);
    other_id[2] = 1;
    check(over_tcp(&root), &other_id, "> . NS | wrong_service");
    // The query's id with another question: another type, or another name.
    let mut other_type = reply(&root, 0, &[]);
    other_type[16] = 16;
    check(over_tcp(&root), &other_type, "> . NS | wrong_service");
    let (dns_check, other) = (
        ask("a.example", RecordType::A, &[], &[]),
        ask("b.example", RecordType::A, &[], &[]),
    );
    check(
        over_tcp(&dns_check),
        &reply(&other, 0, &[A_192_0_2_1]),
        "> a.example A | wrong_service",
    );
    let mut no_reply = reply(&root, 0, &[]);
    no_reply[4] = 1;
    check(over_tcp(&root), &no_reply, "> . NS | wrong_service");
    // Names with pointers to themselves, to each other, or beyond the end.
    for name in [
        b"\xc0\x11".as_slice(),
        b"\xc0\x13\xc0\x11",
        b"\x01a\xc0\x11",
        b"\xff\xff",
        b"\x40a\0",
    ] {
        let record = [name, b"\0\x01\0\x01\0\0\x0e\x10\0\x04\xc0\0\x02\x01"].concat();
        check(
            over_tcp(&root),
            &reply(&root, 0, &[&record]),
            "> . NS | wrong_service",
        );
    }
    let dns_check = ask("a.example", RecordType::A, &["192.0.2.1"], &[]);
    fuzz(over_tcp(&dns_check), &reply(&dns_check, 0, &[A_192_0_2_1]));
}

#[test]
fn reply_question_may_differ_in_case_or_be_omitted_in_error() {
    let dns_check = ask("a.example", RecordType::A, &[], &[]);
    let mut shouted = reply(&dns_check, 0, &[A_192_0_2_1]);
    shouted[14..24].make_ascii_uppercase();
    check(
        over_tcp(&dns_check),
        &shouted,
        "> a.example A | healthy: a.example A: NOERROR 192.0.2.1",
    );
    let bare = |flags: [u8; 2]| framed(&[&[0x70, 0x70], &flags[..], &[0; 8]].concat());
    check(
        over_tcp(&dns_check),
        &bare([0x81, 0x81]),
        "> a.example A | service_error: a.example A: FORMERR",
    );
    check(
        over_tcp(&dns_check),
        &bare([0x81, 0x80]),
        "> a.example A | wrong_service",
    );
}

#[test]
fn query_ids_are_unpredictable() {
    let ids: std::collections::BTreeSet<_> = (0..64)
        .map(|_| query(&DnsCheck::default(), QueryId::random())[..2].to_vec())
        .collect();
    // Of 64 random ids out of 65,536, two are equal in one run of 33, and four in one of a hundred thousand.
    assert!(ids.len() > 60, "{ids:?}");
    let bits: u32 = ids.iter().flatten().map(|byte| byte.count_ones()).sum();
    assert!((300..724).contains(&bits), "{bits} of {} bits", ids.len() * 16);
}

#[test]
fn decision_table_matches_code() {
    const NAMES: [&str; 6] = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
    let codes = || {
        (0..16).map(|code| {
            NAMES
                .get(code)
                .map_or(code.to_string(), |name| (*name).to_owned())
        })
    };
    let number = |code: &str| match NAMES.iter().position(|name| *name == code) {
        Some(number) => u8::try_from(number).unwrap(),
        None => code.parse().unwrap(),
    };
    let root = DnsCheck::default();
    let wanted = ask("a.example", RecordType::A, &["192.0.2.1"], &[]);
    let unwanted = ask("a.example", RecordType::A, &[], &["192.0.2.1"]);
    let mut of_a_forwarder = reply(&root, 5, &[]);
    of_a_forwarder[5] |= 0x80;
    Table::of(include_str!("../dns.rs"))
        .case("`REFUSED` to", over_tcp(&root)(), of_a_forwarder)
        .codes(&["reply to the default question, `. NS`"], codes(), |code| {
            (over_tcp(&root)(), reply(&root, number(code), &[]))
        })
        .codes(&["reply to a configured question"], codes(), |code| {
            (over_tcp(&unwanted)(), reply(&unwanted, number(code), &[]))
        })
        .case("a required", over_tcp(&wanted)(), reply(&wanted, 0, &[]))
        .case(
            "a forbidden",
            over_tcp(&unwanted)(),
            reply(&unwanted, 0, &[A_192_0_2_1]),
        )
        .case("nothing", over_tcp(&root)(), "")
        .finish();
}
