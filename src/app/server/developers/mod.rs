//! `/developers`: the REST API in both languages, drawn from its own description, with a guide and a way to try it.
//!
//! It is public and belongs to nobody, so it is drawn once for each language and theme.

mod document;
mod guide;
mod reference;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use crate::base::language::td_string;
use axum::{http::HeaderMap, response::Response};
use leptos::{config::LeptosOptions, prelude::*};
use utoipa::openapi::OpenApi;

pub use document::Described;

use crate::{
    app::server::plain::{self, Reader},
    i18n::Locale,
    ui::{
        icons::{Icon, brand_mark, icon},
        preferences,
    },
};

const SCRIPT: &str = include_str!("../../scripts/developers.js");

/// The pages that have been drawn.
pub struct Pages {
    options: LeptosOptions,
    described: Described,
    origin: String,
    drawn: Mutex<HashMap<Reader, Arc<str>>>,
}

impl Pages {
    pub fn new(options: LeptosOptions, api: &OpenApi, origin: &str) -> Self {
        Pages { options, described: Described::of(api), origin: origin.to_owned(), drawn: Mutex::default() }
    }

    /// `GET /developers`
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        plain::answer(headers, SCRIPT, &self.page(Reader::of(headers)))
    }

    fn page(&self, reader: Reader) -> Arc<str> {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(drawn.entry(reader).or_insert_with(|| self.draw(reader).into()))
    }

    fn draw(&self, reader: Reader) -> String {
        let locale = reader.locale;
        plain::document(&self.options, reader, td_string!(locale, developers.title), SCRIPT, || {
            let here = Signal::stored("/developers".to_owned());
            view! {
                <a class="skip" href="#main">{td_string!(locale, ui.skip)}</a>
                <div class="docs">
                    <header class="docs-top">
                        <a class="brand" href="/console">{brand_mark()} <span>{td_string!(locale, app.brand)}</span></a>
                        {preferences::switches(here)}
                    </header>
                    {contents(locale, &self.described)}
                    <main class="docs-main" id="main" tabindex="-1">
                        <h1>{td_string!(locale, developers.title)}</h1>
                        <p class="muted">{td_string!(locale, developers.about)}</p>
                        <p class="row-of">
                            <a class="btn sm" href="/openapi.json">
                                {icon(Icon::Audit)} {td_string!(locale, developers.description_file)}
                            </a>
                        </p>
                        {guide::guide(locale, &self.origin)}
                        {reference::reference(locale, &self.described, &self.origin)}
                    </main>
                </div>
            }
            .into_any()
        })
    }
}

/// What there is on the page, with the search over it.
fn contents(locale: Locale, described: &Described) -> AnyView {
    let groups = described
        .groups()
        .map(|(tag, operations)| {
            let links = operations
                .map(|operation| {
                    let title = word(locale, "op", &operation.id).unwrap_or(&operation.title);
                    view! {
                        <li data-for=operation.id.clone()>
                            <a href=format!("#{}", operation.id)>{title.to_owned()}</a>
                        </li>
                    }
                })
                .collect_view();
            let name = word(locale, "tag", tag).unwrap_or(tag).to_owned();
            view! {
                <li>
                    <a class="strong" href=format!("#tag-{tag}")>{name}</a>
                    <ul role="list">{links}</ul>
                </li>
            }
        })
        .collect_view();
    view! {
        <nav class="docs-nav" aria-label=td_string!(locale, developers.contents)>
            <div class="field" id="find-box" hidden=true>
                <label for="find">{td_string!(locale, developers.find)}</label>
                <input class="input" id="find" type="search" dir="auto" autocomplete="off" />
                <p class="hint" id="found" role="status"></p>
            </div>
            <ul role="list">
                <li><a class="strong" href="#guide">{td_string!(locale, developers.guide)}</a></li>
                {groups}
                <li><a class="strong" href="#schemas">{td_string!(locale, developers.schemas)}</a></li>
            </ul>
        </nav>
    }
    .into_any()
}

type Texts = HashMap<String, String>;

/// The texts that are found by the name of an operation, which is not known when the program is built. A test holds them
/// against the description.
static TEXTS: LazyLock<[Texts; 2]> = LazyLock::new(|| {
    let read = |text| serde_json::from_str::<Texts>(text).unwrap_or_default();
    [
        read(include_str!("../../../../locales/ar/developers.json")),
        read(include_str!("../../../../locales/en/developers.json")),
    ]
});

/// The text of an operation or group in one language.
fn word(locale: Locale, kind: &str, name: &str) -> Option<&'static str> {
    let texts = match locale {
        Locale::ar => &TEXTS[0],
        Locale::en => &TEXTS[1],
    };
    texts.get(&format!("{kind}_{name}")).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::app::server::openapi;

    /// H7: every operation and group has a name in both languages, and no name is left over from one that has gone.
    #[test]
    fn every_operation_is_named_in_both_languages() {
        let described = Described::of(&openapi::document());
        let mut wanted = BTreeSet::new();
        for (tag, operations) in described.groups() {
            wanted.insert(format!("tag_{tag}"));
            for operation in operations {
                wanted.insert(format!("op_{}", operation.id));
                if operation.has_conditions {
                    wanted.insert(format!("need_{}", operation.id));
                }
            }
        }
        let of_the_document = |key: &&String| ["tag_", "op_", "need_"].iter().any(|kind| key.starts_with(kind));
        for (language, texts) in ["ar", "en"].iter().zip(TEXTS.iter()) {
            let named = texts.keys().filter(of_the_document).cloned().collect::<BTreeSet<_>>();
            assert_eq!(named, wanted, "locales/{language}/developers.json");
        }
    }

    /// H7: the names of operations are their addresses on the page: each stands for one.
    #[test]
    fn names_of_operations_are_unique() {
        let described = Described::of(&openapi::document());
        let all = described.groups().flat_map(|(_, operations)| operations.map(|one| one.id.clone()));
        let all = all.collect::<Vec<_>>();
        assert!(all.len() > 20, "{all:?}");
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        let word = |id: &String| id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        assert!(all.iter().all(word), "{all:?}");
    }
}
