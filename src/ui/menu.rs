//! A menu: a button that opens a few acts. Arrows move among them, Escape closes.

use leptos::{ev, html, prelude::*, web_sys};

use crate::ui::{
    browser,
    icons::{Icon, icon},
    is_live,
};

/// One act of a menu.
#[derive(Clone)]
pub struct Item {
    pub sign: Icon,
    pub word: &'static str,
    pub danger: bool,
    pub act: Callback<()>,
}

/// The button and its menu. `id` must be unique on the page.
#[component]
pub fn Menu(
    id: &'static str,
    sign: Icon,
    word: &'static str,
    items: Vec<Item>,
    #[prop(default = "btn")] class: &'static str,
) -> impl IntoView {
    let live = is_live();
    let list = NodeRef::<html::Div>::new();
    let acts = move || {
        use leptos::wasm_bindgen::JsCast;
        let children = list.get_untracked().map(|list| list.children());
        let all = children.iter().flat_map(|all| (0..all.length()).filter_map(|at| all.item(at)));
        all.filter_map(|item| item.dyn_into::<web_sys::HtmlElement>().ok()).collect::<Vec<_>>()
    };
    let go = move |to: fn(usize, usize) -> usize| {
        let all = acts();
        let focused = document().active_element();
        let now = all.iter().position(|item| focused.as_ref().is_some_and(|focused| item.is_same_node(Some(focused))));
        if let Some(item) = all.get(to(now.unwrap_or(usize::MAX), all.len())) {
            // Cannot fail for an element of the page.
            let _unused = item.focus();
        }
    };
    let pressed = move |event: ev::KeyboardEvent| {
        match event.key().as_str() {
            "ArrowDown" => go(|now, all| if now < all - 1 { now + 1 } else { 0 }),
            "ArrowUp" => go(|now, all| if now > 0 && now < all { now - 1 } else { all - 1 }),
            "Home" => go(|_, _| 0),
            "End" => go(|_, all| all - 1),
            "Tab" => browser::hide_popover(id),
            _ => return,
        }
        if event.key() != "Tab" {
            event.prevent_default();
        }
    };
    let opened = move |_| {
        if list.get_untracked().is_some_and(|list| list.matches(":popover-open").unwrap_or(false)) {
            go(|_, _| 0);
        }
    };
    let items = items
        .into_iter()
        .map(|Item { sign, word, danger, act }| {
            let take = move |_| {
                browser::hide_popover(id);
                act.run(());
            };
            view! {
                <button
                    class=if danger { "menu-item danger" } else { "menu-item" }
                    type="button"
                    role="menuitem"
                    tabindex="-1"
                    on:click=take
                >
                    {icon(sign)}
                    {word}
                </button>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <button
            class=class
            type="button"
            popovertarget=id
            aria-haspopup="menu"
            disabled=move || !live.get()
        >
            {icon(sign)}
            {word}
        </button>
        <div
            class="menu-box"
            id=id
            popover="auto"
            role="menu"
            aria-label=word
            node_ref=list
            on:keydown=pressed
            on:toggle=opened
        >
            {items}
        </div>
    }
    .into_any()
}
