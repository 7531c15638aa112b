//! `Idempotency-Key`: one key, one effect, one answer, for a day.
//!
//! The key's row is inserted by the transaction that does the work. The first answer is sealed and kept beside it, since
//! it may carry a one-time link.

use anyhow::Context as _;
use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tracing::warn;

#[cfg(debug_assertions)]
use crate::access::server::fail_point::Point;
use crate::{
    access::server::{Caller, Cx, IDEMPOTENCY_LASTS, IdempotencyKey, PersonCaller, Quiet},
    base::{
        errors::{AppError, Conflict, FieldCode},
        server::{crypto, http::BODY_LIMIT},
    },
};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// Gives an unsafe REST request that carries a key its first answer again.
pub async fn once(Extension(cx): Extension<Cx>, request: Request, next: Next) -> Response {
    match try_once(&cx, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn try_once(cx: &Cx, mut request: Request, next: Next) -> Result<Response, AppError> {
    let key = request.headers().get(&HEADER).cloned();
    let is_unsafe = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let (Some(key), true, Caller::Person(person)) = (key, is_unsafe, cx.caller()) else {
        return Ok(next.run(request).await);
    };
    let key = key.to_str().ok().map(str::trim).filter(|key| (1..=200).contains(&key.len()));
    let key = key.ok_or(AppError::field("idempotency-key", FieldCode::Malformed))?.to_owned();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_too_long| AppError::field("body", FieldCode::TooLong))?;
    let mut digested = format!("{} {} {}\n", person.works_in(), parts.method, parts.uri).into_bytes();
    digested.extend_from_slice(&body);
    let key = IdempotencyKey { key, digest: crypto::sha256(&digested) };
    if let Some(answer) = first_answer(cx, person, &key).await? {
        return Ok(answer);
    }
    request = Request::from_parts(parts, Body::from(body));
    request.extensions_mut().insert(cx.with_idempotency(key.clone()));
    let response = next.run(request).await;
    if response.extensions().get::<AppError>() == Some(&AppError::Conflict(Conflict::IdempotencyDone)) {
        // Another request with this key has just been quicker.
        return first_answer(cx, person, &key).await?.ok_or(AppError::Conflict(Conflict::IdempotencyDone));
    }
    if !response.status().is_success() {
        // Nothing was done: the key is free for another try.
        return Ok(response);
    }
    keep(cx, person, &key, response).await
}

fn place(person: &PersonCaller, key: &str) -> String {
    format!("idempotency_keys:response:{}:{key}", person.user)
}

async fn first_answer(cx: &Cx, person: &PersonCaller, key: &IdempotencyKey) -> Result<Option<Response>, AppError> {
    let mut tx = cx.of_caller_enrolling().await?;
    let row = sqlx::query!(
        "select request_digest, status, response, etag from idempotency_keys
         where actor_id = $1 and key = $2 and created_at > $3",
        person.user.0,
        key.key,
        cx.now() - IDEMPOTENCY_LASTS,
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.request_digest != key.digest {
        return Err(AppError::Conflict(Conflict::IdempotencyMismatch));
    }
    // The row came with the act: it is done, whatever became of the answer.
    let (Some(status), Some(sealed)) = (row.status, row.response) else {
        return Err(AppError::Conflict(Conflict::IdempotencyDone));
    };
    let body = cx.keys().open(&place(person, &key.key), &sealed)?;
    let status = StatusCode::from_u16(status.unsigned_abs()).unwrap_or(StatusCode::OK);
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(etag) = row.etag {
        let etag = HeaderValue::from_str(&etag).context("read a kept version")?;
        response.headers_mut().insert(header::ETAG, etag);
    }
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    Ok(Some(response))
}

/// Keeps the answer beside its key. What it tells of is done: whoever asked hears of it, also where it cannot be kept.
async fn keep(cx: &Cx, person: &PersonCaller, key: &IdempotencyKey, response: Response) -> Result<Response, AppError> {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 4 * BODY_LIMIT).await.map_err(|error| anyhow::anyhow!("read an answer: {error}"))?;
    let sealed = cx.keys().seal(&place(person, &key.key), &body);
    let etag = parts.headers.get(header::ETAG).map(HeaderValue::to_str).transpose().context("read a version")?;
    let status = i16::try_from(parts.status.as_u16()).unwrap_or(200);
    if let Err(error) = put(cx, person, key, (status, sealed, etag)).await {
        warn!("the answer to a request with an Idempotency-Key is not kept: {error:?}");
    }
    #[cfg(debug_assertions)]
    cx.reach(Point::BeforeReply, "");
    Ok(Response::from_parts(parts, Body::from(body)))
}

async fn put(
    cx: &Cx,
    person: &PersonCaller,
    key: &IdempotencyKey,
    (status, sealed, etag): (i16, Vec<u8>, Option<&str>),
) -> Result<(), AppError> {
    let mut tx = cx.of_caller_enrolling().await?;
    sqlx::query!(
        "update idempotency_keys set status = $3, response = $4, etag = $5 where actor_id = $1 and key = $2",
        person.user.0,
        key.key,
        status,
        sealed,
        etag,
    )
    .execute(tx.conn())
    .await?;
    tx.commit_quietly(Quiet::Answer).await
}
