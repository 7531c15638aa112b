//! Audit rows as they are written: the published catalogue of actions, and the canonical text that a later chain covers.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    access::{Outcome, server::Origin},
    base::{
        errors::Meanwhile,
        ids::{TenantId, UserId},
        search::fold,
        server::crypto::{self, Keys},
    },
};

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What can be found in the audit log. The names are published: they are never changed, only added to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Action { $($(#[$doc])* $name),* }

        impl Action {
            /// The whole catalogue.
            pub const ALL: &[Action] = &[$(Action::$name),*];

            pub fn as_str(self) -> &'static str {
                match self { $(Action::$name => $text),* }
            }
        }
    };
}

actions! {
    Login = "auth.login";
    LoginFailed = "auth.login_failed";
    Lockout = "auth.lockout";
    Logout = "auth.logout";
    /// Something about a sign-in was new: a code was mailed.
    CodeSent = "auth.code_sent";
    /// A token came from another device than its session's.
    DeviceChallenge = "auth.device_challenge";
    Refresh = "auth.refresh";
    /// A spent refresh token was shown again; its whole family ended.
    RefreshReuse = "auth.refresh_reuse";
    /// The first administrator was made.
    Setup = "auth.setup";
    /// A one-time link was used to choose a password.
    Welcome = "auth.welcome";
    /// Somebody asked for an account; it failed where the address has one.
    Register = "auth.register";
    /// A registered address was confirmed: the account was made.
    Confirm = "auth.confirm";
    ResetRequest = "auth.reset_request";
    Reset = "auth.reset";
    MagicLinkRequest = "auth.magic_link_request";
    SettingsUpdate = "admin.settings_update";
    /// Somebody had a test letter sent.
    MailTest = "admin.mail_test";
    /// A letter that could not be sent is tried again.
    MailRetry = "admin.mail_retry";
    FactorBegin = "auth.factor_begin";
    FactorOn = "auth.factor_on";
    FactorOff = "auth.factor_off";
    BackupCodes = "auth.backup_codes";
    Reauthenticate = "auth.reauthenticate";
    /// Somebody asked for another address of theirs.
    EmailRequest = "auth.email_request";
    /// One of the two mailboxes has confirmed a change; it waits for the other.
    EmailConfirm = "auth.email_confirm";
    EmailChange = "auth.email_change";
    /// The old mailbox has called a change off.
    EmailCancel = "auth.email_cancel";
    PasswordChange = "auth.password_change";
    ProfileUpdate = "auth.profile_update";
    /// Somebody took all that is kept about them.
    DataExport = "auth.data_export";
    /// Somebody asked that their own account be deleted.
    DeletionRequest = "auth.deletion_request";
    DeletionCancel = "auth.deletion_cancel";
    FactorReset = "admin.factor_reset";
    PasskeyAdd = "auth.passkey_add";
    PasskeyRename = "auth.passkey_rename";
    PasskeyRemove = "auth.passkey_remove";
    /// A passkey counted backwards: there may be a copy of it. It was refused.
    PasskeyCopy = "auth.passkey_copy_suspected";
    SessionEnd = "auth.session_end";
    /// Somebody asked for what they may not do.
    AccessDenied = "access.denied";
    UserCreate = "admin.user_create";
    UserUpdate = "admin.user_update";
    UserStatus = "admin.user_status";
    UserDelete = "admin.user_delete";
    /// What names a deleted person was erased; the row counts what went and what stayed.
    UserErase = "admin.user_erase";
    /// An administrator called off the deletion that a person had asked for.
    UserDeletionCancel = "admin.deletion_cancel";
    UserLink = "admin.user_link";
    UserLinkRevoke = "admin.user_link_revoke";
    AssignRoles = "admin.assign_roles";
    GrantPermission = "admin.grant_permission";
    /// Somebody was reminded that what they were given ends.
    GrantReminder = "system.grant_reminder";
    RoleCreate = "admin.role_create";
    RoleUpdate = "admin.role_update";
    RoleDelete = "admin.role_delete";
    ImpersonationBegin = "impersonation.begin";
    ImpersonationEnd = "impersonation.end";
    ApprovalRequest = "approval.request";
    ApprovalApprove = "approval.approve";
    ApprovalReject = "approval.reject";
    ApprovalWithdraw = "approval.withdraw";
    /// A request was agreed to by as many as it takes, and done.
    ApprovalApply = "approval.apply";
    /// The subject of a request had changed: it is to be decided on again, as it stands now.
    ApprovalRenew = "approval.renew";
    ApprovalRules = "approval.rules";
    ApiKeyCreate = "admin.api_key_create";
    ApiKeyUpdate = "admin.api_key_update";
    ApiKeyRotate = "admin.api_key_rotate";
    ApiKeyDelete = "admin.api_key_delete";
    /// A key was shown from an address that it is not for.
    ApiKeyRefused = "auth.api_key_refused";
    /// Rows of the log that are kept no longer were removed.
    AuditRetention = "audit.retention";
    AuditExport = "audit.export";
    /// Somebody had the whole log verified.
    AuditVerify = "audit.verify";
    RetentionUpdate = "audit.retention_update";
    PermissionCreate = "admin.permission_create";
    PermissionUpdate = "admin.permission_update";
    PermissionDelete = "admin.permission_delete";
    /// A catalogue was read in; the rows of what it changed carry the same id.
    CatalogueImport = "admin.catalogue_import";
    PolicyCreate = "admin.policy_create";
    PolicyUpdate = "admin.policy_update";
    /// A version of a policy came into force.
    PolicyActivate = "admin.policy_activate";
    PolicyDeactivate = "admin.policy_deactivate";
    PolicyDelete = "admin.policy_delete";
    GroupCreate = "admin.group_create";
    GroupUpdate = "admin.group_update";
    GroupDelete = "admin.group_delete";
    /// Somebody came into a group, or left it.
    GroupMember = "admin.group_member";
    /// Somebody gave a text in one of its versions.
    ConsentGive = "auth.consent_give";
    ConsentWithdraw = "auth.consent_withdraw";
    ConsentCreate = "admin.consent_create";
    ConsentUpdate = "admin.consent_update";
    /// A text has a new version; whoever gave an earlier one is asked anew.
    ConsentPublish = "admin.consent_publish";
    ConsentRetire = "admin.consent_retire";
    TenantCreate = "tenants.create";
    TenantUpdate = "tenants.update";
    /// A tenant was suspended, or opened again.
    TenantStatus = "tenants.status";
    /// A super-admin went into another tenant. Without a leave after it the session ended there.
    TenantEnter = "tenants.enter";
    TenantLeave = "tenants.leave";
    /// An operator had a new data key made; from a moment on it is used.
    KeyRotate = "system.key_rotate";
    /// Nothing is opened with a data key any more.
    KeyRetire = "system.key_retire";
    /// The data keys were sealed under another master key.
    MasterKeyRotate = "system.master_key_rotate";
    /// An operator took a copy of the whole database.
    Backup = "system.backup";
    /// The database was made from such a copy; everybody has to sign in again.
    Restore = "system.restore";
}

/// What happened, before it is known when, by whom and from where.
#[derive(Clone, Debug)]
pub struct Event {
    pub action: Action,
    pub outcome: Outcome,
    resource: Option<(&'static str, String, String)>,
    old: Option<Value>,
    new: Option<Value>,
    meta: Map<String, Value>,
    /// The actor where the caller is not yet one: a sign-in.
    actor: Option<(UserId, String)>,
}

impl Event {
    pub fn done(action: Action) -> Self {
        Self::new(action, Outcome::Done)
    }

    pub fn failed(action: Action) -> Self {
        Self::new(action, Outcome::Failed)
    }

    pub fn denied(action: Action) -> Self {
        Self::new(action, Outcome::Denied)
    }

    fn new(action: Action, outcome: Outcome) -> Self {
        Event { action, outcome, resource: None, old: None, new: None, meta: Map::new(), actor: None }
    }

    /// What it was done to: kind, id, and its name as it is now.
    pub fn on(mut self, kind: &'static str, id: impl ToString, name: impl Into<String>) -> Self {
        self.resource = Some((kind, id.to_string(), name.into()));
        self
    }

    pub fn change(mut self, old: Value, new: Value) -> Self {
        self.old = Some(old);
        self.new = Some(new);
        self
    }

    pub fn new_value(mut self, new: Value) -> Self {
        self.new = Some(new);
        self
    }

    pub fn old_value(mut self, old: Value) -> Self {
        self.old = Some(old);
        self
    }

    pub fn meta(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.meta.insert(key.to_owned(), value.into());
        self
    }

    /// The version that the thing has since: whoever comes with an earlier one is told of this.
    pub fn version(self, version: i64) -> Self {
        self.meta("version", version)
    }

    /// Why, in the words of whoever did it.
    pub fn stated(self, reason: Option<String>) -> Self {
        match reason {
            Some(reason) => self.meta("reason", reason),
            None => self,
        }
    }

    pub fn by(mut self, user: UserId, name: impl Into<String>) -> Self {
        self.actor = Some((user, name.into()));
        self
    }
}

/// How many changes whoever comes too late is told of.
const TOLD: i64 = 20;

/// What was changed of a thing since a version of it, newest first, by the rows that say which version they made; and how
/// many versions those are.
pub async fn since(
    connection: &mut PgConnection,
    tenant: TenantId,
    (kind, id): (&str, Uuid),
    version: i64,
) -> sqlx::Result<(Vec<Meanwhile>, usize)> {
    let rows = sqlx::query!(
        "select user_name, old_value, new_value, created_at, meta->'version' as made from audit_logs
         where tenant_id = $1 and resource_type = $2 and resource_id = $3 and outcome = 'done'
           and jsonb_typeof(meta->'version') = 'number' and meta->'version' > to_jsonb($4::bigint)
         order by created_at desc, id desc limit $5",
        tenant.0,
        kind,
        id.to_string(),
        version,
        TOLD,
    )
    .fetch_all(connection)
    .await?;
    // One act may have a row for each of its halves.
    let made = rows.iter().filter_map(|row| row.made.as_ref()?.as_i64()).collect::<BTreeSet<_>>().len();
    let changes = rows.into_iter().map(|row| Meanwhile {
        by: row.user_name,
        at: row.created_at.into(),
        fields: changed(row.old_value.as_ref(), row.new_value.as_ref()),
    });
    Ok((changes.collect(), made))
}

/// The latest changes, so many at most, of the roles and groups that somebody has their rights from: each has moved the
/// person's version on without a row about them. One that reaches very many moves nobody's, and may be told in the place of
/// one that did: it was made meanwhile as well. Those from before the version that was seen are left out as far as the log
/// tells when that was made.
pub async fn of_sources(
    connection: &mut PgConnection,
    tenant: TenantId,
    (person, seen): (UserId, i64),
    sources: &[(&'static str, Uuid)],
    most: usize,
) -> sqlx::Result<Vec<Meanwhile>> {
    let (kinds, ids) =
        sources.iter().map(|(kind, id)| ((*kind).to_owned(), id.to_string())).unzip::<_, _, Vec<_>, Vec<_>>();
    let rows = sqlx::query!(
        r#"select user_name, resource_type as "kind!", created_at from audit_logs
           where tenant_id = $1 and outcome = 'done' and jsonb_typeof(meta->'version') = 'number'
             and (resource_type, resource_id) in (select kind, id from unnest($2::text[], $3::text[]) s (kind, id))
             and created_at >= coalesce((
                 select max(created_at) from audit_logs
                 where tenant_id = $1 and resource_type = 'user' and resource_id = $4 and outcome = 'done'
                   and jsonb_typeof(meta->'version') = 'number' and meta->'version' <= to_jsonb($5::bigint)), '-infinity')
           order by created_at desc, id desc limit $6"#,
        tenant.0,
        &kinds,
        &ids,
        person.to_string(),
        seen,
        TOLD.min(i64::try_from(most).unwrap_or(TOLD)),
    )
    .fetch_all(connection)
    .await?;
    let changes = rows.into_iter().map(|row| Meanwhile {
        by: row.user_name,
        at: row.created_at.into(),
        fields: vec![if row.kind == "role" { "roles".to_owned() } else { "groups".to_owned() }],
    });
    Ok(changes.collect())
}

/// The names of the fields in which two values differ.
fn changed(old: Option<&Value>, new: Option<&Value>) -> Vec<String> {
    let (Some(old), Some(new)) = (old.and_then(Value::as_object), new.and_then(Value::as_object)) else {
        return Vec::new();
    };
    let names = old.keys().chain(new.keys()).collect::<BTreeSet<_>>();
    names.into_iter().filter(|name| old.get(*name) != new.get(*name)).cloned().collect()
}

/// For what the codes of rows are derived from the master key.
pub const MAC_PURPOSE: &str = "audit row";

/// The parts of a row that may name somebody, in the order in which they stand in the canonical text.
pub const VEILED: &[&str] = &[
    "user_id",
    "user_name",
    "impersonator_id",
    "impersonator_name",
    "resource_id",
    "resource_name",
    "old_value",
    "new_value",
    "meta",
    "ip",
    "user_agent",
];

/// The parts of a row that name nobody. Absent values are empty texts.
#[derive(Clone, Debug, Default)]
pub struct Plain {
    pub id: String,
    pub tenant: String,
    pub action: String,
    pub outcome: String,
    pub resource_type: String,
    pub request_id: String,
    pub created_at: String,
}

/// Canonical text, version 2: one `name=value` a line. In clear: what names nobody. As
/// `base64(SHA-256(salt ‖ name ‖ 0 ‖ value))`: what may name somebody, each with a salt of its own. Values are JSON with
/// sorted keys; an absent value is the empty text.
pub fn canonical(plain: &Plain, digests: impl Iterator<Item = (&'static str, String)>) -> String {
    let Plain { id, tenant, action, outcome, resource_type, request_id, created_at } = plain;
    let mut text = format!(
        "bawwab.audit.v2\nid={id}\ntenant={tenant}\naction={action}\noutcome={outcome}\n\
         resource_type={resource_type}\nrequest_id={request_id}\ncreated_at={created_at}\n",
    );
    for (name, digest) in digests {
        text.push_str(&format!("{name}={digest}\n"));
    }
    text
}

/// The digest of one part.
pub fn veil(salt: &[u8], name: &str, value: &str) -> String {
    let text = [salt, name.as_bytes(), &[0], value.as_bytes()].concat();
    STANDARD_NO_PAD.encode(crypto::sha256(&text))
}

/// A moment as it stands in the canonical text.
pub fn written(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Writes an event, with its canonical text, its salts and the code that only this program can make.
pub async fn insert(
    connection: &mut PgConnection,
    keys: &Keys,
    tenant: Option<TenantId>,
    origin: &Origin,
    event: &Event,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let id = Uuid::now_v7();
    let (user_id, user_name) = match (&event.actor, &origin.actor) {
        (Some((id, name)), _) | (None, Some((id, name))) => (Some(id.0), Some(name.clone())),
        (None, None) => (None, None),
    };
    let (impersonator_id, impersonator_name) =
        origin.impersonator.as_ref().map(|(id, name)| (id.0, name.clone())).unzip();
    let (kind, resource_id, resource_name) = match &event.resource {
        Some((kind, id, name)) => (Some(*kind), Some(id.clone()), Some(name.clone())),
        None => (None, None, None),
    };
    let mut meta = event.meta.clone();
    if let Some((id, name)) = &origin.api_key {
        meta.insert("api_key".to_owned(), json!({"id": id, "name": name}));
    }
    let meta = Value::Object(meta);
    let json = |value: &Option<Value>| value.as_ref().map(ToString::to_string);
    let ip = origin.ip.map(|ip| ip.to_string());

    let text = |value: Option<Uuid>| value.map(|id| id.to_string()).unwrap_or_default();
    let plain = Plain {
        id: id.to_string(),
        tenant: text(tenant.map(|tenant| tenant.0)),
        action: event.action.as_str().to_owned(),
        outcome: event.outcome.as_str().to_owned(),
        resource_type: kind.unwrap_or_default().to_owned(),
        request_id: text(origin.request_id),
        created_at: written(now),
    };
    let values = [
        user_id.map(|id| id.to_string()),
        user_name.clone(),
        impersonator_id.map(|id| id.to_string()),
        impersonator_name.clone(),
        resource_id.clone(),
        resource_name.clone(),
        json(&event.old),
        json(&event.new),
        Some(meta.to_string()),
        ip.clone(),
        origin.user_agent.clone(),
    ];
    let mut salts = Map::new();
    let digests = VEILED.iter().zip(values).map(|(name, value)| {
        let salt = crypto::random::<16>();
        salts.insert((*name).to_owned(), STANDARD_NO_PAD.encode(salt).into());
        (*name, veil(&salt, name, &value.unwrap_or_default()))
    });
    let canonical = canonical(&plain, digests);
    let mac = keys.code(MAC_PURPOSE, canonical.as_bytes());
    let search = [
        Some(event.action.as_str().to_owned()),
        user_name.clone(),
        impersonator_name.clone(),
        resource_name.clone(),
        json(&event.old),
        json(&event.new),
        Some(meta.to_string()),
        ip.clone(),
    ];
    let search = fold(&search.into_iter().flatten().collect::<Vec<_>>().join(" "));

    sqlx::query!(
        "insert into audit_logs
             (id, tenant_id, user_id, user_name, impersonator_id, impersonator_name, action, outcome, resource_type,
              resource_id, resource_name, old_value, new_value, meta, ip, user_agent, request_id, created_at, canonical,
              salts, search, mac)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::text::inet, $16, $17, $18, $19, $20,
                 $21, $22)",
        id,
        tenant.map(|tenant| tenant.0),
        user_id,
        user_name,
        impersonator_id,
        impersonator_name,
        event.action.as_str(),
        event.outcome.as_str(),
        kind,
        resource_id,
        resource_name,
        event.old,
        event.new,
        meta,
        ip,
        origin.user_agent,
        origin.request_id,
        now,
        canonical,
        Value::Object(salts),
        search,
        mac,
    )
    .execute(connection)
    .await?;
    Ok(())
}
