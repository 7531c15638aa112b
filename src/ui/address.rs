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
pub fn query_field(name: &'static str) -> Memo<Option<String>> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|query| filled(query.get(name))))
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
