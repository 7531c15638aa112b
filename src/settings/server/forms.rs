//! The form of the branding, which works without scripts: a file is sent as browsers send files.

use axum::{
    body::Bytes,
    extract::multipart::{Multipart, MultipartError, MultipartRejection},
    response::Response,
};

use crate::{
    base::errors::{AppError, FieldCode},
    sessions::{
        FormOutcome,
        server::forms::{FormPage, elsewhere, see_other},
    },
    settings::server::branding::{self, Logo, Rebranding},
    tenants::accent::OURS,
};

/// The page of the settings.
pub const PATH: &str = "/console/settings";

/// What the form has sent. What it has not sent stays as it is.
#[derive(Default)]
struct Sent {
    act: String,
    name: Option<String>,
    accent: Option<String>,
    version: Option<i64>,
    logo: Option<Bytes>,
}

impl Sent {
    async fn read(mut form: Multipart) -> Result<Self, MultipartError> {
        let mut sent = Sent::default();
        while let Some(field) = form.next_field().await? {
            let name = field.name().unwrap_or_default().to_owned();
            match name.as_str() {
                "act" => sent.act = field.text().await?,
                "name" => sent.name = Some(field.text().await?),
                "accent" => sent.accent = Some(field.text().await?),
                "version" => sent.version = Some(version_of(&field.text().await?)),
                // No file was chosen: browsers send an empty one.
                "logo" => sent.logo = Some(field.bytes().await?).filter(|file| !file.is_empty()),
                _ => {}
            }
        }
        Ok(sent)
    }

    /// Each button of the form is about its own part; the rest of what was typed is not taken then.
    fn wanted(self) -> Rebranding {
        let version = self.version;
        match self.act.as_str() {
            "remove_logo" => Rebranding { logo: Logo::Goes, version, ..Rebranding::default() },
            "own_accent" => Rebranding { accent: Some(String::new()), version, ..Rebranding::default() },
            _ => Rebranding {
                name: self.name,
                // The picker has no empty value: what it begins with is the product's own.
                accent: self.accent.map(|accent| if accent == OURS.to_string() { String::new() } else { accent }),
                logo: self.logo.map_or(Logo::Stays, Logo::Becomes),
                version,
            },
        }
    }
}

/// The version that the form says it was filled from. What is no version is none there ever was, and so a conflict.
fn version_of(text: &str) -> i64 {
    text.parse().ok().filter(|version| *version >= 0).unwrap_or(-1)
}

/// `POST /console/settings`
pub async fn branding(page: FormPage, form: Result<Multipart, MultipartRejection>) -> Response {
    let sent = match form {
        Ok(form) => Sent::read(form).await.map_err(|_cut_or_broken| AppError::field("body", FieldCode::Malformed)),
        Err(_no_such_form) => Err(AppError::field("body", FieldCode::Malformed)),
    };
    let typed = match &sent {
        Ok(sent) => FormOutcome {
            name: sent.name.clone().unwrap_or_default(),
            colour: sent.accent.clone().unwrap_or_default(),
            ..FormOutcome::default()
        },
        Err(_nothing_is_known) => FormOutcome::default(),
    };
    match branding::change(&page.cx, || sent.map(Sent::wanted)).await {
        Ok(_settings) => see_other("/console/settings?branded=1#branding"),
        Err(error) => match elsewhere(&error, PATH) {
            Some(response) => response,
            None => page.again(PATH, error, typed).await,
        },
    }
}
