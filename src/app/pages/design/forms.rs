//! Fields: empty, filled, wrong, fixed; choices; the control with three states.

use leptos::prelude::*;

use super::{shelf, wide};
use crate::{
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        language::td_string,
    },
    ui::{
        fields::{Field, MustTick, Select, TextArea, field_error, summary},
        filters::{Chip, Filters, FoldedFilters, MoreFilters, chips},
        locale,
        tri_state::{Tri, TriState},
    },
};

pub fn forms() -> AnyView {
    let locale = locale();
    let mut wrong = FieldErrors::default();
    wrong.add("design-wrong", FieldCode::Malformed);
    wrong.add("design-choice-wrong", FieldCode::Required);
    wrong.add("design-lines-wrong", FieldCode::TooLong);
    let error = RwSignal::new(Some(AppError::Invalid(wrong)));
    let options = vec![
        (String::new(), td_string!(locale, design.step_first).to_owned()),
        ("second".to_owned(), td_string!(locale, design.step_second).to_owned()),
    ];
    let fields = view! {
        <div class="form-grid">
            <Field name="design-plain" label=td_string!(locale, design.field) />
            <Field
                name="design-hint"
                label=td_string!(locale, design.field_hint)
                hint=td_string!(locale, design.sample)
                value=td_string!(locale, design.person)
                required=true
            />
            <Field
                name="design-wrong"
                label=td_string!(locale, design.field_wrong)
                value="name@"
                kind="email"
                ltr=true
                error=field_error(error, "design-wrong")
            />
            <Field name="design-fixed" label=td_string!(locale, design.field_fixed) value="1042" readonly=true ltr=true />
            <Field name="design-moment" label=td_string!(locale, design.field_moment) kind="datetime-local" ltr=true />
            <Select name="design-choice" label=td_string!(locale, design.choice) options=options.clone() />
            <Select name="design-choice-off" label=td_string!(locale, design.choice_off) options=options.clone() disabled=true />
            <Select
                name="design-choice-wrong"
                label=td_string!(locale, design.choice)
                options
                error=field_error(error, "design-choice-wrong")
            />
            <TextArea name="design-lines" label=td_string!(locale, design.lines) hint=td_string!(locale, design.sample) />
            <TextArea
                name="design-lines-wrong"
                label=td_string!(locale, design.lines)
                hint=td_string!(locale, design.sample)
                error=field_error(error, "design-lines-wrong")
            />
        </div>
    };
    view! {
        {wide("summary", summary(error, label))}
        {wide("Field, Select, TextArea", fields.into_any())}
        {wide("check, MustTick", checks())}
        {shelf("TriState", switches())}
        {wide("Filters, FoldedFilters, MoreFilters, chips", filters())}
    }
    .into_any()
}

fn label(name: &str) -> Option<&'static str> {
    let locale = locale();
    Some(match name {
        "design-choice-wrong" => td_string!(locale, design.choice),
        "design-lines-wrong" => td_string!(locale, design.lines),
        _ => td_string!(locale, design.field_wrong),
    })
}

fn checks() -> AnyView {
    let locale = locale();
    let check = |id: &'static str, on: bool, off: bool| {
        view! {
            <div class="check">
                <input type="checkbox" id=id checked=on disabled=off />
                <label class="about" for=id>{td_string!(locale, design.check)}</label>
            </div>
        }
    };
    view! {
        <div class="card padded">
            {check("design-off", false, false)} {check("design-on", true, false)} {check("design-disabled", true, true)}
            <MustTick id="design-must" label=td_string!(locale, design.check) />
        </div>
    }
    .into_any()
}

fn switches() -> AnyView {
    let locale = locale();
    let state = |name: &'static str, first: Tri, off: bool| {
        let now = RwSignal::new(first);
        view! {
            <TriState
                name
                legend=td_string!(locale, design.three_states)
                value=move || now.get()
                disabled=move || off
                on_change=move |to| now.set(to)
            />
        }
    };
    view! {
        {state("design-tri-1", Tri::Inherited, false)}
        {state("design-tri-2", Tri::Allowed, false)}
        {state("design-tri-3", Tri::Denied, false)}
        {state("design-tri-4", Tri::Allowed, true)}
    }
    .into_any()
}

fn filters() -> AnyView {
    let locale = locale();
    let chip = |word: &str| Chip { word: word.to_owned(), without: "/console/design".to_owned() };
    view! {
        <Filters path="/console/design" fields=&["design-q"] filtered=true>
            <Field name="design-q" label=td_string!(locale, design.search) kind="search" />
            <FoldedFilters active=1>
                <MoreFilters open=true>
                    <Field name="design-more" label=td_string!(locale, design.field) />
                </MoreFilters>
            </FoldedFilters>
        </Filters>
        {chips(vec![chip(td_string!(locale, design.step_first)), chip(td_string!(locale, design.person))])}
    }
    .into_any()
}
