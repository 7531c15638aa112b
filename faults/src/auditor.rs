//! After a fault: settles what is unknown, and compares the journal with the database.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use bawwab_running::{Client, MASTER_KEY, PASSWORD, rows};

use crate::{
    findings::Findings,
    ground::World,
    journal::{Act, Entry, Kind, Outcome},
    load::{Load, ROLES},
    random::Random,
};

/// What a repeated request may be told apart from its first answer: that it has been done.
const DONE_ALREADY: &str = "409 idempotency_done";

/// Every act again whose outcome is unknown, with its key; and some of those that were done. Both outcomes are legal before,
/// one of them is certain afterwards.
pub async fn settle(load: &Load, client: &Client, random: &mut Random, findings: &mut Findings) -> anyhow::Result<()> {
    load.renew(client).await?;
    let (mut unsettled, mut other) = (Vec::new(), Vec::new());
    let (mut unknown, mut told, mut repeated) = (0, 0, 0);
    for Entry { act, outcome } in load.journal.read()? {
        match outcome {
            Outcome::Unknown(before) => {
                unknown += 1;
                match load.send(client, &act).await? {
                    // A refusal says that it was not done either; that is compared later.
                    Outcome::Done { .. } | Outcome::Refused(..) => {}
                    Outcome::Unknown(why) if why == DONE_ALREADY => told += 1,
                    now => unsettled.push(format!("{} {}: {before}, then {now:?}", act.kind_name(), act.what)),
                }
            }
            Outcome::Done { text, .. } if random.below(10) == 0 => {
                repeated += 1;
                let answer =
                    client.send("POST", &act.path, Some(&act.body), Some(&load.token()?), Some(&act.key)).await?;
                let is_same = answer.is_success() && answer.is_replayed && answer.text == text;
                // Its node was killed between the act and the keeping of the answer, which was on its way already.
                let is_told = format!("{} {}", answer.status, answer.text_of("code")) == DONE_ALREADY;
                if !is_same && !is_told {
                    other.push(format!("{} {}: {} {}", act.kind_name(), act.what, answer.status, answer.text));
                }
            }
            Outcome::Done { .. } | Outcome::Refused(..) => {}
        }
    }
    findings.holds("I3", "an unknown outcome is settled by asking again with the same key", unsettled);
    findings.holds("I3", "a repeated request is given its first answer", other);
    findings
        .did(format!("{unknown} outcomes unknown ({told} of them done without an answer kept), {repeated} repeated"));
    Ok(())
}

/// The journal and the database, both ways.
pub async fn compare(load: &Load, world: &World, findings: &mut Findings) -> anyhow::Result<()> {
    let entries = load.journal.read()?;
    let held = Held::read(&world.database()).await?;
    let (mut lost, mut twice, mut half, mut undone) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut grants = BTreeMap::<&str, usize>::new();
    for Entry { act, outcome } in &entries {
        let place = format!("{} {} ({}): {outcome:?}", act.kind_name(), act.what, act.key);
        let ids = held.ids(act.kind, &act.what, act.whom.as_deref());
        match (outcome, ids.as_slice()) {
            (Outcome::Done { .. }, []) => lost.push(place.clone()),
            (Outcome::Done { id, .. }, [held]) if !id.is_empty() && act.kind != Kind::Grant && held != id => {
                lost.push(format!("{place}, but it is {held}"));
            }
            (Outcome::Refused(..), [_, ..]) => undone.push(place.clone()),
            _ => {}
        }
        if ids.len() > 1 {
            twice.push(format!("{place}: {} of them", ids.len()));
        }
        for id in &ids {
            if act.kind == Kind::Grant {
                *grants.entry(act.whom.as_deref().unwrap_or_default()).or_default() += 1;
                continue;
            }
            let written = held.events.get(&(act.kind.action().to_owned(), id.clone())).copied().unwrap_or(0);
            if written != 1 {
                half.push(format!("{place}: {written} rows of the audit log"));
            }
        }
    }
    for (whom, count) in &grants {
        let written = held.events.get(&(Kind::Grant.action().to_owned(), (*whom).to_owned())).copied().unwrap_or(0);
        if written != *count {
            half.push(format!("person {whom} has {count} roles and {written} rows of the audit log"));
        }
    }
    for (action, id) in held.events.keys() {
        let is_ours = match action.as_str() {
            "admin.assign_roles" => grants.contains_key(id.as_str()) || !held.is_of_load(id),
            _ => held.all.contains(id),
        };
        if !is_ours {
            half.push(format!("the audit log tells of {action} {id}, which is not there"));
        }
    }
    findings.is_so("I1", "there was something to lose", !entries.is_empty(), "nothing was asked");
    findings.holds("I1", "what was acknowledged is there", lost);
    findings.holds("I3", "one key has one effect", twice);
    findings.holds("I3", "what was refused was not done", undone);
    findings.holds("I2", "each change has one row of the audit log, and each row its change", half);
    let (rotations, broken) = load.rotations()?;
    findings.holds("I4", "a refresh token that was acknowledged is good, once", broken);
    findings.did(format!("{} acts and {rotations} rotations of refresh tokens", entries.len()));
    Ok(())
}

/// How much of what an act makes is there now, and how many rows of the audit log tell of it: 0 or 1 of each, else it is
/// half done or done twice.
pub async fn standing(world: &World, act: &Act) -> anyhow::Result<(usize, usize)> {
    let held = Held::read(&world.database()).await?;
    let told = |id: &str| held.events.get(&(act.kind.action().to_owned(), id.to_owned())).copied().unwrap_or(0);
    let whom = act.whom.as_deref();
    let ids = held.ids(act.kind, &act.what, whom);
    let rows = match whom {
        // The log names the person: what they were given before is told of there as well.
        Some(whom) => {
            let is_other = |role: &String| *role != act.what && ROLES.contains(&role.as_str());
            let others = held.grants.iter().filter(|(person, role)| person == whom && is_other(role)).count();
            told(whom).checked_sub(others).with_context(|| format!("roles of {whom} have no row of the audit log"))?
        }
        None => ids.iter().map(|id| told(id)).sum(),
    };
    Ok((ids.len(), rows))
}

/// `bawwab verify --strict`, and what the logs of the nodes must not hold.
pub async fn verify(world: &World, findings: &mut Findings) -> anyhow::Result<()> {
    let done = world.installation.command(&["verify", "--strict"]).output().await?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let mut broken = said
        .lines()
        .filter(|line| line.contains("DOES NOT HOLD") || line.starts_with("    "))
        .map(str::to_owned)
        .collect::<Vec<_>>();
    if !done.status.success() && broken.is_empty() {
        broken.push(String::from_utf8_lossy(&done.stderr).trim().to_owned());
    }
    let looked = said.lines().filter(|line| line.ends_with(": holds")).count();
    if looked == 0 && broken.is_empty() {
        broken.push(format!("it looked at nothing: {said}"));
    }
    findings.holds("I2", "bawwab verify --strict finds nothing", broken.clone());
    findings.holds("I6", "the audit log is as it was written", named(&broken, "audit log is as"));
    findings.holds("I4", "a session has one refresh token that is not spent", named(&broken, "refresh token"));
    logs(world, findings)
}

fn named(broken: &[String], what: &str) -> Vec<String> {
    broken.iter().filter(|line| line.contains(what)).cloned().collect()
}

/// I11, and that no node has panicked.
fn logs(world: &World, findings: &mut Findings) -> anyhow::Result<()> {
    let (mut told, mut panicked) = (Vec::new(), Vec::new());
    for file in world.logs()? {
        let text = std::fs::read(&file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())?;
        for line in text.lines() {
            if [PASSWORD, MASTER_KEY].iter().any(|secret| line.contains(secret)) {
                told.push(format!("{}: a secret", file.display()));
            }
            if line.contains("panicked") {
                panicked.push(format!("{}: {line}", file.display()));
            }
        }
    }
    findings.holds("I11", "no node has logged the password or the master key", told);
    findings.holds("I12", "no node has panicked", panicked);
    Ok(())
}

/// What the database holds.
struct Held {
    people: BTreeMap<String, Vec<String>>,
    roles: BTreeMap<String, Vec<String>>,
    keys: BTreeMap<String, Vec<String>>,
    /// Person and name of the role.
    grants: BTreeSet<(String, String)>,
    /// How many rows of the audit log there are, by action and id.
    events: BTreeMap<(String, String), usize>,
    /// Every id of the three.
    all: BTreeSet<String>,
}

impl Held {
    async fn read(database: &str) -> anyhow::Result<Self> {
        let people = by_name(database, "select id, email from users").await?;
        let roles = by_name(database, "select id, name from roles").await?;
        let keys = by_name(database, "select id, name from api_keys").await?;
        let pairs =
            rows(database, "select g.user_id, r.name from user_roles g join roles r on r.id = g.role_id").await?;
        let grants = pairs.iter().filter_map(|row| row.split_once('|'));
        let grants = grants.map(|(person, role)| (person.to_owned(), role.to_owned())).collect();
        let counted = "select action, resource_id, count(*) from audit_logs where outcome = 'done' and action in
                           ('admin.user_create', 'admin.role_create', 'admin.api_key_create', 'admin.assign_roles')
                       group by 1, 2";
        let mut events = BTreeMap::new();
        for row in rows(database, counted).await? {
            let mut parts = row.split('|');
            if let (Some(action), Some(id), Some(count)) = (parts.next(), parts.next(), parts.next()) {
                events.insert((action.to_owned(), id.to_owned()), count.parse()?);
            }
        }
        let all = [&people, &roles, &keys].into_iter().flat_map(BTreeMap::values).flatten().cloned().collect();
        Ok(Held { people, roles, keys, grants, events, all })
    }

    /// Whether the load has made this person.
    fn is_of_load(&self, id: &str) -> bool {
        self.people.iter().any(|(email, ids)| email.starts_with("load") && ids.iter().any(|one| one == id))
    }

    fn ids(&self, kind: Kind, what: &str, whom: Option<&str>) -> Vec<String> {
        let from = match kind {
            Kind::Person => &self.people,
            Kind::Role => &self.roles,
            Kind::ApiKey => &self.keys,
            Kind::Grant => {
                let pair = (whom.unwrap_or_default().to_owned(), what.to_owned());
                return if self.grants.contains(&pair) { vec![what.to_owned()] } else { Vec::new() };
            }
        };
        from.get(what).cloned().unwrap_or_default()
    }
}

async fn by_name(database: &str, query: &str) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for row in rows(database, query).await? {
        if let Some((id, name)) = row.split_once('|') {
            found.entry(name.to_owned()).or_default().push(id.to_owned());
        }
    }
    Ok(found)
}
