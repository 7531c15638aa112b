//! The branding as one change: name, accent and logo, whichever are given (D4).

use axum::body::Bytes;

use crate::{
    access::{SETTINGS_UPDATE, server::Cx},
    base::{
        errors::{AppError, FieldErrors},
        server::settings,
    },
    settings::{
        Settings,
        server::{finish, hold, judged, put},
    },
    tenants::{
        branding::Branding,
        server::{branding, logo},
    },
};

/// What becomes of the logo.
#[derive(Debug, Default)]
pub enum Logo {
    #[default]
    Stays,
    Goes,
    /// A file, unread.
    Becomes(Bytes),
}

/// A change of the branding: what is absent stays.
#[derive(Debug, Default)]
pub struct Rebranding {
    /// Empty: the product's.
    pub name: Option<String>,
    /// Empty: the product's.
    pub accent: Option<String>,
    pub logo: Logo,
    /// The version that was seen; another one meanwhile is a conflict.
    pub version: Option<i64>,
}

/// Changes the branding. `wanted` is looked at only once the caller is known to be allowed to.
pub async fn change(cx: &Cx, wanted: impl FnOnce() -> Result<Rebranding, AppError>) -> Result<Settings, AppError> {
    let mut tx = cx.allow(SETTINGS_UPDATE).await?;
    tx.decide(&Default::default())?;
    let Rebranding { name, accent, logo, version } = wanted()?;
    let mut errors = FieldErrors::default();
    // Drawn before the settings are held: others need not wait for it.
    let drawn = match &logo {
        Logo::Becomes(file) => errors.take("branding.logo", logo::read(file.clone()).await?),
        Logo::Stays | Logo::Goes => None,
    };
    hold(&mut tx, version).await?;
    let tenant = tx.tenant()?;
    let before = settings::get::<Branding>(tx.conn(), tenant).await?;
    let group = Branding { name: name.or(before.name), accent: accent.or(before.accent), logo: before.logo };
    let group = judged(&mut errors, Some(group.parse()))?;
    errors.check()?;
    let Some(mut group) = group else { return finish(tx, Vec::new()).await };
    match (logo, drawn) {
        (Logo::Becomes(_), Some(drawn)) => group.logo = Some(branding::put_logo(&mut tx, &drawn).await?),
        (Logo::Goes, _) => {
            branding::remove_logo(&mut tx).await?;
            group.logo = None;
        }
        (Logo::Becomes(_) | Logo::Stays, _) => {}
    }
    let mut events = Vec::new();
    put(&mut tx, &mut events, Some(group)).await?;
    finish(tx, events).await
}
