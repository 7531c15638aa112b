//! The steps of something that is done one after the other, and how far it has come.

use leptos::prelude::*;

use crate::{
    base::habits::number,
    ui::icons::{Icon, icon},
};

/// A row of steps; those before the current one are done.
pub fn stepper(label: &'static str, steps: &[&'static str], current: usize) -> AnyView {
    let items = steps
        .iter()
        .enumerate()
        .map(|(at, word)| {
            let number = if at < current { icon(Icon::Allowed).into_any() } else { number(at + 1).into_any() };
            view! {
                <li class:done=at < current aria-current=(at == current).then_some("step")>
                    <span class="step-number num" aria-hidden="true">{number}</span>
                    <span>{*word}</span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! { <ol class="stepper" aria-label=label>{items}</ol> }.into_any()
}
