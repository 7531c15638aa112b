//! What an act changed, line by line, as people say it.

use leptos::prelude::*;
use serde_json::Value;

use super::words::{field_word, value_word};
use crate::{
    audit::{AuditEntry, DiffLine, diff},
    base::{
        language::{self, td_string},
        time::Timestamp,
    },
    ui::{
        self,
        diff::{Line, Side},
        locale, pieces,
    },
};

/// The changes of one entry; nothing where there are none.
pub fn changes(entry: &AuditEntry) -> AnyView {
    between(entry.old_value.as_ref(), entry.new_value.as_ref())
}

/// What a proposal would change: its `before` and its `after`.
pub fn proposed(proposal: &Value) -> AnyView {
    between(proposal.get("before"), proposal.get("after"))
}

fn between(old: Option<&Value>, new: Option<&Value>) -> AnyView {
    let (old, new) = (old.map(readable), new.map(readable));
    ui::diff::diff(diff(old.as_ref(), new.as_ref()).into_iter().flat_map(lines).collect())
}

/// What a field was, and what it is; an empty value is none.
fn lines(change: DiffLine) -> impl Iterator<Item = Line> {
    let DiffLine { field, old, new } = change;
    let filled = |value: Option<String>| value.filter(|value| !value.is_empty());
    let sides = [(Side::Was, filled(old)), (Side::Is, filled(new))];
    sides.into_iter().filter_map(move |(side, value)| {
        let name = match field_word(&field) {
            Some(word) => word.into_any(),
            None => pieces::key(field.clone()),
        };
        Some(Line { side, name, value: worded(&field, &value?) })
    })
}

fn worded(field: &str, value: &str) -> AnyView {
    match (field, value_word(field, value)) {
        (_, Some(word)) => word.into_any(),
        ("permissions", None) => pieces::key(value),
        ("allow" | "deny", None) => pieces::sentence(value),
        (_, None) => pieces::typed(value),
    }
}

/// The value with each override written as a sentence.
fn readable(value: &Value) -> Value {
    let mut value = value.clone();
    for field in ["allow", "deny"] {
        if let Some(Value::Array(overrides)) = value.get_mut(field) {
            for one in overrides {
                if let Some(sentence) = override_sentence(one) {
                    *one = Value::String(sentence);
                }
            }
        }
    }
    value
}

/// An override for `pieces::sentence`: its key, until when, and why.
fn override_sentence(value: &Value) -> Option<String> {
    let locale = locale();
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let key = pieces::isolate_key(text("key").or(value.as_str())?);
    let until = text("expires_at")
        .and_then(Timestamp::parse)
        .map(|moment| td_string!(locale, audit.until, moment = language::date_time(locale, moment)).to_string());
    let reason = text("reason")
        .map(|reason| td_string!(locale, audit.stated_reason, reason = language::isolate(reason)).to_string());
    let parts = [Some(key), until, reason].into_iter().flatten().collect::<Vec<_>>();
    Some(parts.join(td_string!(locale, base.list_separator)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// E3: an override reads as its key with its bounds, not as a structure.
    #[test]
    fn overrides_are_written_as_sentences() {
        let sentence = override_sentence(&json!({"key": "users.read", "expires_at": null, "reason": null}));
        assert_eq!(sentence.as_deref(), Some("\u{2066}users.read\u{2069}"));
        let value = readable(&json!({"allow": ["users.read"], "deny": []}));
        assert_eq!(value, json!({"allow": ["\u{2066}users.read\u{2069}"], "deny": []}));
    }
}
