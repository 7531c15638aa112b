//! What staged changes would do, as the engine answers it before anything is saved.

use std::{future::Future, pin::Pin, time::Duration};

use crate::base::language::td_string;
use leptos::prelude::*;

use super::{
    bounds, reasons,
    staged::{Staged, StagedRole},
};
use crate::{
    access::HeldRole,
    base::{
        errors::{AppError, Denial, DenialCode},
        habits, language,
    },
    i18n::Locale,
    roles::{Effect as Foreseen, EffectKind, EffectLine, EffectPolicy, RoleGives, calls::what_if_role},
    ui::{
        asking::follow,
        icons::Icon,
        is_arabic, locale,
        pieces::{self, Tone},
        states,
    },
};

/// How long changes have to rest before the server is asked about them.
const REST: Duration = Duration::from_millis(150);

/// The answer about what is staged now.
#[derive(Clone, Copy)]
pub struct Foresight {
    /// Nothing where nothing is staged, or where the answer has not come yet.
    pub effect: RwSignal<Option<Foreseen>>,
    pub error: RwSignal<Option<AppError>>,
    /// An answer is awaited; the one that is shown is about something older.
    pub waits: RwSignal<bool>,
}

type Answer = Pin<Box<dyn Future<Output = Result<Foreseen, AppError>>>>;

impl Foresight {
    /// What the changes of a person, a group or many people would do.
    pub fn of_person(staged: Staged) -> Self {
        Self::following(move || {
            let edit = staged.edit()?;
            Some(Box::pin(async move { edit?.foresee().await }))
        })
    }

    /// What the changes of a role would do.
    pub fn of_role(staged: StagedRole) -> Self {
        Self::following(move || {
            let id = staged.saved.with(|role| role.as_ref().map(|role| role.id))?;
            staged.changes.with(|changes| !changes.is_empty()).then_some(())?;
            let permissions = staged.all();
            Some(Box::pin(what_if_role(id, RoleGives { permissions, parents: None })))
        })
    }

    /// Asks again whenever what is staged changes.
    fn following(ask: impl Fn() -> Option<Answer> + 'static) -> Self {
        let (effect, error) = (RwSignal::new(None), RwSignal::new(None));
        let waits = follow(REST, ask, move |answer| {
            let answer = answer.transpose();
            error.set(answer.as_ref().err().cloned());
            effect.set(answer.ok().flatten());
        });
        Foresight { effect, error, waits }
    }

    /// Whether saving would be refused. Where others have to agree it is not: they are asked for it from there.
    pub fn is_refused(self) -> bool {
        let is_refused = |effect: &Foreseen| effect.refused.as_ref().is_some_and(|denial| !waits_for_others(denial));
        self.effect.with(|effect| effect.as_ref().is_some_and(is_refused))
    }
}

/// Whether it is only that others have to agree first: they are asked from where it is refused.
pub fn waits_for_others(denial: &Denial) -> bool {
    denial.code == DenialCode::ApprovalNeeded
}

fn of_kind(effect: &Foreseen, kind: EffectKind) -> usize {
    effect.lines.iter().filter(|line| line.what == kind).count()
}

/// One sentence for screen readers and for the review: how much is gained and lost, and by how many.
pub fn summary(effect: &Foreseen) -> String {
    let locale = locale();
    let (gained, lost) = (of_kind(effect, EffectKind::Gained), of_kind(effect, EffectKind::Lost));
    let parts = [
        td_string!(locale, roles.gained_count, count = gained).to_string(),
        td_string!(locale, roles.lost_count, count = lost).to_string(),
        td_string!(locale, roles.same_count, count = effect.unchanged).to_string(),
    ];
    parts.join(td_string!(locale, base.list_separator))
}

/// The pane that shows the effect.
#[component]
pub fn EffectPane(
    foresight: Foresight,
    /// Whether those whom it reaches are counted: everybody who has a role, who is in a group, or who was chosen.
    counted: Signal<bool>,
) -> impl IntoView {
    let locale = locale();
    let figures = move || {
        foresight.effect.with(|effect| {
            let effect = effect.as_ref()?;
            let figure = |class: &'static str, count: usize, word: &'static str| {
                view! {
                    <div>
                        <dt class="small muted">{word}</dt>
                        <dd class=class>{habits::number(count)}</dd>
                    </div>
                }
            };
            Some(view! {
                <dl class="figures">
                    {figure("figure allow", of_kind(effect, EffectKind::Gained), td_string!(locale, roles.figure_gained))}
                    {figure("figure deny", of_kind(effect, EffectKind::Lost), td_string!(locale, roles.figure_lost))}
                    {figure(
                        "figure",
                        usize::try_from(effect.unchanged).unwrap_or_default(),
                        td_string!(locale, roles.figure_same),
                    )}
                </dl>
            })
        })
    };
    view! {
        <div class="card-head">
            <h2 class="grow" id="effect-title">{td_string!(locale, roles.effect)}</h2>
            {pieces::badge(Tone::Waiting, None, td_string!(locale, roles.before_saving))}
        </div>
        // It scrolls, and may hold nothing that takes the focus.
        <div
            class="effect"
            role="group"
            tabindex="0"
            aria-labelledby="effect-title"
            aria-busy=move || foresight.waits.get().then_some("true")
        >
            {figures}
            {told(foresight, counted)}
        </div>
    }
    .into_any()
}

/// The effect in words: who gains and loses, and what happens to each permission.
pub fn told(foresight: Foresight, counted: Signal<bool>) -> AnyView {
    let locale = locale();
    let told = move || {
        if let Some(error) = foresight.error.get() {
            return view! { <div class="padded">{states::failed(&error)}</div> }.into_any();
        }
        match foresight.effect.get() {
            Some(mut effect) => {
                let around = around(std::mem::take(&mut effect.policies), &effect.scoped);
                view! {
                    {refused(effect.refused.as_ref())}
                    {counted.get().then(|| people(&effect))}
                    {lines(effect)}
                    {around}
                }
                .into_any()
            }
            None if foresight.waits.get() => states::bones(4),
            None => view! { <p class="hint padded">{td_string!(locale, roles.effect_empty)}</p> }.into_any(),
        }
    };
    told.into_any()
}

/// What else decides: the policies in force, and where what somebody has counts.
fn around(policies: Vec<EffectPolicy>, scoped: &[HeldRole]) -> AnyView {
    let locale = locale();
    let part = |title: &'static str, lines: Vec<AnyView>| {
        (!lines.is_empty()).then(|| {
            view! {
                <h3 class="small muted part">{title}</h3>
                <ul class="outcomes" role="list">
                    {lines}
                </ul>
            }
        })
    };
    let scoped = scoped.iter().map(|has| {
        let bounds = bounds::phrases(Some(&has.scope), has.expires_at, None);
        let bounds = bounds.join(td_string!(locale, base.list_separator));
        view! {
            <li>
                <p class="strong">{pieces::typed(has.role.name.clone())}</p>
                <p class="small muted">{pieces::sentence(&bounds)}</p>
            </li>
        }
        .into_any()
    });
    let scoped = scoped.collect::<Vec<_>>();
    let policies = policies.into_iter().map(policy).collect::<Vec<_>>();
    view! {
        {part(td_string!(locale, roles.effect_policies), policies)}
        {part(td_string!(locale, roles.effect_scoped), scoped)}
    }
    .into_any()
}

fn policy(said: EffectPolicy) -> AnyView {
    let locale = locale();
    let EffectPolicy { policy, keys, says_ar, says_en, denied } = said;
    let says = if is_arabic() { says_ar } else { says_en };
    // Whoever may read policies is told what it says, and finds the rest on its page.
    let name = if says.is_empty() {
        view! { <span class="strong">{pieces::typed(policy.name)}</span> }.into_any()
    } else {
        let href = format!("/console/policies/{}", policy.id);
        view! { <a class="strong" href=href>{pieces::typed(policy.name)}</a> }.into_any()
    };
    let denied = (denied > 0).then(|| {
        let words = td_string!(locale, roles.policy_denies_now, count = denied).to_string();
        pieces::badge(Tone::Bad, Some(Icon::Denied), words)
    });
    let about = listed(locale, &keys);
    view! {
        <li>
            <p class="row-of">{pieces::badge(Tone::Accent, Some(Icon::Policy), td_string!(locale, roles.policy))} {name} {denied}</p>
            <p class="small">{pieces::sentence(&says)}</p>
            <p class="small muted">{pieces::sentence(&about)}</p>
        </li>
    }
    .into_any()
}

/// The first keys of a list, in words for `pieces::sentence`; the rest is counted.
fn listed(locale: Locale, keys: &[String]) -> String {
    let more = keys.len().saturating_sub(KEYS);
    let named = keys.iter().take(KEYS).map(|key| pieces::isolate_key(key));
    let more = (more > 0).then(|| td_string!(locale, roles.and_more, count = more).to_string());
    named.chain(more).collect::<Vec<_>>().join(td_string!(locale, base.list_separator))
}

/// Why saving would be refused, or that others have to agree first.
pub fn refused(denial: Option<&Denial>) -> Option<AnyView> {
    let locale = locale();
    denial.map(|denial| {
        let words = language::error(locale, &AppError::Forbidden(denial.clone()));
        let (mood, title) = if waits_for_others(denial) {
            (states::Mood::Waiting, td_string!(locale, roles.needs_approval))
        } else {
            (states::Mood::Bad, td_string!(locale, roles.would_be_refused))
        };
        states::notice(
            mood,
            view! {
                <p class="strong">{title}</p>
                <p>{pieces::sentence(&words)}</p>
            },
        )
    })
}

/// How many people a change of a role reaches, and the first of them by name.
pub fn people(effect: &Foreseen) -> AnyView {
    let locale = locale();
    let words = [
        td_string!(locale, roles.people_gaining, count = effect.people_gaining).to_string(),
        td_string!(locale, roles.people_losing, count = effect.people_losing).to_string(),
    ];
    let names = effect.names.iter().map(|name| language::isolate(name)).collect::<Vec<_>>();
    let names = names.join(td_string!(locale, base.list_separator));
    view! {
        <div class="outcomes">
            <p>{words.join(td_string!(locale, base.list_separator))}</p>
            <p class="small muted">{pieces::sentence(&names)}</p>
        </div>
    }
    .into_any()
}

/// How many lines are shown at once; the rest is counted.
const SHOWN: usize = 60;
/// How many keys that a policy has a say about are named; the rest is counted.
const KEYS: usize = 8;
/// How many reasons of one line are told.
const WAYS: usize = 3;

pub fn lines(effect: Foreseen) -> AnyView {
    let locale = locale();
    if effect.lines.is_empty() {
        return view! { <p class="hint padded">{td_string!(locale, roles.effect_none)}</p> }.into_any();
    }
    let more = effect.lines.len().saturating_sub(SHOWN);
    let lines = effect.lines.into_iter().take(SHOWN).map(line).collect_view();
    let more = (more > 0)
        .then(|| view! { <li class="muted">{td_string!(locale, roles.and_more, count = more).to_string()}</li> });
    view! { <ul class="outcomes" role="list">{lines} {more}</ul> }.into_any()
}

fn line(line: EffectLine) -> AnyView {
    let locale = locale();
    let (tone, sign, word) = match line.what {
        EffectKind::Gained => (Tone::Good, Icon::Allowed, td_string!(locale, roles.kind_gained)),
        EffectKind::Lost => (Tone::Bad, Icon::Denied, td_string!(locale, roles.kind_lost)),
        EffectKind::Blocked => (Tone::Waiting, Icon::Lock, td_string!(locale, roles.kind_blocked)),
        EffectKind::Redundant => (Tone::Neutral, Icon::Inherited, td_string!(locale, roles.kind_redundant)),
        EffectKind::External => (Tone::Waiting, Icon::Clock, td_string!(locale, roles.kind_external)),
    };
    let name = if is_arabic() { line.name_ar } else { line.name_en };
    let people = (line.people > 1).then(|| {
        let words = td_string!(locale, roles.for_people, count = line.people).to_string();
        view! { " " <span class="small muted">{words}</span> }
    });
    // One way is enough to have it; more are told where one of them may end or counts in a part of the tenant only.
    let because = line.because.iter().take(WAYS).map(|reason| {
        view! { <p class="small muted">{pieces::sentence(&reasons::sentence(reason))}</p> }
    });
    let because = because.collect::<Vec<_>>();
    view! {
        <li>
            <p class="row-of">{pieces::badge(tone, Some(sign), word)} <span class="strong">{name}</span> {people}</p>
            <p class="small muted">{pieces::key(line.key)}</p>
            {because}
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C14: of a long list of keys the first are named and the others counted.
    #[test]
    fn keys_beyond_the_first_are_counted() {
        let keys = |many: usize| (0..many).map(|number| format!("k.{number}")).collect::<Vec<_>>();
        let all = listed(Locale::en, &keys(KEYS));
        assert!(all.contains("k.7") && !all.contains("more"), "{all}");
        let cut = listed(Locale::en, &keys(KEYS + 3));
        assert!(cut.contains("k.7") && !cut.contains("k.8") && cut.ends_with("and 3 more"), "{cut}");
    }
}
