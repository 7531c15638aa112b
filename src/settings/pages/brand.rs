//! The section about branding: a form that works without scripts, and what each theme makes of a colour while it is chosen.

use leptos::prelude::*;

use super::{Draft, review};
use crate::{
    base::language::td_string,
    sessions::{FormOutcome, pages::form_error},
    settings::Settings,
    tenants::{
        accent::{Colour, DARK, Ground, LIGHT, OURS, Tones},
        branding::Branding,
    },
    ui::{
        address,
        brand::brand,
        browser,
        fields::{self, Field, below, described, field_error, id},
        locale, pieces, states,
    },
};

/// The form with name, accent and logo. `outcome` is what it led to when it was refused.
pub fn brand_section(draft: Draft, outcome: FormOutcome, may_edit: bool) -> AnyView {
    let locale = locale();
    let error = form_error(&outcome);
    let drawn = draft.saved.with_untracked(|saved| (saved.version, saved.branding.clone()));
    let branding = drawn.1.clone();
    let has_accent = branding.accent.is_some();
    let has_logo = branding.logo.is_some();
    let colour = Colour::parse(&outcome.colour).or_else(|| branding.colour()).unwrap_or(OURS);
    let chosen = RwSignal::new(colour.to_string());
    // Browsers always send a colour: without one, what was typed could not be read.
    let was_read = outcome.error.is_some() && !outcome.colour.is_empty();
    let name = if was_read { outcome.name } else { branding.name.unwrap_or_default() };
    let done = address::query_field("branded");
    let wrong = field_error(error, LOGO);
    let side = Branding::LOGO_SIDE;
    let logo_hint = td_string!(locale, settings.brand_logo_hint, size = KILOBYTES, side = side).to_string();
    let version = move || draft.saved.with(|saved| version_seen(saved, &drawn).to_string());
    let choose = move |event: leptos::ev::Event| chosen.set(event_target_value(&event));
    let choose_file = move |event: leptos::ev::Event| {
        let words = td_string!(locale, settings.brand_too_large, size = KILOBYTES).to_string();
        browser::refuse_large_file(&event, f64::from(Branding::LOGO_BYTES), &words);
    };
    let act = |act: &'static str, words: &'static str| {
        view! { <button class="btn" type="submit" name="act" value=act formnovalidate=true>{words}</button> }
    };
    let buttons = may_edit.then(|| {
        view! {
            <div class="row-of">
                <button class="btn primary" type="submit" name="act" value="save">
                    {td_string!(locale, settings.brand_save)}
                </button>
                {has_logo.then(|| act("remove_logo", td_string!(locale, settings.brand_remove_logo)))}
                {has_accent.then(|| act("own_accent", td_string!(locale, settings.brand_own_accent)))}
            </div>
        }
    });
    let saved = move || {
        let words = td_string!(locale, settings.brand_saved);
        done.get().map(|_yes| states::notice(states::Mood::Good, view! { <p class="strong">{words}</p> }))
    };
    view! {
        <section class="card padded settings" id="branding" aria-labelledby="branding-title">
            <h2 id="branding-title">{td_string!(locale, settings.brand)}</h2>
            <p class="muted">{td_string!(locale, settings.brand_about)}</p>
            <div role="status">{saved}</div>
            // Somebody else may have changed any of the settings meanwhile.
            {fields::summary(error, review::label)}
            <form class="stack" method="post" action="/console/settings" enctype="multipart/form-data">
                <input type="hidden" name="version" value=version />
                <fieldset class="stack" disabled=!may_edit>
                    <Field
                        name="name"
                        own=NAME
                        label=td_string!(locale, settings.brand_name)
                        hint=td_string!(locale, settings.brand_name_hint)
                        value=name
                        longest=LONGEST
                        error=field_error(error, NAME)
                    />
                    <div class="field">
                        <label for=id(ACCENT)>{td_string!(locale, settings.brand_accent)}</label>
                        <input
                            class="input short"
                            id=id(ACCENT)
                            name="accent"
                            type="color"
                            value=colour.to_string()
                            aria-describedby=format!("hint-{ACCENT}")
                            on:input=choose
                        />
                        <p class="hint" id=format!("hint-{ACCENT}")>{td_string!(locale, settings.brand_accent_hint)}</p>
                    </div>
                    <div class="tones">
                        {sample(LIGHT, td_string!(locale, settings.brand_light), chosen)}
                        {sample(DARK, td_string!(locale, settings.brand_dark), chosen)}
                    </div>
                    <div class="field">
                        <label for=id(LOGO)>{td_string!(locale, settings.brand_logo)}</label>
                        <input
                            class="input"
                            id=id(LOGO)
                            name="logo"
                            type="file"
                            accept="image/png,image/jpeg,image/webp"
                            aria-invalid=move || wrong.with(Option::is_some).then_some("true")
                            aria-describedby=described(LOGO, true, wrong)
                            on:change=choose_file
                        />
                        {below(LOGO, Some(logo_hint.into()), wrong)}
                    </div>
                </fieldset>
                {buttons}
            </form>
        </section>
    }
    .into_any()
}

const NAME: &str = "branding.name";
const ACCENT: &str = "branding.accent";
const LOGO: &str = "branding.logo";
/// The largest file of a logo, as people say it.
const KILOBYTES: u32 = Branding::LOGO_BYTES / 1_000;
/// [`Branding::NAME`] for the browser; the server checks again.
const LONGEST: &str = "40";
const _: () = assert!(Branding::NAME == 40);

/// The version of the settings that this form was filled from. Its fields stay as they were drawn: where the settings have
/// been renewed and somebody else has changed the branding, it is the one of then, so that theirs is not undone unseen.
fn version_seen(saved: &Settings, drawn: &(i64, Branding)) -> i64 {
    if saved.branding == drawn.1 { saved.version } else { drawn.0 }
}

/// The names of the fields, for the summary of what is wrong, and as the log has them: without their group.
pub fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        NAME | "name" => Some(td_string!(locale, settings.brand_name)),
        ACCENT | "accent" => Some(td_string!(locale, settings.brand_accent)),
        LOGO | "logo" => Some(td_string!(locale, settings.brand_logo)),
        _ => None,
    }
}

/// What a theme makes of the accent: a picture of it, and in words which tone it is.
fn sample(ground: Ground, theme: &'static str, chosen: RwSignal<String>) -> AnyView {
    let locale = locale();
    let logo = brand().logo;
    let word = td_string!(locale, settings.brand_sample);
    let colour = move || chosen.with(|text| Colour::parse(text)).unwrap_or(OURS);
    let tones = move || ground.tones(colour());
    let drawn = move || drawing(ground, tones(), word, logo.as_deref());
    let moved = move || match tones().accent == colour() {
        true => td_string!(locale, settings.brand_kept),
        false => td_string!(locale, settings.brand_moved),
    };
    view! {
        <figure>
            <svg viewBox="0 0 240 64" aria-hidden="true" inner_html=drawn></svg>
            <figcaption class="small">
                {theme} " " {move || pieces::key(tones().accent.to_string())} " " {moved}
            </figcaption>
        </figure>
    }
    .into_any()
}

/// The picture: a main button and a chosen row on the theme's surface, beside the logo. Colours stand in attributes, which
/// the page's policy allows; of what people choose nothing but colours and addresses of ours comes in.
fn drawing(ground: Ground, tones: Tones, word: &str, logo: Option<&str>) -> String {
    let Tones { accent, ink, soft } = tones;
    let logo = logo.map(|logo| format!("<image x=\"192\" y=\"14\" width=\"36\" height=\"36\" href=\"{logo}\"/>"));
    let logo = logo.unwrap_or_default();
    format!(
        "<rect width=\"240\" height=\"64\" fill=\"{}\"/><rect x=\"12\" y=\"14\" width=\"80\" height=\"36\" rx=\"8\" \
         fill=\"{accent}\"/><rect x=\"102\" y=\"14\" width=\"80\" height=\"36\" rx=\"8\" fill=\"{soft}\"/>\
         <g text-anchor=\"middle\" font-size=\"14\" font-weight=\"600\"><text x=\"52\" y=\"37\" fill=\"{ink}\">{word}</text>\
         <text x=\"142\" y=\"37\" fill=\"{accent}\">{word}</text></g>{logo}",
        ground.surface
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D4: changes of other settings do not stand in the way of the branding, and a changed branding is not overwritten.
    #[test]
    fn the_form_says_which_branding_it_was_filled_from() {
        let drawn = (7, Branding { name: Some("نخيل".to_owned()), ..Branding::default() });
        let same = Settings { branding: drawn.1.clone(), version: 9, ..Settings::default() };
        assert_eq!(version_seen(&same, &drawn), 9);
        let other = Settings { branding: Branding::default(), ..same };
        assert_eq!(version_seen(&other, &drawn), 7);
    }
}
