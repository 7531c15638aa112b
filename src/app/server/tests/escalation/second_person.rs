//! What is high never comes to anybody without a second person, on whatever way: the engine against the reference model.

use super::*;
use crate::access::{ApprovalRules, server::high::high};

/// What the model's tenant has listed as high: patterns, and roles by number.
#[derive(Clone, Debug)]
struct Listed {
    patterns: BTreeSet<usize>,
    roles: BTreeSet<usize>,
}

/// A key that only `*` gives, which is high in every tenant.
const ONLY_BY_EVERYTHING: &str = "future.thing";

impl Listed {
    fn rules(&self) -> ApprovalRules {
        ApprovalRules {
            permissions: self.patterns.iter().map(|pattern| PATTERNS[*pattern].0.to_owned()).collect(),
            roles: self.roles.iter().map(|role| role_name(*role)).collect(),
            ..ApprovalRules::default()
        }
    }

    fn keys(&self, tables: &Tables) -> Rights {
        let always = bits(&[ONLY_BY_EVERYTHING], SCOPES[0].1) | SUPER_ADMIN;
        self.patterns.iter().fold(always, |all, pattern| all | tables.everywhere[*pattern])
    }
}

impl World {
    /// What a role gives, wherever it counts.
    fn gives(&self, tables: &Tables, role: usize) -> Rights {
        self.patterns(role).into_iter().fold(0, |all, pattern| all | tables.everywhere[pattern])
    }

    /// Whether a role is one that is listed, inherits from one, or gives as much as one gives in `yard`.
    fn is_listed(&self, tables: &Tables, listed: &Listed, yard: &World, role: usize) -> bool {
        let lineage = closure(role, |of| &self.parents[of]);
        let gives = self.gives(tables, role);
        listed.roles.iter().any(|high| {
            let wanted = yard.gives(tables, *high);
            lineage.contains(high) || (wanted != 0 && wanted & !gives == 0)
        })
    }

    /// What somebody has by listed roles, as if nothing were denied to them.
    fn by_listed(&self, tables: &Tables, listed: &Listed, yard: &World, who: &Somebody, now: i64) -> Rights {
        let live = who.groups.iter().filter(|(_, end)| lives(**end, now));
        let around = live.flat_map(|(group, _)| closure(*group, |of| &self.groups[of].parents));
        let of_groups = around.flat_map(|group| &self.groups[group].roles);
        let grants = who.roles.iter().chain(of_groups).filter(|(_, (_, end))| lives(*end, now));
        let grants = grants.filter(|(role, _)| self.is_listed(tables, listed, yard, **role));
        let given = grants.flat_map(|(role, (scope, _))| {
            self.patterns(*role).into_iter().map(|pattern| tables.within[*scope][pattern])
        });
        given.fold(0, |all, given| all | given)
    }
}

/// Somebody who has just registered.
fn newcomer() -> Somebody {
    Somebody { active: true, roles: BTreeMap::from([(FIRST, (0, None))]), ..Somebody::default() }
}

fn listed() -> impl Strategy<Value = Listed> {
    let patterns = prop::collection::btree_set(0..PATTERNS.len() - 1, 0..3);
    let roles = prop::collection::btree_set(FIRST + 1..ROLES, 0..2);
    (patterns, roles).prop_map(|(patterns, roles)| Listed { patterns, roles })
}

/// C12, CVE-2026-9795, CVE-2026-9099: a change that asks for no second person gives nobody, at any moment from then on, a
/// listed key, being super-admin, or anything through a listed role that they would not have had without it; nor does
/// it give that to whoever registers next.
///
/// A role is as high as one that is listed where it inherits from it or gives as much. A deny that runs out by itself sets
/// free what it would have set free anyway: the same moment is compared with and without the change. An account that is
/// active again has what it was given before. Taking away never needs a second person.
#[test]
fn what_needs_no_second_person_gives_nobody_what_is_high() {
    let tables = Tables::new();
    let (alone, together) = (Cell::new(0u32), Cell::new(0u32));
    let histories = (world(), listed(), prop::collection::vec(step(), 1..10));
    let outcome = runner(3000).run(&histories, |(mut world, listed, steps)| {
        let (rules, keys) = (listed.rules(), listed.keys(&tables));
        let mut now = 0;
        let mut snapshot = Arc::new(world.snapshot());
        for step in steps {
            now += step.wait;
            let mut next = world.clone();
            let changes = step.acts.iter().flat_map(|act| next.apply(act, now)).collect::<Vec<_>>();
            let staged = stage(&snapshot, &changes);
            if check_nesting(&staged, &changes).is_err() {
                continue;
            }
            let asked = high(&snapshot, &staged, &changes, &rules, moment(now));
            if asked.is_empty() {
                alone.set(alone.get() + 1);
                for at in World::moments(&[&world, &next], now) {
                    for who in 0..next.people.len() {
                        let had = world.people.get(who).cloned().unwrap_or_else(newcomer);
                        let rights = match world.people.get(who) {
                            Some(_) => world.rights_if_active(&tables, who, at),
                            None => world.everybodys(&tables),
                        };
                        let more = next.rights_if_active(&tables, who, at) & !rights & keys;
                        let place = format!("{who} at {at} by {step:?} at {now} in {world:?} under {listed:?}");
                        prop_assert!(more == 0, "gains {:?}: {place}", named(more));
                        let before = world.by_listed(&tables, &listed, &next, &had, at);
                        let more = next.by_listed(&tables, &listed, &next, &next.people[who], at) & !before;
                        prop_assert!(more == 0, "gains {:?} by a listed role: {place}", named(more));
                    }
                }
                let place = format!("whoever registers, by {step:?} at {now} in {world:?} under {listed:?}");
                let more = next.everybodys(&tables) & !world.everybodys(&tables) & keys;
                prop_assert!(more == 0, "gains {:?}: {place}", named(more));
            } else {
                together.set(together.get() + 1);
                let takes = |act: &Act| {
                    matches!(
                        act,
                        Act::Withdraw { .. }
                            | Act::RemoveRole { .. }
                            | Act::RemoveGroup { .. }
                            | Act::Leave { .. }
                            | Act::Delete { .. }
                            | Act::Active { .. }
                    )
                };
                prop_assert!(!step.acts.iter().all(takes), "{step:?} only takes away, and asks for {asked:?}");
            }
            (world, snapshot) = (next, Arc::new(staged));
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    assert!(alone.get() > 2000 && together.get() > 2000, "{alone:?} alone, {together:?} together: not much was tried");
}
