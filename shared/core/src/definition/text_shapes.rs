//! The forms of the texts in definitions.

use super::shape::TextShape;

/// The ids of monitors, as [`crate::id::MonitorId`] reads them.
pub const MONITOR_ID: TextShape = TextShape {
    wanted: "the id of a monitor",
    patterns: &["^[a-z0-9][a-z0-9_.-]{0,63}$"],
    max: 64,
};
/// The names of locations, as [`crate::id::Location`] reads them.
pub const LOCATION: TextShape = TextShape {
    wanted: "the name of a location",
    patterns: &["^[a-z0-9][a-z0-9-]{0,31}$"],
    max: 32,
};

/// The groups of monitors, as [`crate::group::GroupId`] reads them.
pub(super) const GROUP_ID: TextShape = TextShape {
    wanted: "a group such as 1m#0",
    patterns: &["^[0-9]+[smh]#[0-9]+$"],
    max: 16,
};

/// Parts of the pattern of a host.
macro_rules! pattern {
    (byte) => {
        "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
    };
    (v4) => {
        concat!(pattern!(byte), "(\\.", pattern!(byte), "){3}")
    };
    (hex) => {
        "[0-9A-Fa-f]{1,4}"
    };
    // `$left` groups, `::`, and up to `$right` + 1 groups, or `$with_v4` groups and an IPv4 address.
    (around $left:literal, $right:literal, $with_v4:literal) => {
        concat!(
            "(", pattern!(hex), ":){", $left, "}:(", pattern!(hex), "(:", pattern!(hex), "){0,", $right, "})?|(",
            pattern!(hex), ":){", $left, "}:(", pattern!(hex), ":){0,", $with_v4, "}", pattern!(v4)
        )
    };
    (v6) => {
        concat!(
            "((", pattern!(hex), ":){7}", pattern!(hex), "|(", pattern!(hex), ":){6}", pattern!(v4),
            "|", pattern!(around 1, 5, 4), "|", "::(", pattern!(hex), "(:", pattern!(hex), "){0,6})?|::(", pattern!(hex),
            ":){0,5}", pattern!(v4), "|", pattern!(around 2, 4, 3), "|", pattern!(around 3, 3, 2), "|",
            pattern!(around 4, 2, 1), "|", pattern!(around 5, 1, 0), "|(", pattern!(hex), ":){6}:(", pattern!(hex), ")?|(",
            pattern!(hex), ":){7}:)"
        )
    };
    (letter) => {
        "([A-Za-z0-9_]|[^\\x00-\\x7f])"
    };
    (label) => {
        concat!(pattern!(letter), "(([A-Za-z0-9_-]|[^\\x00-\\x7f]){0,61}", pattern!(letter), ")?")
    };
    (host) => {
        concat!(
            "^(", pattern!(v4), "|", pattern!(v6), "|\\[(", pattern!(v4), "|", pattern!(v6), ")\\]|", pattern!(label),
            "(\\.", pattern!(label), ")*\\.?)$"
        )
    };
}

/// An IPv4 or IPv6 address, with or without brackets, or a name of RFC 1123, in Unicode letters too; not only digits and
/// dots unless it is an IPv4 address; at most 253 characters and a final dot.
pub(super) const HOST: TextShape = TextShape {
    wanted: "a DNS name or an address",
    patterns: &[
        pattern!(host),
        concat!("^(", pattern!(v4), "|.*[^0-9.].*)$"),
        "^.{1,253}\\.?$",
    ],
    max: 254,
};

pub(super) const NAME: TextShape = TextShape {
    wanted: "a name of 1 to 100 printable characters, on one line",
    patterns: &[LABEL],
    max: 100,
};
pub(super) const GROUP: TextShape = TextShape {
    wanted: "a label of 1 to 64 printable characters, on one line",
    patterns: &[LABEL],
    max: 64,
};
const LABEL: &str = "^[^\\s\\x00-\\x1f\\x7f]([^\\x00-\\x1f\\x7f]*[^\\s\\x00-\\x1f\\x7f])?$";
pub(super) const DESCRIPTION: TextShape = TextShape {
    wanted: "a text of 1 to 500 characters",
    patterns: &["[^\\s]"],
    max: 500,
};
pub(super) const TAG: TextShape = TextShape {
    wanted: "1 to 64 letters, digits and -_.:/=",
    patterns: &["^[A-Za-z0-9_.:/=-]{1,64}$"],
    max: 64,
};
pub(super) const URL: TextShape = TextShape {
    wanted: "an http:// or https:// URL of at most 500 characters",
    patterns: &["^https?://[!#-;=?-_a-~]+$"],
    max: 500,
};
