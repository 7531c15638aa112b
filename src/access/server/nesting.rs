//! Things inside each other: roles that inherit from roles, groups that lie in groups.

/// How many levels may stand above each other.
pub const DEEPEST: usize = 8;

/// One step of the way up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<Id> {
    pub id: Id,
    /// The place of the step before; the first stands for itself.
    pub from: usize,
}

impl<Id: Copy> Step<Id> {
    /// The way from the first to the one at `at`, both included.
    pub fn path(steps: &[Step<Id>], at: usize) -> Vec<Id> {
        let mut path = Vec::new();
        let mut here = at;
        while let Some(step) = steps.get(here) {
            path.push(step.id);
            if here == 0 {
                break;
            }
            here = step.from;
        }
        path.reverse();
        path
    }
}

/// The thing itself and everything above it, each once, the nearest first. Ends on a circle, too.
pub fn reach<'a, Id: Copy + PartialEq + 'a>(of: Id, up: impl Fn(Id) -> &'a [Id]) -> Vec<Step<Id>> {
    let mut steps = vec![Step { id: of, from: 0 }];
    let mut at = 0;
    while let Some(step) = steps.get(at).copied() {
        for id in up(step.id) {
            if !steps.iter().any(|known| known.id == *id) {
                steps.push(Step { id: *id, from: at });
            }
        }
        at += 1;
    }
    steps
}

/// The way on which a thing comes back to itself, the thing at both ends.
pub fn circle<'a, Id: Copy + PartialEq + 'a>(of: Id, up: impl Fn(Id) -> &'a [Id]) -> Option<Vec<Id>> {
    let steps = reach(of, &up);
    let last = steps.iter().position(|step| up(step.id).contains(&of))?;
    let mut path = Step::path(&steps, last);
    path.push(of);
    Some(path)
}

/// How many levels the longest way up has, the thing itself included; stops counting beyond [`DEEPEST`].
pub fn height<'a, Id: Copy + PartialEq + 'a>(of: Id, up: &impl Fn(Id) -> &'a [Id]) -> usize {
    // Level by level: what is reached in so many steps. Each thing once a level, so that many ways cost nothing.
    let mut level = vec![of];
    for height in 0..=DEEPEST {
        if level.is_empty() {
            return height;
        }
        let mut next = Vec::new();
        for id in level.iter().flat_map(|id| up(*id)) {
            if !next.contains(id) {
                next.push(*id);
            }
        }
        level = next;
    }
    DEEPEST + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 inherits from 2 and 3, both from 4; 5, 6 and 7 go round.
    fn up(of: u8) -> &'static [u8] {
        match of {
            1 => &[2, 3],
            2 | 3 => &[4],
            5 => &[6],
            6 => &[7],
            7 => &[5],
            // A chain of a hundred.
            100..200 => CHAIN.get(usize::from(of - 99)..usize::from(of - 98)).unwrap_or(&[]),
            _ => &[],
        }
    }

    static CHAIN: [u8; 101] = {
        let mut chain = [0; 101];
        let mut at = 0;
        while at < 101 {
            chain[at] = 99 + at as u8 + 1;
            at += 1;
        }
        chain
    };

    #[test]
    fn each_thing_above_is_reached_once_by_the_shortest_way() {
        let steps = reach(1, up);
        assert_eq!(steps.iter().map(|step| step.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(Step::path(&steps, 3), [1, 2, 4]);
        assert_eq!(Step::path(&steps, 0), [1]);
    }

    #[test]
    fn a_circle_is_found_and_named_and_ends_nothing_else() {
        assert_eq!(circle(5, up), Some(vec![5, 6, 7, 5]));
        assert_eq!(circle(1, up), None);
        assert_eq!(reach(6, up).len(), 3);
    }

    #[test]
    fn the_longest_way_counts() {
        assert_eq!(height(4, &up), 1);
        assert_eq!(height(1, &up), 3);
        assert!(height(100, &up) > DEEPEST);
        assert!(height(5, &up) > DEEPEST);
    }
}
