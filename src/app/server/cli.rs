//! The command line: serve, migrate, make an administrator, keys, backups, checks, print the API.

use std::{
    fmt::Display,
    fs,
    io::{self, Read as _, Write as _},
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use leptos::config::{Env, LeptosOptions};
use sqlx::postgres::PgConnectOptions;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    access::server::{
        Cx, Heart, Quiet, Tx, node,
        record::{Action, Event},
    },
    accounts::{
        Password,
        server::{links, make_super_admin, rules::Email},
    },
    app::server::{
        FAILURES_LAST,
        audit_commands::{AuditCommand, audit},
        backup::{self, BackupArgs, RestoreArgs},
        factors, housekeeping,
        invariants::{self, VerifyArgs},
        key_rotation::{self, KeysCommand},
        mailer, openapi, panics, router, sealer,
    },
    base::{
        errors::AppError,
        language,
        password::PasswordRule,
        server::{
            choice::{self, Choice},
            clock::Clock,
            cluster::{Cluster, Server},
            config::{Config, HiddenText, LogFormat},
            crypto::Keys,
            db,
            mail::transport::Post,
            names,
            passwords::{self, Hasher},
            places::Places,
            settings as setting,
        },
    },
    i18n::Locale,
    settings,
};

/// The doorman: who gets in, what they may do, and proof afterwards.
#[derive(Parser)]
#[command(name = "bawwab", version)]
struct Cli {
    #[command(flatten)]
    config: Config,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the product (also without a command)
    Serve,
    /// Bring the database to the current shape and stop
    Migrate,
    /// Administrators
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Settings, for operators who cannot sign in yet or any more
    Settings {
        #[command(subcommand)]
        command: SettingsCommand,
    },
    /// The audit log: whether it is as it was written
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// The keys that everything is sealed with
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Look in the database whether what must always hold does hold. Ends with 1 if something does not
    Verify(VerifyArgs),
    /// Copy the whole database into a folder, also while people work
    Backup(BackupArgs),
    /// Make the database from such a folder; all sessions are over then
    Restore(RestoreArgs),
    /// Print the description of the REST API
    Openapi,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Make a super-admin; the password is read from standard input
    Create {
        #[arg(long)]
        email: String,
        /// Without it the address's local part
        #[arg(long)]
        name: Option<String>,
        /// Says that the password comes on standard input, never as an argument
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Let somebody in again who has lost their password or their second factor: takes every factor off, ends their
    /// sessions, and prints a link at which they choose a password
    Recover {
        /// Their e-mail address, username or id
        who: String,
    },
}

#[derive(Subcommand)]
enum SettingsCommand {
    /// Replace one group: `accounts.registration '{"mode": "open"}'` or `sessions.sign_in '{"second_factor_roles": []}'`
    Set { key: String, value: String },
}

/// Runs what the arguments ask for.
pub async fn run() -> anyhow::Result<()> {
    let Cli { config, command } = Cli::parse();
    start_log(config.log_format);
    match command.unwrap_or(Command::Serve) {
        Command::Serve => serve(config).await,
        Command::Migrate => Database::open(&config).await?.close().await,
        Command::Admin { command: AdminCommand::Create { email, name, password_stdin: _ } } => {
            create_admin(config, &email, name).await
        }
        Command::Admin { command: AdminCommand::Recover { who } } => recover(config, &who).await,
        Command::Settings { command: SettingsCommand::Set { key, value } } => set_setting(config, &key, &value).await,
        Command::Audit { command } => audit(config, command).await,
        Command::Keys { command } => key_rotation::keys(config, command).await,
        Command::Verify(args) => invariants::verify_all(config, args).await,
        Command::Backup(args) => backup::backup(config, args).await,
        Command::Restore(args) => backup::restore(config, args).await,
        Command::Openapi => say(openapi::document().to_pretty_json()?),
    }
}

fn start_log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("BAWWAB_LOG")
        .unwrap_or_else(|_unset| tracing_subscriber::EnvFilter::new("info,sqlx=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A line that cannot be written is lost. Left to itself the subscriber would say so by `eprintln!`, which panics for the
    // same reason as the line could not be written, and once more in the hook that logs the panic.
    let log = log.log_internal_errors(false);
    match format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    panics::install();
}

/// What a command prints. Where it goes to a file on a full disk it has failed: `println!` would panic.
pub(super) fn say(what: impl Display) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{what}").context("write to standard output")
}

/// What a node prints when it starts, which it does whether or not anybody can read it.
fn announce(what: impl Display) {
    if let Err(error) = say(what) {
        warn!("{error:#}");
    }
}

/// The file in the data directory that holds the master key.
pub(super) const KEY_FILE: &str = "secret.key";

/// The database: one that was named, our own, or that of a Bawwab which is at work on the same data directory.
pub(super) struct Database {
    options: PgConnectOptions,
    place: Place,
}

enum Place {
    Named(HiddenText),
    Own(Box<Cluster>),
    Joined(Server),
}

impl Database {
    /// As it is.
    pub(super) async fn start(config: &Config) -> anyhow::Result<Self> {
        match &config.database_url {
            Some(url) => {
                let options = url.0.parse::<PgConnectOptions>().context("read DATABASE_URL")?;
                Ok(Database { options, place: Place::Named(url.clone()) })
            }
            None => {
                let cluster = Cluster::start(&config.data_dir()).await?;
                Ok(Database { options: cluster.connect_options(), place: Place::Own(Box::new(cluster)) })
            }
        }
    }

    /// Migrated.
    pub(super) async fn open(config: &Config) -> anyhow::Result<Self> {
        let database = Self::start(config).await?;
        match db::prepare(&database.options).await {
            Ok(()) => Ok(database),
            Err(error) => {
                database.close().await?;
                Err(error)
            }
        }
    }

    /// For commands: people may be at work.
    pub(super) async fn join_or_open(config: &Config) -> anyhow::Result<Self> {
        if config.database_url.is_none()
            && let Some(server) = Cluster::join(&config.data_dir())?
        {
            let options = server.connect_options();
            db::check_current(&options).await?;
            return Ok(Database { options, place: Place::Joined(server) });
        }
        Self::open(config).await
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// How PostgreSQL's own programs reach it. A password never stands among their arguments, where others could read it.
    pub(super) fn environment(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        match &self.place {
            Place::Own(cluster) => Ok(cluster.server().environment()),
            Place::Joined(server) => Ok(server.environment()),
            Place::Named(url) => {
                let mut url = reqwest::Url::parse(&url.0).context("read DATABASE_URL")?;
                let mut environment = Vec::new();
                if let Some(password) = url.password() {
                    // In this writing `+` stands for a space, in an address for itself.
                    let pair = format!("password={}", password.replace('+', "%2B"));
                    let decoded = form_urlencoded::parse(pair.as_bytes()).map(|(_, value)| value.into_owned()).next();
                    environment.push(("PGPASSWORD", decoded.unwrap_or_default()));
                    url.set_password(None).map_err(|()| anyhow::anyhow!("DATABASE_URL names no host"))?;
                }
                environment.push(("PGDATABASE", url.to_string()));
                Ok(environment)
            }
        }
    }

    pub(super) async fn close(self) -> anyhow::Result<()> {
        match self.place {
            Place::Own(cluster) => cluster.stop().await,
            Place::Named(_) | Place::Joined(_) => Ok(()),
        }
    }

    pub(super) async fn heart(&self, config: &Config) -> anyhow::Result<Heart> {
        let (keys, file) = keys(config)?;
        let heart = self.heart_with(config, keys).await?;
        let Err(error) = key_rotation::begin(&heart).await else { return Ok(heart) };
        heart.close().await;
        // A change of the master key may have been cut short after the database had it and before the file did.
        let Some(file) = file.filter(|file| key_rotation::next_to(file).exists()) else { return Err(error) };
        let next = key_rotation::next_to(&file);
        let (keys, _) = Keys::from_file(&next)?;
        let heart = self.heart_with(config, keys).await?;
        if key_rotation::begin(&heart).await.is_err() {
            heart.close().await;
            return Err(error);
        }
        fs::rename(&next, &file).with_context(|| format!("put {} in place", file.display()))?;
        warn!(path = %file.display(), "finished a change of the master key that had been cut short");
        Ok(heart)
    }

    async fn heart_with(&self, config: &Config, keys: Keys) -> anyhow::Result<Heart> {
        let pool = db::connect(self.options.clone(), config.database_connections).await?;
        let clock = Clock::of_database(db::now(&pool).await?);
        let heart = Heart::new(pool, clock, keys, Hasher::new()?, config.public_url());
        heart.refresh().await.context("read the grants")?;
        Ok(heart)
    }
}

/// The master key, and the file that it is kept in unless it was told.
pub(super) fn keys(config: &Config) -> anyhow::Result<(Keys, Option<PathBuf>)> {
    if let Some(key) = &config.secret_key {
        return Ok((Keys::parse(&key.0)?, None));
    }
    let directory = config.data_dir();
    fs::create_dir_all(&directory).with_context(|| format!("create {}", directory.display()))?;
    let path = directory.join(KEY_FILE);
    let (keys, is_new) = Keys::from_file(&path)?;
    if fs::metadata(&path)?.permissions().mode() & 0o077 != 0 {
        bail!("{} can be read by others: `chmod 600` it", path.display());
    }
    if is_new {
        warn!(path = %path.display(), "made a master key: keep a copy of {}, sealed data is lost without it", path.display());
    }
    Ok((keys, Some(path)))
}

async fn serve(config: Config) -> anyhow::Result<()> {
    // Heard before anything is started: a signal in between would leave our PostgreSQL behind.
    let stop = CancellationToken::new();
    tokio::spawn(stop_signal(stop.clone())?);
    let database = Database::open(&config).await?;
    let result = serve_on(&config, &database, stop).await;
    database.close().await?;
    result
}

async fn serve_on(config: &Config, database: &Database, stop: CancellationToken) -> anyhow::Result<()> {
    let public_url = config.public_url();
    if !public_url.is_https() && !public_url.origin().starts_with("http://localhost") {
        warn!("{} is not https: browsers keep secure cookies for it only on localhost", public_url.origin());
    }
    if public_url.is_https() && config.trusted_proxies.is_empty() {
        warn!("no proxy is named in BAWWAB_TRUSTED_PROXIES: it cannot be told whether a request came by https");
    }
    let post = Post::new(config)?;
    let heart = database.heart(config).await?.with_post(post.facts());
    let heart = heart.with_places(Places::open(config.geoip_db.as_deref())?);
    let grants = tokio::spawn(heart.clone().keep_current(stop.clone()));
    let housekeeping = tokio::spawn(housekeeping::run(heart.clone(), stop.clone()));
    let sealer = tokio::spawn(sealer::run(heart.clone(), stop.clone()));
    let key_rotation = tokio::spawn(key_rotation::run(heart.clone(), stop.clone()));
    let mailer = tokio::spawn(mailer::run(heart.clone(), post, stop.clone()));
    let wiring = router::Wiring {
        heart: heart.clone(),
        options: leptos_options(config)?,
        proxies: config.trusted_proxies.clone(),
        metrics_token: config.metrics_token.clone(),
        failures_last: FAILURES_LAST,
    };
    let router = router::router(wiring).into_make_service_with_connect_info::<SocketAddr>();
    let address = SocketAddr::new(config.listen, config.port);
    let listener = TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))?;
    announce(format_args!("Bawwab is at {}", public_url.origin()));
    if let Some(link) = set_up_link(heart.clone()).await? {
        announce(format_args!("Make the first administrator here (once, within 24 hours):\n{link}"));
    }
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let deadline = async {
        stop.cancelled().await;
        tokio::time::sleep(Duration::from_secs(10)).await;
    };
    tokio::select! {
        served = served => served.context("serve")?,
        () = deadline => warn!("some requests did not finish in time"),
    }
    stop.cancel();
    grants.await.context("the grants' task panicked")?;
    housekeeping.await.context("housekeeping panicked")?;
    sealer.await.context("the sealer panicked")?;
    key_rotation.await.context("the task of the keys panicked")?;
    mailer.await.context("the mailer panicked")?;
    heart.close().await;
    Ok(())
}

/// Ctrl-C, or an operator's or a service manager's wish. The handlers stand when this returns.
fn stop_signal(stop: CancellationToken) -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("stopping: requests under way may finish");
        stop.cancel();
    })
}

/// Where the browser half lies: as told, or beside the program.
fn leptos_options(config: &Config) -> anyhow::Result<LeptosOptions> {
    let beside = || -> anyhow::Result<PathBuf> {
        let program = std::env::current_exe().context("find this program")?;
        Ok(program.parent().context("this program lies in a folder")?.join("site"))
    };
    let site = config.site_dir.clone().map_or_else(beside, Ok)?;
    let hashes = std::env::current_exe().context("find this program")?.with_file_name("hash.txt");
    let options = LeptosOptions::builder()
        .output_name("bawwab")
        .site_root(site.to_string_lossy().into_owned())
        .site_pkg_dir("pkg")
        .env(Env::PROD)
        .hash_files(hashes.exists())
        .hash_file(std::sync::Arc::<str>::from("hash.txt"))
        .build();
    if !site.join("pkg").is_dir() {
        warn!("the browser half is not at {}: pages will be plain", site.display());
    }
    Ok(options)
}

/// A fresh set-up link, as long as nobody is super-admin.
pub async fn set_up_link(heart: Heart) -> Result<Option<String>, AppError> {
    let cx = Cx::for_job(heart, "setup");
    let mut tx = cx.node().await?;
    if node::count_super_admins(tx.conn()).await? > 0 {
        return Ok(None);
    }
    enter_first_tenant(&mut tx).await?;
    let link = links::make_setup(&mut tx).await?;
    tx.commit_quietly(Quiet::Job).await?;
    Ok(Some(link))
}

pub(super) async fn enter_first_tenant(tx: &mut Tx) -> Result<(), AppError> {
    let tenant = crate::sessions::server::first_tenant(tx).await?;
    tx.enter(tenant).await
}

/// Does one thing with the database for a command, and lets go of it, whatever came of it.
pub(super) async fn with_database<T>(
    config: &Config,
    name: &'static str,
    act: impl AsyncFnOnce(Cx) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let database = Database::join_or_open(config).await?;
    let result = async {
        let heart = database.heart(config).await?;
        let done = act(Cx::for_job(heart.clone(), name)).await;
        heart.close().await;
        done
    }
    .await;
    database.close().await?;
    result
}

async fn set_setting(config: Config, key: &str, value: &str) -> anyhow::Result<()> {
    let value = serde_json::from_str(value).context("read the value as JSON")?;
    let result = with_database(&config, "settings set", async |cx: Cx| {
        let mut tx = cx.node().await?;
        enter_first_tenant(&mut tx).await?;
        // What is so already is no change.
        if let Some(event) = settings::server::set(&mut tx, key, value).await? {
            tx.commit(event.meta("by", "command line")).await?;
        }
        Ok::<_, anyhow::Error>(())
    });
    result.await.with_context(|| format!("set {key}"))
}

async fn create_admin(config: Config, email: &str, name: Option<String>) -> anyhow::Result<()> {
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password).context("read the password")?;
    let password = Password(password.trim_end_matches(['\r', '\n']).to_owned());
    let parsed = Email::parse(email).map_err(|code| anyhow::anyhow!("{email} is not an e-mail address ({code:?})"))?;
    let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or(email).to_owned());
    let name = names::parse(&name, 200).map_err(|code| anyhow::anyhow!("the name cannot be used ({code:?})"))?;
    let made = with_database(&config, "admin create", async |cx: Cx| {
        let mut tx = cx.node().await?;
        enter_first_tenant(&mut tx).await?;
        let tenant = tx.tenant()?;
        let rule = setting::get::<PasswordRule>(tx.conn(), tenant).await?;
        let choice = Choice { password: &password, has_second_factor: false, about: &[&name, email] };
        choice::check(&rule, choice).await.map_err(|code| {
            let said = language::field_error(Locale::en, code);
            anyhow::anyhow!(
                "the password cannot be used: {said} (at least {} characters, at most {}, and not easily guessed)",
                rule.shortest,
                passwords::LONGEST
            )
        })?;
        let hash = cx.hasher().hash(&password).await?;
        let user = make_super_admin(&mut tx, &name, &parsed, &hash).await?;
        let event = Event::done(Action::Setup).on("user", user, &name).meta("by", "command line");
        tx.commit(event).await?;
        Ok::<_, anyhow::Error>(user)
    });
    say(made.await.context("make the administrator")?)
}

async fn recover(config: Config, who: &str) -> anyhow::Result<()> {
    let made = with_database(&config, "admin recover", async |cx: Cx| factors::recover(&cx, who).await).await?;
    let Some((link, until)) = made else { bail!("there is nobody active by the name {who}") };
    say(format_args!("{link}\nIt works once, until {}.", until.format("%F %T UTC")))
}

/// What an operator's arguments say. Whoever runs the tests may have settings of their own in the environment.
#[cfg(test)]
pub(super) fn config_of(arguments: &[&str]) -> Config {
    let told = std::iter::once("bawwab").chain(arguments.iter().copied());
    let config = Cli::parse_from(told).config;
    let is_told = |name: &str| arguments.contains(&name);
    Config {
        secret_key: config.secret_key.filter(|_| is_told("--secret-key")),
        database_url: config.database_url.filter(|_| is_told("--database-url")),
        ..config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data directory of its own, removed at the end even when the test fails.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Self {
            Scratch(std::env::temp_dir().join(format!("bawwab-keys-{}", uuid::Uuid::now_v7())))
        }

        /// The master key of an installation that keeps it here.
        fn keys(&self) -> anyhow::Result<Keys> {
            keys(&config_of(&["--data", &self.0.display().to_string()])).map(|(keys, _)| keys)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    /// "Base security": the master key is made once, read by its owner alone, and stays.
    #[test]
    fn the_master_key_is_kept_in_a_file_of_its_owner_alone() {
        let data = Scratch::new();
        let made = data.keys().expect("a key");
        let file = data.0.join("secret.key");
        assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
        let kept = fs::read_to_string(&file).expect("a text");
        assert_eq!(kept.trim().len(), 64, "32 bytes as hexadecimal digits");
        let read = data.keys().expect("the same key");
        assert_eq!(made.derive("a"), read.derive("a"));
        assert_eq!(fs::read_to_string(&file).expect("a text"), kept);
        assert_ne!(Scratch::new().keys().expect("another key").derive("a"), made.derive("a"));
    }

    /// "Base security": a master key that others could have read is not used, nor one that is none.
    #[test]
    fn a_master_key_that_others_can_read_is_refused() {
        let data = Scratch::new();
        data.keys().expect("a key");
        let file = data.0.join("secret.key");
        for mode in [0o640, 0o604, 0o660, 0o644] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
            let refused = data.keys().err().expect("a refusal").to_string();
            assert!(refused.contains("secret.key") && refused.contains("chmod 600"), "{mode:o}: {refused}");
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
        data.keys().expect("the key");
        fs::write(&file, "too short").expect("a file");
        assert!(data.keys().is_err());
    }

    /// A2: outside tests a refused sign-in lasts longer than any comparison, and the product is wired so.
    #[test]
    fn refused_sign_ins_are_padded_outside_tests() {
        assert!(FAILURES_LAST.0 >= Duration::from_millis(400));
        let program = include_str!("cli.rs").split("mod tests").next().unwrap_or_default();
        assert!(program.contains("failures_last: FAILURES_LAST,"));
    }
}
