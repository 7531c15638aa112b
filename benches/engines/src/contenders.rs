//! Those that answer: the least that could, and our engine.

use std::{collections::HashMap, ops::Range, sync::Arc};

use bawwab::{
    access::{
        Answer, Permission, PermissionInfo, Scope,
        server::engine::{PersonGrants, RoleGrant, Snapshot},
    },
    base::ids::{RoleId, TenantId, UserId},
};
use chrono::Utc;
use uuid::Uuid;

use crate::model::{KEYS, Model, key};

/// Answers these questions, and tells how many were a yes.
pub type Run = Box<dyn FnMut(Range<usize>) -> anyhow::Result<usize>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Floor,
    Ours,
    Cedar,
    Casbin,
    Regorus,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Floor => "array and bit test",
            Kind::Ours => "ours",
            Kind::Cedar => "Cedar",
            Kind::Casbin => "casbin",
            Kind::Regorus => "regorus",
        }
    }
}

pub struct Contender {
    pub kind: Kind,
    pub people: usize,
    /// Asked between two looks at the clock, so that looking costs little.
    pub batch: usize,
    pub run: Run,
}

/// A person is a place in an array, a key is a bit: nothing that knows who may do what can do less.
pub fn floor(model: &Model) -> Contender {
    const WORDS: usize = KEYS.div_ceil(64);
    let mut bits = vec![[0_u64; WORDS]; model.people];
    for (person, bits) in bits.iter_mut().enumerate() {
        for key in model.roles_of(person).flat_map(|role| model.keys_of(role)) {
            bits[key / 64] |= 1 << (key % 64);
        }
    }
    let questions = model.questions.clone();
    let run = move |range: Range<usize>| {
        let yes =
            questions[range].iter().filter(|asked| bits[asked.person][asked.key / 64] >> (asked.key % 64) & 1 == 1);
        anyhow::Ok(yes.count())
    };
    Contender { kind: Kind::Floor, people: model.people, batch: 256, run: Box::new(run) }
}

fn user(person: usize) -> UserId {
    // Spread over all bits, as random ids are: their hashes are what is looked up.
    UserId(Uuid::from_u128((person as u128 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)))
}

fn role(at: usize) -> RoleId {
    RoleId(Uuid::from_u128((at as u128 + 1).wrapping_mul(0xD1B5_4A32_D192_ED03_9E37_79B9_7F4A_7C15)))
}

fn permission(at: usize) -> anyhow::Result<Permission> {
    Permission::parse(&key(at)).map_err(|code| anyhow::anyhow!("{}: {code:?}", key(at)))
}

/// C4: the snapshot that every request is decided on, without policies. People with the same grants share them, as when a node
/// reads them.
pub fn ours(model: &Model) -> anyhow::Result<Contender> {
    let catalogue = (0..KEYS).map(|at| PermissionInfo { key: key(at), ..PermissionInfo::default() }).collect();
    let keys = (0..KEYS).map(permission).collect::<anyhow::Result<Vec<_>>>()?;
    let mut snapshot = Snapshot::new(TenantId(Uuid::from_u128(9)), 1, catalogue);
    for at in 0..model.roles {
        let gives = model.keys_of(at).map(|key| keys[key].clone()).collect();
        snapshot.put_role(role(at), format!("role {at}"), false, gives);
    }
    snapshot.expect_people(model.people);
    let mut kinds = HashMap::<Vec<usize>, Arc<PersonGrants>>::new();
    for person in 0..model.people {
        let grants = kinds.entry(model.roles_of(person).collect()).or_insert_with_key(|roles| {
            let roles = roles.iter().map(|at| RoleGrant { role: role(*at), scope: Scope::default(), expires_at: None });
            Arc::new(PersonGrants { active: true, roles: roles.collect(), ..PersonGrants::default() })
        });
        snapshot.set_person(user(person), Some(grants.clone()));
    }
    let questions = model.questions.iter().map(|asked| (user(asked.person), asked.key)).collect::<Vec<_>>();
    let now = Utc::now();
    let run = move |range: Range<usize>| {
        let yes =
            questions[range].iter().filter(|(who, key)| snapshot.check(*who, &keys[*key], None, now) == Answer::Yes);
        anyhow::Ok(yes.count())
    };
    Ok(Contender { kind: Kind::Ours, people: model.people, batch: 256, run: Box::new(run) })
}
