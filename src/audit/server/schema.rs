//! The published description of an event, for whoever reads exports and forwarded events by program.

use serde_json::{Value, json};
use utoipa::PartialSchema as _;

use crate::{
    access::{Outcome, server::record::Action},
    audit::AuditEntry,
};

/// The version of the form. A field or action that is added leaves it; one that is changed or taken away moves it on.
pub const VERSION: u32 = 1;

/// The path at which it is published.
pub const PATH: &str = "/schemas/audit-event.json";

/// JSON Schema (2020-12) of one event, as the REST API and the exports write it.
pub fn document(origin: &str) -> Value {
    let mut event = serde_json::to_value(AuditEntry::schema()).unwrap_or_default();
    let outcome = serde_json::to_value(Outcome::schema()).unwrap_or_default();
    event["properties"]["outcome"] = outcome;
    let known = Action::ALL.iter().map(|action| action.as_str()).collect::<Vec<_>>();
    event["properties"]["action"] = json!({
        "type": "string",
        "pattern": r"^[a-z_]+(\.[a-z_]+)+$",
        "description": "A name of the published catalogue. Names are added to, never changed: expect others than these.",
        "examples": known,
    });
    // What may be absent may also be something else than an object: a text, a list.
    for field in ["old_value", "new_value"] {
        event["properties"][field] = json!({"description": "Before and after; absent as null."});
    }
    event["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    event["$id"] = json!(format!("{origin}{PATH}"));
    event["title"] = json!("Audit event");
    event["version"] = json!(VERSION);
    event
}
