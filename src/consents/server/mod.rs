//! Operations on the texts themselves: what is published becomes a version, which stays (E5).

pub mod forms;
pub mod own;
pub mod rest;
pub mod store;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    access::{
        CONSENTS_MANAGE, CONSENTS_READ, USERS_READ,
        server::{
            Cx, Edited, Tx,
            record::{Action, Event},
        },
    },
    base::{
        errors::{AppError, Conflict, FieldCode, FieldErrors},
        ids::ConsentId,
        paging::Page,
        server::{cursor::Part, input::Input},
        text::{one_line, optional_line},
    },
    consents::{ConsentChange, ConsentEdit, ConsentText, ConsentsQuery, Giver, NewConsent, PublishedConsent, Wording},
};

/// How many texts a tenant may have: those that are required are looked at for each request.
const MOST: i64 = 100;
const LONGEST_TITLE: usize = 200;
const LONGEST_BODY: usize = 20_000;

/// A page of the texts of the tenant, by key; those that are retired as well.
pub async fn list(cx: &Cx, query: Input<ConsentsQuery>) -> Result<Page<ConsentText>, AppError> {
    let mut tx = cx.read(CONSENTS_READ).await?;
    let part = parse(query)?;
    tx.decide(&Default::default())?;
    store::list(&mut tx, &part).await
}

pub async fn get(cx: &Cx, id: ConsentId) -> Result<ConsentText, AppError> {
    let mut tx = cx.read(CONSENTS_READ).await?;
    tx.decide(&Default::default())?;
    store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)
}

/// Everything that was published of a text, the last first.
pub async fn versions(cx: &Cx, id: ConsentId) -> Result<Vec<PublishedConsent>, AppError> {
    let mut tx = cx.read(CONSENTS_READ).await?;
    tx.decide(&Default::default())?;
    store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    store::versions(&mut tx, id).await
}

/// Who has given the last version, by name, inside the caller's scope. Needs `users.read` beside what the text needs.
pub async fn givers(cx: &Cx, id: ConsentId, query: Input<ConsentsQuery>) -> Result<Page<Giver>, AppError> {
    let text = get(cx, id).await?;
    let mut tx = cx.read(USERS_READ).await?;
    let part = parse(query)?;
    store::givers(&mut tx, id, text.latest, &part).await
}

/// A text with those who have given it, as far as the caller may see people at all.
pub async fn get_with_givers(
    cx: &Cx,
    id: ConsentId,
    query: Input<ConsentsQuery>,
) -> Result<(ConsentText, Page<Giver>), AppError> {
    let mut tx = cx.read(CONSENTS_READ).await?;
    let part = parse(query)?;
    tx.decide(&Default::default())?;
    let text = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let givers = match tx.also_holds(&USERS_READ)? {
        true => store::givers(&mut tx, id, text.latest, &part).await?,
        false => Page { items: Vec::new(), next: None },
    };
    Ok((text, givers))
}

/// What the console asks for.
pub async fn change(cx: &Cx, change: ConsentChange) -> Result<ConsentText, AppError> {
    match change {
        ConsentChange::Create(text) => create(cx, text.into()).await,
        ConsentChange::Edit(id, edit) => self::edit(cx, id, edit.into()).await,
        ConsentChange::Publish(id, version) => publish(cx, id, Some(version)).await,
        ConsentChange::Retire(id, version) => retire(cx, id, Some(version)).await,
    }
}

/// Creates a text. It is a draft that nobody sees before it is published.
pub async fn create(cx: &Cx, text: Input<NewConsent>) -> Result<ConsentText, AppError> {
    let mut tx = cx.allow(CONSENTS_MANAGE).await?;
    let NewConsent { key, required, title_ar, title_en, body_ar, body_en } = text.read()?;
    tx.decide(&Default::default())?;
    let mut errors = FieldErrors::default();
    let key = errors.take("key", parse_key(&key));
    let draft = parse_wording(Wording { title_ar, title_en, body_ar, body_en }, &mut errors);
    errors.check()?;
    if store::count(&mut tx).await? >= MOST {
        return Err(AppError::Conflict(Conflict::Full));
    }
    let id = ConsentId(Uuid::now_v7());
    store::insert(&mut tx, id, &key.unwrap_or_default(), required, &draft).await?;
    let created = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    tx.commit(Event::done(Action::ConsentCreate).on("consent", id, &created.key).new_value(audited(&created))).await?;
    Ok(created)
}

/// Edits a text. Its words change for people once they are published; whether it is required counts at once.
pub async fn edit(cx: &Cx, id: ConsentId, edit: Input<ConsentEdit>) -> Result<ConsentText, AppError> {
    let mut tx = cx.allow(CONSENTS_MANAGE).await?;
    let seen = edit.seen;
    let ConsentEdit { required, title_ar, title_en, body_ar, body_en, version } = edit.read()?;
    tx.decide(&Default::default())?;
    let before = changeable(&mut tx, id, version.or(seen)).await?;
    let old = before.draft.clone();
    let draft = Wording {
        title_ar: title_ar.unwrap_or(old.title_ar),
        title_en: title_en.unwrap_or(old.title_en),
        body_ar: body_ar.unwrap_or(old.body_ar),
        body_en: body_en.unwrap_or(old.body_en),
    };
    let mut errors = FieldErrors::default();
    let draft = parse_wording(draft, &mut errors);
    errors.check()?;
    store::update(&mut tx, id, required.unwrap_or(before.required), &draft).await?;
    let after = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let event = Event::done(Action::ConsentUpdate).on("consent", id, &after.key).version(after.version);
    tx.commit(event.change(audited(&before), audited(&after))).await?;
    Ok(after)
}

/// Makes the draft the next version of the text. Whoever has given an earlier one is asked anew.
pub async fn publish(cx: &Cx, id: ConsentId, version: Option<i64>) -> Result<ConsentText, AppError> {
    let mut tx = cx.allow(CONSENTS_MANAGE).await?;
    tx.decide(&Default::default())?;
    let before = changeable(&mut tx, id, version).await?;
    store::publish(&mut tx, id, before.latest + 1, &before.draft).await?;
    let after = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let event = Event::done(Action::ConsentPublish).on("consent", id, &after.key).version(after.version);
    tx.commit(event.change(json!({"latest": before.latest}), json!({"latest": after.latest}))).await?;
    Ok(after)
}

/// Retires a text for good: nobody is asked for it any more. What people said to it stays.
pub async fn retire(cx: &Cx, id: ConsentId, version: Option<i64>) -> Result<ConsentText, AppError> {
    let mut tx = cx.allow(CONSENTS_MANAGE).await?;
    tx.decide(&Default::default())?;
    let before = changeable(&mut tx, id, version).await?;
    store::retire(&mut tx, id).await?;
    let after = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let event = Event::done(Action::ConsentRetire).on("consent", id, &before.key).version(after.version);
    tx.commit(event.old_value(audited(&before))).await?;
    Ok(after)
}

/// A text of the tenant that is not retired, still the version that was seen. Held until the end: of two who publish at
/// the same time one sees the other's version.
async fn changeable(tx: &mut Tx, id: ConsentId, version: Option<i64>) -> Result<ConsentText, AppError> {
    store::lock(tx, id).await?;
    let text = store::by_id(tx, id).await?.filter(|text| text.retired_at.is_none()).ok_or(AppError::NotFound)?;
    let read = Some(CONSENTS_READ);
    tx.check_version(version, Edited { kind: "consent", id: id.0, version: text.version, read, facts: None }).await?;
    Ok(text)
}

fn parse(query: Input<ConsentsQuery>) -> Result<Part, AppError> {
    let ConsentsQuery { after, limit } = query.read()?;
    let mut errors = FieldErrors::default();
    let part = Part::parse(after, limit, &mut errors);
    errors.check()?;
    Ok(part)
}

fn parse_key(key: &str) -> Result<String, FieldCode> {
    let key = one_line(key, 1, 60)?;
    let is_good = key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'));
    if is_good { Ok(key) } else { Err(FieldCode::Malformed) }
}

fn parse_wording(wording: Wording, errors: &mut FieldErrors) -> Wording {
    let Wording { title_ar, title_en, body_ar, body_en } = wording;
    Wording {
        title_ar: errors.take("title_ar", one_line(&title_ar, 1, LONGEST_TITLE)).unwrap_or_default(),
        title_en: errors.take("title_en", one_line(&title_en, 1, LONGEST_TITLE)).unwrap_or_default(),
        body_ar: errors.take("body_ar", paragraphs(&body_ar)).unwrap_or_default(),
        body_en: errors.take("body_en", paragraphs(&body_en)).unwrap_or_default(),
    }
}

/// Text of several lines, each as clean as a line by itself.
fn paragraphs(text: &str) -> Result<String, FieldCode> {
    let text = text.trim();
    if text.is_empty() {
        return Err(FieldCode::Required);
    }
    if text.chars().count() > LONGEST_BODY {
        return Err(FieldCode::TooLong);
    }
    let lines = text.lines().map(|line| Ok(optional_line(Some(line), LONGEST_BODY)?.unwrap_or_default()));
    Ok(lines.collect::<Result<Vec<_>, FieldCode>>()?.join("\n"))
}

fn audited(text: &ConsentText) -> Value {
    json!({
        "key": text.key,
        "required": text.required,
        "title_ar": text.draft.title_ar,
        "title_en": text.draft.title_en,
        "body_ar": text.draft.body_ar,
        "body_en": text.draft.body_en,
        "latest": text.latest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// E5: a text has lines, and nothing in it disturbs what stands around it.
    #[test]
    fn a_text_has_clean_lines() {
        assert_eq!(paragraphs(" one \r\n\r\ntwo\n").as_deref(), Ok("one\n\ntwo"));
        assert_eq!(paragraphs(" \n "), Err(FieldCode::Required));
        assert_eq!(paragraphs("a\nb\u{202e}c"), Err(FieldCode::Characters));
        assert_eq!(paragraphs(&"a".repeat(LONGEST_BODY + 1)), Err(FieldCode::TooLong));
    }

    /// E5: a key is a word that can stand in an address.
    #[test]
    fn a_key_is_one_small_word() {
        assert_eq!(parse_key(" terms-of_use2 ").as_deref(), Ok("terms-of_use2"));
        for key in ["Terms", "2nd", "a b", "-a", "a.b", "شروط"] {
            assert_eq!(parse_key(key), Err(FieldCode::Malformed), "{key}");
        }
        assert_eq!(parse_key(""), Err(FieldCode::Required));
    }
}
