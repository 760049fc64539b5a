//! Recognizes the protocol of an unexpected answer, for the message about it.

/// What to add to a message about an unexpected answer, such as `: it speaks TLS`; empty if the protocol is unknown.
pub(crate) fn spoken(bytes: &[u8]) -> String {
    protocol(bytes).map_or(String::new(), |protocol| format!(": it speaks {protocol}"))
}

/// The protocol that starts with these bytes, if they are characteristic of one.
fn protocol(bytes: &[u8]) -> Option<&'static str> {
    const GREETINGS: &[(&[u8], &str)] = &[
        (b"HTTP/", "HTTP"),
        (b"SSH-", "SSH"),
        (b"220 ", "SMTP or FTP"),
        (b"220-", "SMTP or FTP"),
        (b"* OK", "IMAP"),
        (b"* PREAUTH", "IMAP"),
        (b"* BYE", "IMAP"),
        (b"+OK", "POP3"),
        (b"+PONG", "Redis"),
        (b"-NOAUTH ", "Redis"),
        (b"-DENIED ", "Redis"),
        (b"-ERR ", "Redis or POP3"),
        (b"AMQP", "AMQP"),
        (b"INFO {", "NATS"),
        (b"RFB ", "VNC"),
        (b"VERSION ", "memcached"),
        (b"ERROR\r\n", "memcached"),
        (b"RTSP/", "RTSP"),
        (b"ICY 200", "SHOUTcast"),
        (b"<?xml version='1.0'?><stream:stream", "XMPP"),
        (b"@RSYNCD: ", "rsync"),
        (b"ERR unknown command", "NSQ or Redis"),
        (b"Zookeeper version", "ZooKeeper"),
    ];
    let greeting = GREETINGS.iter().find(|(start, _)| bytes.starts_with(start));
    if let Some((_, protocol)) = greeting {
        return Some(protocol);
    }
    match bytes {
        // A TLS record: alert or handshake, version 3.x (RFC 8446, section 5.1).
        [0x15 | 0x16, 3, 0..=4, ..] => Some("TLS"),
        // A SETTINGS frame on stream 0 (RFC 9113, sections 3.4 and 6.5).
        [0, 0, _, 4, _, 0, 0, 0, 0, ..] => Some("HTTP/2"),
        // CONNACK (MQTT 3.1.1, section 3.2), and the answer to an unknown LDAP request.
        [0x20, 2, 0 | 1, 0..=5, ..] => Some("MQTT"),
        [0x30, _, 2, 1, _, 0x61 | 0x65 | 0x78, ..] => Some("LDAP"),
        // A packet with number 0 and a greeting of protocol 10, or an error.
        [_, _, 0, 0, 0x0a | 0xff, ..] => Some("MySQL"),
        // An error whose first field is the severity.
        [b'E', 0, 0, _, _, b'S', ..] => Some("PostgreSQL"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::excerpt;

    #[test]
    fn characteristic_starts_are_recognized() {
        let rows: [(&[u8], &str); 12] = [
            (b"\0\0\x12\x04\0\0\0\0\0\0\x03", ": it speaks HTTP/2"),
            (b"\x20\x02\0\0", ": it speaks MQTT"),
            (b"@RSYNCD: 31.0\n", ": it speaks rsync"),
            (b"\x15\x03\x03\0\x02\x02\x0a", ": it speaks TLS"),
            (b"HTTP/1.1 400 Bad Request\r\n", ": it speaks HTTP"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", ": it speaks SSH"),
            (b"220 mail ESMTP\r\n", ": it speaks SMTP or FTP"),
            (b"\x4a\0\0\0\x0a8.0.36\0", ": it speaks MySQL"),
            (b"E\0\0\0\x20SFATAL\0", ": it speaks PostgreSQL"),
            (b"-NOAUTH Authentication required.\r\n", ": it speaks Redis"),
            (b"hello\r\n", ""),
            (b"", ""),
        ];
        for (bytes, expected) in rows {
            assert_eq!(spoken(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn unprintable_bytes_are_shown_as_numbers() {
        let rows: [(&[u8], &str); 4] = [
            (b"\x15\x03\x03\0\x02\x02\x0a", "15 03 03 00 02 02 0a"),
            (b"J\0\0\08.0.36-log", "J\\x00\\x00\\x008.0.36-log"),
            ("gr\u{fc}n\r\n".as_bytes(), "gr\u{fc}n\r\n"),
            (b"\xff\xfe", "ff fe"),
        ];
        for (bytes, expected) in rows {
            assert_eq!(excerpt(bytes), expected);
        }
    }
}
