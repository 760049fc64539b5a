//! Circles in what depends on what.

use std::collections::{BTreeMap, BTreeSet};

/// Which ids each id names. Every id that is named is a key as well.
type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Circles of `graph`, each from its least id, without that id's return; at least one of every knot of
/// circles, none twice. Takes time linear in ids and dependencies.
pub(super) fn circles<'a>(graph: &Graph<'a>) -> BTreeSet<Vec<&'a str>> {
    let mut found = BTreeSet::new();
    let mut done = BTreeSet::new();
    for start in graph.keys().copied() {
        if !done.contains(start) {
            visit(start, graph, &mut done, &mut found);
        }
    }
    found
}

/// Walks everything that `start` leads to, depth first, with a stack of its own: chains may be long.
fn visit<'a>(
    start: &'a str,
    graph: &Graph<'a>,
    done: &mut BTreeSet<&'a str>,
    found: &mut BTreeSet<Vec<&'a str>>,
) {
    let none = BTreeSet::new();
    let parents = |id: &str| graph.get(id).unwrap_or(&none).iter().copied();
    let mut path = vec![start];
    let mut places = BTreeMap::from([(start, 0)]);
    let mut rest = vec![parents(start)];
    // Circles within one walk share ids; one for each id at which a circle closes is enough to mend by.
    let mut closed = BTreeSet::new();
    while let Some(next) = rest.last_mut().map(Iterator::next) {
        match next {
            Some(id) => match places.get(id) {
                Some(place) => {
                    if closed.insert(id) {
                        found.extend(path.get(*place..).map(from_least));
                    }
                }
                None if done.contains(id) => {}
                None => {
                    places.insert(id, path.len());
                    path.push(id);
                    rest.push(parents(id));
                }
            },
            None => {
                rest.pop();
                if let Some(id) = path.pop() {
                    places.remove(id);
                    done.insert(id);
                }
            }
        }
    }
}

/// The same circle, beginning at its least id.
fn from_least<'a>(circle: &[&'a str]) -> Vec<&'a str> {
    let mut circle = circle.to_vec();
    let least = circle
        .iter()
        .enumerate()
        .min_by_key(|(_, id)| **id)
        .map_or(0, |(place, _)| place);
    circle.rotate_left(least);
    circle
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `a>b a>c b>c` and returns its circles as `a>b>c`.
    fn check(edges: &str, expected: &[&str]) {
        let mut graph = Graph::new();
        for (from, to) in edges.split(' ').filter_map(|edge| edge.split_once('>')) {
            graph.entry(from).or_default().insert(to);
            graph.entry(to).or_default();
        }
        let found: Vec<_> = circles(&graph).iter().map(|circle| circle.join(">")).collect();
        assert_eq!(found, expected, "{edges}");
    }

    #[test]
    fn every_knot_of_circles_is_found_once() {
        check("", &[]);
        check("a>b b>c a>c", &[]);
        check("b>c c>a a>b", &["a>b>c"]);
        check("x>b b>a a>b", &["a>b"]);
        check("a>b b>a c>d d>c", &["a>b", "c>d"]);
        check("a>c b>a c>a c>b", &["a>c"]);
    }

    #[test]
    fn a_chain_of_ten_thousand_is_no_trouble() {
        let ids: Vec<String> = (0..10_000).map(|n| format!("m{n:05}")).collect();
        let mut graph: Graph<'_> = ids
            .windows(2)
            .filter_map(|pair| Some((pair.first()?.as_str(), BTreeSet::from([pair.last()?.as_str()]))))
            .collect();
        assert_eq!(circles(&graph).len(), 0);
        graph.insert("m09999", BTreeSet::from(["m00000"]));
        assert_eq!(circles(&graph).first().map(Vec::len), Some(10_000));
    }
}
