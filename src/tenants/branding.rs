//! What a tenant looks like: a name, an accent and a logo of its own in place of the product's (D4).

use serde::{Deserialize, Serialize};

use crate::base::{errors::FieldCode, text::optional_line};

use super::accent::Colour;

/// The group of settings. What is absent is the product's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Branding {
    /// What stands beside the logo and in the titles of pages. At most 40 characters.
    pub name: Option<String>,
    /// `#rrggbb`. Each theme uses the nearest tone of it that can be read.
    pub accent: Option<String>,
    /// The digest of the logo. It is put and removed at `/admin/settings/logo`; here it stays as it is.
    pub logo: Option<String>,
}

impl Branding {
    /// The longest name: it stands in the menu.
    pub const NAME: usize = 40;
    /// The largest file of a logo, in bytes. A form with it fits into what any request may bring.
    pub const LOGO_BYTES: u32 = 256_000;
    /// The widest and highest logo that is read, in pixels.
    pub const LOGO_SIDE: u32 = 1_024;

    /// The name as it is kept, or what is wrong with it.
    pub fn parse_name(name: Option<&str>) -> Result<Option<String>, FieldCode> {
        optional_line(name, Self::NAME)
    }

    /// The accent as it is kept, or what is wrong with it.
    pub fn parse_accent(accent: Option<&str>) -> Result<Option<String>, FieldCode> {
        match accent.map(str::trim) {
            None | Some("") => Ok(None),
            Some(accent) => match Colour::parse(accent) {
                Some(colour) => Ok(Some(colour.to_string())),
                None => Err(FieldCode::Malformed),
            },
        }
    }

    /// The accent as a colour.
    pub fn colour(&self) -> Option<Colour> {
        Colour::parse(self.accent.as_deref()?)
    }
}
