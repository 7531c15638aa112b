//! The keyboard shortcuts of the console, and the page of help about them.

use crate::base::language::td_string;
use leptos::{ev, prelude::*};

use crate::ui::{browser, dialog::Dialog, keys, locale};

/// Opens the palette and the help by their shortcuts, unless a dialog waits for an answer.
pub fn listen(palette: RwSignal<bool>, help: RwSignal<bool>) {
    Effect::new(move |_| {
        let handle = window_event_listener(ev::keydown, move |event| {
            let opened = if keys::is_command(&event, 'k') {
                palette
            } else if keys::is_command(&event, '/') {
                help
            } else {
                return;
            };
            event.prevent_default();
            if !browser::is_dialog_open() {
                opened.set(true);
            }
        });
        on_cleanup(move || handle.remove());
    });
}

/// The list of shortcuts.
#[component]
pub fn ShortcutHelp(open: RwSignal<bool>) -> impl IntoView {
    let locale = locale();
    let lines = [
        (vec![keys::written('K')], td_string!(locale, app.shortcut_palette)),
        (vec![keys::written('/')], td_string!(locale, app.shortcut_help)),
        (vec!["Tab".to_owned(), "Shift Tab".to_owned()], td_string!(locale, app.shortcut_tab)),
        (vec!["↑".to_owned(), "↓".to_owned()], td_string!(locale, app.shortcut_arrows)),
        (vec!["Enter".to_owned()], td_string!(locale, app.shortcut_enter)),
        (vec!["Space".to_owned()], td_string!(locale, app.shortcut_space)),
        (vec!["Esc".to_owned()], td_string!(locale, app.shortcut_escape)),
    ];
    let lines = StoredValue::new(lines.to_vec());
    view! {
        <Dialog id="shortcuts" open title=td_string!(locale, app.shortcuts)>
            <dl class="shortcuts">
                {lines
                    .with_value(|lines| {
                        lines
                            .iter()
                            .map(|(keys, about)| {
                                let keys = keys
                                    .iter()
                                    .map(|key| view! { <kbd dir="ltr">{key.clone()}</kbd> " " })
                                    .collect::<Vec<_>>();
                                view! {
                                    <div>
                                        <dt>{keys}</dt>
                                        <dd>{*about}</dd>
                                    </div>
                                }
                            })
                            .collect::<Vec<_>>()
                    })}
            </dl>
            <div class="row-of end">
                <button class="btn" type="button" on:click=move |_| open.set(false)>
                    {td_string!(locale, ui.close)}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}
