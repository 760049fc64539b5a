//! Ids of monitors from the names in sources.

/// The maximum length of an id.
pub(crate) const MAX_ID_LENGTH: usize = 64;

/// The id derived from a name.
pub(crate) fn id_of(name: &str) -> String {
    let mut id = String::new();
    for c in name.to_ascii_lowercase().chars() {
        let c = if c.is_ascii_alphanumeric() || matches!(c, '_' | '.') {
            c
        } else {
            '-'
        };
        if id.is_empty() && !c.is_ascii_alphanumeric() || c == '-' && id.ends_with('-') {
            continue;
        }
        id.push(c);
        if id.len() == MAX_ID_LENGTH {
            break;
        }
    }
    let id = id.trim_end_matches('-');
    match id {
        "" => "monitor".to_owned(),
        // Some YAML parsers do not read these as strings.
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null" => format!("{id}-1"),
        _ => id.to_owned(),
    }
}
