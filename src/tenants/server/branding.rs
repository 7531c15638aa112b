//! The branding of tenants: what is kept of it, what a page bears, and the files that everybody may fetch.

use serde_json::Value;

use crate::{
    access::server::{Cx, Tx},
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        ids::TenantId,
        server::{
            crypto,
            settings::{self, Setting},
        },
    },
    tenants::{
        accent::{Colour, DARK, LIGHT},
        branding::Branding,
    },
    ui::brand::Brand,
};

impl Setting for Branding {
    const KEY: &'static str = "tenants.branding";
}

impl Branding {
    /// Brings it into its one form, or says what is wrong with it.
    pub fn parse(self) -> Result<Self, AppError> {
        let mut errors = FieldErrors::default();
        let name = errors.take("branding.name", Branding::parse_name(self.name.as_deref())).flatten();
        let accent = errors.take("branding.accent", Branding::parse_accent(self.accent.as_deref())).flatten();
        errors.check()?;
        Ok(Branding { name, accent, ..self })
    }

    /// The same with the logo that there is: a group of settings cannot bring another.
    pub fn with_logo_of(self, now: &Branding) -> Result<Self, AppError> {
        if self.logo.is_some() && self.logo != now.logo {
            return Err(AppError::field("branding.logo", FieldCode::Unknown));
        }
        Ok(Branding { logo: now.logo.clone(), ..self })
    }
}

/// The bar of unsaved changes in the light theme and the focus on it, as `style/main.css` has them.
const BAR: Colour = Colour([0x1a, 0x20, 0x1e]);
const BAR_FOCUS: Colour = Colour([0xf6, 0xf6, 0xf3]);

/// How a file that everybody may fetch is called: its digest, which no other file has.
fn digest(bytes: &[u8]) -> String {
    hex::encode(&crypto::sha256(bytes)[..16])
}

/// The style sheet of an accent: the product's tokens with other tones, for both themes. It is in no layer, so it wins over
/// the product's, which are.
fn style(accent: Colour) -> String {
    let (light, dark) = (LIGHT.tones(accent), DARK.tones(accent));
    let both = |light: Colour, dark: Colour| format!("light-dark({light},{dark})");
    // The bar of unsaved changes is dark in both themes; in the light one there is no accent on it.
    format!(
        ":root,[data-theme]{{--accent:{};--accent-ink:{};--accent-soft:{};--bar-edge:{};--bar-focus:{}}}\n",
        both(light.accent, dark.accent),
        both(light.ink, dark.ink),
        both(light.soft, dark.soft),
        both(BAR, dark.accent),
        both(BAR_FOCUS, dark.accent),
    )
}

/// Keeps a logo, and gives back its digest.
pub async fn put_logo(tx: &mut Tx, image: &[u8]) -> Result<String, AppError> {
    let (tenant, now, digest) = (tx.tenant()?, tx.now(), digest(image));
    sqlx::query!(
        "insert into tenant_logos (tenant_id, digest, image, updated_at) values ($1, $2, $3, $4)
         on conflict (tenant_id) do update
             set digest = excluded.digest, image = excluded.image, updated_at = excluded.updated_at",
        tenant.0,
        digest,
        image,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(digest)
}

pub async fn remove_logo(tx: &mut Tx) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!("delete from tenant_logos where tenant_id = $1", tenant.0).execute(tx.conn()).await?;
    Ok(())
}

/// What a page bears: the branding of the tenant in which the reader works, or of the first for whoever is not signed in.
pub async fn of_reader(cx: &Cx) -> Result<Brand, AppError> {
    let tenant = cx.person().ok().map(|person| person.works_in().0);
    let mut tx = cx.door().await?;
    let row = sqlx::query!(
        r#"select t.id, s.value as "value?: Value" from tenants t
           left join settings s on s.tenant_id = t.id and s.key = $2
           where t.id = $1 or ($1::uuid is null and t.is_first)"#,
        tenant,
        Branding::KEY,
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(Brand::default()) };
    let Some(value) = row.value else { return Ok(Brand::default()) };
    let branding = serde_json::from_value::<Branding>(value).map_err(anyhow::Error::from)?;
    Ok(shown(TenantId(row.id), branding))
}

/// The addresses under which a branding is fetched. They change with what is there, so browsers may keep it for good.
pub fn shown(tenant: TenantId, branding: Branding) -> Brand {
    let style = branding.colour().map(|accent| digest(style(accent).as_bytes()));
    Brand {
        name: branding.name,
        logo: branding.logo.map(|digest| format!("/brand/{tenant}/{digest}.png")),
        style: style.map(|digest| format!("/brand/{tenant}/{digest}.css")),
    }
}

/// A file of a tenant's branding.
pub struct File {
    pub kind: &'static str,
    /// As `Content-Disposition` says it: it is shown, and called so where it is kept.
    pub disposition: &'static str,
    pub bytes: Vec<u8>,
}

/// The file of this name, as long as it is the tenant's: what it had before is gone.
pub async fn file(cx: &Cx, tenant: TenantId, name: &str) -> Result<File, AppError> {
    let (wanted, ending) = name.rsplit_once('.').ok_or(AppError::NotFound)?;
    // What cannot be a digest is not looked for.
    if wanted.len() != 32 || !wanted.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(AppError::NotFound);
    }
    let mut tx = cx.door().await?;
    match ending {
        "png" => {
            let found = sqlx::query_scalar!(
                "select image from tenant_logos where tenant_id = $1 and digest = $2",
                tenant.0,
                wanted,
            );
            let bytes = found.fetch_optional(tx.conn()).await?.ok_or(AppError::NotFound)?;
            Ok(File { kind: "image/png", disposition: "inline; filename=\"logo.png\"", bytes })
        }
        "css" => {
            let branding = settings::get::<Branding>(tx.conn(), tenant).await?;
            let sheet = branding.colour().map(style).filter(|sheet| digest(sheet.as_bytes()) == wanted);
            let bytes = sheet.ok_or(AppError::NotFound)?.into_bytes();
            Ok(File { kind: "text/css; charset=utf-8", disposition: "inline; filename=\"brand.css\"", bytes })
        }
        _ => Err(AppError::NotFound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D4: the style sheet holds colours and nothing that was typed.
    #[test]
    fn a_style_sheet_holds_tones_of_both_themes() {
        let yellow = Colour::parse("#ffcc00").expect("a colour");
        let sheet = style(yellow);
        assert!(sheet.starts_with(":root,[data-theme]{--accent:light-dark(#"), "{sheet}");
        let (light, dark) = (LIGHT.tones(yellow), DARK.tones(yellow));
        assert!(sheet.contains(&format!("--accent:light-dark({},{})", light.accent, dark.accent)), "{sheet}");
        assert_eq!(dark.accent, yellow);
        let ours = include_str!("../../../style/main.css");
        for (token, light) in [("--bar-edge", BAR), ("--bar-focus", BAR_FOCUS)] {
            assert!(ours.contains(&format!("{token}: light-dark({light}, ")), "{token}");
        }
    }

    /// ASVS 1.2: what is no colour never comes into a style sheet.
    #[test]
    fn what_is_no_colour_is_refused() {
        for accent in ["red", "#fff", "#ffcc00;}body{display:none", "url(//x)", "#ffcc0\u{660}"] {
            let group = Branding { accent: Some(accent.to_owned()), ..Branding::default() };
            assert_eq!(group.parse(), Err(AppError::field("branding.accent", FieldCode::Malformed)), "{accent}");
        }
        let group = Branding { accent: Some(" #FFCC00 ".to_owned()), name: Some("  ".to_owned()), logo: None };
        let parsed = group.parse().expect("a colour");
        assert_eq!((parsed.accent.as_deref(), parsed.name), (Some("#ffcc00"), None));
    }
}
