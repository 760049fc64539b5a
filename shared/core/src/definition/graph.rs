//! Cycles in the dependencies between monitors.

use std::collections::{BTreeMap, BTreeSet};

/// The dependencies of each id that has some.
type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Cycles of `graph`, each listed once from its smallest id. Finds at least one cycle of each strongly connected
/// component. Takes time linear in ids and dependencies.
pub(super) fn cycles<'a>(graph: &Graph<'a>) -> BTreeSet<Vec<&'a str>> {
    let mut found = BTreeSet::new();
    let mut done = BTreeSet::new();
    for start in graph.keys().copied() {
        if !done.contains(start) {
            visit(start, graph, &mut done, &mut found);
        }
    }
    found
}

/// Visits everything reachable from `start`, depth first. Uses an explicit stack, because chains may be long.
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
    // Cycles within one search share ids. One cycle for each id that closes a cycle is enough to fix the file.
    let mut closed = BTreeSet::new();
    while let Some(next) = rest.last_mut().map(Iterator::next) {
        match next {
            Some(id) => match places.get(id) {
                Some(place) => {
                    if closed.insert(id) {
                        found.extend(path.get(*place..).map(from_smallest));
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

/// Rotates a cycle so that its smallest id comes first.
fn from_smallest<'a>(cycle: &[&'a str]) -> Vec<&'a str> {
    let mut cycle = cycle.to_vec();
    let least = cycle
        .iter()
        .enumerate()
        .min_by_key(|(_, id)| **id)
        .map_or(0, |(place, _)| place);
    cycle.rotate_left(least);
    cycle
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `a>b a>c b>c` and compares its cycles, written as `a>b>c`.
    fn check(edges: &str, expected: &[&str]) {
        let mut graph = Graph::new();
        for (from, to) in edges.split(' ').filter_map(|edge| edge.split_once('>')) {
            graph.entry(from).or_default().insert(to);
            graph.entry(to).or_default();
        }
        let found: Vec<_> = cycles(&graph).iter().map(|cycle| cycle.join(">")).collect();
        assert_eq!(found, expected, "{edges}");
    }

    #[test]
    fn each_cycle_component_is_found_once() {
        check("", &[]);
        check("a>b b>c a>c", &[]);
        check("b>c c>a a>b", &["a>b>c"]);
        check("x>b b>a a>b", &["a>b"]);
        check("a>b b>a c>d d>c", &["a>b", "c>d"]);
        check("a>c b>a c>a c>b", &["a>c"]);
    }

    #[test]
    fn chain_of_ten_thousand_ids_is_searched() {
        let ids: Vec<String> = (0..10_000).map(|n| format!("m{n:05}")).collect();
        let mut graph: Graph<'_> = ids
            .windows(2)
            .filter_map(|pair| Some((pair.first()?.as_str(), BTreeSet::from([pair.last()?.as_str()]))))
            .collect();
        assert_eq!(cycles(&graph).len(), 0);
        graph.insert("m09999", BTreeSet::from(["m00000"]));
        assert_eq!(cycles(&graph).first().map(Vec::len), Some(10_000));
    }
}
