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

/// What of a proposal's subject has changed since it was made: from what was `asked` about to `before`.
pub fn moved(proposal: &Value) -> Option<AnyView> {
    let asked = proposal.get("asked")?;
    Some(between(Some(asked), proposal.get("before")))
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
        let value = value?;
        // What a policy does goes by the same name as how one gets an account.
        let word = match (field.as_str(), value.as_str()) {
            ("mode", "require" | "grant") => Some(td_string!(locale(), policies.mode)),
            (field, _) => field_word(field),
        };
        let name = match word {
            Some(word) => word.into_any(),
            None => of_role(&field).unwrap_or_else(|| pieces::key(field.clone())),
        };
        Some(Line { side, name, value: worded(&field, &value) })
    })
}

/// The name of a field that says of which role it is, as `permissions:desk`: of a catalogue that is read in.
fn of_role(field: &str) -> Option<AnyView> {
    let (field, role) = field.split_once(':')?;
    let words = format!("{} · {}", language::isolate(role), field_word(field)?);
    Some(pieces::sentence(&words))
}

fn worded(field: &str, value: &str) -> AnyView {
    let part = field.split_once(':').map_or(field, |(part, _role)| part);
    match (part, value_word(field, value)) {
        (_, Some(word)) => word.into_any(),
        ("permissions" | "actions", None) => pieces::key(value),
        ("allow" | "deny" | "roles" | "groups", None) => pieces::sentence(value),
        (_, None) => pieces::typed(value),
    }
}

/// Writes one entry of a list as a sentence.
type Write = fn(&Value) -> Option<String>;

/// The value with each override, role and group written as a sentence.
fn readable(value: &Value) -> Value {
    let mut value = value.clone();
    let write: [(&str, Write); 4] = [
        ("allow", override_sentence),
        ("deny", override_sentence),
        ("roles", |one| bounded_sentence("role", one)),
        ("groups", |one| bounded_sentence("group", one)),
    ];
    for (field, sentence) in write {
        if let Some(Value::Array(all)) = value.get_mut(field) {
            for one in all {
                if let Some(sentence) = sentence(one) {
                    *one = Value::String(sentence);
                }
            }
        }
    }
    value
}

/// A role or group for `pieces::sentence`: its name, where it counts, and until when.
fn bounded_sentence(name: &str, value: &Value) -> Option<String> {
    let locale = locale();
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let name = language::isolate(text(name).or(value.as_str())?);
    let department = text("department").map(|department| {
        td_string!(locale, audit.in_department, department = language::isolate(department)).to_string()
    });
    let region = text("region")
        .map(|region| td_string!(locale, audit.in_region, region = language::isolate(region)).to_string());
    let parts = [Some(name), department, region, until(value)].into_iter().flatten().collect::<Vec<_>>();
    Some(parts.join(td_string!(locale, base.list_separator)))
}

/// Until when a grant of the log holds.
fn until(value: &Value) -> Option<String> {
    let locale = locale();
    let moment = value.get("expires_at").and_then(Value::as_str).and_then(Timestamp::parse)?;
    Some(td_string!(locale, audit.until, moment = language::date_time(locale, moment)).to_string())
}

/// An override for `pieces::sentence`: its key, until when, and why.
fn override_sentence(value: &Value) -> Option<String> {
    let locale = locale();
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let key = pieces::isolate_key(text("key").or(value.as_str())?);
    let reason = text("reason")
        .map(|reason| td_string!(locale, audit.stated_reason, reason = language::isolate(reason)).to_string());
    let parts = [Some(key), until(value), reason].into_iter().flatten().collect::<Vec<_>>();
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
    /// E3: so do roles and groups, bounded or not.
    #[test]
    fn bounds_are_written_as_sentences() {
        let role =
            json!({"role": "finance", "department": "المالية", "region": null, "expires_at": "2099-01-01T00:00:00Z"});
        let sentence = bounded_sentence("role", &role).unwrap_or_default();
        assert!(
            sentence.starts_with('\u{2068}') && sentence.contains("finance") && sentence.contains("2099"),
            "{sentence}"
        );
        assert!(!sentence.contains("expires_at") && !sentence.contains("null"), "{sentence}");
        assert_eq!(readable(&json!({"groups": ["night"]})), json!({"groups": [language::isolate("night")]}));
    }
}
