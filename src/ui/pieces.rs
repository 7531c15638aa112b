//! Small pieces that every page draws: badges, initials, keys, moments, page heads.

use leptos::prelude::*;

use crate::{
    base::{
        dates,
        language::{self, td_string},
        time::Timestamp,
    },
    ui::{
        address,
        clock::clock,
        icons::{Icon, icon},
        locale,
    },
};

/// The meaning of a badge's colour. The word in it says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Neutral,
    Good,
    Bad,
    Waiting,
    Accent,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Tone::Neutral => "badge",
            Tone::Good => "badge allow",
            Tone::Bad => "badge deny",
            Tone::Waiting => "badge pending",
            Tone::Accent => "badge accent",
        }
    }
}

/// A word in a pill.
pub fn badge(tone: Tone, sign: Option<Icon>, word: impl Into<String>) -> AnyView {
    view! { <span class=tone.class()>{sign.map(icon)} <bdi>{word.into()}</bdi></span> }.into_any()
}

/// The initials of a person.
pub fn avatar(name: &str, large: bool) -> AnyView {
    let initials = initials(name);
    let class = if large { "avatar large" } else { "avatar" };
    view! { <span class=class aria-hidden="true">{initials}</span> }.into_any()
}

/// The first letters of the first and the last word, without the Arabic article; Arabic letters stand apart.
pub fn initials(name: &str) -> String {
    let first_letter = |word: &str| {
        let word = word.strip_prefix("ال").filter(|rest| rest.chars().count() > 1).unwrap_or(word);
        word.chars().find(|c| c.is_alphanumeric())
    };
    let written = |letter: char| match letter {
        // Alone it looks like a digit; so it is written as it begins a word.
        'ه' => "هـ".to_owned(),
        other => other.to_uppercase().to_string(),
    };
    let mut words = name.split_whitespace().filter_map(first_letter);
    let first = words.next();
    let letters = [first, words.next_back()].into_iter().flatten().map(written).collect::<Vec<_>>();
    letters.join(if letters.iter().all(|letter| letter.is_ascii()) { "" } else { " " })
}

/// The longest part of a key that a narrow place has room for.
const LONGEST_PART: usize = 16;

/// A permission key, an id or a code. A narrow place breaks it where its parts end; only where a part is longer than any
/// word of ours, as in a fingerprint, it breaks anywhere (H2).
pub fn key(text: impl Into<String>) -> AnyView {
    draw_key(&text.into())
}

fn draw_key(text: &str) -> AnyView {
    let class = if parts(text).all(|part| part.len() <= LONGEST_PART) { "mono key" } else { "mono" };
    view! { <bdi class=class dir="ltr">{in_parts(text)}</bdi> }.into_any()
}

/// A name that a person typed, where it may be written like a key: it breaks where its parts end.
pub fn typed_in_parts(text: &str) -> AnyView {
    view! { <bdi>{in_parts(text)}</bdi> }.into_any()
}

fn in_parts(text: &str) -> AnyView {
    let first = parts(text).next().unwrap_or_default().to_owned();
    let rest = parts(text).skip(1).map(|part| view! { <wbr /> {part.to_owned()} }).collect::<Vec<_>>();
    view! { {first} {rest} }.into_any()
}

/// The parts of a key, each with the sign that ends it.
fn parts(key: &str) -> impl Iterator<Item = &str> {
    key.split_inclusive(['.', '_', ':', '/', ' '])
}

/// Something that a person typed, kept apart from the text around it.
pub fn typed(text: impl Into<String>) -> AnyView {
    view! { <bdi>{text.into()}</bdi> }.into_any()
}

/// Several names one after the other, each kept apart from the others.
pub fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> AnyView {
    let names = names.into_iter().map(language::isolate).collect::<Vec<_>>();
    sentence(&names.join(td_string!(locale(), base.list_separator)))
}

/// Marks a permission key inside a sentence for `sentence`.
pub fn isolate_key(key: &str) -> String {
    format!("\u{2066}{key}\u{2069}")
}

/// A translated sentence in which names stand between isolating characters (see `language::isolate`) and keys between
/// those of `isolate_key`: both become elements, so that the text stays as it reads.
pub fn sentence(text: &str) -> AnyView {
    let parts = text.split('\u{2069}').map(|part| {
        let Some(at) = part.find(['\u{2066}', '\u{2068}']) else { return part.to_owned().into_any() };
        let (before, inside) = part.split_at(at);
        let is_key = inside.starts_with('\u{2066}');
        let inside = inside.trim_start_matches(['\u{2066}', '\u{2068}']).to_owned();
        let inside = if is_key { key(inside) } else { typed(inside) };
        view! { {before.to_owned()} {inside} }.into_any()
    });
    parts.collect_view().into_any()
}

/// A moment from where it stands now; in full on hover and for screen readers.
pub fn moment(moment: Timestamp) -> AnyView {
    let (locale, clock) = (locale(), clock());
    let exact = move || dates::exact(locale, moment, clock.zone());
    view! {
        <time class="num" datetime=moment.to_string() title=exact>
            <span>{move || dates::relative(locale, clock.now(), moment, clock.zone())}</span>
            <span class="away">" " {move || sentence(&exact())}</span>
        </time>
    }
    .into_any()
}

/// A moment in full, where it must not be guessed: until when something holds.
pub fn exact_moment(moment: Timestamp) -> AnyView {
    let (locale, clock) = (locale(), clock());
    view! {
        <time class="num" datetime=moment.to_string()>
            {move || sentence(&dates::exact(locale, moment, clock.zone()))}
        </time>
    }
    .into_any()
}

/// A moment that may not have come.
pub fn moment_or_dash(moment_or_none: Option<Timestamp>) -> AnyView {
    match moment_or_none {
        Some(there) => moment(there),
        None => nothing(),
    }
}

/// An address, which a narrow place breaks where its parts end.
pub fn email(address: &str) -> AnyView {
    let parts = address.split_inclusive(['@', '.']).map(|part| view! { {part.to_owned()} <wbr /> });
    view! { <bdi>{parts.collect::<Vec<_>>()}</bdi> }.into_any()
}

/// A text that may be missing.
pub fn typed_or_dash(text: Option<String>) -> AnyView {
    match address::filled(text) {
        Some(text) => typed(text),
        None => nothing(),
    }
}

/// Names that lead somewhere, beside each other and each under the same sign.
pub fn links(sign: Icon, links: impl IntoIterator<Item = (String, String)>) -> AnyView {
    let links = links
        .into_iter()
        .map(|(href, name)| view! { <li><a href=href>{icon(sign)} {typed(name)}</a></li> })
        .collect::<Vec<_>>();
    view! { <ul class="links" role="list">{links}</ul> }.into_any()
}

/// A dash, with a word for screen readers.
pub fn nothing() -> AnyView {
    let locale = locale();
    view! {
        <span class="muted"><span aria-hidden="true">"—"</span><span class="away">{td_string!(locale, ui.nothing)}</span></span>
    }
    .into_any()
}

/// The links before and after a page of a list; nothing where there is just one page.
pub fn pager(first: Option<String>, next: Option<String>) -> AnyView {
    let locale = locale();
    if first.is_none() && next.is_none() {
        return ().into_any();
    }
    let link = |href: String, word: &'static str, back: bool| {
        view! {
            <a class="btn" href=href>
                {back.then(|| icon(Icon::Back))} {word} {(!back).then(|| icon(Icon::Forward))}
            </a>
        }
    };
    view! {
        <nav class="pager" aria-label=td_string!(locale, ui.pages)>
            {first.map(|href| link(href, td_string!(locale, ui.first_page), true))}
            {next.map(|href| link(href, td_string!(locale, ui.next_page), false))}
        </nav>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H2.
    #[test]
    fn a_key_breaks_where_its_parts_end() {
        assert_eq!(parts("api_keys.manage").collect::<Vec<_>>(), ["api_", "keys.", "manage"]);
        assert_eq!(parts("*").collect::<Vec<_>>(), ["*"]);
    }

    #[test]
    fn initials_are_the_first_and_the_last_word() {
        assert_eq!(initials("سارة بنت خالد المطيري"), "س م");
        assert_eq!(initials("هند العتيبي"), "هـ ع");
        assert_eq!(initials("sara"), "S");
        assert_eq!(initials("  Sara   O'Neil "), "SO");
        assert_eq!(initials("…"), "");
    }
}
