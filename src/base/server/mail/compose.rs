//! A letter as a message: plain text and the same as HTML, in the direction of its language.

use std::time::SystemTime;

use crate::base::language::td_string;
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use lettre::{
    Message,
    message::{Mailbox, MultiPart},
};

use super::{Letter, Waiting};
use crate::base::language;

/// Makes the message of a letter. `host` is the domain of its Message-ID.
pub fn message(waiting: &Waiting, from: &Mailbox, host: &str, now: DateTime<Utc>) -> anyhow::Result<Message> {
    let Waiting { id, letter } = waiting;
    let locale = language::parse(&letter.locale).unwrap_or_default();
    let name = from.name.clone().unwrap_or_else(|| td_string!(locale, app.brand).to_owned());
    let from = Mailbox::new(Some(name), from.email.clone());
    let to = Mailbox::new(None, letter.to.parse().context("read the address of a letter")?);
    Message::builder()
        .from(from)
        .to(to)
        .subject(&letter.subject)
        .date(SystemTime::from(now))
        .message_id(Some(format!("<{id}@{host}>")))
        .multipart(MultiPart::alternative_plain_html(text(letter), html(letter)))
        .context("compose a letter")
}

fn text(letter: &Letter) -> String {
    let mut parts = letter.paragraphs.clone();
    parts.extend(letter.code.clone());
    if let Some((word, link)) = &letter.button {
        parts.push(format!("{word}:\n{link}"));
    }
    parts.extend(letter.notes.iter().cloned());
    parts.join("\n\n") + "\n"
}

/// Tables and inline styles: what mail programs understand. Both directions come from `dir` alone.
pub fn html(letter: &Letter) -> String {
    let locale = language::parse(&letter.locale).unwrap_or_default();
    let (code, direction) = (language::code(locale), language::direction(locale));
    let paragraph = |text: &String| format!("<p style=\"margin:0 0 16px\">{}</p>", escape(text));
    let note = |text: &String| format!("<p style=\"margin:0 0 8px;color:#59635f;font-size:13px\">{}</p>", escape(text));
    let button = letter.button.as_ref().map_or_else(String::new, |(word, link)| {
        let (word, link) = (escape(word), escape(link));
        format!(
            "<p style=\"margin:24px 0\"><a href=\"{link}\" style=\"display:inline-block;padding:12px 24px;\
             border-radius:8px;background:#0f6b62;color:#ffffff;font-weight:600;text-decoration:none\">{word}</a></p>\
             <p dir=\"ltr\" style=\"margin:0 0 16px;font-family:monospace;font-size:12px;word-break:break-all\">{link}</p>"
        )
    });
    let digits = letter.code.as_ref().map_or_else(String::new, |digits| {
        let digits = escape(digits);
        format!(
            "<p dir=\"ltr\" style=\"margin:24px 0;text-align:center;font-family:monospace;font-size:32px;\
             font-weight:700;letter-spacing:8px\">{digits}</p>"
        )
    });
    let paragraphs = letter.paragraphs.iter().map(paragraph).collect::<String>();
    let notes = letter.notes.iter().map(note).collect::<String>();
    let (title, brand) = (escape(&letter.subject), escape(td_string!(locale, app.brand)));
    format!(
        "<!DOCTYPE html><html lang=\"{code}\" dir=\"{direction}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light\"><title>{title}</title></head>\
         <body style=\"margin:0;padding:0;background:#f6f6f3\">\
         <table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" dir=\"{direction}\" \
         lang=\"{code}\"><tbody><tr><td style=\"padding:24px 16px\">\
         <div dir=\"{direction}\" style=\"max-width:560px;margin:0 auto;padding:24px;background:#ffffff;\
         border:1px solid #e0e2dc;border-radius:12px;color:#1a201e;font-family:Cairo,Tahoma,Arial,sans-serif;\
         font-size:15px;line-height:1.7\">\
         <p style=\"margin:0 0 16px;color:#0f6b62;font-weight:700\">{brand}</p>\
         {paragraphs}{digits}{button}{notes}</div></td></tr></tbody></table></body></html>"
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn letter(locale: &str, to: &str, subject: &str) -> Waiting {
        let letter = Letter {
            about: "test".to_owned(),
            to: to.to_owned(),
            locale: locale.to_owned(),
            subject: subject.to_owned(),
            paragraphs: vec!["a <b> & \u{2068}\"x\"\u{2069}".to_owned()],
            code: None,
            button: Some(("go".to_owned(), "https://id.example/x?a=1&b=2".to_owned())),
            notes: vec!["small".to_owned()],
            until: None,
        };
        Waiting { id: Uuid::from_u128(7), letter }
    }

    fn formatted(waiting: &Waiting) -> anyhow::Result<String> {
        let from = "no-reply@id.example".parse()?;
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a moment");
        Ok(String::from_utf8(message(waiting, &from, "id.example", now)?.formatted())?)
    }

    /// H1: a letter has the direction of its language, and what people typed cannot become markup (ASVS 1.3.7).
    #[test]
    fn a_letter_has_the_direction_of_its_language_and_holds_no_foreign_markup() {
        for (locale, direction) in [("ar", "rtl"), ("en", "ltr")] {
            let html = html(&letter(locale, "a@b.example", "s").letter);
            assert!(html.contains(&format!("<html lang=\"{locale}\" dir=\"{direction}\">")), "{html}");
            assert!(html.contains("a &lt;b&gt; &amp; \u{2068}&quot;x&quot;\u{2069}"));
            assert!(html.contains("href=\"https://id.example/x?a=1&amp;b=2\""));
        }
    }

    /// ASVS 1.3.11, RUSTSEC-2021-0069: no line of a header or of the conversation can be made from outside.
    #[test]
    fn nothing_typed_becomes_a_header() {
        let written = formatted(&letter("en", "a@b.example", "one\r\nBcc: evil@x.example")).expect("a message");
        let (head, _body) = written.split_once("\r\n\r\n").expect("a body");
        assert!(!head.lines().any(|line| line.starts_with("Bcc:")), "{head}");
        for to in ["a@b.example\r\nRCPT TO:<x@y.example>", "a@b.example>, <x@y.example", "no address"] {
            assert!(formatted(&letter("en", to, "s")).is_err(), "{to:?}");
        }
    }

    /// A1: a repeat is recognisable.
    #[test]
    fn the_message_id_is_the_letters_own() {
        let waiting = letter("ar", "a@b.example", "s");
        let written = formatted(&waiting).expect("a message");
        assert!(written.contains(&format!("Message-ID: <{}@id.example>", waiting.id)), "{written}");
        assert!(written.contains("multipart/alternative"));
    }
}
