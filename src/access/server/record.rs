//! Audit rows as they are written: the published catalogue of actions, and the canonical text that a later chain covers.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    access::{Outcome, server::Origin},
    base::{
        ids::{TenantId, UserId},
        search::fold,
        server::crypto,
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
    FactorBegin = "auth.factor_begin";
    FactorOn = "auth.factor_on";
    FactorOff = "auth.factor_off";
    BackupCodes = "auth.backup_codes";
    Reauthenticate = "auth.reauthenticate";
    /// Somebody asked for another address of theirs.
    EmailRequest = "auth.email_request";
    EmailChange = "auth.email_change";
    /// The old mailbox has called a change off.
    EmailCancel = "auth.email_cancel";
    PasswordChange = "auth.password_change";
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
    UserLink = "admin.user_link";
    UserLinkRevoke = "admin.user_link_revoke";
    AssignRoles = "admin.assign_roles";
    GrantPermission = "admin.grant_permission";
    RoleCreate = "admin.role_create";
    RoleUpdate = "admin.role_update";
    RoleDelete = "admin.role_delete";
    PermissionCreate = "admin.permission_create";
    PermissionUpdate = "admin.permission_update";
    PermissionDelete = "admin.permission_delete";
    /// A catalogue was read in; the rows of what it changed carry the same id.
    CatalogueImport = "admin.catalogue_import";
    GroupCreate = "admin.group_create";
    GroupUpdate = "admin.group_update";
    GroupDelete = "admin.group_delete";
    /// Somebody came into a group, or left it.
    GroupMember = "admin.group_member";
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

    pub fn by(mut self, user: UserId, name: impl Into<String>) -> Self {
        self.actor = Some((user, name.into()));
        self
    }
}

/// Writes an event, with its canonical text and its salts.
///
/// Canonical text, version 1: one `name=value` a line. In clear: what names nobody. As
/// `base64(SHA-256(salt ‖ name ‖ 0 ‖ value))`: what may name somebody, each with a salt of its own. Values are JSON with
/// sorted keys; an absent value is the empty text.
pub async fn insert(
    connection: &mut PgConnection,
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
    let (kind, resource_id, resource_name) = match &event.resource {
        Some((kind, id, name)) => (Some(*kind), Some(id.clone()), Some(name.clone())),
        None => (None, None, None),
    };
    let meta = Value::Object(event.meta.clone());
    let json = |value: &Option<Value>| value.as_ref().map(ToString::to_string);
    let ip = origin.ip.map(|ip| ip.to_string());

    let mut canonical = format!(
        "bawwab.audit.v1\nid={id}\ntenant={}\naction={}\noutcome={}\nresource_type={}\ncreated_at={}\n",
        tenant.map(|tenant| tenant.to_string()).unwrap_or_default(),
        event.action.as_str(),
        event.outcome.as_str(),
        kind.unwrap_or_default(),
        now.to_rfc3339_opts(SecondsFormat::Micros, true),
    );
    let mut salts = Map::new();
    for (name, value) in [
        ("user_id", user_id.map(|id| id.to_string())),
        ("user_name", user_name.clone()),
        ("resource_id", resource_id.clone()),
        ("resource_name", resource_name.clone()),
        ("old_value", json(&event.old)),
        ("new_value", json(&event.new)),
        ("meta", Some(meta.to_string())),
        ("ip", ip.clone()),
        ("user_agent", origin.user_agent.clone()),
    ] {
        let salt = crypto::random::<16>();
        let mut text = salt.to_vec();
        text.extend(name.as_bytes());
        text.push(0);
        text.extend(value.unwrap_or_default().as_bytes());
        canonical.push_str(&format!("{name}={}\n", STANDARD_NO_PAD.encode(crypto::sha256(&text))));
        salts.insert(name.to_owned(), STANDARD_NO_PAD.encode(salt).into());
    }
    let search = [
        Some(event.action.as_str().to_owned()),
        user_name.clone(),
        resource_name.clone(),
        json(&event.old),
        json(&event.new),
        Some(meta.to_string()),
        ip.clone(),
    ];
    let search = fold(&search.into_iter().flatten().collect::<Vec<_>>().join(" "));

    sqlx::query!(
        "insert into audit_logs
             (id, tenant_id, user_id, user_name, action, outcome, resource_type, resource_id, resource_name, old_value,
              new_value, meta, ip, user_agent, request_id, created_at, canonical, salts, search)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::text::inet, $14, $15, $16, $17, $18, $19)",
        id,
        tenant.map(|tenant| tenant.0),
        user_id,
        user_name,
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
    )
    .execute(connection)
    .await?;
    Ok(())
}
