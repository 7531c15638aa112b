//! From what fails inside to what the caller is told. A cause is logged here, once, under the reference they see.

use tracing::{error, warn};
use uuid::Uuid;

use crate::base::errors::{AppError, FieldCode};

impl From<anyhow::Error> for AppError {
    /// Our own refusals pass through; everything else becomes `Internal` and is logged.
    fn from(cause: anyhow::Error) -> Self {
        let cause = match cause.downcast::<AppError>() {
            Ok(ours) => return ours,
            Err(cause) => cause,
        };
        match cause.downcast::<sqlx::Error>() {
            Ok(database) => AppError::from(database),
            Err(cause) => internal(&cause),
        }
    }
}

impl From<sqlx::Error> for AppError {
    fn from(cause: sqlx::Error) -> Self {
        if let sqlx::Error::Database(refused) = &cause {
            if let Some(error) = refused.constraint().and_then(of_constraint) {
                return error;
            }
            // Shutting down, out of connections, cancelled by timeout, in recovery: nothing was done, try again.
            if refused.code().is_some_and(|code| {
                code.starts_with("57") || code.starts_with("53") || code.starts_with("08") || code == "25006"
            }) {
                warn!(error = %refused, "the database refused");
                return AppError::Unavailable;
            }
            // Two writers met: whoever lost may try again on what the winner left.
            if refused.code().is_some_and(|code| code == "40001" || code == "40P01") {
                return AppError::Unavailable;
            }
        }
        if matches!(cause, sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::PoolClosed) {
            warn!(error = %cause, "the database cannot be reached");
            return AppError::Unavailable;
        }
        internal(&anyhow::Error::new(cause))
    }
}

/// The one place that turns a constraint's name into the field it guards.
fn of_constraint(name: &str) -> Option<AppError> {
    let (field, code) = match name {
        "users_email_key" => ("email", FieldCode::Taken),
        "users_username_key" => ("username", FieldCode::Taken),
        "users_username_lookalike_key" => ("username", FieldCode::Lookalike),
        "users_external_id_key" => ("external_id", FieldCode::Taken),
        "passkeys_credential_key" => ("attestation", FieldCode::Taken),
        "roles_name_key" | "roles_platform_name" => ("name", FieldCode::Taken),
        "groups_name_key" | "access_policies_name_key" => ("name", FieldCode::Taken),
        "tenants_name_key" => ("name", FieldCode::Taken),
        "tenants_name_lookalike_key" => ("name", FieldCode::Lookalike),
        "groups_name_lookalike_key" | "access_policies_name_lookalike_key" => ("name", FieldCode::Lookalike),
        "consent_texts_key_key" => ("key", FieldCode::Taken),
        "permissions_own_key_key" => ("key", FieldCode::Taken),
        "roles_name_lookalike_key" => ("name", FieldCode::Lookalike),
        _ => return None,
    };
    Some(AppError::field(field, code))
}

/// Logs the cause and gives back the reference under which it stands.
pub fn internal(cause: &anyhow::Error) -> AppError {
    let reference = Uuid::now_v7().simple().to_string();
    error!(reference = %reference, cause = ?cause, "failed: {cause:#}");
    AppError::Internal(reference)
}
