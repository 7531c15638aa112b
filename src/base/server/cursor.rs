//! Where the pages of a list begin and end: handed out as one opaque word, and understood when it comes back.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::base::{
    errors::{FieldCode, FieldErrors},
    paging::{self, Page},
    server::search::given,
    time::Timestamp,
};

/// Where a page goes on: the sort key and id of the last row shown. The id orders rows whose keys are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub key: String,
    pub id: Uuid,
}

impl Cursor {
    pub fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}\n{}", self.id, self.key))
    }

    fn parse(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (id, key) = text.split_once('\n')?;
        (!key.contains('\0')).then_some(Cursor { id: id.parse().ok()?, key: key.to_owned() })
    }

    /// The `after` of a query. Nothing, or nothing but blanks, is the beginning.
    pub fn after(text: Option<String>) -> Result<Option<Self>, FieldCode> {
        given(text).map(|text| Cursor::parse(&text).ok_or(FieldCode::Malformed)).transpose()
    }

    /// The key of a list in the order of time.
    pub fn moment(&self) -> Option<DateTime<Utc>> {
        Timestamp::parse(&self.key).map(DateTime::from)
    }
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, Default)]
pub struct Part {
    pub after: Option<Cursor>,
    limit: u32,
}

impl Part {
    /// Understands `after` and `limit` of a query.
    pub fn parse(after: Option<String>, limit: Option<u32>, errors: &mut FieldErrors) -> Self {
        let after = errors.take("after", Cursor::after(after)).flatten();
        let limit = errors.take("limit", paging::size(limit)).unwrap_or_default();
        Part { after, limit }
    }

    /// How many rows to read: one more than is shown tells that there is a next page.
    pub fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Begins at the first row where nothing is said: every key is greater than no key, or the same with a greater id.
    pub fn place(&self) -> (&str, Uuid) {
        self.after.as_ref().map_or(("", Uuid::nil()), |cursor| (&cursor.key, cursor.id))
    }

    /// The page out of as many rows as [`Part::rows`] says.
    pub fn page<T>(&self, rows: Vec<T>, cursor: impl Fn(&T) -> Cursor) -> Page<T> {
        Page::of(rows, self.limit, |row| cursor(row).write())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D1: what was handed out is understood; whatever else is sent is refused.
    #[test]
    fn a_cursor_comes_back_as_it_was_and_nothing_else_is_one() {
        for key in ["", "سارة", "two\nlines", "a & b"] {
            let cursor = Cursor { key: key.to_owned(), id: Uuid::from_u128(7) };
            assert_eq!(Cursor::after(Some(cursor.write())), Ok(Some(cursor)), "{key}");
        }
        assert_eq!(Cursor::after(None), Ok(None));
        assert_eq!(Cursor::after(Some("  ".to_owned())), Ok(None));
        let written = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let zero = format!("{}\na\0b", Uuid::nil());
        for bad in ["x".to_owned(), written("no id"), written("7\nkey"), written(&zero), "سارة".to_owned()] {
            assert_eq!(Cursor::after(Some(bad.clone())), Err(FieldCode::Malformed), "{bad}");
        }
        let moment = |key: &str| Cursor { key: key.to_owned(), id: Uuid::nil() }.moment().is_some();
        assert!(moment("2026-11-22T08:00:00.000001Z"));
        for bad in ["", "yesterday", "+10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z"] {
            assert!(!moment(bad), "{bad}");
        }
    }
}
