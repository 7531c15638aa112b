//! What the operator decides: one struct of command-line options, each also an environment variable.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use clap::Args;
use ipnet::IpNet;
use lettre::message::Mailbox;

use crate::base::server::{crypto::Secret, mail::transport::SmtpUrl};

/// Everything the server is told from outside.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Address to listen on.
    #[arg(long, env = "BAWWAB_LISTEN", default_value = "127.0.0.1")]
    pub listen: IpAddr,
    /// Port to listen on.
    #[arg(long, env = "BAWWAB_PORT", default_value_t = 3000)]
    pub port: u16,
    /// Where people reach this installation: the one source of every link and origin. Default: http://localhost:PORT
    #[arg(long, env = "BAWWAB_PUBLIC_URL")]
    pub public_url: Option<PublicUrl>,
    /// Directory for the private PostgreSQL and the key file. Default: /var/lib/bawwab as root, else the user's data folder
    #[arg(long = "data", env = "BAWWAB_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// PostgreSQL to use instead of a private one.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<HiddenText>,
    /// Connections to PostgreSQL at most.
    #[arg(long, env = "BAWWAB_DATABASE_CONNECTIONS", default_value_t = 20)]
    pub database_connections: u32,
    /// Master key, 32 bytes as hex or base64. Without it a key file in the data directory is used.
    #[arg(long, env = "BAWWAB_SECRET_KEY", hide_env_values = true)]
    pub secret_key: Option<HiddenText>,
    /// Proxies whose X-Forwarded-For is believed: addresses or networks, comma separated.
    #[arg(long, env = "BAWWAB_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<Proxy>,
    /// Whoever shows this token as a bearer may read /metrics (OpenMetrics): at least 16 characters. Without it there is no
    /// such address.
    #[arg(long, env = "BAWWAB_METRICS_TOKEN", hide_env_values = true)]
    pub metrics_token: Option<MetricsToken>,
    /// The server that takes our mail: smtps://name:password@host, or smtp://… which upgrades to TLS (STARTTLS) before
    /// anything is said; only `?tls=none` gives that up. Without it mail is written to files in the data directory.
    #[arg(long, env = "BAWWAB_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<SmtpUrl>,
    /// Who our mail comes from, `Name <address>` or an address. Default: no-reply@ the public address's host
    #[arg(long, env = "BAWWAB_MAIL_FROM")]
    pub mail_from: Option<Mailbox>,
    /// Selector of the DKIM key by which our mail is signed: the key's public half stands in the DNS at
    /// SELECTOR._domainkey.DOMAIN. Needs BAWWAB_DKIM_KEY_FILE.
    #[arg(long, env = "BAWWAB_DKIM_SELECTOR", requires = "dkim_key_file")]
    pub dkim_selector: Option<String>,
    /// File with the private half: an RSA key as PEM (`openssl genrsa -traditional 2048`), or the 32 bytes of an Ed25519
    /// key as base64.
    #[arg(long, env = "BAWWAB_DKIM_KEY_FILE", requires = "dkim_selector")]
    pub dkim_key_file: Option<PathBuf>,
    /// The domain that signs. Default: that of BAWWAB_MAIL_FROM
    #[arg(long, env = "BAWWAB_DKIM_DOMAIN", requires = "dkim_selector")]
    pub dkim_domain: Option<String>,
    /// A database of countries in MaxMind's format (GeoLite2-Country.mmdb or alike): sign-ins from a new country can then
    /// ask for more, and the list of sessions shows where they are.
    #[arg(long, env = "BAWWAB_GEOIP_DB")]
    pub geoip_db: Option<PathBuf>,
    /// Directory of the built browser half.
    #[arg(long, env = "BAWWAB_SITE_DIR")]
    pub site_dir: Option<PathBuf>,
    /// `text` for people, `json` for machines.
    #[arg(long, env = "BAWWAB_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

impl Config {
    pub fn public_url(&self) -> PublicUrl {
        self.public_url.clone().unwrap_or_else(|| PublicUrl(format!("http://localhost:{}", self.port)))
    }

    pub fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(default_data_dir)
    }
}

fn default_data_dir() -> PathBuf {
    if nix::unistd::geteuid().is_root() {
        return PathBuf::from("/var/lib/bawwab");
    }
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    std::env::var_os("XDG_DATA_HOME").map_or_else(|| home.join(".local/share"), PathBuf::from).join("bawwab")
}

/// A text that is not printed with the configuration.
#[derive(Clone)]
pub struct HiddenText(pub String);

impl FromStr for HiddenText {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(HiddenText(text.to_owned()))
    }
}

impl fmt::Debug for HiddenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// By what the monitoring is known. Nobody guesses it: there is no limit of tries.
#[derive(Clone)]
pub struct MetricsToken(Secret<String>);

impl MetricsToken {
    /// Named so that each use can be found.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl FromStr for MetricsToken {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.len() < 16 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("expected at least 16 characters of ASCII: `openssl rand -hex 32` makes some".to_owned());
        }
        Ok(MetricsToken(Secret::new(text.to_owned())))
    }
}

impl fmt::Debug for MetricsToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// An origin: scheme, host and, where it is not the scheme's own, port. Nothing after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// `https://id.example.com`: also the value an `Origin` header must have.
    pub fn origin(&self) -> &str {
        &self.0
    }

    /// The address of one of our pages. `path` begins with `/`.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The host alone, without scheme and port.
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or(self.0.as_str(), |(_, authority)| authority);
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => authority,
        }
    }

    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Browsers offer passkeys to names, not to addresses, and to secure origins only.
    pub fn is_fit_for_passkeys(&self) -> bool {
        let host = self.host();
        let is_local = host == "localhost" || host.ends_with(".localhost");
        let is_address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
        !is_address && (self.is_https() || is_local)
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.trim().trim_end_matches('/').to_ascii_lowercase();
        let uri = lower.parse::<axum::http::Uri>().map_err(|error| error.to_string())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err("expected an address such as https://id.example.com".to_owned());
        };
        if !matches!(scheme, "http" | "https") || authority.as_str().contains('@') || !matches!(uri.path(), "" | "/") {
            return Err("expected http or https, a host and nothing after it".to_owned());
        }
        let own_port = if scheme == "https" { ":443" } else { ":80" };
        let authority = authority.as_str();
        Ok(PublicUrl(format!("{scheme}://{}", authority.strip_suffix(own_port).unwrap_or(authority))))
    }
}

/// One address or a network of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxy(pub IpNet);

impl FromStr for Proxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        text.parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .map(Proxy)
            .map_err(|_| format!("{text} is neither an address nor a network"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Told {
        #[command(flatten)]
        config: Config,
    }

    /// I3, "secret types that print nothing": a configuration can be logged.
    #[test]
    fn a_printed_configuration_tells_no_secret() {
        let told = Told::parse_from([
            "bawwab",
            "--database-url=postgres://bawwab:hunter2@db.example/bawwab",
            "--secret-key=hunter2hunter2",
            "--smtp-url=smtps://name:hunter2@mail.example",
            "--metrics-token=hunter2hunter2hunter2",
        ]);
        for printed in [format!("{told:?}"), format!("{told:#?}")] {
            assert!(printed.contains("database_url") && !printed.contains("hunter2"), "{printed}");
        }
    }

    /// I6: a token that could be guessed opens nothing.
    #[test]
    fn a_short_or_unprintable_metrics_token_is_none() {
        assert!("0123456789abcdef".parse::<MetricsToken>().is_ok());
        for text in ["", "short", "0123456789abcde", "0123456789 abcdef", "٠١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦"] {
            assert!(text.parse::<MetricsToken>().is_err(), "{text}");
        }
    }

    /// I1: links and origins come from one address that has been understood.
    #[test]
    fn a_public_address_is_an_origin_and_nothing_else() {
        let parse = |text: &str| text.parse::<PublicUrl>().map(|url| url.origin().to_owned());
        assert_eq!(parse("https://ID.example.com/").as_deref(), Ok("https://id.example.com"));
        assert_eq!(parse("https://id.example.com:443").as_deref(), Ok("https://id.example.com"));
        assert_eq!(parse("http://localhost:3000").as_deref(), Ok("http://localhost:3000"));
        for text in ["id.example.com", "ftp://a.b", "https://a.b/c", "https://u@a.b", "javascript:1", ""] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
