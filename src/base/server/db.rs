//! Connecting, the application role, migrations.

use std::time::Duration;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use sqlx::{
    Connection as _, Executor as _, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::base::server::search;

/// Every migration, in order.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// The version of the last of them: the shape of database that this program works on.
pub fn newest_migration() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// The oldest PostgreSQL that is supported (14 has reached its end of life).
const OLDEST: i32 = 150_000;

/// After so long without use a connection may have been lost without anybody having noticed.
const RESTED: Duration = Duration::from_secs(1);

/// Brings the database to the current shape as its owner: the application role, then the migrations.
pub async fn prepare(owner: &PgConnectOptions) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect_with(owner).await.context("connect to PostgreSQL")?;
    let version: String = sqlx::query_scalar("show server_version_num")
        .fetch_one(&mut connection)
        .await
        .context("ask for the version")?;
    if version.parse::<i32>().is_ok_and(|version| version < OLDEST) {
        bail!("PostgreSQL 15 or later is needed; this server is {version}");
    }
    make_application_role(&mut connection).await?;
    MIGRATOR.run(&mut connection).await.context("migrate the database")?;
    search::allow_indexed_search(&mut connection).await.context("let searches use their indexes")?;
    connection.close().await?;
    Ok(())
}

/// Refuses a database of another shape than this program's: one that another version is at work on.
pub async fn check_current(owner: &PgConnectOptions) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect_with(owner).await.context("connect to PostgreSQL")?;
    let newest: Option<i64> = sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
        .fetch_one(&mut connection)
        .await
        .context("ask for the shape of the database")?;
    connection.close().await?;
    if newest != Some(newest_migration()) {
        bail!("the Bawwab that is running is of another version than this command");
    }
    Ok(())
}

/// The role that owns nothing and bypasses nothing. Two nodes may start at the same time.
pub async fn make_application_role(connection: &mut PgConnection) -> anyhow::Result<()> {
    connection
        .execute(
            "do $$ begin
                 if not exists (select from pg_roles where rolname = 'bawwab_app') then
                     create role bawwab_app nologin;
                 end if;
             exception when duplicate_object or unique_violation then null;
             end $$",
        )
        .await
        .context("create the role bawwab_app (or have it created: `create role bawwab_app nologin`)")?;
    connection
        .execute(
            "do $$ begin
                 if not pg_has_role(current_user, 'bawwab_app', 'member') then
                     execute format('grant bawwab_app to %I', current_user);
                 end if;
             end $$",
        )
        .await
        .context("join the role bawwab_app (or be granted it: `grant bawwab_app to …`)")?;
    Ok(())
}

/// The pool that serves requests: every connection is the application role, which row-level security holds.
pub async fn connect(options: PgConnectOptions, connections: u32) -> anyhow::Result<PgPool> {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        // Asking whether a connection still lives costs a round trip: only one that has rested is asked.
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                if about.idle_for > RESTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(|connection, _| {
            Box::pin(async move {
                // Compiling a query takes longer than any of ours should.
                connection
                    .execute(
                        "set role bawwab_app; set statement_timeout = '10s'; set lock_timeout = '5s';
                         set idle_in_transaction_session_timeout = '15s'; set timezone = 'UTC';
                         set jit = off",
                    )
                    .await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await
        .context("connect to PostgreSQL")
}

/// The database's time, for the clock.
pub async fn now(pool: &PgPool) -> anyhow::Result<DateTime<Utc>> {
    sqlx::query_scalar("select clock_timestamp()").fetch_one(pool).await.context("ask for the time")
}
