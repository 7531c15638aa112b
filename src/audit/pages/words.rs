//! The words of the audit log: actions, fields and values as people say them.

use crate::{
    audit::AuditEntry,
    base::language::{self, td_string},
    ui::{locale, pieces},
};

/// What happened, for `pieces::sentence`. An action without words of its own is named by its key.
pub fn sentence(entry: &AuditEntry) -> String {
    let locale = locale();
    let name = entry.resource_name.clone().or_else(|| entry.resource_id.clone()).unwrap_or_default();
    let thing = if entry.resource_type.as_deref() == Some("permission") {
        pieces::isolate_key(&name)
    } else {
        language::isolate(&name)
    };
    match entry.action.as_str() {
        "access.denied" => td_string!(locale, audit.said_access_denied, thing = thing).to_string(),
        "admin.user_create" => td_string!(locale, audit.said_user_create, thing = thing).to_string(),
        "admin.user_update" => td_string!(locale, audit.said_user_update, thing = thing).to_string(),
        "admin.user_status" => td_string!(locale, audit.said_user_status, thing = thing).to_string(),
        "admin.user_delete" => td_string!(locale, audit.said_user_delete, thing = thing).to_string(),
        "admin.user_link" => td_string!(locale, audit.said_user_link, thing = thing).to_string(),
        "admin.factor_reset" => td_string!(locale, audit.said_factor_reset, thing = thing).to_string(),
        "auth.passkey_add" => td_string!(locale, audit.said_passkey_add, thing = thing).to_string(),
        "auth.passkey_rename" => td_string!(locale, audit.said_passkey_rename, thing = thing).to_string(),
        "auth.passkey_remove" => td_string!(locale, audit.said_passkey_remove, thing = thing).to_string(),
        "auth.session_end" if entry.resource_type.as_deref() == Some("user") => {
            td_string!(locale, audit.said_session_end, thing = thing).to_string()
        }
        "admin.user_link_revoke" => td_string!(locale, audit.said_link_revoke, thing = thing).to_string(),
        "admin.assign_roles" => td_string!(locale, audit.said_assign_roles, thing = thing).to_string(),
        "admin.grant_permission" => td_string!(locale, audit.said_grant_permission, thing = thing).to_string(),
        "admin.role_create" => td_string!(locale, audit.said_role_create, thing = thing).to_string(),
        "admin.role_update" => td_string!(locale, audit.said_role_update, thing = thing).to_string(),
        "admin.role_delete" => td_string!(locale, audit.said_role_delete, thing = thing).to_string(),
        other => match action_word(other) {
            Some(word) => word.to_owned(),
            None => pieces::isolate_key(other),
        },
    }
}

/// The actions that the program records, in the order of the filter.
pub const ACTIONS: &[&str] = &[
    "auth.login",
    "auth.logout",
    "auth.login_failed",
    "auth.lockout",
    "auth.code_sent",
    "auth.device_challenge",
    "auth.refresh",
    "auth.refresh_reuse",
    "auth.setup",
    "auth.welcome",
    "auth.register",
    "auth.confirm",
    "auth.reset_request",
    "auth.reset",
    "auth.magic_link_request",
    "admin.settings_update",
    "admin.mail_test",
    "admin.mail_retry",
    "auth.factor_begin",
    "auth.factor_on",
    "auth.factor_off",
    "auth.backup_codes",
    "auth.reauthenticate",
    "auth.email_request",
    "auth.email_change",
    "auth.email_cancel",
    "auth.password_change",
    "admin.factor_reset",
    "auth.passkey_add",
    "auth.passkey_rename",
    "auth.passkey_remove",
    "auth.passkey_copy_suspected",
    "auth.session_end",
    "access.denied",
    "admin.user_create",
    "admin.user_update",
    "admin.user_status",
    "admin.user_delete",
    "admin.user_link",
    "admin.user_link_revoke",
    "admin.assign_roles",
    "admin.grant_permission",
    "admin.role_create",
    "admin.role_update",
    "admin.role_delete",
    "audit.retention",
    "audit.export",
    "audit.verify",
    "audit.retention_update",
    "admin.api_key_create",
    "admin.api_key_update",
    "admin.api_key_rotate",
    "admin.api_key_delete",
    "auth.api_key_refused",
    "approval.request",
    "approval.approve",
    "approval.reject",
    "approval.withdraw",
    "approval.apply",
    "approval.rules",
    "impersonation.begin",
    "impersonation.end",
];

/// The name of an action.
pub fn action_word(action: &str) -> Option<&'static str> {
    let locale = locale();
    Some(match action {
        "auth.login" => td_string!(locale, audit.action_login),
        "auth.logout" => td_string!(locale, audit.action_logout),
        "auth.login_failed" => td_string!(locale, audit.action_login_failed),
        "auth.lockout" => td_string!(locale, audit.action_lockout),
        "auth.code_sent" => td_string!(locale, audit.action_code_sent),
        "auth.device_challenge" => td_string!(locale, audit.action_device_challenge),
        "auth.refresh" => td_string!(locale, audit.action_refresh),
        "auth.refresh_reuse" => td_string!(locale, audit.action_refresh_reuse),
        "auth.setup" => td_string!(locale, audit.action_setup),
        "auth.welcome" => td_string!(locale, audit.action_welcome),
        "auth.register" => td_string!(locale, audit.action_register),
        "auth.confirm" => td_string!(locale, audit.action_confirm),
        "auth.reset_request" => td_string!(locale, audit.action_reset_request),
        "auth.reset" => td_string!(locale, audit.action_reset),
        "auth.magic_link_request" => td_string!(locale, audit.action_magic_link_request),
        "admin.settings_update" => td_string!(locale, audit.action_settings_update),
        "admin.mail_test" => td_string!(locale, audit.action_mail_test),
        "admin.mail_retry" => td_string!(locale, audit.action_mail_retry),
        "auth.factor_begin" => td_string!(locale, audit.action_factor_begin),
        "auth.factor_on" => td_string!(locale, audit.action_factor_on),
        "auth.factor_off" => td_string!(locale, audit.action_factor_off),
        "auth.backup_codes" => td_string!(locale, audit.action_backup_codes),
        "auth.reauthenticate" => td_string!(locale, audit.action_reauthenticate),
        "admin.factor_reset" => td_string!(locale, audit.action_factor_reset),
        "auth.email_request" => td_string!(locale, audit.action_email_request),
        "auth.email_change" => td_string!(locale, audit.action_email_change),
        "auth.email_cancel" => td_string!(locale, audit.action_email_cancel),
        "auth.password_change" => td_string!(locale, audit.action_password_change),
        "auth.passkey_add" => td_string!(locale, audit.action_passkey_add),
        "auth.passkey_rename" => td_string!(locale, audit.action_passkey_rename),
        "auth.passkey_remove" => td_string!(locale, audit.action_passkey_remove),
        "auth.passkey_copy_suspected" => td_string!(locale, audit.action_passkey_copy),
        "auth.session_end" => td_string!(locale, audit.action_session_end),
        "access.denied" => td_string!(locale, audit.action_access_denied),
        "admin.user_create" => td_string!(locale, audit.action_user_create),
        "admin.user_update" => td_string!(locale, audit.action_user_update),
        "admin.user_status" => td_string!(locale, audit.action_user_status),
        "admin.user_delete" => td_string!(locale, audit.action_user_delete),
        "admin.user_link" => td_string!(locale, audit.action_user_link),
        "admin.user_link_revoke" => td_string!(locale, audit.action_link_revoke),
        "admin.assign_roles" => td_string!(locale, audit.action_assign_roles),
        "admin.grant_permission" => td_string!(locale, audit.action_grant_permission),
        "admin.role_create" => td_string!(locale, audit.action_role_create),
        "admin.role_update" => td_string!(locale, audit.action_role_update),
        "admin.role_delete" => td_string!(locale, audit.action_role_delete),
        "admin.api_key_create" => td_string!(locale, audit.action_api_key_create),
        "admin.api_key_update" => td_string!(locale, audit.action_api_key_update),
        "admin.api_key_rotate" => td_string!(locale, audit.action_api_key_rotate),
        "admin.api_key_delete" => td_string!(locale, audit.action_api_key_delete),
        "auth.api_key_refused" => td_string!(locale, audit.action_api_key_refused),
        "approval.request" => td_string!(locale, audit.action_approval_request),
        "approval.approve" => td_string!(locale, audit.action_approval_approve),
        "approval.reject" => td_string!(locale, audit.action_approval_reject),
        "approval.withdraw" => td_string!(locale, audit.action_approval_withdraw),
        "approval.apply" => td_string!(locale, audit.action_approval_apply),
        "approval.rules" => td_string!(locale, audit.action_approval_rules),
        "impersonation.begin" => td_string!(locale, audit.action_impersonation_begin),
        "impersonation.end" => td_string!(locale, audit.action_impersonation_end),
        "audit.retention" => td_string!(locale, audit.action_audit_retention),
        "audit.export" => td_string!(locale, audit.action_audit_export),
        "audit.verify" => td_string!(locale, audit.action_audit_verify),
        "audit.retention_update" => td_string!(locale, audit.action_retention_update),
        _ => return None,
    })
}

/// The name of a field in a comparison.
pub fn field_word(field: &str) -> Option<&'static str> {
    let locale = locale();
    Some(match field {
        "name" => td_string!(locale, audit.field_name),
        "email" => td_string!(locale, audit.field_email),
        "username" => td_string!(locale, audit.field_username),
        "external_id" => td_string!(locale, audit.field_external_id),
        "department" => td_string!(locale, audit.field_department),
        "region" => td_string!(locale, audit.field_region),
        "locale" => td_string!(locale, audit.field_locale),
        "status" => td_string!(locale, audit.field_status),
        "attributes" => td_string!(locale, audit.field_attributes),
        "roles" => td_string!(locale, audit.field_roles),
        "allow" => td_string!(locale, audit.field_allow),
        "deny" => td_string!(locale, audit.field_deny),
        "permissions" => td_string!(locale, audit.field_permissions),
        "description" => td_string!(locale, audit.field_description),
        "networks" => td_string!(locale, audit.field_networks),
        "active" => td_string!(locale, audit.field_active),
        "expires_at" => td_string!(locale, audit.field_expires_at),
        "prefix" => td_string!(locale, audit.field_prefix),
        "reason" => td_string!(locale, audit.field_reason),
        "kind" => td_string!(locale, audit.field_kind),
        "digest" => td_string!(locale, audit.field_digest),
        "required" => td_string!(locale, audit.field_required),
        "expires_hours" => td_string!(locale, audit.field_expires_hours),
        "keep_days" => td_string!(locale, audit.field_keep_days),
        "legal_hold" => td_string!(locale, audit.field_legal_hold),
        "hold_reason" => td_string!(locale, audit.field_hold_reason),
        _ => return None,
    })
}

/// A value that stands for something with a name.
pub fn value_word(field: &str, value: &str) -> Option<&'static str> {
    let locale = locale();
    Some(match (field, value) {
        ("status", "invited") => td_string!(locale, audit.status_invited),
        ("status", "active") => td_string!(locale, audit.status_active),
        ("status", "suspended") => td_string!(locale, audit.status_suspended),
        ("status", "deleted") => td_string!(locale, audit.status_deleted),
        ("locale", "ar") => td_string!(locale, audit.locale_ar),
        ("locale", "en") => td_string!(locale, audit.locale_en),
        _ => return None,
    })
}
