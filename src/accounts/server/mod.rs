//! Operations on people: list, add, edit, suspend, delete, hand out a one-time link.

pub mod bulk;
pub mod erasure;
pub mod leaving;
pub mod letters;
pub mod links;
pub mod own;
pub mod own_rest;
pub mod registration;
pub mod rest;
pub mod rules;
pub mod store;

use serde_json::{Value, json};
use uuid::Uuid;

use self::letters::{Address, Reader};
use crate::{
    access::{
        Facts, PERMISSIONS_ASSIGN, PERMISSIONS_READ, USERS_CREATE, USERS_DELETE, USERS_READ, USERS_RESET_PASSWORD,
        USERS_UPDATE,
        server::{
            Cx, Edited, Tx,
            change::{Change, Granter},
            engine::RoleGrant,
            record::{Action, Event},
        },
    },
    accounts::{
        AddedPerson, LinkRequest, NewPerson, PeopleCounts, PeopleQuery, Person, PersonEdit, PersonRow, Status,
        StatusChange,
    },
    base::{
        errors::{AppError, FieldCode},
        ids::{RoleId, UserId},
        paging::Page,
        password::PasswordRule,
        server::{
            choice::{self, Choice},
            input::Input,
            mail::Letter,
            settings,
        },
    },
};

/// People of the tenant inside the caller's scope.
pub async fn list(cx: &Cx, query: Input<PeopleQuery>) -> Result<Page<PersonRow>, AppError> {
    let mut tx = cx.read(USERS_READ).await?;
    let filter = store::Filter::parse(query.read()?)?;
    if filter.tells_of_grants() {
        tx.require(PERMISSIONS_READ).await?;
    }
    store::list(&mut tx, &filter).await
}

/// How many people there are in each state, inside the caller's scope.
pub async fn counts(cx: &Cx) -> Result<PeopleCounts, AppError> {
    let mut tx = cx.read(USERS_READ).await?;
    store::counts(&mut tx).await
}

/// How many people have a grant that ends soon: those whom the list with that filter shows.
pub async fn count_ending(cx: &Cx) -> Result<i64, AppError> {
    let mut tx = cx.read(USERS_READ).await?;
    tx.require(PERMISSIONS_READ).await?;
    store::count_ending(&mut tx).await
}

pub async fn get(cx: &Cx, id: UserId) -> Result<Person, AppError> {
    let mut tx = cx.read(USERS_READ).await?;
    find(&mut tx, id).await
}

/// Loads a person and decides on them: outside the caller's scope they do not exist.
pub async fn find(tx: &mut Tx, id: UserId) -> Result<Person, AppError> {
    let person = store::by_id(tx, id).await?.ok_or(AppError::NotFound)?;
    tx.decide(&store::facts(&person))?;
    Ok(person)
}

/// The same for changing: the row is held and must still be the version that was seen.
pub async fn find_for_update(tx: &mut Tx, id: UserId, version: Option<i64>) -> Result<Person, AppError> {
    store::lock(tx, id).await?;
    let person = find(tx, id).await?;
    let is_own = tx.cx().person().is_ok_and(|caller| caller.user == id);
    let (read, facts) = ((!is_own).then_some(USERS_READ), Some(store::facts(&person)));
    tx.check_version(version, Edited { kind: "user", id: id.0, version: person.version, read, facts }).await?;
    if person.status == Status::Deleted { Err(AppError::NotFound) } else { Ok(person) }
}

/// Mails somebody what was done to their account.
pub async fn tell(tx: &mut Tx, id: UserId, write: impl FnOnce(Reader<'_>) -> Letter) -> Result<(), AppError> {
    let Some(person) = store::by_id(tx, id).await? else { return Ok(()) };
    tx.mail(&write(person.reader())).await
}

/// Adds a person, with a password or a one-time link at which they choose theirs.
pub async fn add(cx: &Cx, person: Input<NewPerson>) -> Result<AddedPerson, AppError> {
    let mut tx = cx.allow(USERS_CREATE).await?;
    let person = rules::parse_new(person.read()?)?;
    let password_hash = match &person.password {
        Some(password) => {
            let tenant = tx.tenant()?;
            let rule = settings::get::<PasswordRule>(tx.conn(), tenant).await?;
            let about = [person.name.as_str(), person.email.as_str(), person.username.as_deref().unwrap_or_default()];
            let choice = Choice { password, has_second_factor: false, about: &about };
            choice::check(&rule, choice).await.map_err(|code| AppError::field("password", code))?;
            Some(cx.hasher().hash(password).await?)
        }
        None => None,
    };
    tx.lock_grants(Some(&USERS_CREATE)).await?;
    // On the locked grants: whoever lost it meanwhile is refused.
    if person.roles.is_some() {
        tx.require(PERMISSIONS_ASSIGN).await?;
    }
    let facts = Facts {
        department: person.department.clone(),
        region: person.region.clone(),
        other: person.attributes.clone(),
    };
    tx.decide(&facts)?;
    let id = UserId(Uuid::now_v7());
    let status = if password_hash.is_some() { Status::Active } else { Status::Invited };
    store::insert(&mut tx, id, &person, status, password_hash.as_deref()).await?;
    let mut changes = first_grants(&mut tx, id, status, person.roles.as_deref()).await?;
    changes.push(Change::Facts { user: id, facts });
    let granter = Granter::Person(cx.person()?.user);
    tx.grant(&changes, granter).await?;
    let added = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let answer = match status {
        Status::Invited => hand_out_link(&mut tx, &added, person.mail_link).await?,
        _ => AddedPerson { id, link: None, link_expires_at: None, mailed_to: None },
    };
    let event = Event::done(Action::UserCreate).on("user", id, &person.name).new_value(store::audited(&added));
    tx.commit(event.meta("mailed", answer.mailed_to.is_some())).await?;
    Ok(answer)
}

/// Makes a person's welcome link, and mails it or gives it back.
async fn hand_out_link(tx: &mut Tx, person: &Person, mail: bool) -> Result<AddedPerson, AppError> {
    if mail {
        links::check_often(tx, &person.email).await?;
    }
    let (link, until) = links::make_welcome(tx, person.id).await?;
    let mut answer = AddedPerson { id: person.id, link: None, link_expires_at: Some(until.into()), mailed_to: None };
    if mail {
        tx.mail(&letters::invitation(person.reader(), Address { link: &link, until })).await?;
        answer.mailed_to = Some(person.email.clone());
    } else {
        answer.link = Some(link);
    }
    Ok(answer)
}

/// The grants of a new person: the roles that were asked for, else the one that everybody gets.
async fn first_grants(
    tx: &mut Tx,
    user: UserId,
    status: Status,
    roles: Option<&[RoleId]>,
) -> Result<Vec<Change>, AppError> {
    let active = status == Status::Active;
    let Some(roles) = roles else {
        let first_role = store::first_role(tx).await?;
        return Ok(vec![Change::Person { user, active, first_role }]);
    };
    let mut roles = roles.to_vec();
    roles.sort();
    roles.dedup();
    if roles.iter().any(|role| tx.snapshot().is_ok_and(|snapshot| snapshot.role(*role).is_none())) {
        return Err(AppError::field("roles", FieldCode::Unknown));
    }
    let grants = roles.into_iter().map(|role| RoleGrant { role, scope: Default::default(), expires_at: None });
    Ok(vec![Change::Person { user, active, first_role: None }, Change::Roles { user, roles: grants.collect() }])
}

/// Changes the fields of a person. Taking over somebody's address takes over their account: it needs all they hold.
pub async fn edit(cx: &Cx, id: UserId, edit: Input<PersonEdit>) -> Result<Person, AppError> {
    let mut tx = cx.allow(USERS_UPDATE).await?;
    let seen = edit.seen;
    let edit = rules::parse_edit(edit.read()?)?;
    let may_move = edit.department.is_some() || edit.region.is_some() || edit.attributes.is_some();
    if may_move {
        tx.lock_grants(Some(&USERS_UPDATE)).await?;
    }
    let before = find_for_update(&mut tx, id, edit.version.or(seen)).await?;
    tx.outrank(id)?;
    // Whoever has the address can have the account.
    let moves = edit.email.as_ref().is_some_and(|email| email.as_str() != before.email);
    if moves {
        cx.fresh()?;
    }
    store::update(&mut tx, id, &edit).await?;
    let mut after = find(&mut tx, id).await?;
    if moves {
        // What was mailed to the address before opens nothing any more, and neither mailbox is left to wonder.
        links::void(&mut tx, id).await?;
        tx.mail(&letters::email_taken(before.reader())).await?;
        tx.mail(&letters::email_given(after.reader())).await?;
    }
    // What policies look at moves rights.
    if store::facts(&before) != store::facts(&after) {
        let change = Change::Facts { user: id, facts: store::facts(&after) };
        tx.grant(&[change], Granter::Person(cx.person()?.user)).await?;
        after = find(&mut tx, id).await?;
    }
    // A person cannot be moved out of the scope in which the caller may act.
    if !tx.also_decides(&store::facts(&after))? {
        return Err(AppError::field("department", FieldCode::Unknown));
    }
    let (old, new) = (store::audited(&before), store::audited(&after));
    let event = Event::done(Action::UserUpdate).on("user", id, &after.name).version(after.version);
    tx.commit(event.change(old, new)).await?;
    Ok(after)
}

/// Suspends, or makes active again. Suspending ends every session at once.
pub async fn set_status(cx: &Cx, id: UserId, change: Input<StatusChange>) -> Result<Person, AppError> {
    let mut tx = cx.allow(USERS_UPDATE).await?;
    let seen = change.seen;
    let StatusChange { status, version } = change.read()?;
    let version = version.or(seen);
    if !matches!(status, Status::Active | Status::Suspended) {
        return Err(AppError::field("status", FieldCode::Unknown));
    }
    tx.lock_grants(Some(&USERS_UPDATE)).await?;
    let before = find_for_update(&mut tx, id, version).await?;
    let status = reached(&mut tx, id, status).await?;
    put_status(&mut tx, id, status).await?;
    let change = Change::Active { user: id, active: status == Status::Active };
    tx.grant(&[change], Granter::Person(cx.person()?.user)).await?;
    let after = find(&mut tx, id).await?;
    let event = Event::done(Action::UserStatus).on("user", id, &after.name).version(after.version);
    tx.commit(event.change(json!({"status": before.status}), json!({"status": after.status}))).await?;
    Ok(after)
}

/// The state that somebody gets to. Without a password there is nothing to be active with: they go on as invited.
async fn reached(tx: &mut Tx, id: UserId, status: Status) -> Result<Status, AppError> {
    match status {
        Status::Active if !store::has_password(tx, id).await? => Ok(Status::Invited),
        status => Ok(status),
    }
}

/// Writes the state of a person; the grants follow.
async fn put_status(tx: &mut Tx, id: UserId, status: Status) -> Result<(), AppError> {
    store::set_status(tx, id, status).await?;
    // Whoever is suspended could not change their mind: somebody else may have asked with their session.
    if status == Status::Suspended {
        leaving::end(tx, id, leaving::Because::Suspended).await?;
    }
    Ok(())
}

/// Deletes a person: they may not sign in, their address and names are free again, their rows in the log stay.
pub async fn delete(cx: &Cx, id: UserId, version: Option<i64>) -> Result<(), AppError> {
    let mut tx = cx.allow(USERS_DELETE).await?;
    tx.lock_grants(Some(&USERS_DELETE)).await?;
    let before = find_for_update(&mut tx, id, version).await?;
    let event = remove(&mut tx, &before, Granter::Person(cx.person()?.user)).await?;
    tx.commit(event).await
}

/// Deletes a person on behalf of `granter`; gives back what to record. The grants are locked and the row is held.
async fn remove(tx: &mut Tx, person: &Person, granter: Granter) -> Result<Event, AppError> {
    store::set_status(tx, person.id, Status::Deleted).await?;
    tx.grant(&without_rights(person.id), granter).await?;
    links::void(tx, person.id).await?;
    leaving::end(tx, person.id, leaving::Because::Deleted).await?;
    Ok(Event::done(Action::UserDelete).on("user", person.id, &person.name).old_value(store::audited(person)))
}

/// What deleting somebody does to what they were given.
fn without_rights(user: UserId) -> [Change; 4] {
    [
        Change::Active { user, active: false },
        Change::Roles { user, roles: Vec::new() },
        Change::Overrides { user, overrides: Vec::new() },
        Change::Memberships { user, groups: Vec::new() },
    ]
}

/// A fresh one-time link for somebody who has lost theirs or their password; the one before is void. Whoever opens it
/// becomes that person, so it needs all they hold.
pub async fn new_link(cx: &Cx, id: UserId, request: Input<LinkRequest>) -> Result<AddedPerson, AppError> {
    let mut tx = cx.allow(USERS_RESET_PASSWORD).await?;
    let LinkRequest { mail } = request.read_or_default()?;
    let person = find_for_update(&mut tx, id, None).await?;
    tx.outrank(id)?;
    if person.status == Status::Suspended {
        return Err(AppError::field("status", FieldCode::Unknown));
    }
    // On the screen it is a secret that opens the account.
    if !mail {
        cx.fresh()?;
    }
    let answer = hand_out_link(&mut tx, &person, mail).await?;
    tx.commit(Event::done(Action::UserLink).on("user", id, &person.name).meta("mailed", mail)).await?;
    Ok(answer)
}

/// Voids the open one-time links of a person.
pub async fn revoke_link(cx: &Cx, id: UserId) -> Result<(), AppError> {
    let mut tx = cx.allow(USERS_RESET_PASSWORD).await?;
    let person = find_for_update(&mut tx, id, None).await?;
    tx.outrank(id)?;
    links::void(&mut tx, id).await?;
    tx.commit(Event::done(Action::UserLinkRevoke).on("user", id, &person.name)).await
}

/// Makes the account of somebody who has registered and confirmed their address. They get what anybody gets.
pub async fn make_registered(tx: &mut Tx, registered: &registration::Registered) -> Result<UserId, AppError> {
    let id = UserId(Uuid::now_v7());
    let person = rules::ParsedPerson {
        email: rules::Email::parse(&registered.email).map_err(|code| AppError::field("email", code))?,
        name: registered.name.clone(),
        username: None,
        external_id: None,
        department: None,
        region: None,
        locale: registered.locale.clone(),
        attributes: Value::Object(serde_json::Map::new()),
        password: None,
        roles: None,
        mail_link: false,
    };
    tx.lock_grants(None).await?;
    store::insert(tx, id, &person, Status::Active, Some(&registered.password_hash)).await?;
    let first_role = store::first_role(tx).await?;
    tx.grant(&[Change::Person { user: id, active: true, first_role }], Granter::Setup).await?;
    Ok(id)
}

/// Invites the first administrator of a tenant that was just made: nobody in it could. The transaction is in that tenant.
pub async fn invite_first(tx: &mut Tx, person: &rules::ParsedPerson) -> Result<AddedPerson, AppError> {
    let id = UserId(Uuid::now_v7());
    tx.lock_grants(None).await?;
    store::insert(tx, id, person, Status::Invited, None).await?;
    let role = store::admin_role(tx).await?;
    let grant = RoleGrant { role, scope: Default::default(), expires_at: None };
    let changes =
        [Change::Person { user: id, active: false, first_role: None }, Change::Roles { user: id, roles: vec![grant] }];
    tx.grant(&changes, Granter::Setup).await?;
    let added = store::by_id(tx, id).await?.ok_or(AppError::NotFound)?;
    let answer = hand_out_link(tx, &added, person.mail_link).await?;
    let event = Event::done(Action::UserCreate).on("user", id, &person.name).new_value(store::audited(&added));
    tx.record(&event.meta("mailed", answer.mailed_to.is_some())).await?;
    Ok(answer)
}

/// Makes the first super-admin, or one more at the operator's command.
pub async fn make_super_admin(
    tx: &mut Tx,
    name: &str,
    email: &rules::Email,
    password_hash: &str,
) -> Result<UserId, AppError> {
    let id = UserId(Uuid::now_v7());
    let person = rules::ParsedPerson {
        email: email.clone(),
        name: name.to_owned(),
        username: None,
        external_id: None,
        department: None,
        region: None,
        locale: "ar".to_owned(),
        attributes: Value::Object(serde_json::Map::new()),
        password: None,
        roles: None,
        mail_link: false,
    };
    tx.lock_grants(None).await?;
    store::insert(tx, id, &person, Status::Active, Some(password_hash)).await?;
    let role = store::platform_role(tx).await?;
    let grant = RoleGrant { role, scope: Default::default(), expires_at: None };
    let changes =
        [Change::Person { user: id, active: true, first_role: None }, Change::Roles { user: id, roles: vec![grant] }];
    tx.grant(&changes, Granter::Setup).await?;
    Ok(id)
}
