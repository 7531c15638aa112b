//! The letters about requests, in the language of whoever gets them.

use chrono::{DateTime, Utc};

use super::store::ToRead;
use crate::{
    accounts::server::letters::{self, Reader},
    approvals::State,
    base::{
        language::{self, td_string},
        server::mail::Letter,
        time::Timestamp,
    },
    i18n::Locale,
};

fn letter(reader: &ToRead, about: &str, write: impl FnOnce(Locale) -> (&'static str, Vec<String>)) -> (Locale, Letter) {
    let reader = Reader { email: &reader.email, name: &reader.name, locale: &reader.locale };
    let letter = letters::letter(reader, about, write);
    (language::parse(&letter.locale).unwrap_or_default(), letter)
}

/// To those who may decide.
pub fn asked(
    reader: &ToRead,
    requester: &str,
    subject: &str,
    reason: &str,
    link: &str,
    until: DateTime<Utc>,
) -> Letter {
    let (locale, mut letter) = letter(reader, "approval", |locale| {
        let who = language::isolate(requester);
        let what = language::isolate(subject);
        let moment = language::date_time(locale, Timestamp::from(until));
        let body = vec![
            td_string!(locale, mail.approval_asked, who = who, what = what).to_string(),
            td_string!(locale, mail.approval_reason, reason = language::isolate(reason)).to_string(),
            td_string!(locale, mail.approval_until, moment = moment).to_string(),
        ];
        (td_string!(locale, mail.approval_subject), body)
    });
    letter.button = Some((td_string!(locale, mail.approval_button).to_owned(), link.to_owned()));
    letter.until = Some(until.into());
    letter
}

/// To whoever asked.
pub fn decided(reader: &ToRead, subject: &str, state: State, comment: Option<&str>, link: &str) -> Letter {
    let (locale, mut letter) = letter(reader, "approval_decided", |locale| {
        let what = language::isolate(subject);
        let told = match state {
            State::Applied => td_string!(locale, mail.approval_applied, what = what).to_string(),
            State::Rejected => td_string!(locale, mail.approval_rejected, what = what).to_string(),
            State::Failed | State::Waiting | State::Withdrawn | State::Expired => {
                td_string!(locale, mail.approval_failed, what = what).to_string()
            }
        };
        let comment = comment
            .map(|comment| td_string!(locale, mail.approval_comment, comment = language::isolate(comment)).to_string());
        (td_string!(locale, mail.approval_decided_subject), [told].into_iter().chain(comment).collect())
    });
    letter.button = Some((td_string!(locale, mail.approval_mine_button).to_owned(), link.to_owned()));
    letter
}
