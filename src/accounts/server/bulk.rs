//! Acts on many people at once: one transaction, decided and recorded for each of them as if it were for them alone.

use std::collections::BTreeSet;

use serde_json::json;

use super::store;
use crate::{
    access::{
        Facts, USERS_UPDATE,
        server::{
            Cx, Tx,
            change::{Change, Granter},
            record::{Action, Event},
        },
    },
    accounts::{
        Person, Status,
        bulk::{BulkAnswer, BulkLine, BulkStatus, Fate, MOST_AT_ONCE},
    },
    base::{
        errors::{AppError, Denial, DenialCode, FieldCode, FieldErrors},
        ids::UserId,
        server::input::Input,
    },
};

/// What comes of an act for each of its people, as they were named.
pub struct Bulk {
    lines: Vec<BulkLine>,
}

/// Those of its people whom the caller may act on, with their place among the lines; held until the transaction ends.
pub type Held = Vec<(usize, Person)>;

/// Suspends people, or makes them active again (C10).
pub async fn set_status(cx: &Cx, change: Input<BulkStatus>) -> Result<BulkAnswer, AppError> {
    let mut tx = cx.allow(USERS_UPDATE).await?;
    let BulkStatus { users, status, skip_refused, dry_run } = change.read()?;
    if !matches!(status, Status::Active | Status::Suspended) {
        return Err(AppError::field("status", FieldCode::Unknown));
    }
    check_named(&users)?;
    tx.lock_grants(Some(&USERS_UPDATE)).await?;
    let granter = Granter::Person(cx.person()?.user);
    let (mut bulk, people) = Bulk::hold(&mut tx, &users).await?;
    let (mut changes, mut changed) = (Vec::new(), Vec::new());
    for (at, person) in people {
        let status = super::reached(&mut tx, person.id, status).await?;
        if status == person.status {
            bulk.set(at, Fate::Stays, None);
            continue;
        }
        let change = Change::Active { user: person.id, active: status == Status::Active };
        let denial = tx.try_grant(std::slice::from_ref(&change), granter).await?;
        if bulk.judge(at, denial) == Fate::Changes {
            changes.push(change);
            changed.push((person, status));
        }
    }
    if !dry_run {
        bulk.check(false, skip_refused)?;
    }
    let mut events = bulk.refusals(Action::UserStatus);
    for (person, status) in &changed {
        super::put_status(&mut tx, person.id, *status).await?;
    }
    if !changes.is_empty() {
        tx.grant(&changes, granter).await?;
    }
    for (person, status) in &changed {
        let version = store::version(&mut tx, person.id).await?;
        let event = Event::done(Action::UserStatus).on("user", person.id, &person.name).version(version);
        events.push(event.change(json!({"status": person.status}), json!({"status": status})));
    }
    finish(tx, events, dry_run).await?;
    Ok(bulk.answer())
}

/// Refuses nobody, too many, and whoever is named twice.
pub fn check_named(users: &[UserId]) -> Result<(), AppError> {
    if users.is_empty() {
        return Err(AppError::field("users", FieldCode::Required));
    }
    if users.len() > MOST_AT_ONCE {
        return Err(AppError::field("users", FieldCode::TooLong));
    }
    let mut seen = BTreeSet::new();
    let mut errors = FieldErrors::default();
    for (at, user) in users.iter().enumerate() {
        if !seen.insert(*user) {
            errors.add(format!("users[{at}]"), FieldCode::Contradiction);
        }
    }
    errors.check()
}

/// Commits with an event for each person. What was only tried out is undone, and so is what changes nothing.
pub async fn finish(mut tx: Tx, mut events: Vec<Event>, dry_run: bool) -> Result<(), AppError> {
    let Some(last) = events.pop().filter(|_| !dry_run) else { return Ok(()) };
    for event in &events {
        tx.record(event).await?;
    }
    tx.commit(last).await
}

impl Bulk {
    /// Finds the people and holds their rows, in the order of their ids: two such acts never wait for each other. Outside
    /// the caller's scope they do not exist. The grants have been locked.
    pub async fn hold(tx: &mut Tx, users: &[UserId]) -> Result<(Self, Held), AppError> {
        let mut found = Vec::new();
        let mut in_order = users.iter().copied().enumerate().collect::<Vec<_>>();
        in_order.sort_by_key(|(_, user)| *user);
        for (at, user) in in_order {
            match store::lock(tx, user).await {
                Ok(()) => found.extend(store::by_id(tx, user).await?.map(|person| (at, person))),
                Err(AppError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        found.sort_by_key(|(at, _)| *at);
        let unknown = |user: &UserId| BulkLine {
            user: *user,
            name: String::new(),
            email: String::new(),
            fate: Fate::Unknown,
            denial: None,
        };
        let mut bulk = Bulk { lines: users.iter().map(unknown).collect() };
        let mut people = Vec::new();
        for (at, person) in found {
            if person.status == Status::Deleted || !reaches(tx, &store::facts(&person))? {
                continue;
            }
            if let Some(line) = bulk.lines.get_mut(at) {
                line.name.clone_from(&person.name);
                line.email.clone_from(&person.email);
            }
            people.push((at, person));
        }
        Ok((bulk, people))
    }

    pub fn set(&mut self, at: usize, fate: Fate, denial: Option<Denial>) {
        if let Some(line) = self.lines.get_mut(at) {
            (line.fate, line.denial) = (fate, denial);
        }
    }

    /// Notes what the engine says to the change of one person.
    pub fn judge(&mut self, at: usize, denial: Option<Denial>) -> Fate {
        let fate = match &denial {
            None => Fate::Changes,
            Some(denial) if denial.code == DenialCode::ApprovalNeeded => Fate::NeedsApproval,
            Some(_) => Fate::Refused,
        };
        self.set(at, fate, denial);
        fate
    }

    /// One who is refused refuses all, and is named; or they are skipped as long as somebody is left. Where others are
    /// asked, their having to agree is no refusal.
    pub fn check(&self, asks: bool, skip_refused: bool) -> Result<(), AppError> {
        let goes_on = |line: &BulkLine| line.fate == Fate::Changes || (line.fate == Fate::NeedsApproval && asks);
        if skip_refused && self.lines.iter().any(goes_on) {
            return Ok(());
        }
        let mut errors = FieldErrors::default();
        for (at, _) in self.lines.iter().enumerate().filter(|(_, line)| line.fate == Fate::Unknown) {
            errors.add(format!("users[{at}]"), FieldCode::Unknown);
        }
        errors.check()?;
        let stops = |line: &&BulkLine| line.fate == Fate::Refused || (line.fate == Fate::NeedsApproval && !asks);
        let denials = self.lines.iter().filter(stops).filter_map(|line| Some((line.user, line.denial.as_ref()?)));
        let denials = denials.collect::<Vec<_>>();
        let Some((_, first)) = denials.first() else { return Ok(()) };
        let (mut permissions, mut people) = (BTreeSet::new(), Vec::new());
        for (user, denial) in denials.iter().filter(|(_, denial)| denial.code == first.code) {
            permissions.extend(denial.permissions.iter().cloned());
            people.push(user.to_string());
        }
        Err(AppError::Forbidden(Denial { code: first.code, permissions: permissions.into_iter().collect(), people }))
    }

    /// What to record of those who are skipped: the act was refused for each of them.
    pub fn refusals(&self, action: Action) -> Vec<Event> {
        let denied = self.lines.iter().filter_map(|line| Some((line, line.denial.as_ref()?)));
        let events = denied.map(|(line, denial)| {
            let told = json!({"code": denial.code, "permissions": denial.permissions});
            Event::denied(action).on("user", line.user, &line.name).meta("denial", told)
        });
        events.collect()
    }

    pub fn answer(self) -> BulkAnswer {
        BulkAnswer { people: self.lines }
    }
}

/// Whether the caller's permission reaches somebody. The first of them decides the transaction.
fn reaches(tx: &mut Tx, facts: &Facts) -> Result<bool, AppError> {
    match tx.decide(facts) {
        Ok(()) => tx.also_decides(facts),
        Err(AppError::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}
