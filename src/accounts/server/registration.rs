//! Registrations that wait for their address to be confirmed. Until then nobody exists: no address is taken by whoever
//! only claims it.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    access::server::Tx,
    accounts::{Registration, RegistrationMode, server::rules::Email},
    base::{
        errors::{AppError, Conflict, DenialCode, FieldCode, FieldErrors},
        ids::TenantId,
        server::{
            crypto::{self, Secret},
            settings::Setting,
        },
    },
};

/// How long the link in the letter opens.
const LIFE: TimeDelta = TimeDelta::hours(24);
/// Keeps these tokens from being taken for others.
const KIND: &str = "confirm";
/// More domains than this are a list of something else.
const MOST_DOMAINS: usize = 100;

impl Setting for Registration {
    const KEY: &'static str = "accounts.registration";
}

impl Registration {
    /// Brings the domains into their one form, or says what is wrong.
    pub fn parse(self) -> Result<Self, AppError> {
        let mut errors = FieldErrors::default();
        let mut domains = Vec::new();
        for (at, domain) in self.domains.iter().enumerate() {
            let probe = Email::parse(&format!("a@{}", domain.trim().trim_start_matches('@')));
            match probe {
                Ok(email) => domains.push(email.domain().to_owned()),
                Err(_no_domain) => errors.add(format!("registration.domains[{at}]"), FieldCode::Malformed),
            }
        }
        domains.sort();
        domains.dedup();
        if domains.len() > MOST_DOMAINS {
            errors.add("registration.domains", FieldCode::TooLong);
        }
        if self.mode == RegistrationMode::Domains && self.domains.is_empty() {
            errors.add("registration.domains", FieldCode::Required);
        }
        errors.check()?;
        Ok(Registration { mode: self.mode, domains })
    }

    /// Whether somebody with this address may register.
    pub fn admits(&self, email: &Email) -> Result<(), AppError> {
        match self.mode {
            RegistrationMode::Open => Ok(()),
            RegistrationMode::Domains if self.domains.iter().any(|domain| domain == email.domain()) => Ok(()),
            RegistrationMode::Domains => Err(AppError::field("email", FieldCode::Domain)),
            RegistrationMode::Closed | RegistrationMode::Invitation => {
                Err(AppError::denied(DenialCode::RegistrationClosed))
            }
        }
    }
}

/// Somebody who waits to be confirmed.
pub struct Registered {
    pub id: Uuid,
    pub tenant: TenantId,
    pub email: String,
    pub name: String,
    pub locale: String,
    pub password_hash: String,
}

/// Keeps a registration. Earlier ones of the address stay good, each with what was typed then: whoever registers
/// somebody else's address cannot void the owner's link.
pub async fn insert(
    tx: &mut Tx,
    email: &Email,
    name: &str,
    locale: &str,
    password_hash: &str,
) -> Result<(String, DateTime<Utc>), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let token: Secret<String> = crypto::token();
    let expires_at = now + LIFE;
    sqlx::query!(
        "insert into registrations (id, tenant_id, email, name, locale, password_hash, digest, expires_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        Uuid::now_v7(),
        tenant.0,
        email.as_str(),
        name,
        locale,
        password_hash,
        crypto::token_digest(KIND, token.expose()),
        expires_at,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok((tx.cx().link(&format!("/confirm?token={}", token.expose())), expires_at))
}

/// Finds a live registration without spending it. Through the door.
pub async fn find(tx: &mut Tx, token: &str) -> Result<Registered, AppError> {
    let now = tx.now();
    let row = sqlx::query!(
        "select id, tenant_id, email, name, locale, password_hash from registrations
         where digest = $1 and used_at is null and expires_at > $2",
        crypto::token_digest(KIND, token),
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    let row = row.ok_or(AppError::Conflict(Conflict::LinkSpent))?;
    Ok(Registered {
        id: row.id,
        tenant: TenantId(row.tenant_id),
        email: row.email,
        name: row.name,
        locale: row.locale,
        password_hash: row.password_hash,
    })
}

/// Spends a registration and voids the address's others. Of two at the same time one finds it spent.
pub async fn spend(tx: &mut Tx, registered: &Registered) -> Result<(), AppError> {
    let now = tx.now();
    let spent = sqlx::query!(
        "update registrations set used_at = $2 where id = $1 and used_at is null and expires_at > $2",
        registered.id,
        now,
    )
    .execute(tx.conn())
    .await?;
    if spent.rows_affected() == 0 {
        return Err(AppError::Conflict(Conflict::LinkSpent));
    }
    sqlx::query!("update registrations set used_at = $2 where email = $1 and used_at is null", registered.email, now)
        .execute(tx.conn())
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Email {
        Email::parse(text).expect("an address")
    }

    /// A1: nobody registers until somebody decides otherwise, and then only whom the rule names.
    #[test]
    fn a_tenant_admits_whom_its_rule_names() {
        let rule = |mode, domains: &[&str]| {
            let domains = domains.iter().map(|d| (*d).to_owned()).collect();
            Registration { mode, domains }.parse().expect("a rule")
        };
        let closed = Err(AppError::denied(DenialCode::RegistrationClosed));
        assert_eq!(Registration::default().admits(&email("a@b.example")), closed);
        assert_eq!(rule(RegistrationMode::Invitation, &[]).admits(&email("a@b.example")), closed);
        assert_eq!(rule(RegistrationMode::Open, &[]).admits(&email("a@b.example")), Ok(()));
        let domains = rule(RegistrationMode::Domains, &["@Nakheel.Example", "B\u{fc}cher.example"]);
        assert_eq!(domains.admits(&email("a@nakheel.example")), Ok(()));
        assert_eq!(domains.admits(&email("a@xn--bcher-kva.example")), Ok(()));
        for other in ["a@evil.example", "a@sub.nakheel.example", "a@nakheel.example.evil", "nakheel.example@x.y"] {
            assert_eq!(domains.admits(&email(other)), Err(AppError::field("email", FieldCode::Domain)), "{other}");
        }
    }

    #[test]
    fn a_rule_that_means_nothing_is_refused() {
        let rule = |domains: &[&str]| {
            let domains = domains.iter().map(|d| (*d).to_owned()).collect();
            Registration { mode: RegistrationMode::Domains, domains }.parse()
        };
        assert!(rule(&[]).is_err());
        assert!(rule(&["not a domain"]).is_err());
    }
}
