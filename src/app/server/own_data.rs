//! All that is kept about somebody, given to themselves as one JSON document or as an archive of its parts; and the forms of
//! the account page, which work without scripts.

use std::io::{Cursor, Write as _};

use axum::{
    Extension, Form, Json,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    access::server::{
        Cx,
        record::{Action, Event},
    },
    accounts, api_keys, approvals, audit,
    base::{errors::AppError, server::http::Asked, time::Timestamp},
    consents, groups, passkeys, roles, second_factor,
    sessions::{
        FormOutcome,
        server::{
            devices,
            forms::{FormPage, elsewhere, see_other},
            own,
            throttle::{self, Subject},
        },
    },
};

/// The latest rows of the log that go along; whoever needs more asks for it page by page.
const MOST_ROWS: u32 = 5_000;
/// The page of one's own account.
pub const PATH: &str = "/console/account";
/// Where its forms stand.
const HERE: &str = "/console/account?tab=data";

/// Everything that is kept about the caller, part by part, without secrets: nobody can be given what only proves who they
/// are. It wants a fresh proof, is counted, and stands in the log before the first part is read.
pub async fn export(cx: &Cx) -> Result<Value, AppError> {
    // Also for whoever does not want to give what is required, and leaves.
    let cx = &cx.before_consents();
    let person = cx.in_person()?.clone();
    cx.fresh()?;
    throttle::count(cx, &[Subject::Exports(person.user)]).await?;
    let tx = cx.own().await?;
    tx.commit(Event::done(Action::DataExport).on("user", person.user, &person.name)).await?;
    let rights = roles::server::own_rights(cx).await?;
    Ok(json!({
        "format": "bawwab.account.v1",
        "exported_at": Timestamp::from(cx.now()),
        "account": accounts::server::own::entry(cx).await?,
        "deletion": accounts::server::leaving::state(cx).await?.pending,
        "roles": rights.roles,
        "overrides": rights.overrides,
        "groups": groups::server::own(cx).await?,
        "second_factor": second_factor::server::status(cx).await?,
        "passkeys": passkeys::server::own(cx).await?.passkeys,
        "sessions": devices::own_sessions(cx).await?,
        "devices": devices::own_devices(cx).await?,
        "places": devices::own_places(cx).await?,
        "email_changes": own::email_changes(cx).await?,
        "consents": consents::server::own::list(cx).await?,
        "api_keys": api_keys::server::own(cx).await?,
        "approvals": approvals::server::own(cx).await?,
        "activity": audit::server::own::latest(cx, MOST_ROWS).await?,
    }))
}

/// What the copy comes as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// One document.
    #[default]
    Json,
    /// The same, a file for each part.
    Zip,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Zip => "zip",
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ExportQuery {
    format: Format,
}

/// The parts of the document as files of an archive; what is no part of its own stands in one about the copy.
fn archive(data: Value) -> anyhow::Result<Vec<u8>> {
    let Value::Object(all) = data else { anyhow::bail!("the document is no object") };
    let (about, mut parts) = all.into_iter().partition::<serde_json::Map<_, _>, _>(|(_, part)| part.is_string());
    parts.insert("about".to_owned(), Value::Object(about));
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, part) in &parts {
        archive.start_file(format!("{name}.json"), options)?;
        archive.write_all(&serde_json::to_vec_pretty(part)?)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// The copy as a file.
async fn download(cx: &Cx, format: Format) -> Result<Response, AppError> {
    let data = export(cx).await?;
    let name = format!("attachment; filename=\"account-{}.{}\"", cx.now().format("%Y-%m-%d"), format.ending());
    let name = [(header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).map_err(anyhow::Error::from)?)];
    Ok(match format {
        Format::Json => (name, Json(data)).into_response(),
        Format::Zip => (name, [(header::CONTENT_TYPE, "application/zip")], archive(data)?).into_response(),
    })
}

pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(export_own))
}

/// All that is kept about you; needs a fresh proof
#[utoipa::path(get, path = "/auth/export", tag = "auth", params(("format" = inline(Option<Format>), Query, description = "`json`, or `zip` with a file for each part")), responses((status = 200, body = Object)))]
async fn export_own(cx: Extension<Cx>, Asked(query): Asked<ExportQuery>) -> Result<Response, AppError> {
    cx.in_person()?;
    download(&cx, query.read()?.format).await
}

/// What a form of the account page asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Export,
    ExportZip,
    KeepAccount,
}

#[derive(Deserialize)]
pub struct AccountForm {
    act: Act,
}

/// `POST /console/account`
pub async fn account(page: FormPage, Form(form): Form<AccountForm>) -> Response {
    // Whoever owes a consent has this form on the page of the texts.
    let here = if page.cx.owes_consent() { consents::PAGE } else { HERE };
    let done = match form.act {
        Act::Export => download(&page.cx, Format::Json).await,
        Act::ExportZip => download(&page.cx, Format::Zip).await,
        Act::KeepAccount => match accounts::server::leaving::cancel(&page.cx).await {
            // Pressed twice, or called off elsewhere: nothing waits any more, as was wished.
            Ok(()) | Err(AppError::NotFound) => Ok(see_other(&format!("{HERE}&kept=1"))),
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(response) => response,
        Err(error) => match elsewhere(&error, here) {
            Some(response) => response,
            None => page.again(here, error, FormOutcome::default()).await,
        },
    }
}
