//! The rows of the log that are about the caller, told to themselves: whoever may not read the log sees what they did and
//! what was done to their account, and nothing of others beyond what the act itself says.

use serde_json::{Map, Value};

use super::{Filter, select};
use crate::{
    access::server::Cx,
    audit::{After, AuditEntry, AuditQuery},
    base::{errors::AppError, ids::UserId, paging::Page, server::input::Input},
};

/// A page of it, newest first.
pub async fn activity(cx: &Cx, from: Input<After>) -> Result<Page<AuditEntry>, AppError> {
    let mut tx = cx.own().await?;
    let me = cx.person()?.user;
    let filter = Filter::parse(AuditQuery { after: from.read()?.after, ..about(me) })?;
    let page = select(&mut tx, &filter).await?;
    Ok(page.map(|entry| told(entry, me)))
}

/// The latest rows in one piece, so many at most.
pub async fn latest(cx: &Cx, most: u32) -> Result<Vec<AuditEntry>, AppError> {
    let mut tx = cx.own().await?;
    let me = cx.person()?.user;
    let filter = Filter { limit: most, ..Filter::parse(about(me))? };
    let page = select(&mut tx, &filter).await?;
    Ok(page.items.into_iter().map(|entry| told(entry, me)).collect())
}

fn about(me: UserId) -> AuditQuery {
    AuditQuery { about: Some(me.to_string()), ..AuditQuery::default() }
}

/// A row as the person it is about may see it. What others did names them as the act does, not where they were; what the
/// person did to others does not show others' values.
fn told(entry: AuditEntry, me: UserId) -> AuditEntry {
    let is_own = entry.user_id == Some(me) && entry.impersonator_id.is_none();
    let is_on_me =
        entry.resource_type.as_deref() == Some("user") && entry.resource_id.as_deref() == Some(&me.to_string());
    let mut entry = entry;
    if !is_on_me {
        (entry.old_value, entry.new_value) = (None, None);
    }
    if is_own {
        return entry;
    }
    // A stranger's attempt on the account is what the person wants to know the origin of.
    let is_strangers = entry.user_id.is_none();
    entry.user_id = entry.user_id.filter(|actor| *actor == me);
    entry.impersonator_id = None;
    entry.meta = Value::Object(Map::new());
    if !is_strangers {
        (entry.ip, entry.user_agent, entry.request_id) = (None, None, None);
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::Outcome, base::time::Timestamp};
    use serde_json::json;
    use uuid::Uuid;

    /// A13: nothing of others is told beyond what the act says.
    #[test]
    fn a_row_tells_its_person_no_more_than_the_act() {
        let (me, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let row = |actor: Option<UserId>, on: UserId| AuditEntry {
            id: Uuid::nil(),
            user_id: actor,
            user_name: Some("a name".to_owned()),
            impersonator_id: None,
            impersonator_name: None,
            action: "admin.user_update".to_owned(),
            outcome: Outcome::Done,
            resource_type: Some("user".to_owned()),
            resource_id: Some(on.to_string()),
            resource_name: Some("another name".to_owned()),
            old_value: Some(json!({"email": "old@x.example"})),
            new_value: Some(json!({"email": "new@x.example"})),
            meta: json!({"api_key": {"name": "k"}}),
            ip: Some("192.0.2.1".to_owned()),
            user_agent: Some("browser".to_owned()),
            request_id: Some(Uuid::nil()),
            created_at: Timestamp(0),
        };
        assert_eq!(told(row(Some(me), me), me), row(Some(me), me));
        let by_me = told(row(Some(me), other), me);
        assert_eq!((by_me.old_value, by_me.new_value), (None, None));
        assert!(by_me.ip.is_some() && by_me.resource_name.is_some());
        let to_me = told(row(Some(other), me), me);
        assert_eq!((to_me.user_id, to_me.ip, to_me.user_agent, to_me.request_id), (None, None, None, None));
        assert_eq!(to_me.meta, json!({}));
        assert!(to_me.user_name.is_some() && to_me.new_value.is_some());
        assert!(told(row(None, me), me).ip.is_some());
        let as_me = AuditEntry { impersonator_id: Some(other), ..row(Some(me), me) };
        let as_me = told(as_me, me);
        assert_eq!((as_me.user_id, as_me.impersonator_id, as_me.ip), (Some(me), None, None));
    }
}
