//! Texts that people consent to: published in versions, given and withdrawn by each person for themselves.

use serde::{Deserialize, Serialize};

use crate::{
    base::{
        ids::{ConsentId, UserId},
        time::Timestamp,
    },
    i18n::Locale,
};

pub mod calls;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

/// Where people read, give and withdraw (A13). Whoever owes a consent is led there.
pub const PAGE: &str = "/account/consents";

/// What a text says, in both languages (E5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Wording {
    pub title_ar: String,
    pub title_en: String,
    /// Lines, with empty ones between paragraphs.
    pub body_ar: String,
    pub body_en: String,
}

impl Wording {
    /// The title and the body in the language of a reader.
    pub fn of(&self, locale: Locale) -> (&str, &str) {
        match locale {
            Locale::ar => (&self.title_ar, &self.body_ar),
            Locale::en => (&self.title_en, &self.body_en),
        }
    }
}

/// A text as its tenant keeps it (E5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ConsentText {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: ConsentId,
    pub key: String,
    /// Nobody goes on before they have given the last version.
    pub required: bool,
    /// What becomes the next version.
    pub draft: Wording,
    /// The last version that was published; 0: none yet.
    pub latest: i32,
    /// Whether the draft says something else than that version.
    pub has_changes: bool,
    /// How many people have given that version.
    pub people: i64,
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>, format = DateTime))]
    pub retired_at: Option<Timestamp>,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    pub version: i64,
}

/// Which texts, or which of those who gave one, to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "ssr", into_params(parameter_in = Query))]
pub struct ConsentsQuery {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// 1 to 200, 50 without it.
    pub limit: Option<u32>,
}

/// A text to be created, as a draft (E5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NewConsent {
    /// Small letters, digits, `-` and `_`; it stays for good.
    pub key: String,
    #[serde(default)]
    pub required: bool,
    pub title_ar: String,
    pub title_en: String,
    pub body_ar: String,
    pub body_en: String,
}

/// A change of a text: what is absent stays. Its words change for people once they are published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ConsentEdit {
    /// Counts at once.
    pub required: Option<bool>,
    pub title_ar: Option<String>,
    pub title_en: Option<String>,
    pub body_ar: Option<String>,
    pub body_en: Option<String>,
    /// The version that was seen; another one meanwhile is a conflict.
    pub version: Option<i64>,
}

/// What the console asks for: one call for all of it keeps what a browser loads small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConsentChange {
    Create(NewConsent),
    Edit(ConsentId, ConsentEdit),
    /// The draft, still at this version, becomes the next version of the text.
    Publish(ConsentId, i64),
    Retire(ConsentId, i64),
}

/// A version that was published (E5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PublishedConsent {
    pub number: i32,
    pub wording: Wording,
    /// Their name at the time.
    pub published_by: Option<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub published_at: Timestamp,
}

/// Somebody who has given the last version of a text (E5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Giver {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub user: UserId,
    pub name: String,
    pub email: String,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub given_at: Timestamp,
}

/// The version of a text that somebody has read and gives (A13).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct GivenConsent {
    pub number: i32,
}

/// A text as it stands for the caller (A13).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct OwnConsent {
    #[cfg_attr(feature = "ssr", schema(value_type = uuid::Uuid))]
    pub id: ConsentId,
    pub key: String,
    pub required: bool,
    /// Nobody is asked for it any more.
    pub is_retired: bool,
    /// The last version, and what it says.
    pub latest: i32,
    pub wording: Wording,
    /// What the caller said to it, the last first.
    pub records: Vec<ConsentRecord>,
}

/// That a version was given, or withdrawn (E5). It is never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ConsentRecord {
    pub number: i32,
    /// Given, or withdrawn.
    pub given: bool,
    pub ip: Option<String>,
    #[cfg_attr(feature = "ssr", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
}

impl OwnConsent {
    /// The consent that stands: the last thing that was said, where that gave a version.
    pub fn standing(&self) -> Option<&ConsentRecord> {
        self.records.first().filter(|record| record.given)
    }

    /// Whether the last version can be given.
    pub fn can_be_given(&self) -> bool {
        !self.is_retired && self.standing().is_none_or(|record| record.number != self.latest)
    }

    /// Whether the caller goes nowhere else before they have given it.
    pub fn is_owed(&self) -> bool {
        self.required && self.can_be_given()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A13: the last thing that was said counts, for the version that it was said to.
    #[test]
    fn the_last_word_on_the_last_version_counts() {
        let said = |number, given| ConsentRecord { number, given, ip: None, at: Timestamp(0) };
        let text = |required, is_retired, records| OwnConsent {
            id: ConsentId(uuid::Uuid::nil()),
            key: "k".to_owned(),
            required,
            is_retired,
            latest: 2,
            wording: Wording::default(),
            records,
        };
        assert!(text(true, false, vec![]).is_owed());
        assert!(text(true, false, vec![said(1, true)]).is_owed());
        assert!(text(true, false, vec![said(2, false), said(2, true)]).is_owed());
        assert!(!text(true, false, vec![said(2, true), said(2, false)]).is_owed());
        assert!(!text(false, false, vec![]).is_owed());
        assert!(!text(true, true, vec![]).is_owed());
    }
}
