//! The page of the settings: sections with fields, a review of the changes, and mail.

mod brand;
mod fields;
mod items;
mod mail;
mod review;

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    Lazy,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
    path,
};

use self::items::{Item, SECTIONS, Section};
use crate::{
    access::SETTINGS_UPDATE,
    base::{errors::FieldErrors, language::td_string},
    sessions::{FormOutcome, pages::outcome},
    settings::{Settings, get_settings},
    ui::{calls::Call, lazy::lazy_pages, locale, states, viewer::Held, viewer::viewer},
};

lazy_pages! {
    (draw_settings, load_settings)
    Settings: SettingsRoute => SettingsPage,
}

#[component(transparent)]
pub fn SettingsRoutes() -> AnyNestedRoute {
    view! { <Route path=path!("settings") view={Lazy::<SettingsRoute>::new()} /> }.into_inner().into_any_nested_route()
}

/// What has been typed so far over what is saved.
#[derive(Clone, Copy)]
pub struct Draft {
    saved: RwSignal<Settings>,
    /// By the key of the item; what is not here is as saved.
    typed: RwSignal<BTreeMap<&'static str, String>>,
    call: Call,
}

impl Draft {
    fn new(saved: Settings) -> Self {
        Draft { saved: RwSignal::new(saved), typed: RwSignal::new(BTreeMap::new()), call: Call::new() }
    }

    fn value(self, item: &Item) -> String {
        let typed = self.typed.with(|typed| typed.get(item.key).cloned());
        typed.unwrap_or_else(|| self.saved.with(item.read))
    }

    fn set(self, item: &Item, value: String) {
        let is_saved = self.saved.with_untracked(item.read) == value;
        self.typed.update(|typed| match is_saved {
            true => drop(typed.remove(item.key)),
            false => drop(typed.insert(item.key, value)),
        });
    }

    /// The items that would change, in the order of the page.
    fn changed(self) -> Vec<&'static Item> {
        self.typed.with(|typed| items::all().filter(|item| typed.contains_key(item.key)).collect())
    }

    /// What the browser finds wrong with them.
    fn wrong(self) -> FieldErrors {
        let mut errors = FieldErrors::default();
        for item in self.changed() {
            if let Some(code) = item.wrong(&self.value(item)) {
                errors.add(item.key, code);
            }
        }
        errors
    }

    /// The settings as they would be.
    fn wanted(self) -> Settings {
        let mut settings = self.saved.get_untracked();
        for item in self.changed() {
            (item.write)(&mut settings, &self.value(item));
        }
        settings
    }
}

#[component]
fn SettingsPage() -> impl IntoView {
    let locale = locale();
    let settings = Resource::new_blocking(|| (), |()| get_settings());
    let viewer = viewer();
    // Of the form of the branding; every other change is told where it is made.
    let outcome = outcome();
    view! {
        <Title text=td_string!(locale, settings.page) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, settings.page)}</h1>
                <p class="muted">{td_string!(locale, settings.page_about)}</p>
            </div>
        </div>
        <Suspense fallback=move || states::loading(8)>
            {move || {
                let (viewer, outcome) = (viewer.clone(), outcome.clone());
                Suspend::new(async move {
                    let held = viewer.holds().await;
                    match settings.await {
                        Ok(settings) => all(settings, outcome, &held),
                        Err(error) => states::failure(&error),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

fn all(settings: Settings, outcome: FormOutcome, held: &Held) -> AnyView {
    let locale = locale();
    let may_edit = held.may(SETTINGS_UPDATE.as_str());
    let draft = Draft::new(settings);
    let links = SECTIONS.iter().map(|section| (section.id, (section.title)(locale)));
    let more = [("branding", td_string!(locale, settings.brand)), ("mail", td_string!(locale, settings.mail))];
    let links = links.chain(more);
    let links =
        links.map(|(id, title)| view! { <li><a href=format!("#{id}") rel="external">{title}</a></li> }).collect_view();
    let sections = SECTIONS.iter().map(|each| section(each, draft, may_edit)).collect_view();
    let refused = (!may_edit).then(|| states::needs(td_string!(locale, settings.read_only), SETTINGS_UPDATE.as_str()));
    view! {
        {refused}
        <nav aria-label=td_string!(locale, settings.parts)>
            <ul class="ways" role="list">{links}</ul>
        </nav>
        {sections}
        {brand::brand_section(draft, outcome, may_edit)}
        <mail::MailSection may_edit />
        <review::ReviewBar draft />
    }
    .into_any()
}

fn section(section: &'static Section, draft: Draft, may_edit: bool) -> AnyView {
    let locale = locale();
    let title_id = format!("{}-title", section.id);
    let fields = section.items.iter().map(|item| fields::field(item, draft, may_edit)).collect_view();
    view! {
        <section class="card padded settings" id=section.id aria-labelledby=title_id>
            <h2 id=title_id.clone()>{(section.title)(locale)}</h2>
            <p class="muted">{(section.about)(locale)}</p>
            <div class="stack">{fields}</div>
        </section>
    }
    .into_any()
}
