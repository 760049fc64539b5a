//! The declarations of the fields of nested maps: the options of a `ready` check, and maintenance windows.

use std::time::Duration;

use super::shape::{Shape, Subfield, TextShape, words};
use super::text_shapes::{HOST, MONITOR_ID, TAG};
use crate::readiness::{DnsCheck, HttpCheck, RecordType, Transport};

/// The values of the field `tls`.
pub(super) const TLS: Shape = Shape::Either {
    wanted: "true, false, starttls or { name: db.example.com }",
    of: &[
        Shape::Bool,
        Shape::Choice(|| vec!["starttls"]),
        Shape::Map(TLS_OPTIONS),
    ],
};

/// The fields of `tls` as a map.
pub(super) const TLS_OPTIONS: &[Subfield] = &[
    Subfield {
        name: "name",
        about: "The server name that is sent (SNI), and that the certificate must be for; by default the host",
        shape: Shape::Text(HOST),
        example: "db.example.com",
    },
    Subfield {
        name: "starttls",
        about: "Whether TLS starts within the protocol; by default false, from the start",
        shape: Shape::Bool,
        example: "true",
    },
    Subfield {
        name: "certificate",
        about: "The name of the secret with a client certificate and its key, both PEM in one text; by default none is presented",
        shape: Shape::Secret,
        example: "ssm:/portpulse/orders/certificate",
    },
];

/// A text of 1 to 1024 bytes.
pub(super) const TEXT: Shape = Shape::Text(TextShape {
    wanted: "a text of 1 to 1024 bytes",
    patterns: &["."],
    max: HttpCheck::MAX_BYTES,
});
const RECORDS: Shape = Shape::List {
    of: &Shape::Text(TextShape {
        wanted: "a record such as 192.0.2.1",
        patterns: &["."],
        max: DnsCheck::MAX_BYTES,
    }),
    min: 0,
    max: DnsCheck::MAX_RECORDS,
};

/// The fields of `dns`.
pub(super) const DNS: &[Subfield] = &[
    Subfield {
        name: "name",
        about: "The name to query; by default the root",
        shape: Shape::Text(TextShape {
            wanted: "the DNS name to query, such as example.com",
            patterns: &["^(([!-\\-/-~]{1,63}\\.)*[!-\\-/-~]{1,63})?\\.?$"],
            max: 254,
        }),
        example: "example.com",
    },
    Subfield {
        name: "type",
        about: "The record type to query; by default A, or NS for the root",
        shape: words!(RecordType),
        example: "A",
    },
    Subfield {
        name: "must",
        about: "Required records, such as 192.0.2.1 or 10 mail.example.com",
        shape: RECORDS,
        example: "[192.0.2.1]",
    },
    Subfield {
        name: "must_not",
        about: "Forbidden records",
        shape: RECORDS,
        example: "[192.0.2.66]",
    },
    Subfield {
        name: "transport",
        about: "The transport of the query; by default tcp",
        shape: words!(Transport),
        example: "udp",
    },
];

/// The steps of a script; a step has one of these fields.
pub(super) const STEP: &[Subfield] = &[
    Subfield {
        name: "send",
        about: "A text to send; in double quotes, \\r\\n ends a line",
        shape: TEXT,
        example: "\"PING\\r\\n\"",
    },
    Subfield {
        name: "expect",
        about: "A text that must be received, anywhere after the previous expected text",
        shape: TEXT,
        example: "PONG",
    },
];

/// The maximum length of a recurring maintenance window.
pub(crate) const MAX_WINDOW_LENGTH: Duration = Duration::from_secs(7 * 86_400);
/// The maximum number of bytes of each text of a maintenance window, because texts are copied into the items of its monitors.
pub(crate) const MAX_WINDOW_TEXT: usize = 200;
/// The maximum number of maintenance windows in a file: the item of each monitor carries its windows.
pub const MAX_WINDOWS: usize = 100;

const TIME: Shape = Shape::Text(TextShape {
    wanted: "a time such as 2026-11-22T02:00:00Z",
    patterns: &[
        "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
    ],
    max: MAX_WINDOW_TEXT,
});

/// The fields of a window.
pub(crate) const WINDOW: &[Subfield] = &[
    Subfield {
        name: "monitors",
        about: "The monitors that the window covers; without `monitors` and `tags`, all",
        shape: Shape::List {
            of: &Shape::Text(MONITOR_ID),
            min: 1,
            max: 10_000,
        },
        example: "[orders-db]",
    },
    Subfield {
        name: "tags",
        about: "The window covers monitors with any of these tags",
        shape: Shape::List {
            of: &Shape::Text(TAG),
            min: 1,
            max: 10_000,
        },
        example: "[db]",
    },
    Subfield {
        name: "from",
        about: "The start of a single window, with its offset from UTC",
        shape: TIME,
        example: "2026-11-22T02:00:00Z",
    },
    Subfield {
        name: "until",
        about: "The end of a single window",
        shape: TIME,
        example: "2026-11-22T04:00:00+01:00",
    },
    Subfield {
        name: "every",
        about: "The start of a recurring window: `daily 02:00`, `sun 02:00` or `mon,wed 22:30`",
        shape: Shape::Text(TextShape {
            wanted: "a time such as daily 02:00, sun 02:00 or mon,wed 22:30",
            patterns: &[
                "^ *([Dd][Aa][Ii][Ll][Yy]|([Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt]|[Ss][Uu][Nn])( *, *([Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt]|[Ss][Uu][Nn]))*) +([01][0-9]|2[0-3]):[0-5][0-9]$",
            ],
            max: MAX_WINDOW_TEXT,
        }),
        example: "sun 02:00",
    },
    Subfield {
        name: "for",
        about: "The duration of a recurring window",
        shape: Shape::Duration {
            min: Duration::from_millis(1),
            max: MAX_WINDOW_LENGTH,
        },
        example: "2h",
    },
    Subfield {
        name: "zone",
        about: "The IANA time zone of `every`; by default UTC",
        shape: Shape::Text(TextShape {
            wanted: "a time zone such as Europe/Berlin",
            patterns: &["^[A-Za-z0-9/_+-]+$"],
            max: MAX_WINDOW_TEXT,
        }),
        example: "Europe/Berlin",
    },
    Subfield {
        name: "why",
        about: "The reason, for people",
        shape: Shape::Text(TextShape {
            wanted: "a text of at most 200 bytes",
            patterns: &[],
            max: MAX_WINDOW_TEXT,
        }),
        example: "new disks",
    },
];

/// The fields of a maintenance window.
pub const fn window_fields() -> &'static [Subfield] {
    WINDOW
}
