//! How REST handlers take what was sent and give back what went wrong.

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::base::{
    errors::{AppError, Conflict, FieldCode, Stale},
    ids::{
        ApiKeyId, ApprovalId, ConsentId, DeviceId, GroupId, PasskeyId, PolicyId, RoleId, SessionId, TenantId, UserId,
    },
    server::input::{Input, What},
};

/// The longest body of a request of ours.
pub const BODY_LIMIT: usize = 256 * 1024;

/// A JSON body, unread.
pub struct Sent<T>(pub Input<T>);

impl<S: Send + Sync, T> FromRequest<S> for Sent<T> {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        let seen = seen_version(&parts.headers);
        let what = match (to_bytes(body, BODY_LIMIT).await, &seen) {
            (_, Err(error)) => What::Refused(error.clone()),
            (Err(_too_long_or_cut), _) => What::Refused(AppError::field("body", FieldCode::TooLong)),
            (Ok(bytes), _) if bytes.is_empty() || is_json(&parts.headers) => What::Json(bytes),
            (Ok(_), _) => What::Refused(AppError::field("content-type", FieldCode::Unknown)),
        };
        Ok(Sent(Input { what, seen: seen.unwrap_or_default() }))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// The query of the address, unread.
pub struct Asked<T>(pub Input<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default().to_owned();
        Ok(Asked(Input { what: What::Query(query), seen: None }))
    }
}

/// An id in the path. What is no id names nothing: the nil id, which no row has, so that the permission is asked first.
pub struct Id<T>(pub T);

/// Ids that can stand in a path.
pub trait PathId: From<Uuid> {}
macro_rules! path_id {
    ($($id:ident),*) => {$(
        impl From<Uuid> for $id {
            fn from(id: Uuid) -> Self {
                $id(id)
            }
        }
        impl PathId for $id {}
    )*};
}
path_id!(ApiKeyId, ApprovalId, ConsentId, UserId, RoleId, GroupId, PolicyId, SessionId, DeviceId, PasskeyId, TenantId);

impl<S: Send + Sync, T: PathId> FromRequestParts<S> for Id<T> {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let id = Path::<Uuid>::from_request_parts(parts, state).await;
        Ok(Id(T::from(id.map_or_else(|_not_an_id| Uuid::nil(), |Path(id)| id))))
    }
}

/// Two ids in the path, one below the other.
pub struct Ids<A, B>(pub A, pub B);

impl<S: Send + Sync, A: PathId, B: PathId> FromRequestParts<S> for Ids<A, B> {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let ids = Path::<(Uuid, Uuid)>::from_request_parts(parts, state).await;
        let (a, b) = ids.map_or_else(|_no_ids| (Uuid::nil(), Uuid::nil()), |Path(ids)| ids);
        Ok(Ids(A::from(a), B::from(b)))
    }
}

/// The version a caller has seen, from `If-Match` (RFC 9110 §13.1.1). `*` matches whatever there is.
pub struct IfMatch(pub Option<i64>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        seen_version(&parts.headers).map(IfMatch)
    }
}

fn seen_version(headers: &HeaderMap) -> Result<Option<i64>, AppError> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.trim_start_matches("W/").trim_matches('"').parse();
    version.map(Some).map_err(|_not_a_version| AppError::field("if-match", FieldCode::Malformed))
}

/// An answer with its version as `ETag`.
pub fn versioned<T: Serialize>(version: i64, body: T) -> Response {
    ([(header::ETAG, etag(version))], Json(body)).into_response()
}

fn etag(version: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).expect("a number between quotes is ASCII")
}

/// `{"ok": true}`: done, nothing to tell.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Done {
    pub ok: bool,
}

impl Done {
    pub const OK: Done = Done { ok: true };
}

/// The token by which a refused sign-in goes on: it stands in the problem document and nowhere else.
#[derive(Clone)]
pub struct NextStep(pub String);

impl IntoResponse for AppError {
    /// Carries the error to the layer that knows the caller's language.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).expect("every status of ours is one of HTTP's");
        let mut response = (status, Body::empty()).into_response();
        if let AppError::TooMany { retry_after } | AppError::Puzzle { retry_after, .. } = &self {
            response.headers_mut().insert(header::RETRY_AFTER, (*retry_after).into());
        }
        if matches!(self, AppError::Unavailable) {
            response.headers_mut().insert(header::RETRY_AFTER, 1.into());
        }
        if let AppError::Conflict(Conflict::Stale(Stale { current: Some(current), .. })) = &self {
            response.headers_mut().insert(header::ETAG, etag(*current));
        }
        response.extensions_mut().insert(self);
        response
    }
}
