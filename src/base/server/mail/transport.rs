//! How letters leave: by SMTP over TLS, or as files where no SMTP server is set.

use std::{
    fmt, fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf, str::FromStr, sync::Arc, time::Duration,
};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox,
        dkim::{DkimConfig, DkimSigningAlgorithm, DkimSigningKey},
    },
    transport::smtp::extension::ClientId,
};
use tracing::info;

use super::{Waiting, compose};
use crate::base::server::config::{Config, PublicUrl};

/// A conversation that takes longer is given up. Shorter than a node holds a job.
const PATIENCE: Duration = Duration::from_secs(60);

/// `smtps://…` speaks TLS from the first byte, `smtp://…` must upgrade (STARTTLS) before anything is said. Only
/// `?tls=none` gives TLS up.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl(String);

impl FromStr for SmtpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (base, query) = text.trim().split_once('?').unwrap_or((text.trim(), ""));
        let url = match (base.split_once("://").map(|(scheme, _)| scheme), query) {
            (Some("smtps"), "" | "tls=required") => base.to_owned(),
            (Some("smtp"), "" | "tls=required") => format!("{base}?tls=required"),
            (Some("smtp"), "tls=none") => base.to_owned(),
            _ => return Err("expected smtps://… or smtp://…, and after ? at most tls=required or tls=none".to_owned()),
        };
        AsyncSmtpTransport::<Tokio1Executor>::from_url(&url).map_err(|error| error.to_string())?;
        Ok(SmtpUrl(url))
    }
}

impl fmt::Debug for SmtpUrl {
    /// It may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpUrl(…)")
    }
}

/// Who sends letters, and which way.
#[derive(Clone)]
pub struct Post {
    from: Mailbox,
    /// Of the public address; the domain of Message-IDs.
    host: String,
    way: Way,
    /// Every letter is signed with it (RFC 6376).
    signature: Option<Arc<DkimConfig>>,
}

/// What an administrator is told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostFacts {
    pub by_smtp: bool,
    pub from: String,
    pub is_signed: bool,
}

#[derive(Clone)]
enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Files(PathBuf),
}

/// Why a letter has not gone.
#[derive(Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// Worth another try.
    Later(String),
    /// The server refuses this letter for good.
    Never(String),
}

impl Post {
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let from = config.mail_from.clone();
        let mut post = Self::of(config.smtp_url.as_ref(), from, &config.public_url(), config.data_dir().join("mail"))?;
        if let (Some(selector), Some(path)) = (&config.dkim_selector, &config.dkim_key_file) {
            let key = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
            post = post.signing(selector, config.dkim_domain.as_deref(), &key)?;
        }
        Ok(post)
    }

    /// The same, with a signature on every letter.
    pub fn signing(self, selector: &str, domain: Option<&str>, key: &str) -> anyhow::Result<Self> {
        let key = key.trim();
        let algorithm =
            if key.starts_with("-----BEGIN") { DkimSigningAlgorithm::Rsa } else { DkimSigningAlgorithm::Ed25519 };
        let key = DkimSigningKey::new(key, algorithm).context("read the DKIM key: see BAWWAB_DKIM_KEY_FILE")?;
        let domain = domain.unwrap_or(self.from.email.domain()).to_owned();
        let signature = DkimConfig::default_config(selector.to_owned(), domain, key);
        Ok(Post { signature: Some(Arc::new(signature)), ..self })
    }

    /// What an administrator is told of it.
    pub fn facts(&self) -> PostFacts {
        PostFacts {
            by_smtp: matches!(self.way, Way::Smtp(_)),
            from: self.from.email.to_string(),
            is_signed: self.signature.is_some(),
        }
    }

    pub fn of(
        smtp: Option<&SmtpUrl>,
        from: Option<Mailbox>,
        public: &PublicUrl,
        folder: PathBuf,
    ) -> anyhow::Result<Self> {
        let host = public.host().to_owned();
        let from = match from {
            Some(from) => from,
            None => format!("no-reply@{host}").parse().context("make a sender: set BAWWAB_MAIL_FROM")?,
        };
        let way = match smtp {
            Some(SmtpUrl(url)) => {
                let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).context("read BAWWAB_SMTP_URL")?;
                let hello = ClientId::Domain(host.clone());
                Way::Smtp(builder.hello_name(hello).timeout(Some(PATIENCE / 2)).build())
            }
            None => Way::Files(folder),
        };
        Ok(Post { from, host, way, signature: None })
    }

    /// Sends one letter.
    pub async fn deliver(&self, waiting: &Waiting, now: DateTime<Utc>) -> Result<(), Undelivered> {
        let message = compose::message(waiting, &self.from, &self.host, now);
        let mut message = message.map_err(|error| Undelivered::Never(format!("{error:#}")))?;
        if let Some(signature) = &self.signature {
            message.sign(signature);
        }
        match &self.way {
            Way::Smtp(smtp) => converse(smtp, message).await,
            Way::Files(folder) => {
                let name = format!("{}-{}.eml", now.format("%Y%m%dT%H%M%S"), waiting.id);
                let path = folder.join(name);
                write(&path, &message.formatted()).map_err(|error| Undelivered::Later(format!("{error:#}")))?;
                info!(path = %path.display(), about = waiting.letter.about, "no SMTP server is set: a letter lies at {}", path.display());
                Ok(())
            }
        }
    }
}

async fn converse(smtp: &AsyncSmtpTransport<Tokio1Executor>, message: Message) -> Result<(), Undelivered> {
    match tokio::time::timeout(PATIENCE, smtp.send(message)).await {
        Ok(Ok(_accepted)) => Ok(()),
        Ok(Err(error)) => {
            // 53x is about our own name and password there: the operator's to mend, not the letter's fault.
            let ours = error.status().is_some_and(|code| code.to_string().starts_with("53"));
            let permanent = error.is_permanent() && !ours;
            let text = format!("{:#}", anyhow::Error::new(error));
            Err(if permanent { Undelivered::Never(text) } else { Undelivered::Later(text) })
        }
        Err(_elapsed) => Err(Undelivered::Later("the SMTP server did not answer in time".to_owned())),
    }
}

/// Written beside and renamed, so that nobody reads half a letter. Only the program's own account may read it: it may
/// hold a one-time link.
fn write(path: &std::path::Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().context("a letter lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    let part = path.with_extension("part");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)
        .with_context(|| format!("create {}", part.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, path).with_context(|| format!("name {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ASVS 12.3.1: TLS is only given up in so many words.
    #[test]
    fn an_smtp_address_asks_for_tls_unless_it_says_otherwise() {
        let parse = |text: &str| text.parse::<SmtpUrl>().map(|url| url.0);
        assert_eq!(parse("smtps://mail.example").as_deref(), Ok("smtps://mail.example"));
        assert_eq!(
            parse("smtp://u:p%40@mail.example:587").as_deref(),
            Ok("smtp://u:p%40@mail.example:587?tls=required")
        );
        assert_eq!(parse("smtp://mail.example:25?tls=none").as_deref(), Ok("smtp://mail.example:25"));
        for text in ["", "mail.example", "http://mail.example", "smtp://mail.example?tls=opportunistic", "smtps://"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(!format!("{:?}", "smtp://u:secret@mail.example".parse::<SmtpUrl>()).contains("secret"));
    }
}
