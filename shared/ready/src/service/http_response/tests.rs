use super::*;

/// The code and the document, or what is missing.
fn read(text: &str, has_ended: bool) -> String {
    match Head::read(text.as_bytes()) {
        Arrival::Incomplete => "no head".to_owned(),
        Arrival::Invalid => "not HTTP".to_owned(),
        Arrival::Complete(head) => match head.json(text.as_bytes(), has_ended) {
            Arrival::Incomplete => format!("{} incomplete", head.code),
            Arrival::Invalid => unreachable!(),
            Arrival::Complete(None) => format!("{} without JSON", head.code),
            Arrival::Complete(Some(json)) => format!("{} {json}", head.code),
        },
    }
}

#[test]
fn body_ends_by_length_chunk_or_connection() {
    let rows = [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}rest",
            false,
            "200 {}",
        ),
        ("HTTP/1.1 200\nContent-Length: 3\n\n{}", false, "200 incomplete"),
        ("HTTP/1.1 200\nContent-Length: 3\n\n{}", true, "200 without JSON"),
        ("HTTP/1.1 200 OK\r\n\r\n{}", false, "200 incomplete"),
        ("HTTP/1.0 200 OK\r\n\r\n{}", true, "200 {}"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\n{\r\n01\r\n}\r\n0\r\n\r\n",
            false,
            "200 {}",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
            false,
            "200 incomplete",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
            true,
            "200 without JSON",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
            false,
            "200 without JSON",
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Away\r\nContent-Length: 2\r\n\r\n[]",
            false,
            "503 []",
        ),
        ("HTTP/1.1 101 Switching\r\n\r\n", true, "101 without JSON"),
        ("HTTP/1.1 2000 OK\r\n\r\n", true, "not HTTP"),
        ("HTTP/2 200 OK\r\n\r\n", true, "not HTTP"),
        ("HTTP/1.1 200 OK\r\nA: b", true, "no head"),
    ];
    for (text, has_ended, expected) in rows {
        assert_eq!(read(text, has_ended), expected, "{text}");
    }
}
