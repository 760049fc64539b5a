//! Suggestions for misspelt words.

use strsim::osa_distance;

/// The most similar word to `found`, in any letter case, if it is similar enough to be a typo.
pub fn nearest<'a>(found: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A longer text is not a typo of a word.
    if found.len() > 40 {
        return None;
    }
    let found = found.to_lowercase();
    words
        .into_iter()
        .map(|word| (osa_distance(&found, &word.to_lowercase()), word))
        .min()
        // A word that shares no character is not meant.
        .filter(|(steps, word)| *steps <= 1 + word.len() / 4 && *steps < word.len())
        .map(|(_, word)| word)
}

/// Up to three of `words` that `found` may mean, most similar first: similar words, and words that contain `found`.
pub fn near_misses<'a>(found: &str, words: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    if found.len() > 70 {
        return Vec::new();
    }
    let rank = |word: &'a str| {
        let steps = osa_distance(found, word);
        let is_part = found.len() > 2 && word.contains(found);
        (steps <= 1 + word.len() / 4 || is_part).then_some((steps, word))
    };
    let mut near: Vec<_> = words.into_iter().filter_map(rank).collect();
    near.sort_unstable();
    near.into_iter().map(|(_, word)| word).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_suggests_misspelt_words_only() {
        let words = ["timeout", "host", "failures_to_open", "HEAD"];
        for (found, expected) in [
            ("time_out", Some("timeout")),
            ("hots", Some("host")),
            ("Host", Some("host")),
            ("head", Some("HEAD")),
            ("failure_to_open", Some("failures_to_open")),
            ("colour", None),
            ("h", None),
            (&"x".repeat(100), None),
        ] {
            assert_eq!(nearest(found, words), expected, "{found}");
        }
    }

    #[test]
    fn near_misses_suggest_misspelt_and_partial_ids() {
        let ids = ["orders-db", "orders-db-replica", "order-db", "cache", "web"];
        for (found, expected) in [
            ("ordres-db", &["orders-db", "order-db"][..]),
            ("replica", &["orders-db-replica"]),
            ("chache", &["cache"]),
            ("we", &["web"]),
            ("smtp", &[]),
            (&"x".repeat(100), &[]),
        ] {
            assert_eq!(near_misses(found, ids), expected, "{found}");
        }
    }
}
