//! Keyset pages: a page says where the next one starts, and nothing counts all rows.

use serde::{Deserialize, Serialize};

use crate::base::errors::FieldCode;

/// How many rows a page has where the caller does not say.
pub const PAGE_SIZE: u32 = 50;
/// The most rows one page may have.
pub const PAGE_SIZE_MAX: u32 = 200;

/// How many rows a page shall have.
pub fn size(asked: Option<u32>) -> Result<u32, FieldCode> {
    let size = asked.unwrap_or(PAGE_SIZE);
    if (1..=PAGE_SIZE_MAX).contains(&size) { Ok(size) } else { Err(FieldCode::Malformed) }
}

/// One page of a list in a total order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Opaque: hand it back as `after` for the next page. `None` on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page out of one row more than asked for: the extra row only tells that there is a next page.
    pub fn of(mut rows: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(cursor) } else { None };
        Page { items: rows, next }
    }

    /// The same page with each row turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(turn).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D1: the extra row is not shown, and its presence gives the cursor of the last shown row.
    #[test]
    fn a_page_points_to_the_next_only_when_there_is_one() {
        let full = Page::of(vec![1, 2, 3], 2, ToString::to_string);
        assert_eq!(full, Page { items: vec![1, 2], next: Some("2".to_owned()) });
        let last = Page::of(vec![1, 2], 2, ToString::to_string);
        assert_eq!(last, Page { items: vec![1, 2], next: None });
    }
}
