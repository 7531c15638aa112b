//! What people see and change of their own entry: who they are, not what they may do.

use crate::{
    access::server::{
        Cx,
        record::{Action, Event},
    },
    accounts::{
        OwnProfile, Person, PersonEdit, ProfileEdit,
        server::{find_for_update, rules, store},
    },
    base::{errors::AppError, server::input::Input},
};

impl From<Person> for OwnProfile {
    fn from(person: Person) -> Self {
        OwnProfile {
            name: person.name,
            username: person.username,
            email: person.email,
            department: person.department,
            region: person.region,
            locale: person.locale,
            version: person.version,
        }
    }
}

/// The caller's own entry.
pub async fn profile(cx: &Cx) -> Result<OwnProfile, AppError> {
    entry(cx).await.map(OwnProfile::from)
}

/// The same with everything that is kept in it.
pub async fn entry(cx: &Cx) -> Result<Person, AppError> {
    let mut tx = cx.own().await?;
    store::by_id(&mut tx, cx.person()?.user).await?.ok_or_else(AppError::signed_out)
}

/// Changes what people may change of themselves. Department and region bound what others may do to them, attributes what
/// policies let them do, and the address is confirmed by its mailbox: none of these is among it.
pub async fn edit_profile(cx: &Cx, edit: Input<ProfileEdit>) -> Result<OwnProfile, AppError> {
    let mut tx = cx.own().await?;
    let user = cx.person()?.user;
    let seen = edit.seen;
    let ProfileEdit { name, username, locale, version } = edit.read()?;
    let edit = rules::parse_edit(PersonEdit { name, username, locale, ..PersonEdit::default() })?;
    let before = find_for_update(&mut tx, user, version.or(seen)).await?;
    store::update(&mut tx, user, &edit).await?;
    let after = store::by_id(&mut tx, user).await?.ok_or_else(AppError::signed_out)?;
    let (old, new) = (store::audited(&before), store::audited(&after));
    let event = Event::done(Action::ProfileUpdate).on("user", user, &after.name).version(after.version);
    tx.commit(event.change(old, new)).await?;
    Ok(after.into())
}
