//! Addresses of pages: the state of filters, tabs and lists lives in them.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};

/// A path with a query; what is empty is left out.
pub fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    let mut mark = '?';
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(mark);
        address.push_str(name);
        address.push('=');
        escape_into(&mut address, value);
        mark = '&';
    }
    address
}

/// Percent-encodes all but the unreserved characters of RFC 3986, the same on the server and in the browser.
fn escape_into(address: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            address.push(char::from(byte));
        } else {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// Something that is read of the address.
///
/// In the browser it follows the address. On the server the address of a request never changes: it is read once, so that
/// no task that is late can ask a router that has gone with its request.
pub fn settled<T>(read: impl Fn() -> T + Send + Sync + 'static) -> Signal<T>
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    if cfg!(feature = "ssr") { Signal::stored(untrack(read)) } else { Memo::new(move |_| read()).into() }
}

/// Path and query of the page that is shown.
pub fn here() -> Signal<String> {
    let location = use_location();
    Signal::derive(move || {
        let (path, query) = (location.pathname.get(), location.search.get());
        let query = query.trim_start_matches('?');
        if query.is_empty() { path } else { format!("{path}?{query}") }
    })
}

/// One field of the query, trimmed; `None` when it is empty.
pub fn query_field(name: &'static str) -> Signal<Option<String>> {
    let query = use_query_map();
    settled(move || query.with(|query| filled(query.get(name))))
}

/// A text that says something, trimmed.
pub fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_holds_any_text_and_nothing_empty() {
        let address = with_query("/people", &[("q", "سا & b"), ("status", ""), ("sort", "last_login")]);
        assert_eq!(address, "/people?q=%D8%B3%D8%A7%20%26%20b&sort=last_login");
        assert_eq!(with_query("/people", &[("q", "")]), "/people");
    }
}
