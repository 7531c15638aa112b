//! Numbers from a seed (SplitMix64): the same seed makes the same choices.

#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Of one case: what it does doesn't depend on which others run.
    pub fn of_case(seed: u64, name: &str) -> Self {
        let mut mixed = Random(seed);
        for byte in name.bytes() {
            mixed = Random(mixed.next() ^ u64::from(byte));
        }
        mixed
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let len = u64::try_from(from.len()).unwrap_or(u64::MAX);
        if len == 0 { None } else { from.get(usize::try_from(self.below(len)).unwrap_or(0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "seeded": a run can be had again.
    #[test]
    fn the_same_seed_makes_the_same_choices() {
        let draw = |seed, name| {
            let mut random = Random::of_case(seed, name);
            (0..8).map(|_| random.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, "F1"), draw(7, "F1"));
        assert_ne!(draw(7, "F1"), draw(8, "F1"));
        assert_ne!(draw(7, "F1"), draw(7, "F3"));
    }
}
