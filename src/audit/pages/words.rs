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
        "admin.permission_create" => td_string!(locale, audit.said_permission_create, thing = thing).to_string(),
        "admin.permission_update" => td_string!(locale, audit.said_permission_update, thing = thing).to_string(),
        "admin.permission_delete" => td_string!(locale, audit.said_permission_delete, thing = thing).to_string(),
        "admin.group_create" => td_string!(locale, audit.said_group_create, thing = thing).to_string(),
        "admin.group_update" => td_string!(locale, audit.said_group_update, thing = thing).to_string(),
        "admin.group_delete" => td_string!(locale, audit.said_group_delete, thing = thing).to_string(),
        "admin.group_member" => td_string!(locale, audit.said_group_member, thing = thing).to_string(),
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
    "admin.permission_create",
    "admin.permission_update",
    "admin.permission_delete",
    "admin.catalogue_import",
    "admin.group_create",
    "admin.group_update",
    "admin.group_delete",
    "admin.group_member",
];

/// The name of an action.
pub fn action_word(action: &str) -> Option<&'static str> {
    let locale = locale();
    Some(match action {
        "auth.login" => td_string!(locale, audit.action_login),
        "auth.logout" => td_string!(locale, audit.action_logout),
        "auth.login_failed" => td_string!(locale, audit.action_login_failed),
        "auth.lockout" => td_string!(locale, audit.action_lockout),
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
        "admin.permission_create" => td_string!(locale, audit.action_permission_create),
        "admin.permission_update" => td_string!(locale, audit.action_permission_update),
        "admin.permission_delete" => td_string!(locale, audit.action_permission_delete),
        "admin.catalogue_import" => td_string!(locale, audit.action_catalogue_import),
        "admin.group_create" => td_string!(locale, audit.action_group_create),
        "admin.group_update" => td_string!(locale, audit.action_group_update),
        "admin.group_delete" => td_string!(locale, audit.action_group_delete),
        "admin.group_member" => td_string!(locale, audit.action_group_member),
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
        "parents" => td_string!(locale, audit.field_parents),
        "groups" => td_string!(locale, audit.field_groups),
        "key" => td_string!(locale, audit.field_key),
        "name_ar" => td_string!(locale, audit.field_name_ar),
        "name_en" => td_string!(locale, audit.field_name_en),
        "description_ar" => td_string!(locale, audit.field_description_ar),
        "description_en" => td_string!(locale, audit.field_description_en),
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
