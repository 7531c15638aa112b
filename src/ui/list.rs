//! The frame of every list: its rows with the ways to other pages, or what stands in their place.

use leptos::prelude::*;

use crate::{
    base::{errors::AppError, paging::Page},
    ui::{
        icons::{Icon, icon},
        pieces, states,
        viewer::viewer,
    },
};

/// What a list says where it has nothing to show: what it is for, and the first thing to do.
pub struct Empty {
    pub sign: Icon,
    pub title: &'static str,
    pub about: &'static str,
    pub action: Option<(String, &'static str)>,
}

/// Where a list stands: what was asked for, and the addresses around it.
pub struct Place<F> {
    /// Whether filters leave something out.
    pub is_filtered: bool,
    /// The address without filters.
    pub all: String,
    /// Whether this is not the first page.
    pub is_later: bool,
    /// The address of the page after a row; the first page for an empty text.
    pub at: F,
}

/// A list in one of its states: refused or failed, empty, filtered to nothing, or drawn.
pub fn list<T, F: Fn(&str) -> String>(
    answer: Result<Page<T>, AppError>,
    place: Place<F>,
    empty: Empty,
    draw: impl FnOnce(Vec<T>) -> AnyView,
) -> AnyView {
    let page = match answer {
        Ok(page) => page,
        Err(error) => return states::failure(&error),
    };
    if page.items.is_empty() {
        return match place.is_filtered || place.is_later {
            true => states::nothing_found(place.all),
            false => states::empty(empty.sign, empty.title, empty.about, empty.action),
        };
    }
    let first = place.is_later.then(|| (place.at)(""));
    let next = page.next.as_deref().map(&place.at);
    view! {
        {draw(page.items)}
        {pieces::pager(first, next)}
    }
    .into_any()
}

/// The link to the page that creates one more, in the head of a list, for whoever may.
pub fn create_link(permission: &str, href: &'static str, word: &'static str) -> AnyView {
    let (viewer, permission) = (viewer(), permission.to_owned());
    view! {
        <Suspense>
            {move || {
                let (viewer, permission) = (viewer.clone(), permission.clone());
                Suspend::new(async move {
                    viewer
                        .holds()
                        .await
                        .may(&permission)
                        .then(|| {
                            view! {
                                <a class="btn primary" href=href>
                                    {icon(Icon::Add)} {word}
                                </a>
                            }
                        })
                })
            }}
        </Suspense>
    }
    .into_any()
}
