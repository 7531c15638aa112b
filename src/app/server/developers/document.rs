//! The description of the API (OpenAPI 3.1), read for people.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

/// An id for examples.
const AN_ID: &str = "0190a6e0-0000-7000-8000-000000000000";

/// How deep the fields of what stands inside a field are listed, and examples made.
const DEEPEST: usize = 4;

/// Everything that the page tells.
pub struct Described {
    operations: Vec<Operation>,
    pub schemas: BTreeMap<String, Schema>,
}

pub struct Operation {
    pub id: String,
    tag: String,
    pub method: &'static str,
    pub path: String,
    /// In English, as the program's own lines say it.
    pub title: String,
    pub about: Option<String>,
    /// What the caller has to hold.
    pub permissions: Vec<String>,
    /// It is not just these permissions always: a text says when which.
    pub has_conditions: bool,
    pub is_public: bool,
    pub parameters: Vec<Parameter>,
    pub body: Option<Body>,
    pub file: Option<File>,
    pub answers: Vec<Answer>,
}

pub struct Parameter {
    pub name: String,
    pub place: String,
    pub kind: String,
    pub is_required: bool,
    pub about: Option<String>,
}

pub struct Body {
    pub schema: Option<String>,
    pub fields: Vec<Field>,
    pub example: String,
}

/// A body that is a file.
pub struct File {
    pub kinds: Vec<String>,
    /// The kind of the example, and what that is called.
    pub kind: String,
    pub name: String,
}

pub struct Answer {
    pub status: String,
    pub about: String,
    /// What it is called, and the name of the schema behind that.
    pub kind: Option<(String, Option<String>)>,
    pub fields: Vec<Field>,
}

pub struct Schema {
    pub about: Option<String>,
    pub fields: Vec<Field>,
    pub kind: String,
}

/// A field by its path: `items[].name`.
pub struct Field {
    pub name: String,
    pub kind: String,
    /// The schema to read on at.
    pub schema: Option<String>,
    pub is_required: bool,
    pub about: Option<String>,
}

impl Described {
    pub fn of(api: &OpenApi) -> Self {
        let api = serde_json::to_value(api).unwrap_or_default();
        let reader = Reading { schemas: &api["components"]["schemas"] };
        let mut operations = Vec::new();
        for (path, item) in entries(&api["paths"]) {
            for method in ["get", "post", "put", "patch", "delete"] {
                if item[method].is_object() {
                    operations.push(reader.operation(path, method, &item[method]));
                }
            }
        }
        let place = |tag: &str| (tag != "auth", tag.to_owned());
        operations.sort_by_key(|one| place(&one.tag));
        let schemas = entries(reader.schemas).map(|(name, schema)| (name.clone(), reader.schema(schema))).collect();
        Described { operations, schemas }
    }

    /// The operations by their group: how to come in first, then by name.
    pub fn groups(&self) -> impl Iterator<Item = (&str, std::slice::Iter<'_, Operation>)> {
        self.operations.chunk_by(|a, b| a.tag == b.tag).map(|group| (group[0].tag.as_str(), group.iter()))
    }
}

impl Operation {
    /// The words by which it is found.
    pub fn searched(&self, titles: &[&str]) -> String {
        let own = [self.method, &self.path, &self.id, &self.title].into_iter();
        own.chain(titles.iter().copied())
            .chain(self.permissions.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The call for a shell, as the page's script writes it anew for what is typed.
    pub fn curl(&self, origin: &str) -> String {
        let mut lines = vec![format!("curl -X {} '{origin}{}'", self.method, self.path)];
        if !self.is_public {
            lines.push("-H \"authorization: Bearer $ACCESS_TOKEN\"".to_owned());
        }
        if let Some(body) = &self.body {
            lines.push("-H 'content-type: application/json'".to_owned());
            lines.push(format!("-d '{}'", body.example.replace('\'', "'\\''")));
        }
        if let Some(file) = &self.file {
            lines.push(format!("-H 'content-type: {}'", file.kind));
            lines.push(format!("--data-binary '@{}'", file.name));
        }
        lines.join(" \\\n  ")
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The file that a body is, where it is none of JSON: called as the last part of the path, and a PNG where that is taken.
fn file(path: &str, content: &Value) -> Option<File> {
    let mut kinds = entries(content).map(|(kind, _)| kind.clone()).collect::<Vec<_>>();
    kinds.retain(|kind| kind != "application/json");
    kinds.sort();
    let kind = kinds.iter().find(|kind| kind.as_str() == "image/png").or(kinds.first())?.clone();
    let (name, ending) = (path.rsplit('/').next()?, kind.rsplit('/').next()?);
    Some(File { name: format!("{name}.{ending}"), kind, kinds })
}

/// The keys between backticks in a summary, and whether other words than "and" stand with them.
fn needs(tail: &str) -> (Vec<String>, bool) {
    let parts = tail.split('`').collect::<Vec<_>>();
    let keys = parts.iter().skip(1).step_by(2).map(|key| (*key).to_owned()).collect();
    let between = parts.iter().step_by(2).map(|words| words.trim());
    let has_conditions = between.filter(|words| !words.is_empty()).any(|words| words != "and");
    (keys, has_conditions)
}

struct Reading<'a> {
    schemas: &'a Value,
}

impl Reading<'_> {
    fn operation(&self, path: &str, method: &str, operation: &Value) -> Operation {
        let summary = operation["summary"].as_str().unwrap_or_default();
        let (title, tail) = summary.split_once(": ").unwrap_or((summary, ""));
        let (permissions, has_conditions) = needs(tail);
        let parameters = operation["parameters"].as_array().into_iter().flatten().map(|one| self.parameter(one));
        let content = &operation["requestBody"]["content"];
        let body = &content["application/json"]["schema"];
        let answers = entries(&operation["responses"]).map(|(status, answer)| self.answer(status, answer));
        Operation {
            id: text(&operation["operationId"]).unwrap_or_default(),
            tag: text(&operation["tags"][0]).unwrap_or_default(),
            method: match method {
                "get" => "GET",
                "post" => "POST",
                "put" => "PUT",
                "patch" => "PATCH",
                _ => "DELETE",
            },
            path: path.to_owned(),
            title: title.to_owned(),
            about: text(&operation["description"]),
            permissions,
            has_conditions,
            is_public: operation["security"].is_array(),
            parameters: parameters.collect(),
            body: body.is_object().then(|| self.body(body)),
            file: file(path, content),
            answers: answers.collect(),
        }
    }

    fn parameter(&self, parameter: &Value) -> Parameter {
        Parameter {
            name: text(&parameter["name"]).unwrap_or_default(),
            place: text(&parameter["in"]).unwrap_or_default(),
            kind: self.kind(&parameter["schema"]).0,
            is_required: parameter["required"] == true,
            about: text(&parameter["description"]),
        }
    }

    fn body(&self, schema: &Value) -> Body {
        let example = serde_json::to_string_pretty(&self.example(schema, "", 0)).unwrap_or_default();
        Body { schema: self.kind(schema).1, fields: self.fields(schema), example }
    }

    fn answer(&self, status: &str, answer: &Value) -> Answer {
        let content = entries(&answer["content"]).next().map(|(_, content)| &content["schema"]);
        let kind = content.map(|schema| self.kind(schema));
        let is_inline = kind.as_ref().is_some_and(|(_, schema)| schema.is_none());
        Answer {
            status: status.to_owned(),
            about: text(&answer["description"]).unwrap_or_default(),
            fields: content.filter(|_| is_inline).map(|schema| self.fields(schema)).unwrap_or_default(),
            kind,
        }
    }

    fn schema(&self, schema: &Value) -> Schema {
        Schema { about: text(&schema["description"]), fields: self.fields(schema), kind: self.kind(schema).0 }
    }

    fn named<'a>(&'a self, schema: &'a Value) -> (Option<&'a str>, &'a Value) {
        match schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            Some(name) => (Some(name), &self.schemas[name]),
            None => (None, schema),
        }
    }

    /// What a value is, in words for programmers, and the schema to read on at.
    fn kind(&self, schema: &Value) -> (String, Option<String>) {
        if let (Some(name), _) = self.named(schema) {
            return (name.to_owned(), Some(name.to_owned()));
        }
        for choice in ["oneOf", "anyOf", "allOf"] {
            if let Some(all) = schema[choice].as_array() {
                let kinds = all.iter().map(|one| self.kind(one)).collect::<Vec<_>>();
                let words = kinds.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(" | ");
                return (words, kinds.into_iter().find_map(|(_, name)| name));
            }
        }
        if let Some(values) = schema["enum"].as_array() {
            return (values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | "), None);
        }
        let kinds = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            Value::String(kind) => vec![kind.as_str()],
            _ => vec!["any"],
        };
        let mut name = None;
        let words = kinds.into_iter().map(|kind| match (kind, schema["format"].as_str()) {
            ("array", _) => {
                let (items, of) = self.kind(&schema["items"]);
                name = of;
                format!("{items}[]")
            }
            ("string", Some(format)) => format.to_owned(),
            (kind, _) => kind.to_owned(),
        });
        (words.collect::<Vec<_>>().join(" | "), name)
    }

    /// The fields of an object, with those of what stands inside it and has no name of its own.
    fn fields(&self, schema: &Value) -> Vec<Field> {
        let mut all = Vec::new();
        self.fields_into(&mut all, "", schema, 0);
        all
    }

    fn fields_into(&self, all: &mut Vec<Field>, before: &str, schema: &Value, depth: usize) {
        let (_, schema) = self.named(schema);
        let required = schema["required"].as_array();
        for (name, field) in entries(&schema["properties"]) {
            let (kind, named) = self.kind(field);
            let path = format!("{before}{name}");
            all.push(Field {
                name: path.clone(),
                kind,
                is_required: required.is_some_and(|names| names.iter().any(|one| one == name)),
                about: text(&field["description"]).filter(|_| named.is_none() || field["$ref"].is_null()),
                schema: named.clone(),
            });
            if named.is_none() && depth < DEEPEST {
                self.fields_into(all, &format!("{path}."), field, depth + 1);
                self.fields_into(all, &format!("{path}[]."), &field["items"], depth + 1);
            }
        }
    }

    /// A value that fits: what is needed, and where nothing is needed everything that can be said.
    fn example(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let (own_name, schema) = self.named(schema);
        for given in [&schema["example"], &schema["examples"][0], &schema["enum"][0]] {
            if !given.is_null() {
                return given.clone();
            }
        }
        if let Some(example) = own_name.and_then(well_known) {
            return example;
        }
        if depth > DEEPEST {
            return Value::Null;
        }
        for choice in ["oneOf", "anyOf", "allOf"] {
            if let Some(first) = schema[choice].get(0) {
                return self.example(first, name, depth + 1);
            }
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => {
                kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
            }
            Value::String(kind) => kind,
            _ => "null",
        };
        match kind {
            "object" => {
                let required = schema["required"].as_array().cloned().unwrap_or_default();
                let mut object = Map::new();
                for (name, field) in entries(&schema["properties"]) {
                    let is_version = name == "version" && !required.contains(&json!(name));
                    if !is_version && (required.is_empty() || required.contains(&json!(name))) {
                        object.insert(name.clone(), self.example(field, name, depth + 1));
                    }
                }
                Value::Object(object)
            }
            "array" => json!([self.example(&schema["items"], name, depth + 1)]),
            "boolean" => json!(true),
            "integer" | "number" => json!(1),
            "string" => json!(sample(name, schema["format"].as_str().unwrap_or_default())),
            _ => Value::Null,
        }
    }
}

/// Examples of schemas in which nothing is needed, so that none could be made that says something.
fn well_known(schema: &str) -> Option<Value> {
    match schema {
        "OverrideItem" => Some(json!({"key": "reports.read", "expires_at": "2027-01-01T09:30:00Z"})),
        "OverrideSet" => {
            Some(json!({"allow": ["reports.read"], "deny": [{"key": "audit.read", "reason": "Under review"}]}))
        }
        "PersonEdit" => Some(json!({"department": "Finance", "region": "Riyadh"})),
        "RoleEdit" => Some(json!({"permissions": ["users.read", "reports.read"]})),
        "NewRole" => Some(json!({"name": "finance", "permissions": ["users.read", "reports.read"]})),
        _ => None,
    }
}

fn sample(name: &str, format: &str) -> &'static str {
    match (format, name) {
        ("uuid", _) => AN_ID,
        ("date-time", _) => "2027-01-01T09:30:00Z",
        ("date", _) => "2027-01-01",
        (_, "email") => "sara@example.com",
        (_, "name") => "Sara Al-Mutairi",
        (_, "password") => "a long enough passphrase",
        (_, "locale") => "ar",
        (_, "permissions" | "key") => "reports.read",
        (_, "roles") => "readonly",
        _ => "…",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::server::openapi;

    fn find<'a>(described: &'a Described, id: &str) -> &'a Operation {
        described.groups().flat_map(|(_, all)| all).find(|one| one.id == id).expect("an operation")
    }

    #[test]
    fn a_summary_tells_what_a_caller_has_to_hold() {
        assert_eq!(needs("`users.read`"), (vec!["users.read".to_owned()], false));
        let both = vec!["permissions.read".to_owned(), "users.read".to_owned()];
        assert_eq!(needs("`permissions.read` and `users.read`"), (both, false));
        assert_eq!(needs("`roles.create`, and all that it gives"), (vec!["roles.create".to_owned()], true));
        assert_eq!(needs(""), (Vec::new(), false));
    }

    /// H7: each operation tells its parameters, body, answers and problems.
    #[test]
    fn operations_are_read_with_all_that_belongs_to_them() {
        let described = Described::of(&openapi::document());
        let add = find(&described, "users_add");
        assert_eq!((add.method, add.path.as_str()), ("POST", "/admin/users"));
        assert_eq!(add.permissions, ["users.create", "permissions.assign"]);
        let body = add.body.as_ref().expect("a body");
        assert!(body.fields.iter().any(|field| field.name == "email" && field.is_required && field.kind == "string"));
        let example: Value = serde_json::from_str(&body.example).expect("JSON");
        assert_eq!(example, json!({"email": "sara@example.com", "name": "Sara Al-Mutairi"}));
        assert!(add.parameters.iter().any(|one| one.name == "Idempotency-Key" && one.place == "header"));
        let statuses = add.answers.iter().map(|answer| answer.status.as_str()).collect::<Vec<_>>();
        assert_eq!(statuses, ["201", "401", "403", "409", "413", "422", "503"]);

        let list = find(&described, "users_list");
        let answer = &list.answers[0];
        assert!(answer.fields.iter().any(|field| field.name == "items[].email"), "what stands inside is listed");
        assert!(list.parameters.iter().any(|one| one.name == "after" && one.place == "query"));
        assert!(find(&described, "auth_login").is_public);
        assert!(!find(&described, "auth_me").is_public);
        assert!(described.schemas["Problem"].fields.iter().any(|field| field.name == "code"));
    }

    /// H7, D4: an operation that takes a file says which kinds, and its call sends one; the bytes are no list of numbers.
    #[test]
    fn a_call_can_send_a_file() {
        let api = openapi::document();
        let described = Described::of(&api);
        let put = find(&described, "settings_put_logo");
        let file = put.file.as_ref().expect("a file");
        assert_eq!(file.kinds, ["image/jpeg", "image/png", "image/webp"]);
        assert!(put.body.is_none());
        let call = put.curl("https://id.example.com");
        let sent = "-H 'content-type: image/png' \\\n  --data-binary '@logo.png'";
        assert!(call.ends_with(sent), "{call}");
        let api = serde_json::to_value(&api).expect("JSON");
        let body = &api["paths"]["/admin/settings/logo"]["put"]["requestBody"];
        assert_eq!(body["required"], true);
        for kind in &file.kinds {
            assert_eq!(body["content"][kind]["schema"], json!({"type": "string", "format": "binary"}), "{kind}");
        }
        let mut others = described.groups().flat_map(|(_, all)| all).filter(|one| one.id != put.id);
        assert!(others.all(|one| one.file.is_none()));
    }

    #[test]
    fn a_call_can_be_pasted_into_a_shell() {
        let described = Described::of(&openapi::document());
        let call = find(&described, "auth_login").curl("https://id.example.com");
        assert!(call.starts_with("curl -X POST 'https://id.example.com/auth/login' \\\n  -H 'content-type"), "{call}");
        assert!(find(&described, "auth_me").curl("x").ends_with("\"authorization: Bearer $ACCESS_TOKEN\""));
    }
}
