//! What a person's fields must be: parsed once, here, into forms that cannot be wrong.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    accounts::{NewPerson, PersonEdit},
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        ids::RoleId,
        password::Password,
        server::{names, passwords},
        text::{one_line, optional_line},
    },
};

/// An e-mail address in its one form: NFKC, lower case, the domain in ASCII (UTS 46).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// GHSA-7rqj-j65f-68wh: normalises before it looks, so that a full-width `＠` is an `@` like any other.
    pub fn parse(text: &str) -> Result<Self, FieldCode> {
        let text = text.trim().nfkc().collect::<String>().to_lowercase();
        if text.is_empty() {
            return Err(FieldCode::Required);
        }
        one_line(&text, 3, 254)?;
        let (local, domain) = text.rsplit_once('@').ok_or(FieldCode::Malformed)?;
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || "\"(),:;<>@[\\]".contains(c);
        let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
        if local.is_empty() || local.len() > 64 || local.contains(forbidden) || dots {
            return Err(FieldCode::Malformed);
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_not_a_domain| FieldCode::Malformed)?;
        if domain.is_empty() || domain.split('.').any(str::is_empty) {
            return Err(FieldCode::Malformed);
        }
        let email = format!("{local}@{domain}");
        if email.len() > 254 { Err(FieldCode::TooLong) } else { Ok(Email(email)) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the `@`, in ASCII.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// A user name: CVE-2021-3754, never shaped like an address.
pub fn username(text: &str) -> Result<Option<String>, FieldCode> {
    let Some(name) = names::parse_optional(Some(&text.nfkc().collect::<String>()), 64)? else { return Ok(None) };
    if name.contains('@') || name.contains(char::is_whitespace) {
        return Err(FieldCode::Malformed);
    }
    if name.chars().count() < 2 { Err(FieldCode::TooShort) } else { Ok(Some(name)) }
}

fn locale(text: &str) -> Result<String, FieldCode> {
    match text {
        "ar" | "en" => Ok(text.to_owned()),
        _ => Err(FieldCode::Unknown),
    }
}

/// Attributes are an object of bounded size.
fn attributes(value: Value) -> Result<Value, FieldCode> {
    if !value.is_object() {
        return Err(FieldCode::Malformed);
    }
    if value.to_string().len() > 16_384 { Err(FieldCode::TooLong) } else { Ok(value) }
}

/// A person to be added, every field understood.
#[derive(Debug)]
pub struct ParsedPerson {
    pub email: Email,
    pub name: String,
    pub username: Option<String>,
    pub external_id: Option<String>,
    pub department: Option<String>,
    pub region: Option<String>,
    pub locale: String,
    pub attributes: Value,
    pub password: Option<Password>,
    pub roles: Option<Vec<RoleId>>,
    pub mail_link: bool,
}

/// Judges every field before it answers.
pub fn parse_new(person: NewPerson) -> Result<ParsedPerson, AppError> {
    let mut errors = FieldErrors::default();
    let email = errors.take("email", Email::parse(&person.email));
    let name = errors.take("name", names::parse(&person.name, 200));
    let username = errors.take("username", username(person.username.as_deref().unwrap_or_default()));
    let external_id = errors.take("external_id", optional_line(person.external_id.as_deref(), 255));
    let department = errors.take("department", names::parse_optional(person.department.as_deref(), 120));
    let region = errors.take("region", names::parse_optional(person.region.as_deref(), 120));
    let language = errors.take("locale", locale(person.locale.as_deref().unwrap_or("ar")));
    let attributes =
        errors.take("attributes", attributes(person.attributes.unwrap_or_else(|| Value::Object(Default::default()))));
    let password = person.password.filter(|password| !password.0.is_empty());
    if let Some(password) = &password {
        errors.take("password", passwords::check(password));
    }
    errors.check()?;
    let whole = "every missing field has been reported";
    Ok(ParsedPerson {
        email: email.expect(whole),
        name: name.expect(whole),
        username: username.expect(whole),
        external_id: external_id.expect(whole),
        department: department.expect(whole),
        region: region.expect(whole),
        locale: language.expect(whole),
        attributes: attributes.expect(whole),
        password,
        roles: person.roles,
        mail_link: person.mail_link,
    })
}

/// A change, every given field understood. `Some(None)` clears.
#[derive(Debug, Default)]
pub struct ParsedEdit {
    pub email: Option<Email>,
    pub name: Option<String>,
    pub username: Option<Option<String>>,
    pub external_id: Option<Option<String>>,
    pub department: Option<Option<String>>,
    pub region: Option<Option<String>>,
    pub locale: Option<String>,
    pub attributes: Option<Value>,
    pub version: Option<i64>,
}

pub fn parse_edit(edit: PersonEdit) -> Result<ParsedEdit, AppError> {
    let mut errors = FieldErrors::default();
    let line = |text: &Option<String>, max| text.as_deref().map(|text| optional_line(Some(text), max)).transpose();
    let place = |text: &Option<String>| text.as_deref().map(|text| names::parse_optional(Some(text), 120)).transpose();
    let parsed = ParsedEdit {
        email: errors.take("email", edit.email.as_deref().map(Email::parse).transpose()).flatten(),
        name: errors.take("name", edit.name.as_deref().map(|name| names::parse(name, 200)).transpose()).flatten(),
        username: errors.take("username", edit.username.as_deref().map(username).transpose()).flatten(),
        external_id: errors.take("external_id", line(&edit.external_id, 255)).flatten(),
        department: errors.take("department", place(&edit.department)).flatten(),
        region: errors.take("region", place(&edit.region)).flatten(),
        locale: errors.take("locale", edit.locale.as_deref().map(locale).transpose()).flatten(),
        attributes: errors.take("attributes", edit.attributes.map(attributes).transpose()).flatten(),
        version: edit.version,
    };
    errors.check()?;
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// GHSA-7rqj-j65f-68wh, RUSTSEC-2024-0421: one form, whatever was typed.
    #[test]
    fn an_address_has_one_form() {
        let same = |text: &str| Email::parse(text).map(|email| email.as_str().to_owned());
        assert_eq!(same(" Sara@Nakheel.Example ").as_deref(), Ok("sara@nakheel.example"));
        assert_eq!(same("sara＠nakheel.example").as_deref(), Ok("sara@nakheel.example"));
        assert_eq!(same("s@مثال.example").as_deref(), Ok("s@xn--mgbh0fb.example"));
        assert_eq!(same("\u{212A}im@x.example").as_deref(), Ok("kim@x.example"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["a", "@b.c", "a@", "a@b@c.d", "a b@c.d", "a@b..c", ".a@b.c", "a\u{202e}@b.c", "a@b\n.c", "a,b@c.d"]
        {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(Email::parse(""), Err(FieldCode::Required));
    }

    /// CVE-2021-3754: a user name cannot be somebody's address.
    #[test]
    fn a_user_name_is_never_shaped_like_an_address() {
        assert_eq!(username("sara＠x"), Err(FieldCode::Malformed));
        assert_eq!(username("sara m"), Err(FieldCode::Malformed));
        assert_eq!(username(" سارة "), Ok(Some("سارة".to_owned())));
        assert_eq!(username(""), Ok(None));
    }

    proptest! {
        #[test]
        fn an_address_that_was_parsed_parses_to_itself(text in "[a-zA-Z.+-]{1,10}@[a-z]{1,5}\\.[a-z]{2,4}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(email.as_str()), Ok(email));
            }
        }
    }
}
