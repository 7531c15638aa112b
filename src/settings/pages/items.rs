//! What can be set, section by section: one line here is a field, its check in the browser, and its line in the review.

use crate::{
    access::opa::{BearerToken, Opa},
    accounts::RegistrationMode,
    base::{errors::FieldCode, language::td_string, password::PasswordRule},
    i18n::Locale,
    roles::Reminders,
    sessions::{
        Verification,
        rules::{Lifetimes, Limits},
    },
    settings::Settings,
};

/// A text in a language.
pub type Word = fn(Locale) -> &'static str;

/// A part of the page. Retention, branding and whatever follows is one more of these.
pub struct Section {
    pub id: &'static str,
    pub title: Word,
    pub about: Word,
    pub items: &'static [Item],
}

/// One thing that can be set. Its value is a text here; `write` takes what has been found good.
pub struct Item {
    /// As the server names it when something is wrong: `lifetimes.idle_days`.
    pub key: &'static str,
    pub label: Word,
    pub hint: Option<Word>,
    pub kind: Kind,
    pub read: fn(&Settings) -> String,
    pub write: fn(&mut Settings, &str),
}

pub enum Kind {
    Number {
        least: i64,
        most: i64,
    },
    /// `yes` or nothing.
    Switch,
    /// Code and name of each choice.
    Choice(&'static [(&'static str, Word)]),
    /// One thing a line.
    Lines,
    /// An address, written from left to right.
    Address,
    /// What is typed and never shown; nothing leaves it as it is.
    Secret,
}

impl Item {
    /// What is wrong with a value, as far as a browser can tell.
    pub fn wrong(&self, value: &str) -> Option<FieldCode> {
        match &self.kind {
            Kind::Number { least, most } => match value.trim().parse::<i64>() {
                Ok(number) if (*least..=*most).contains(&number) => None,
                Ok(_) => Some(FieldCode::Range),
                Err(_) if value.trim().is_empty() => Some(FieldCode::Required),
                Err(_) => Some(FieldCode::Malformed),
            },
            Kind::Address if value.trim().is_empty() => None,
            Kind::Address if value.trim().contains("://") => None,
            Kind::Address => Some(FieldCode::Malformed),
            Kind::Switch | Kind::Choice(_) | Kind::Lines | Kind::Secret => None,
        }
    }
}

fn switch(on: bool) -> String {
    if on { "yes".to_owned() } else { String::new() }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// A text that has been found to be a number of this kind.
fn number<T: std::str::FromStr + Default>(text: &str) -> T {
    text.trim().parse().unwrap_or_default()
}

macro_rules! word {
    ($key:ident) => {
        |locale| td_string!(locale, settings.$key)
    };
}

/// The fields of numbers with their bounds.
macro_rules! bounded {
    ($key:literal, $label:ident, $hint:expr, $bounds:expr, $group:ident . $field:ident) => {
        Item {
            key: $key,
            label: word!($label),
            hint: $hint,
            kind: Kind::Number { least: $bounds.0 as i64, most: $bounds.1 as i64 },
            read: |settings| settings.$group.$field.to_string(),
            write: |settings, text| settings.$group.$field = number(text),
        }
    };
}

macro_rules! switched {
    ($key:literal, $label:ident, $hint:expr, $group:ident . $field:ident) => {
        Item {
            key: $key,
            label: word!($label),
            hint: $hint,
            kind: Kind::Switch,
            read: |settings| switch(settings.$group.$field),
            write: |settings, text| settings.$group.$field = !text.is_empty(),
        }
    };
}

/// All sections, in the order of the page.
pub const SECTIONS: &[Section] = &[
    Section {
        id: "joining",
        title: word!(joining),
        about: word!(joining_about),
        items: &[
            Item {
                key: "registration.mode",
                label: word!(mode),
                hint: None,
                kind: Kind::Choice(&[
                    ("closed", word!(mode_closed)),
                    ("invitation", word!(mode_invitation)),
                    ("domains", word!(mode_domains)),
                    ("open", word!(mode_open)),
                ]),
                read: |settings| {
                    match settings.registration.mode {
                        RegistrationMode::Closed => "closed",
                        RegistrationMode::Invitation => "invitation",
                        RegistrationMode::Domains => "domains",
                        RegistrationMode::Open => "open",
                    }
                    .to_owned()
                },
                write: |settings, text| {
                    settings.registration.mode = match text {
                        "invitation" => RegistrationMode::Invitation,
                        "domains" => RegistrationMode::Domains,
                        "open" => RegistrationMode::Open,
                        _ => RegistrationMode::Closed,
                    }
                },
            },
            Item {
                key: "registration.domains",
                label: word!(domains),
                hint: Some(word!(domains_hint)),
                kind: Kind::Lines,
                read: |settings| settings.registration.domains.join("\n"),
                write: |settings, text| settings.registration.domains = lines(text),
            },
        ],
    },
    Section {
        id: "sign-in",
        title: word!(sign_in),
        about: word!(sign_in_about),
        items: &[
            switched!("sign_in.magic_link", magic_link, Some(word!(magic_link_hint)), sign_in.magic_link),
            Item {
                key: "sign_in.second_factor_roles",
                label: word!(factor_roles),
                hint: Some(word!(factor_roles_hint)),
                kind: Kind::Lines,
                read: |settings| settings.sign_in.second_factor_roles.join("\n"),
                write: |settings, text| settings.sign_in.second_factor_roles = lines(text),
            },
            Item {
                key: "sign_in.passkey_verification",
                label: word!(verification),
                hint: Some(word!(verification_hint)),
                kind: Kind::Choice(&[
                    ("required", word!(verification_required)),
                    ("preferred", word!(verification_preferred)),
                ]),
                read: |settings| {
                    match settings.sign_in.passkey_verification {
                        Verification::Required => "required",
                        Verification::Preferred => "preferred",
                    }
                    .to_owned()
                },
                write: |settings, text| {
                    settings.sign_in.passkey_verification = match text {
                        "preferred" => Verification::Preferred,
                        _ => Verification::Required,
                    }
                },
            },
        ],
    },
    Section {
        id: "passwords",
        title: word!(passwords),
        about: word!(passwords_about),
        items: &[
            bounded!(
                "passwords.shortest",
                shortest,
                Some(word!(shortest_hint)),
                PasswordRule::BOUNDS,
                passwords.shortest
            ),
            bounded!(
                "passwords.shortest_with_second_factor",
                shortest_with,
                None,
                PasswordRule::BOUNDS,
                passwords.shortest_with_second_factor
            ),
            Item {
                key: "passwords.leaked_lookup",
                label: word!(leaked_lookup),
                hint: Some(word!(leaked_lookup_hint)),
                kind: Kind::Address,
                read: |settings| settings.passwords.leaked_lookup.clone(),
                write: |settings, text| settings.passwords.leaked_lookup = text.trim().to_owned(),
            },
        ],
    },
    Section {
        id: "risk",
        title: word!(risk),
        about: word!(risk_about),
        items: &[
            switched!("risk.ask_new_device", ask_new_device, None, risk.ask_new_device),
            switched!("risk.ask_new_network", ask_new_network, Some(word!(ask_new_network_hint)), risk.ask_new_network),
            switched!("risk.ask_new_country", ask_new_country, Some(word!(ask_new_country_hint)), risk.ask_new_country),
            switched!("risk.mail_new_device", mail_new_device, None, risk.mail_new_device),
        ],
    },
    Section {
        id: "sessions",
        title: word!(sessions),
        about: word!(sessions_about),
        items: &[
            bounded!(
                "lifetimes.access_minutes",
                access_minutes,
                Some(word!(access_minutes_hint)),
                Lifetimes::ACCESS_MINUTES,
                lifetimes.access_minutes
            ),
            bounded!(
                "lifetimes.idle_days",
                idle_days,
                Some(word!(idle_days_hint)),
                Lifetimes::IDLE_DAYS,
                lifetimes.idle_days
            ),
            bounded!("lifetimes.absolute_days", absolute_days, None, Lifetimes::ABSOLUTE_DAYS, lifetimes.absolute_days),
        ],
    },
    Section {
        id: "reminders",
        title: word!(reminders),
        about: word!(reminders_about),
        items: &[
            bounded!(
                "reminders.first_days",
                reminder_first,
                Some(word!(reminder_first_hint)),
                Reminders::FIRST_DAYS,
                reminders.first_days
            ),
            bounded!(
                "reminders.last_days",
                reminder_last,
                Some(word!(reminder_last_hint)),
                Reminders::LAST_DAYS,
                reminders.last_days
            ),
        ],
    },
    Section {
        id: "limits",
        title: word!(limits),
        about: word!(limits_about),
        items: &[
            bounded!(
                "limits.free_by_account",
                free_by_account,
                Some(word!(free_by_account_hint)),
                Limits::FREE_BY_ACCOUNT,
                limits.free_by_account
            ),
            bounded!(
                "limits.free_by_address",
                free_by_address,
                Some(word!(free_by_address_hint)),
                Limits::FREE_BY_ADDRESS,
                limits.free_by_address
            ),
            bounded!("limits.free_letters", free_letters, None, Limits::FREE_LETTERS, limits.free_letters),
            bounded!("limits.longest_wait", longest_wait, None, Limits::LONGEST_WAIT, limits.longest_wait),
            bounded!("limits.memory_minutes", memory_minutes, None, Limits::MEMORY_MINUTES, limits.memory_minutes),
            switched!("limits.puzzles", puzzles, Some(word!(puzzles_hint)), limits.puzzles),
            bounded!(
                "limits.puzzle_size",
                puzzle_size,
                Some(word!(puzzle_size_hint)),
                Limits::PUZZLE_SIZE,
                limits.puzzle_size
            ),
        ],
    },
    Section {
        id: "opa",
        title: word!(opa),
        about: word!(opa_about),
        items: &[
            Item {
                key: "opa.url",
                label: word!(opa_url),
                hint: Some(word!(opa_url_hint)),
                kind: Kind::Address,
                read: |settings| settings.opa.url.clone(),
                write: |settings, text| settings.opa.url = text.trim().to_owned(),
            },
            bounded!("opa.timeout_ms", opa_timeout, Some(word!(opa_timeout_hint)), Opa::TIMEOUT_MS, opa.timeout_ms),
            Item {
                key: "opa.token",
                label: word!(opa_token),
                hint: Some(word!(opa_token_hint)),
                kind: Kind::Secret,
                read: |settings| settings.opa.token.as_ref().map_or_else(String::new, |token| token.0.clone()),
                write: |settings, text| {
                    settings.opa.token = Some(text.trim()).filter(|text| !text.is_empty()).map(BearerToken::of);
                },
            },
        ],
    },
];

/// Every item of the page.
pub fn all() -> impl Iterator<Item = &'static Item> {
    SECTIONS.iter().flat_map(|section| section.items)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D4: every field writes back what it reads, and is named once.
    #[test]
    fn every_item_writes_what_it_reads() {
        let settings = Settings::default();
        let mut copy = Settings { version: settings.version, ..Settings::default() };
        let mut keys = std::collections::BTreeSet::new();
        for item in all() {
            let value = (item.read)(&settings);
            assert_eq!(item.wrong(&value), None, "{}", item.key);
            (item.write)(&mut copy, &value);
            assert!(keys.insert(item.key), "{} stands twice", item.key);
        }
        assert_eq!(copy, settings);
    }
}
