//! The letters about accounts, in the language of whoever gets them.

use crate::base::language::td_string;
use chrono::{DateTime, Utc};

use crate::{
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

/// A one-time address and how long it opens.
#[derive(Clone, Copy, Debug)]
pub struct Address<'a> {
    pub link: &'a str,
    pub until: DateTime<Utc>,
}

/// What the letters have in common.
fn letter(reader: Reader<'_>, about: &str, write: impl FnOnce(Locale) -> (&'static str, Vec<String>)) -> Letter {
    let locale = language::parse(reader.locale).unwrap_or_default();
    let hello = td_string!(locale, mail.hello, name = language::isolate(reader.name)).to_string();
    let (subject, body) = write(locale);
    Letter {
        about: about.to_owned(),
        to: reader.email.to_owned(),
        locale: language::code(locale).to_owned(),
        subject: subject.to_owned(),
        paragraphs: std::iter::once(hello).chain(body).collect(),
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

/// To the mailbox that is to be a person's: it confirms.
pub fn email_arrives(reader: Reader<'_>, address: Address<'_>) -> Letter {
    let letter = letter(reader, "email_confirm", |locale| {
        (td_string!(locale, mail.email_arrives_subject), vec![td_string!(locale, mail.email_arrives).to_owned()])
    });
    with_link(letter, |locale| td_string!(locale, mail.confirm_button), address)
}

/// To the mailbox that will no longer be theirs: it can call that off, also afterwards.
pub fn email_leaves(reader: Reader<'_>, new: &str, address: Address<'_>) -> Letter {
    let letter = letter(reader, "email_cancel", |locale| {
        let body = td_string!(locale, mail.email_leaves, email = language::isolate(new)).to_string();
        let body = vec![body, td_string!(locale, mail.email_leaves_not_you).to_owned()];
        (td_string!(locale, mail.email_leaves_subject), body)
    });
    let mut letter = with_link(letter, |locale| td_string!(locale, mail.email_leaves_button), address);
    let locale = language::parse(&letter.locale).unwrap_or_default();
    // Doing nothing lets it happen: the note that nothing changes would be wrong.
    letter.notes.retain(|note| note != td_string!(locale, mail.not_you));
    letter
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
