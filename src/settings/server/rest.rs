//! Settings and mail over REST.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, rejection::BytesRejection},
    response::Response,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr,
        schema::{KnownFormat, Schema, SchemaFormat, SchemaType, Type},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::server::Cx,
    base::{
        errors::{AppError, FieldCode},
        server::http::{Done, IfMatch, Sent, versioned},
    },
    settings::{
        MailState, Settings, SettingsEdit, Undelivered,
        server::{
            self,
            branding::{self, Logo, Rebranding},
            mail,
        },
    },
};

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(get_settings, edit_settings))
        .routes(routes!(put_logo, remove_logo))
        .routes(routes!(mail_state))
        .routes(routes!(undelivered))
        .routes(routes!(send_test))
        .routes(routes!(retry))
}

/// The tenant's settings: `settings.read`
#[utoipa::path(get, path = "/admin/settings", operation_id = "get", tag = "settings", responses((status = 200, body = Settings)))]
async fn get_settings(cx: Extension<Cx>) -> Result<Response, AppError> {
    server::get(&cx).await.map(|settings| versioned(settings.version, settings))
}

/// Replace groups of settings: `settings.update`
#[utoipa::path(patch, path = "/admin/settings", operation_id = "edit", tag = "settings", request_body = SettingsEdit, responses((status = 200, body = Settings)))]
async fn edit_settings(cx: Extension<Cx>, Sent(body): Sent<SettingsEdit>) -> Result<Response, AppError> {
    server::edit(&cx, body).await.map(|settings| versioned(settings.version, settings))
}

/// How the description of the API calls the bytes of a file: they are no list of numbers.
enum Picture {}

impl PartialSchema for Picture {
    fn schema() -> RefOr<Schema> {
        let format = Some(SchemaFormat::KnownFormat(KnownFormat::Binary));
        ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).format(format).into()
    }
}

impl ToSchema for Picture {}

/// Put the tenant's logo: `settings.update`
///
/// The body is the file: PNG, JPEG or WebP that does not move, at most 256,000 bytes and 1,024 by 1,024 dots. It is drawn
/// anew as PNG, at most 256 dots wide and high, with nothing else that the file held.
#[utoipa::path(put, path = "/admin/settings/logo", operation_id = "put_logo", tag = "settings", request_body(content((inline(Picture) = "image/png"), (inline(Picture) = "image/jpeg"), (inline(Picture) = "image/webp"))), responses((status = 200, body = Settings)))]
async fn put_logo(
    cx: Extension<Cx>,
    IfMatch(version): IfMatch,
    file: Result<Bytes, BytesRejection>,
) -> Result<Response, AppError> {
    let wanted = || match file {
        Ok(file) => Ok(Rebranding { logo: Logo::Becomes(file), version, ..Rebranding::default() }),
        Err(_too_long_or_cut) => Err(AppError::field("body", FieldCode::TooLong)),
    };
    branding::change(&cx, wanted).await.map(|settings| versioned(settings.version, settings))
}

/// Remove the tenant's logo: `settings.update`
#[utoipa::path(delete, path = "/admin/settings/logo", operation_id = "remove_logo", tag = "settings", responses((status = 200, body = Settings)))]
async fn remove_logo(cx: Extension<Cx>, IfMatch(version): IfMatch) -> Result<Response, AppError> {
    let wanted = || Ok(Rebranding { logo: Logo::Goes, version, ..Rebranding::default() });
    branding::change(&cx, wanted).await.map(|settings| versioned(settings.version, settings))
}

/// How letters leave, and which have not: `settings.read`
#[utoipa::path(get, path = "/admin/mail", operation_id = "mail_state", tag = "settings", responses((status = 200, body = MailState)))]
async fn mail_state(cx: Extension<Cx>) -> Result<Json<MailState>, AppError> {
    mail::state(&cx).await.map(Json)
}

/// Letters that could not be sent: `settings.read`
#[utoipa::path(get, path = "/admin/mail/undelivered", operation_id = "undelivered", tag = "settings", responses((status = 200, body = Vec<Undelivered>)))]
async fn undelivered(cx: Extension<Cx>) -> Result<Json<Vec<Undelivered>>, AppError> {
    mail::undelivered(&cx).await.map(Json)
}

/// Send a test letter to one's own address: `settings.update`
#[utoipa::path(post, path = "/admin/mail/test", operation_id = "send_test", tag = "settings", responses((status = 200, body = Done)))]
async fn send_test(cx: Extension<Cx>) -> Result<Json<Done>, AppError> {
    mail::send_test(&cx).await.map(|()| Json(Done::OK))
}

/// Try a letter again that could not be sent: `settings.update`
#[utoipa::path(post, path = "/admin/mail/undelivered/{letter}/retry", operation_id = "retry", tag = "settings", params(("letter" = i64, Path)), responses((status = 200, body = Done)))]
async fn retry(
    cx: Extension<Cx>,
    letter: Result<Path<i64>, axum::extract::rejection::PathRejection>,
) -> Result<Json<Done>, AppError> {
    // What is no number names nothing, and the permission is asked first.
    let id = letter.map_or(-1, |Path(id)| id);
    mail::retry(&cx, id).await.map(|()| Json(Done::OK))
}
