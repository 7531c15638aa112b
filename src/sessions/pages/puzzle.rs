//! The work that a browser does after many failures at one account, told honestly while it goes on.

use leptos::prelude::*;

use crate::{
    base::{errors::AppError, language::td_string},
    ui::{browser, browser::Solving, fields::FormError, is_live, locale},
};

/// How far the puzzle of a form is. A form without one is `None`.
#[derive(Clone, Copy)]
pub struct PuzzleState(RwSignal<Option<Solving>>);

impl PuzzleState {
    /// Begins with the puzzle of an error, once the browser has taken over the page.
    pub fn of(error: FormError) -> Self {
        let state = RwSignal::new(None);
        Effect::new(move |_| {
            let Some(AppError::Puzzle { puzzle, .. }) = error.get_untracked() else { return };
            state.set(Some(Solving::Part(0)));
            browser::solve(&puzzle, move |solving| state.set(Some(solving)));
        });
        PuzzleState(state)
    }

    /// Whether the form has to wait for it.
    pub fn is_under_way(self) -> bool {
        self.0.with(|state| matches!(state, Some(Solving::Part(_))))
    }
}

/// The hidden answer, and how far the work is. Without scripts there is nothing but to wait, and that is said.
pub fn puzzle_field(error: FormError, state: PuzzleState) -> AnyView {
    let locale = locale();
    let live = is_live();
    let asked = error.with_untracked(|error| match error {
        Some(AppError::Puzzle { retry_after, .. }) => Some(*retry_after),
        _ => None,
    });
    let Some(seconds) = asked else { return ().into_any() };
    let answer = move || match state.0.get() {
        Some(Solving::Done(answer)) => answer,
        _ => String::new(),
    };
    let part = move || match state.0.get() {
        Some(Solving::Part(part)) => part,
        Some(Solving::Done(_)) => 100,
        Some(Solving::Failed) | None => 0,
    };
    let said = move || match state.0.get() {
        Some(Solving::Part(_)) => td_string!(locale, sessions.puzzle_works).to_owned(),
        Some(Solving::Done(_)) => td_string!(locale, sessions.puzzle_done).to_owned(),
        Some(Solving::Failed) | None => td_string!(locale, sessions.puzzle_wait, count = seconds).to_string(),
    };
    view! {
        <div class="puzzle">
            <input type="hidden" name="puzzle" value=answer prop:value=answer />
            <p role="status">{said}</p>
            <progress
                class="work"
                max="100"
                value=move || part().to_string()
                aria-label=td_string!(locale, sessions.puzzle_progress)
                hidden=move || !live.get()
            ></progress>
        </div>
    }
    .into_any()
}
