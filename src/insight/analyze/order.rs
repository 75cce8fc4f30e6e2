//! From pairs to a picture: equal segments as one, containment with nothing between.

use super::Extent;
use super::lattice::Relations;

/// The segments by number.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Two or more that are the same set, in the file's order.
    pub equal: Vec<Vec<usize>>,
    /// Inner and outer, each the first of its equals.
    pub edges: Vec<(usize, usize)>,
    /// Firsts of their equals that overlap, neither within the other.
    pub overlaps: Vec<(usize, usize)>,
    /// Pairs without a user in common; empty segments left out.
    pub disjoint: Vec<(usize, usize)>,
}

impl Order {
    pub fn of(relations: &Relations) -> Order {
        let count = relations.count();
        let mut first_equal: Vec<usize> = Vec::with_capacity(count);
        for at in 0..count {
            let equal = |other: &usize| relations.is_within(at, *other) && relations.is_within(*other, at);
            first_equal.push((0..at).find(equal).unwrap_or(at));
        }
        let heads: Vec<usize> = (0..count).filter(|at| first_equal.get(*at) == Some(at)).collect();
        let equal = heads
            .iter()
            .map(|head| (0..count).filter(|at| first_equal.get(*at) == Some(head)).collect::<Vec<_>>())
            .filter(|class| class.len() > 1)
            .collect();
        let empty =
            |at: usize| relations.alone.get(at).is_some_and(|alone| alone.extent == Some(Extent::Nobody));
        // The empty set lies within all others, which tells nobody anything.
        let shown: Vec<usize> = heads.into_iter().filter(|at| !empty(*at)).collect();
        let mut order = Order { equal, ..Order::default() };
        let above: Vec<Vec<usize>> = shown
            .iter()
            .map(|inner| {
                shown
                    .iter()
                    .copied()
                    .filter(|outer| outer != inner && relations.is_within(*inner, *outer))
                    .collect()
            })
            .collect();
        for (inner, outers) in shown.iter().zip(&above) {
            for outer in outers {
                let between = |middle: &usize| middle != outer && relations.is_within(*middle, *outer);
                if !outers.iter().any(between) {
                    order.edges.push((*inner, *outer));
                }
            }
        }
        for (place, a) in shown.iter().enumerate() {
            for b in shown.iter().skip(place + 1) {
                match relations.overlap(*a, *b) {
                    Some(true) if !relations.is_within(*a, *b) && !relations.is_within(*b, *a) => {
                        order.overlaps.push((*a, *b));
                    }
                    Some(false) => order.disjoint.push((*a, *b)),
                    _ => {}
                }
            }
        }
        order
    }
}
