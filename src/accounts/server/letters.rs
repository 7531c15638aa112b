//! The letters about accounts, in the language of whoever gets them.

use crate::base::language::td_string;
use chrono::{DateTime, Utc};

use crate::{
    accounts::Person,
    base::{language, server::mail::Letter, time::Timestamp},
    i18n::Locale,
};

/// Whom a letter goes to.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    pub email: &'a str,
    pub name: &'a str,
    /// `ar` or `en`.
    pub locale: &'a str,
}

impl Person {
    /// The person as the reader of a letter.
    pub fn reader(&self) -> Reader<'_> {
        Reader { email: &self.email, name: &self.name, locale: &self.locale }
    }
}

/// A one-time address and how long it opens. It is not printed: whoever has it is let in.
#[derive(Clone, Copy)]
pub struct Address<'a> {
    pub link: &'a str,
    pub until: DateTime<Utc>,
}

/// What the letters have in common.
pub(crate) fn letter(
    reader: Reader<'_>,
    about: &str,
    write: impl FnOnce(Locale) -> (&'static str, Vec<String>),
) -> Letter {
    let locale = language::parse(reader.locale).unwrap_or_default();
    let hello = td_string!(locale, mail.hello, name = language::isolate(reader.name)).to_string();
    let (subject, body) = write(locale);
    Letter {
        about: about.to_owned(),
        to: reader.email.to_owned(),
        locale: language::code(locale).to_owned(),
        subject: subject.to_owned(),
        paragraphs: std::iter::once(hello).chain(body).collect(),
        code: None,
        button: None,
        notes: Vec::new(),
        until: None,
    }
}

/// The same with a one-time link. Once that has run out the letter is of no use.
fn with_link(mut letter: Letter, word: fn(Locale) -> &'static str, address: Address<'_>) -> Letter {
    let locale = language::parse(&letter.locale).unwrap_or_default();
    let moment = language::date_time(locale, address.until.into());
    letter.button = Some((word(locale).to_owned(), address.link.to_owned()));
    letter.notes = vec![
        td_string!(locale, mail.link_until, moment = moment).to_string(),
        td_string!(locale, mail.not_you).to_owned(),
        td_string!(locale, mail.never_ask).to_owned(),
    ];
    letter.until = Some(address.until.into());
    letter
}

/// The address at which a person who was added chooses a password.
pub fn invitation(reader: Reader<'_>, address: Address<'_>) -> Letter {
    let letter = letter(reader, "invite", |locale| {
        (td_string!(locale, mail.invite_subject), vec![td_string!(locale, mail.invite).to_owned()])
    });
    with_link(letter, |locale| td_string!(locale, mail.invite_button), address)
}

/// The address at which somebody who registered confirms their address.
pub fn confirmation(reader: Reader<'_>, address: Address<'_>) -> Letter {
    let letter = letter(reader, "confirm", |locale| {
        (td_string!(locale, mail.confirm_subject), vec![td_string!(locale, mail.confirm).to_owned()])
    });
    with_link(letter, |locale| td_string!(locale, mail.confirm_button), address)
}

/// For whoever has an account already and registers again, or is registered by somebody else.
pub fn already_known(reader: Reader<'_>, forgot: &str) -> Letter {
    let mut letter = letter(reader, "known", |locale| {
        (td_string!(locale, mail.known_subject), vec![td_string!(locale, mail.known).to_owned()])
    });
    let locale = language::parse(&letter.locale).unwrap_or_default();
    letter.button = Some((td_string!(locale, mail.known_button).to_owned(), forgot.to_owned()));
    letter.notes = vec![td_string!(locale, mail.not_you).to_owned()];
    letter
}

/// The address at which a person chooses a new password.
pub fn reset(reader: Reader<'_>, address: Address<'_>) -> Letter {
    let letter = letter(reader, "reset", |locale| {
        (td_string!(locale, mail.reset_subject), vec![td_string!(locale, mail.reset).to_owned()])
    });
    with_link(letter, |locale| td_string!(locale, mail.reset_button), address)
}

/// The address that signs a person in.
pub fn magic(reader: Reader<'_>, address: Address<'_>) -> Letter {
    let letter = letter(reader, "magic", |locale| {
        (td_string!(locale, mail.magic_subject), vec![td_string!(locale, mail.magic).to_owned()])
    });
    with_link(letter, |locale| td_string!(locale, mail.magic_button), address)
}

/// The code that a sign-in from somewhere new needs.
pub fn sign_in_code(reader: Reader<'_>, code: &str, until: DateTime<Utc>, device: &str, ip: &str) -> Letter {
    let mut letter = letter(reader, "code", |locale| {
        let device = language::isolate(if device.is_empty() { td_string!(locale, mail.some_device) } else { device });
        let ip = language::isolate(ip);
        let about = td_string!(locale, mail.code, device = device, ip = ip).to_string();
        (td_string!(locale, mail.code_subject), vec![about])
    });
    let locale = language::parse(&letter.locale).unwrap_or_default();
    let moment = language::date_time(locale, Timestamp::from(until));
    letter.code = Some(code.to_owned());
    letter.notes = vec![
        td_string!(locale, mail.code_until, moment = moment).to_string(),
        td_string!(locale, mail.code_not_you).to_owned(),
        td_string!(locale, mail.code_never_ask).to_owned(),
    ];
    letter.until = Some(until.into());
    letter
}

/// After the fact: somebody has signed in from a device that the account did not know.
pub fn new_device(reader: Reader<'_>, at: DateTime<Utc>, device: &str, place: &str, sessions: &str) -> Letter {
    let mut letter = letter(reader, "new_device", |locale| {
        let moment = language::date_time(locale, Timestamp::from(at));
        let device = language::isolate(if device.is_empty() { td_string!(locale, mail.some_device) } else { device });
        let place = language::isolate(place);
        let about = td_string!(locale, mail.new_device, device = device, place = place, moment = moment).to_string();
        (
            td_string!(locale, mail.new_device_subject),
            vec![about, td_string!(locale, mail.new_device_not_you).to_owned()],
        )
    });
    let locale = language::parse(&letter.locale).unwrap_or_default();
    letter.button = Some((td_string!(locale, mail.new_device_button).to_owned(), sessions.to_owned()));
    letter
}

/// To the mailbox that is to be a person's: it confirms, as the other one does.
pub fn email_arrives(reader: Reader<'_>, address: Address<'_>) -> Letter {
    let letter = letter(reader, "email_confirm", |locale| {
        (td_string!(locale, mail.email_arrives_subject), vec![td_string!(locale, mail.email_arrives).to_owned()])
    });
    with_link(letter, |locale| td_string!(locale, mail.confirm_button), address)
}

/// To the mailbox that will no longer be theirs: it confirms, or calls it off, also afterwards.
pub fn email_leaves(reader: Reader<'_>, new: &str, address: Address<'_>) -> Letter {
    let letter = letter(reader, "email_cancel", |locale| {
        let body = td_string!(locale, mail.email_leaves, email = language::isolate(new)).to_string();
        let body = vec![body, td_string!(locale, mail.email_leaves_not_you).to_owned()];
        (td_string!(locale, mail.email_leaves_subject), body)
    });
    let mut letter = with_link(letter, |locale| td_string!(locale, mail.email_leaves_button), address);
    let locale = language::parse(&letter.locale).unwrap_or_default();
    let moment = language::date_time(locale, address.until.into());
    // It opens twice: after it has confirmed it still calls off. What to do who has not asked stands above.
    letter.notes = vec![
        td_string!(locale, mail.email_leaves_until, moment = moment).to_string(),
        td_string!(locale, mail.never_ask).to_owned(),
    ];
    letter
}

/// After the fact, to the mailbox that is a person's no longer: an administrator has given them another one.
pub fn email_taken(reader: Reader<'_>) -> Letter {
    email_moved(reader, "email_taken", |locale| td_string!(locale, mail.email_taken))
}

/// After the fact, to the mailbox that is a person's from now on.
pub fn email_given(reader: Reader<'_>) -> Letter {
    email_moved(reader, "email_given", |locale| td_string!(locale, mail.email_given))
}

fn email_moved(reader: Reader<'_>, about: &str, done: impl FnOnce(Locale) -> &'static str) -> Letter {
    letter(reader, about, |locale| {
        let body = vec![done(locale).to_owned(), td_string!(locale, mail.email_moved_not_right).to_owned()];
        (td_string!(locale, mail.email_moved_subject), body)
    })
}

/// After the fact: an administrator has taken the second factors off.
pub fn factors_reset(reader: Reader<'_>) -> Letter {
    after_the_fact(reader, "factors_reset", |locale| {
        (td_string!(locale, mail.factors_reset_subject), td_string!(locale, mail.factors_reset))
    })
}

/// After the fact: the password was changed.
pub fn password_changed(reader: Reader<'_>, at: DateTime<Utc>) -> Letter {
    letter(reader, "changed", |locale| {
        let moment = language::date_time(locale, Timestamp::from(at));
        let body = vec![
            td_string!(locale, mail.changed, moment = moment).to_string(),
            td_string!(locale, mail.changed_not_you).to_owned(),
        ];
        (td_string!(locale, mail.changed_subject), body)
    })
}

/// Shows that letters arrive.
pub fn test(reader: Reader<'_>, at: DateTime<Utc>) -> Letter {
    letter(reader, "test", |locale| {
        let moment = language::date_time(locale, Timestamp::from(at));
        (td_string!(locale, mail.test_subject), vec![td_string!(locale, mail.test, moment = moment).to_string()])
    })
}

/// After the fact: signing in now needs a code as well.
pub fn factor_on(reader: Reader<'_>) -> Letter {
    after_the_fact(reader, "factor_on", |locale| {
        (td_string!(locale, mail.factor_on_subject), td_string!(locale, mail.factor_on))
    })
}

/// After the fact: signing in no longer needs a code.
pub fn factor_off(reader: Reader<'_>) -> Letter {
    after_the_fact(reader, "factor_off", |locale| {
        (td_string!(locale, mail.factor_off_subject), td_string!(locale, mail.factor_off))
    })
}

/// After the fact: there is a new set of backup codes.
pub fn new_codes(reader: Reader<'_>) -> Letter {
    after_the_fact(reader, "codes", |locale| (td_string!(locale, mail.codes_subject), td_string!(locale, mail.codes)))
}

/// After the fact: somebody acts as them.
pub fn impersonated(reader: Reader<'_>, by: &str, reason: &str, at: DateTime<Utc>) -> Letter {
    letter(reader, "impersonated", |locale| {
        let moment = language::date_time(locale, Timestamp::from(at));
        let by = language::isolate(by);
        let body = vec![
            td_string!(locale, mail.impersonated, by = by, moment = moment).to_string(),
            td_string!(locale, mail.impersonated_reason, reason = language::isolate(reason)).to_string(),
            td_string!(locale, mail.impersonated_not_right).to_owned(),
        ];
        (td_string!(locale, mail.impersonated_subject), body)
    })
}

/// After the fact: there is one more passkey.
pub fn passkey_added(reader: Reader<'_>) -> Letter {
    after_the_fact(reader, "passkey_added", |locale| {
        (td_string!(locale, mail.passkey_added_subject), td_string!(locale, mail.passkey_added))
    })
}

/// After the fact: a passkey no longer opens the account.
pub fn passkey_removed(reader: Reader<'_>) -> Letter {
    after_the_fact(reader, "passkey_removed", |locale| {
        (td_string!(locale, mail.passkey_removed_subject), td_string!(locale, mail.passkey_removed))
    })
}

/// Somebody asked that the account be deleted: until when they may change their mind, and where.
pub fn deletion_asked(reader: Reader<'_>, due: DateTime<Utc>, account: &str) -> Letter {
    let mut letter = letter(reader, "deletion_asked", |locale| {
        let moment = language::date_time(locale, Timestamp::from(due));
        let body = vec![
            td_string!(locale, mail.deletion_asked, moment = moment).to_string(),
            td_string!(locale, mail.deletion_asked_cancel).to_owned(),
            td_string!(locale, mail.changed_not_you).to_owned(),
        ];
        (td_string!(locale, mail.deletion_asked_subject), body)
    });
    let locale = language::parse(&letter.locale).unwrap_or_default();
    letter.button = Some((td_string!(locale, mail.deletion_asked_button).to_owned(), account.to_owned()));
    letter
}

/// After the fact: the person has changed their mind, and the account stays.
pub fn deletion_cancelled(reader: Reader<'_>) -> Letter {
    after_the_fact(reader, "deletion_cancelled", |locale| {
        (td_string!(locale, mail.deletion_cancelled_subject), td_string!(locale, mail.deletion_cancelled))
    })
}

/// After the fact: an administrator has called the deletion off, and the account stays.
pub fn deletion_called_off(reader: Reader<'_>) -> Letter {
    letter(reader, "deletion_called_off", |locale| {
        let body = vec![td_string!(locale, mail.deletion_called_off).to_owned()];
        (td_string!(locale, mail.deletion_cancelled_subject), body)
    })
}

/// The account stays: nobody else would have been super-admin.
pub fn deletion_refused(reader: Reader<'_>) -> Letter {
    letter(reader, "deletion_refused", |locale| {
        (
            td_string!(locale, mail.deletion_cancelled_subject),
            vec![td_string!(locale, mail.deletion_refused).to_owned()],
        )
    })
}

/// After the fact: the account is deleted, as was asked for.
pub fn deletion_done(reader: Reader<'_>) -> Letter {
    letter(reader, "deletion_done", |locale| {
        (td_string!(locale, mail.deletion_done_subject), vec![td_string!(locale, mail.deletion_done).to_owned()])
    })
}

/// There may be a copy of a passkey: it was refused.
pub fn passkey_copied(reader: Reader<'_>) -> Letter {
    letter(reader, "passkey_copied", |locale| {
        (td_string!(locale, mail.passkey_copied_subject), vec![td_string!(locale, mail.passkey_copied).to_owned()])
    })
}

/// Somebody knows the password and guesses at codes.
pub fn guessed(reader: Reader<'_>) -> Letter {
    letter(reader, "guessed", |locale| {
        (td_string!(locale, mail.guessed_subject), vec![td_string!(locale, mail.guessed).to_owned()])
    })
}

/// What ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    Role,
    Permission,
    Group,
}

/// One thing that ends, and when.
#[derive(Clone, Debug)]
pub struct Ending {
    pub what: Ends,
    pub name_ar: String,
    pub name_en: String,
    pub at: DateTime<Utc>,
}

/// Before the fact: what somebody was given for a time ends soon, and where to ask for more.
pub fn rights_end(reader: Reader<'_>, ends: &[Ending], ask: &str) -> Letter {
    let mut letter = letter(reader, "rights_end", |locale| {
        let line = |one: &Ending| {
            let name = if locale == Locale::ar { &one.name_ar } else { &one.name_en };
            let (what, moment) = (language::isolate(name), language::date_time(locale, Timestamp::from(one.at)));
            match one.what {
                Ends::Role => td_string!(locale, mail.rights_end_role, what = what, moment = moment).to_string(),
                Ends::Permission => {
                    td_string!(locale, mail.rights_end_permission, what = what, moment = moment).to_string()
                }
                Ends::Group => td_string!(locale, mail.rights_end_group, what = what, moment = moment).to_string(),
            }
        };
        let mut body = ends.iter().map(line).collect::<Vec<_>>();
        body.push(td_string!(locale, mail.rights_end_ask).to_owned());
        (td_string!(locale, mail.rights_end_subject), body)
    });
    let locale = language::parse(&letter.locale).unwrap_or_default();
    letter.button = Some((td_string!(locale, mail.rights_end_button).to_owned(), ask.to_owned()));
    letter.until = ends.iter().map(|one| one.at).max().map(Into::into);
    letter
}

fn after_the_fact(
    reader: Reader<'_>,
    about: &str,
    write: impl FnOnce(Locale) -> (&'static str, &'static str),
) -> Letter {
    letter(reader, about, |locale| {
        let (subject, done) = write(locale);
        (subject, vec![done.to_owned(), td_string!(locale, mail.factor_not_you).to_owned()])
    })
}

/// One of each, made up, to be looked at.
#[cfg(debug_assertions)]
pub fn samples(locale: &str) -> Vec<Letter> {
    let name = if locale == "ar" { "\u{646}\u{648}\u{631}\u{629} O'Neil" } else { "Noura O'Neil" };
    let reader = Reader { email: "noura@example.com", name, locale };
    let at = DateTime::from_timestamp(1_795_000_000, 0).unwrap_or_default();
    let address =
        Address { link: "https://id.example.com/reset?token=0123456789abcdefghijklmnopqrstuvwxyzABCDEFG", until: at };
    let ends = [Ends::Role, Ends::Permission, Ends::Group].map(|what| {
        let (name_ar, name_en) = match what {
            Ends::Role => ("analyst", "analyst"),
            Ends::Permission => ("\u{639}\u{631}\u{636} \u{627}\u{644}\u{633}\u{62c}\u{644}", "See the log"),
            Ends::Group => ("Riyadh", "Riyadh"),
        };
        Ending { what, name_ar: name_ar.to_owned(), name_en: name_en.to_owned(), at }
    });
    vec![
        invitation(reader, address),
        confirmation(reader, address),
        already_known(reader, "https://id.example.com/forgot"),
        reset(reader, address),
        magic(reader, address),
        test(reader, at),
        sign_in_code(reader, "048213", at, "Firefox \u{b7} Linux", "203.0.113.9"),
        new_device(
            reader,
            at,
            "Safari \u{b7} iPhone",
            "203.0.113.9 \u{b7} SA",
            "https://id.example.com/console/account",
        ),
        password_changed(reader, at),
        factor_on(reader),
        factor_off(reader),
        new_codes(reader),
        email_arrives(reader, address),
        email_leaves(reader, "noura@new.example", address),
        email_taken(reader),
        email_given(reader),
        factors_reset(reader),
        passkey_added(reader),
        passkey_removed(reader),
        passkey_copied(reader),
        guessed(reader),
        impersonated(reader, "Omar", "ticket 4711", at),
        deletion_asked(reader, at, "https://id.example.com/console/account?tab=data"),
        deletion_cancelled(reader),
        deletion_called_off(reader),
        deletion_refused(reader),
        deletion_done(reader),
        rights_end(reader, &ends, "https://id.example.com/console/approvals/new"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::server::mail::html;

    /// I3, "secret types that print nothing": neither codes nor links nor addresses come into a log with a letter.
    #[test]
    fn a_printed_letter_tells_no_secret() {
        for letter in samples("en") {
            let printed = format!("{letter:?}");
            assert!(printed.contains(&letter.about));
            let secrets = letter.code.iter().chain(letter.button.iter().map(|(_, link)| link)).chain([&letter.to]);
            for secret in secrets {
                assert!(!printed.contains(secret.as_str()), "{printed}");
            }
        }
    }

    /// H1: every letter there is can be looked at, says the same in both languages, and has the direction of its own.
    #[test]
    fn every_letter_can_be_looked_at_in_both_languages() {
        let source = include_str!("letters.rs");
        let made = source.split("mod tests").next().unwrap_or_default();
        let count = made
            .split("\npub fn ")
            .skip(1)
            .filter(|one| one.split('{').next().is_some_and(|head| head.contains("-> Letter")));
        let (ar, en) = (samples("ar"), samples("en"));
        assert_eq!(ar.len(), count.count(), "a letter without a sample");
        for (arabic, english) in ar.iter().zip(&en) {
            assert_eq!(arabic.about, english.about);
            assert_ne!(arabic.subject, english.subject);
            assert_eq!(arabic.paragraphs.len(), english.paragraphs.len(), "{}", arabic.about);
            assert!(html(arabic).contains("dir=\"rtl\"") && html(english).contains("dir=\"ltr\""));
        }
    }
}
