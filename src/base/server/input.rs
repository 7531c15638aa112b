//! What a caller sent, unread: the permission is decided before any of it is looked at.

use axum::body::Bytes;
use serde::de::DeserializeOwned;

use crate::base::errors::{AppError, FieldCode, FieldErrors};

/// An argument of an operation. A caller without the permission gets their refusal whatever stands in it.
pub struct Input<T> {
    pub what: What<T>,
    /// The version that the caller has seen, from `If-Match`.
    pub seen: Option<i64>,
}

pub enum What<T> {
    Parsed(T),
    /// A JSON body.
    Json(Bytes),
    /// The query of an address, without `?`.
    Query(String),
    /// Could not even be received.
    Refused(AppError),
    /// Something else that becomes it once it is read.
    Later(Box<dyn FnOnce() -> Result<T, AppError> + Send>),
}

impl<T> From<T> for Input<T> {
    fn from(value: T) -> Self {
        Input { what: What::Parsed(value), seen: None }
    }
}

impl<T> Input<T> {
    /// A part of what was sent, which the rest was read without.
    pub fn of_json(part: &serde_json::Value) -> Self {
        Input { what: What::Json(part.to_string().into()), seen: None }
    }
}

impl<T: DeserializeOwned> Input<T> {
    /// The same input as another type, read no earlier.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U + Send + 'static) -> Input<U>
    where
        T: Send + 'static,
    {
        let seen = self.seen;
        Input { what: What::Later(Box::new(move || self.read().map(turn))), seen }
    }

    /// The same input as another type that it may not fit, read no earlier.
    pub fn try_map<U>(self, turn: impl FnOnce(T) -> Result<U, AppError> + Send + 'static) -> Input<U>
    where
        T: Send + 'static,
    {
        let seen = self.seen;
        Input { what: What::Later(Box::new(move || self.read().and_then(turn))), seen }
    }

    /// The same where nothing at all may be sent.
    pub fn read_or_default(self) -> Result<T, AppError>
    where
        T: Default,
    {
        match &self.what {
            What::Json(bytes) if bytes.is_empty() => Ok(T::default()),
            _ => self.read(),
        }
    }

    /// Reads it. Errors name the field: wrong type, unknown, missing, named twice.
    pub fn read(self) -> Result<T, AppError> {
        match self.what {
            What::Parsed(value) => Ok(value),
            What::Refused(error) => Err(error),
            What::Later(read) => read(),
            What::Json(bytes) => {
                let mut reader = serde_json::Deserializer::from_slice(&bytes);
                let value = serde_path_to_error::deserialize(&mut reader).map_err(|e| refusal(&e))?;
                reader.end().map_err(|_trailing| AppError::field("body", FieldCode::Malformed))?;
                Ok(value)
            }
            What::Query(query) => {
                // An empty filter of a form (`?q=&status=`) is no filter.
                let given = form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty());
                let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
                let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
                serde_path_to_error::deserialize(reader).map_err(|e| refusal(&e))
            }
        }
    }
}

/// serde tells what is wrong in a sentence: its beginning names the kind, the back-quoted word the field.
fn refusal(error: &serde_path_to_error::Error<impl std::fmt::Display>) -> AppError {
    let message = error.inner().to_string();
    let quoted = message.split('`').nth(1);
    let path = match error.path().to_string() {
        path if path == "." || path == "?" => String::new(),
        path => path,
    };
    let inside = |field: &str| {
        if path.is_empty() || path == field || path.ends_with(&format!(".{field}")) {
            if path.is_empty() { field.to_owned() } else { path.clone() }
        } else {
            format!("{path}.{field}")
        }
    };
    let (field, code) = match quoted {
        Some(field) if message.starts_with("unknown field") => (inside(field), FieldCode::UnknownField),
        Some(field) if message.starts_with("missing field") => (inside(field), FieldCode::Required),
        Some(field) if message.starts_with("duplicate field") => (inside(field), FieldCode::Contradiction),
        _ if path.is_empty() => ("body".to_owned(), FieldCode::Malformed),
        _ => (path.clone(), FieldCode::Malformed),
    };
    AppError::Invalid(FieldErrors(vec![(field, code)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        name: String,
        #[serde(default)]
        items: Vec<u8>,
    }

    fn read(json: &str) -> Result<Sample, AppError> {
        Input::<Sample> { what: What::Json(Bytes::copy_from_slice(json.as_bytes())), seen: None }.read()
    }

    /// RUSTSEC-2024-0012: wrong types, unknown fields and deep bodies are refused and named.
    #[test]
    fn a_body_that_does_not_fit_names_the_field() {
        let cases = [
            (r#"{"name": 1}"#, "name", FieldCode::Malformed),
            (r#"{"name": "a", "x": 1}"#, "x", FieldCode::UnknownField),
            (r#"{}"#, "name", FieldCode::Required),
            (r#"{"name": "a", "name": "b"}"#, "name", FieldCode::Contradiction),
            (r#"{"name": "a", "items": [1, "x"]}"#, "items[1]", FieldCode::Malformed),
            (r#"{"name": "a", "items": [1, 1e400]}"#, "items[1]", FieldCode::Malformed),
            ("", "body", FieldCode::Malformed),
            (r#"{"name": "a"} x"#, "body", FieldCode::Malformed),
        ];
        for (json, field, code) in cases {
            assert_eq!(read(json), Err(AppError::field(field, code)), "{json}");
        }
        assert!(read(&"[".repeat(100_000)).is_err());
    }
}
