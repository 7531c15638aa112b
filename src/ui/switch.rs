//! A switch: something that is on or off, and takes effect at once.

use leptos::prelude::*;

use crate::ui::is_live;

#[component]
pub fn Switch(
    id: &'static str,
    label: &'static str,
    #[prop(into)] on: Signal<bool>,
    #[prop(optional)] disabled: bool,
    #[prop(optional)] hint: Option<&'static str>,
    on_change: Callback<bool>,
) -> impl IntoView {
    let live = is_live();
    let hint_id = format!("{id}-hint");
    let described = hint.is_some().then(|| hint_id.clone());
    view! {
        <div class="switch">
            <input
                type="checkbox"
                role="switch"
                id=id
                aria-describedby=described
                checked=on.get_untracked()
                prop:checked=move || on.get()
                disabled=move || disabled || !live.get()
                on:change:target=move |event| on_change.run(event.target().checked())
            />
            <label for=id>{label}</label>
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
        </div>
    }
    .into_any()
}
