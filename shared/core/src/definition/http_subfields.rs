//! The declarations of the fields of `http`.

use super::shape::{Shape, Subfield, TextShape, words};
use super::subfields::TEXT;
use crate::readiness::{BodyConditions, HttpCheck, Method, Operator, RequestContent};

const STATUS: Shape = Shape::Either {
    wanted: "a status such as 200, a class such as 2xx, or a range such as 200-299",
    of: &[
        Shape::Number { min: 100, max: 999 },
        Shape::Text(TextShape {
            wanted: "a class such as 2xx, or a range such as 200-299",
            patterns: &["^([1-9]xx|[1-9][0-9][0-9](-[1-9][0-9][0-9])?)$"],
            max: 7,
        }),
    ],
};
pub(super) const HEADER_NAME: TextShape = TextShape {
    wanted: "the name of a header field, such as X-Env",
    patterns: &["^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$"],
    max: RequestContent::MAX_NAME_BYTES,
};
const HEADER_VALUE: Shape = Shape::Text(TextShape {
    wanted: "1 to 1024 printable ASCII characters",
    patterns: &["^[!-~]([ -~]*[!-~])?$"],
    max: RequestContent::MAX_VALUE_BYTES,
});
const PATTERNS: Shape = Shape::List {
    of: &Shape::Text(TextShape {
        wanted: "a regular expression such as ^ok",
        patterns: &["."],
        max: HttpCheck::MAX_BYTES,
    }),
    min: 1,
    max: BodyConditions::MAX,
};

/// The fields of `http`.
pub(super) const HTTP: &[Subfield] = &[
    Subfield {
        name: "method",
        about: "The method; by default HEAD, or GET if the body is needed; POST, PUT, PATCH and DELETE require `unsafe_method: true`",
        shape: words!(Method),
        example: "GET",
    },
    Subfield {
        name: "unsafe_method",
        about: "Whether each check may send a method that can change data on the server; by default false",
        shape: Shape::Bool,
        example: "true",
    },
    Subfield {
        name: "path",
        about: "The path with its query; by default /",
        shape: Shape::Text(TextShape {
            wanted: "a path such as /health",
            patterns: &["^/[!-~]*$"],
            max: HttpCheck::MAX_BYTES,
        }),
        example: "/health",
    },
    Subfield {
        name: "headers",
        about: "Header fields to send",
        shape: Shape::ByName {
            name: &HEADER_NAME,
            of: &HEADER_VALUE,
            max: RequestContent::MAX_HEADERS,
        },
        example: "{ X-Env: prod }",
    },
    Subfield {
        name: "secret_headers",
        about: "Header fields whose values are secrets, by the names of the secrets",
        shape: Shape::ByName {
            name: &HEADER_NAME,
            of: &Shape::Secret,
            max: RequestContent::MAX_HEADERS,
        },
        example: "{ X-Api-Key: ssm:/portpulse/shop-key }",
    },
    Subfield {
        name: "basic_auth",
        about: "User name, and the name of the secret with the password",
        shape: Shape::Map(BASIC_AUTH),
        example: "{ username: monitor, password: ssm:/portpulse/shop }",
    },
    Subfield {
        name: "bearer_token",
        about: "The name of the secret with the bearer token",
        shape: Shape::Secret,
        example: "ssm:/portpulse/shop-token",
    },
    Subfield {
        name: "body",
        about: "The body to send, at most 8 KiB",
        shape: Shape::Text(TextShape {
            wanted: "a text of 1 to 8192 bytes",
            patterns: &["."],
            max: RequestContent::MAX_BODY_BYTES,
        }),
        example: "'{\"query\": \"{ up }\"}'",
    },
    Subfield {
        name: "status",
        about: "The accepted statuses: 200, 2xx, 200-299 or a list of these; by default all below 500",
        shape: Shape::Either {
            wanted: "a status such as 200, a class such as 2xx, or a range such as 200-299",
            of: &[
                STATUS,
                Shape::List {
                    of: &STATUS,
                    min: 1,
                    max: HttpCheck::MAX_STATUSES,
                },
            ],
        },
        example: "200",
    },
    Subfield {
        name: "text",
        about: "A text that the first 64 KiB of the body must contain",
        shape: TEXT,
        example: "ok",
    },
    Subfield {
        name: "body_matches",
        about: "Regular expressions that must all match in the first 64 KiB of the body",
        shape: PATTERNS,
        example: "['version: \\d+']",
    },
    Subfield {
        name: "body_not_matches",
        about: "Regular expressions that must not match in the first 64 KiB of the body",
        shape: PATTERNS,
        example: "[(?i)maintenance]",
    },
    Subfield {
        name: "json",
        about: "Conditions on values of a JSON body of at most 64 KiB: a JSONPath, an operator and a value",
        shape: Shape::List {
            of: &Shape::Map(JSON),
            min: 1,
            max: BodyConditions::MAX,
        },
        example: "[{ path: $.status, value: up }]",
    },
    Subfield {
        name: "follow",
        about: "Whether to follow redirects: at most five, to the same host or to public addresses; secrets are sent only to the same scheme, host and port; by default false",
        shape: Shape::Bool,
        example: "true",
    },
];

/// The fields of `basic_auth`.
pub(super) const BASIC_AUTH: &[Subfield] = &[
    Subfield {
        name: "username",
        about: "The user name",
        shape: HEADER_VALUE,
        example: "monitor",
    },
    Subfield {
        name: "password",
        about: "The name of the secret with the password",
        shape: Shape::Secret,
        example: "ssm:/portpulse/shop",
    },
];

/// The fields of a condition in `json`.
pub(super) const JSON: &[Subfield] = &[
    Subfield {
        name: "path",
        about: "A JSONPath (RFC 9535); the condition must hold for each value that it selects",
        shape: Shape::Text(TextShape {
            wanted: "a JSONPath such as $.status",
            patterns: &["^\\$"],
            max: HttpCheck::MAX_BYTES,
        }),
        example: "$.status",
    },
    Subfield {
        name: "length",
        about: "Whether the number of characters, entries or fields is compared instead of the value; by default false",
        shape: Shape::Bool,
        example: "true",
    },
    Subfield {
        name: "operator",
        about: "The comparison; by default == with a value, and exists without",
        shape: words!(Operator),
        example: "==",
    },
    Subfield {
        name: "value",
        about: "The value to compare with",
        shape: Shape::Scalar,
        example: "up",
    },
];
