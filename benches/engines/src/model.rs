//! The one model that every engine is given: people with roles, roles with keys, and the questions.

/// Resources and what is done to them: `r0.a0` … `r19.a4`.
const RESOURCES: usize = 20;
const ACTIONS: usize = 5;
pub const KEYS: usize = RESOURCES * ACTIONS;
/// So many keys does a role give.
const KEYS_OF_A_ROLE: usize = 10;
/// So many roles has a person.
const ROLES_OF_A_PERSON: usize = 3;
/// So many questions are asked in turn: more than the caches hold of a million people.
pub const QUESTIONS: usize = 1 << 16;

/// Whether this person may do that.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    pub person: usize,
    pub key: usize,
}

pub struct Model {
    pub people: usize,
    pub roles: usize,
    pub questions: Vec<Question>,
}

impl Model {
    /// Ten people to a role, and no more than a thousand roles: with their keys those are 10⁴ rules.
    pub fn of(people: usize) -> Self {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let questions = (0..QUESTIONS).map(|_| Question { person: random.below(people), key: random.below(KEYS) });
        let questions = questions.collect();
        Model { people, roles: (people / 10).clamp(10, 1_000), questions }
    }

    /// Lines of the form "this role gives this key".
    pub fn rules(&self) -> usize {
        self.roles * KEYS_OF_A_ROLE
    }

    pub fn keys_of(&self, role: usize) -> impl Iterator<Item = usize> + use<> {
        // A step that shares no factor with their number: the ten are different.
        (0..KEYS_OF_A_ROLE).map(move |at| (role * 7 + at * 9) % KEYS)
    }

    pub fn roles_of(&self, person: usize) -> impl Iterator<Item = usize> + use<> {
        let roles = self.roles;
        (0..ROLES_OF_A_PERSON).map(move |at| (person * 31 + at * 3) % roles)
    }

    pub fn may(&self, question: Question) -> bool {
        self.roles_of(question.person).any(|role| self.keys_of(role).any(|key| key == question.key))
    }
}

pub fn key(at: usize) -> String {
    // A key of the catalogue is made of letters and digits after a letter.
    format!("r{}.a{}", at / ACTIONS, at % ACTIONS)
}

/// SplitMix64: the same questions in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound.max(1) as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_may_and_some_may_not_and_roles_give_different_keys() {
        let model = Model::of(10_000);
        assert_eq!(model.rules(), 10_000);
        let may = model.questions.iter().filter(|question| model.may(**question)).count();
        assert!(may > QUESTIONS / 10 && may < QUESTIONS / 2, "{may}");
        let keys = model.keys_of(3).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(keys.len(), KEYS_OF_A_ROLE);
    }
}
