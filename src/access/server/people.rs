//! Everybody's grants in parts, so that the change of one person copies the part they are in and shares all others with the
//! state before.

use std::sync::Arc;

use foldhash::HashMap;

use crate::{access::server::engine::PersonGrants, base::ids::UserId};

/// So many people fill a part on the average; with more there are more parts. A table of so many is nearly as full as it
/// gets, and still when it is split in two; with a few more it would be twice as large.
const FULL: usize = 800;

/// Its hashes are a third of what a check costs: not those of the standard library, which withstand more than ids and keys that the
/// server itself has made.
type Part = HashMap<UserId, Arc<PersonGrants>>;

/// People by id. A clone is cheap and stays as it is.
#[derive(Clone, Debug)]
pub struct People {
    /// Which one somebody is in tell the last bits of their id, which are random.
    parts: Vec<Arc<Part>>,
    states: States,
}

/// How many people there are, by state (D5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct States {
    pub active: i64,
    pub invited: i64,
    pub suspended: i64,
}

impl States {
    pub fn of<'a>(people: impl Iterator<Item = &'a PersonGrants>) -> Self {
        let mut states = States::default();
        people.for_each(|person| *states.state(person) += 1);
        states
    }

    fn state(&mut self, person: &PersonGrants) -> &mut i64 {
        match person {
            PersonGrants { active: true, .. } => &mut self.active,
            PersonGrants { invited: true, .. } => &mut self.invited,
            PersonGrants { .. } => &mut self.suspended,
        }
    }

    fn count(self) -> usize {
        usize::try_from(self.active + self.invited + self.suspended).unwrap_or(0)
    }
}

impl Default for People {
    fn default() -> Self {
        People::in_parts(1)
    }
}

impl People {
    /// Nobody, in as many parts as so many people will need and a few more who come later: a split touches everybody.
    pub fn with_capacity(people: usize) -> Self {
        People::in_parts((people + people / 16).div_ceil(FULL).max(1))
    }

    fn in_parts(parts: usize) -> Self {
        People { parts: vec![Arc::default(); parts], states: States::default() }
    }

    pub fn states(&self) -> States {
        self.states
    }

    fn place(&self, id: UserId) -> usize {
        place(id, self.parts.len())
    }

    pub fn get(&self, id: UserId) -> Option<&Arc<PersonGrants>> {
        self.parts[self.place(id)].get(&id)
    }

    pub fn contains(&self, id: UserId) -> bool {
        self.get(id).is_some()
    }

    pub fn put(&mut self, id: UserId, person: Arc<PersonGrants>) {
        let place = self.place(id);
        *self.states.state(&person) += 1;
        if let Some(before) = Arc::make_mut(&mut self.parts[place]).insert(id, person) {
            *self.states.state(&before) -= 1;
        } else if self.states.count() > self.parts.len() * FULL {
            self.split();
        }
    }

    pub fn remove(&mut self, id: UserId) {
        let place = self.place(id);
        if self.contains(id)
            && let Some(before) = Arc::make_mut(&mut self.parts[place]).remove(&id)
        {
            *self.states.state(&before) -= 1;
        }
    }

    /// Everybody, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (UserId, &PersonGrants)> {
        self.parts.iter().flat_map(|part| part.iter()).map(|(id, person)| (*id, &**person))
    }

    /// Twice as many parts.
    fn split(&mut self) {
        let mut parts = vec![Part::default(); self.parts.len() * 2];
        for (id, person) in self.parts.iter().flat_map(|part| part.iter()) {
            let place = place(*id, parts.len());
            parts[place].insert(*id, person.clone());
        }
        self.parts = parts.into_iter().map(Arc::new).collect();
    }
}

/// The part of so many in which somebody is: as far along in them as the last bits of their id are among all.
fn place(id: UserId, parts: usize) -> usize {
    let (_, last) = id.0.as_u64_pair();
    // Less than the number of parts.
    (((last & u64::from(u32::MAX)) * parts as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// Ids whose last bits are spread, as those of the server are.
    fn person(number: u128) -> UserId {
        UserId(Uuid::from_u128(number.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)))
    }

    /// I2: a change of somebody who is there splits nothing, however full the parts are; one more person may.
    #[test]
    fn a_change_of_somebody_leaves_the_parts_as_they_are() {
        let mut people = People::in_parts(2);
        for number in 0..2 * FULL as u128 {
            people.put(person(number), Arc::default());
        }
        people.put(person(7), Arc::default());
        assert_eq!((people.parts.len(), people.states.count()), (2, 2 * FULL));
        people.put(person(2 * FULL as u128), Arc::default());
        assert_eq!((people.parts.len(), people.states.count(), people.iter().count()), (4, 2 * FULL + 1, 2 * FULL + 1));
        let loaded = People::with_capacity(1_000_000).parts.len() * FULL;
        assert!((1_050_000..1_100_000).contains(&loaded), "room for more than a few: {loaded}");
    }

    /// I2: whoever keeps an older state sees nothing of what is changed in a newer one, however many people there are.
    #[test]
    fn a_change_leaves_what_was_there_before() {
        let active = Arc::new(PersonGrants { active: true, ..PersonGrants::default() });
        let mut people = People::default();
        for number in 0..5_000 {
            people.put(person(number), active.clone());
        }
        assert_eq!((people.iter().count(), people.states.count(), people.parts.len()), (5_000, 5_000, 8));
        let before = people.clone();
        people.remove(person(7));
        people.remove(person(7));
        people.put(person(8), Arc::default());
        people.put(person(9_999), Arc::default());
        assert_eq!((people.states.count(), before.states.count()), (5_000, 5_000));
        assert!(people.get(person(7)).is_none() && before.contains(person(7)));
        assert!(!people.get(person(8)).expect("there").active && before.get(person(8)).expect("there").active);
        assert!(people.contains(person(9_999)) && !before.contains(person(9_999)));
        assert_eq!(people.states, States { active: 4_998, suspended: 2, invited: 0 });
        assert_eq!(before.states, States { active: 5_000, suspended: 0, invited: 0 });
        let shared = people.parts.iter().zip(&before.parts).filter(|(one, other)| Arc::ptr_eq(one, other)).count();
        // 7, 8 and 9,999 lie in three parts at most: what is in the others is there once.
        assert!((5..8).contains(&shared), "{shared}");
    }
}
