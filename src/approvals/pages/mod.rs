//! Requests that others have to agree to: those that wait for the viewer, and the viewer's own.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_meta::Title;
use leptos_router::{
    Lazy,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
    path,
};

pub mod ask;
mod rules;

use rules::Rules;

use crate::{
    access::{APPROVALS_DECIDE, SETTINGS_UPDATE},
    approvals::{
        Approval, ApprovalsQuery, Kind, State, Verdict, decide_approval, list_approvals, list_own_approvals,
        withdraw_approval,
    },
    base::{
        errors::AppError,
        language::{self, td_string},
    },
    i18n::Locale,
    ui::{
        address,
        browser::Typed,
        calls::Call,
        dialog::Dialog,
        fields::{self, Field, field_error},
        icons::{Icon, icon},
        is_live,
        lazy::lazy_pages,
        locale,
        pieces::{self, Tone},
        states,
        tabs::{Tab, tabs},
        toasts::toasts,
        viewer::viewer,
    },
};

const PATH: &str = "/console/approvals";

/// How many requests wait for the viewer, for the menu; read again after a decision.
#[derive(Clone, Copy)]
pub struct Waiting(pub Resource<i64>);

lazy_pages! {
    (draw_approvals, load_approvals)
    Approvals: ApprovalsRoute => ApprovalsPage,
}

#[component(transparent)]
pub fn ApprovalRoutes() -> AnyNestedRoute {
    view! { <Route path=path!("approvals") view={Lazy::<ApprovalsRoute>::new()} /> }
        .into_inner()
        .into_any_nested_route()
}

/// The number beside the entry of the menu.
pub fn waiting_badge(count: i64) -> AnyView {
    let words = td_string!(locale(), approvals.waiting_count, count = count).to_string();
    let number = crate::base::habits::number(count);
    view! {
        <span class="count">
            <span aria-hidden="true">{number}</span>
            <span class="away">{words}</span>
        </span>
    }
    .into_any()
}

#[component]
fn ApprovalsPage() -> impl IntoView {
    let locale = locale();
    let viewer = viewer();
    let show = address::query_field("show");
    let for_head = viewer.clone();
    let for_list = viewer;
    let list = Resource::new_blocking(
        move || show.get(),
        move |show| {
            let viewer = for_list.clone();
            async move {
                let decides = viewer.holds().await.may(APPROVALS_DECIDE.as_str());
                let answer = match (decides, show.as_deref()) {
                    (true, None) => {
                        let state = Some(State::Waiting.as_str().to_owned());
                        list_approvals(ApprovalsQuery { state }).await
                    }
                    (true, Some("all")) => list_approvals(ApprovalsQuery::default()).await,
                    _ => list_own_approvals().await,
                };
                (decides, answer)
            }
        },
    );
    let changed = Callback::new(move |()| {
        list.refetch();
        if let Some(Waiting(waiting)) = use_context::<Waiting>() {
            waiting.refetch();
        }
    });
    let deciding = Deciding::new();
    view! {
        <Title text=td_string!(locale, approvals.title) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, approvals.title)}</h1>
                <p class="small muted">{td_string!(locale, approvals.about)}</p>
            </div>
            <Suspense>
                {move || {
                    let viewer = for_head.clone();
                    Suspend::new(async move { viewer.holds().await.may(SETTINGS_UPDATE.as_str()).then(|| view! { <Rules /> }) })
                }}
            </Suspense>
            <a class="btn" href="/console/approvals/new">
                {icon(Icon::Add)}
                {td_string!(locale, approvals.ask)}
            </a>
        </div>
        {decide_dialog(deciding, changed)}
        <Transition fallback=move || states::loading_card()>
            {move || Suspend::new(async move {
                let (decides, answer) = list.await;
                let show = show.get();
                let ways = decides.then(|| ways(show.as_deref()));
                view! { {ways} {drawn(answer, decides && show.is_none(), deciding, changed)} }.into_any()
            })}
        </Transition>
    }
    .into_any()
}

/// The ways between the lists of whoever decides.
fn ways(show: Option<&str>) -> AnyView {
    let locale = locale();
    let tab = |name: Option<&'static str>, word: &'static str| Tab {
        href: address::with_query(PATH, &[("show", name.unwrap_or_default())]),
        word,
        is_current: show == name,
    };
    tabs(
        td_string!(locale, approvals.title),
        [
            tab(None, td_string!(locale, approvals.to_decide)),
            tab(Some("mine"), td_string!(locale, approvals.mine)),
            tab(Some("all"), td_string!(locale, approvals.all)),
        ],
    )
}

fn drawn(
    answer: Result<Vec<Approval>, AppError>,
    to_decide: bool,
    deciding: Deciding,
    changed: Callback<()>,
) -> AnyView {
    let locale = locale();
    let requests = match answer {
        Ok(requests) => requests,
        Err(error) => return states::failure(&error),
    };
    if requests.is_empty() {
        let (title, about) = if to_decide {
            (td_string!(locale, approvals.none_waiting), td_string!(locale, approvals.none_waiting_about))
        } else {
            (td_string!(locale, approvals.none), td_string!(locale, approvals.none_about))
        };
        return states::empty(Icon::Allowed, title, about, None);
    }
    let cards =
        requests.into_iter().map(|request| view! { <li>{card(request, deciding, changed)}</li> }).collect_view();
    view! { <ul class="stack plain-list" role="list">{cards}</ul> }.into_any()
}

fn card(request: Approval, deciding: Deciding, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let subject = language::isolate(&request.subject_name);
    let title = match request.kind {
        Kind::Rights => td_string!(locale, approvals.kind_rights, name = subject).to_string(),
        Kind::Role => td_string!(locale, approvals.kind_role, name = subject).to_string(),
        Kind::Access => td_string!(locale, approvals.kind_access, name = subject).to_string(),
        Kind::Group => td_string!(locale, approvals.kind_group, name = subject).to_string(),
        Kind::Policy => td_string!(locale, approvals.kind_policy, name = subject).to_string(),
        Kind::Catalogue => td_string!(locale, approvals.kind_catalogue, name = subject).to_string(),
    };
    // Of access that somebody asks for themselves the change says it all.
    let high = (request.kind != Kind::Access).then(|| {
        let keys = request.permissions.iter().map(|key| view! { <li>{pieces::key(key.clone())}</li> }).collect_view();
        view! { <ul class="scope-row" role="list" aria-label=td_string!(locale, approvals.high)>{keys}</ul> }
    });
    let changes = crate::audit::pages::proposed(&request.proposal);
    // What is decided on is what has become of it; what was agreed to before that counts no more.
    let since = crate::audit::pages::moved(&request.proposal).map(|moved| {
        view! {
            <h3>{td_string!(locale, approvals.moved)}</h3>
            {moved}
            <h3>{td_string!(locale, approvals.moved_now)}</h3>
        }
    });
    let reaches = request.proposal.get("people").and_then(serde_json::Value::as_u64).map(|count| {
        view! { <p class="small muted">{td_string!(locale, approvals.reaches, count = count).to_string()}</p> }
    });
    // Who will answer is agreed to with a policy that asks.
    let agent = request.proposal.pointer("/after/agent").and_then(serde_json::Value::as_str).map(|agent| {
        let words = match agent {
            "" => td_string!(locale, approvals.answered_by_nobody).to_owned(),
            agent => td_string!(locale, approvals.answered_by, agent = pieces::isolate_key(agent)).to_string(),
        };
        view! { <p class="small muted">{pieces::sentence(&words)}</p> }
    });
    let decisions = request
        .decisions
        .iter()
        .map(|decision| {
            let (tone, sign, word) = match (decision.approves, decision.counts) {
                (true, true) => (Tone::Good, Icon::Allowed, td_string!(locale, approvals.said_yes)),
                (true, false) => (Tone::Neutral, Icon::Clock, td_string!(locale, approvals.said_yes_before)),
                (false, _) => (Tone::Bad, Icon::Denied, td_string!(locale, approvals.said_no)),
            };
            view! {
                <li class="row-of small">
                    {pieces::badge(tone, Some(sign), word)} {pieces::typed(decision.decider_name.clone())}
                    <span class="muted">{pieces::moment(decision.decided_at)}</span>
                    {decision.comment.clone().map(pieces::typed)}
                </li>
            }
        })
        .collect::<Vec<_>>();
    let decisions = (!decisions.is_empty()).then(|| view! { <ul class="plain-list" role="list">{decisions}</ul> });
    let (tone, sign, word) = state_word(request.state);
    let needs = (request.required > 1).then(|| {
        view! {
            <span class="small muted">{td_string!(locale, approvals.needed, count = request.required).to_string()}</span>
        }
    });
    let ends = (request.state == State::Waiting).then(|| {
        view! { <span class="small muted">{td_string!(locale, approvals.ends)} " " {pieces::moment(request.expires_at)}</span> }
    });
    let acts = if request.may_decide {
        decide_acts(&request, deciding)
    } else if request.is_own && request.state == State::Waiting {
        withdraw_act(&request, changed)
    } else {
        ().into_any()
    };
    view! {
        <article class="card padded stack tight">
            <h2 class="row-of"><span>{pieces::sentence(&title)}</span> {pieces::badge(tone, sign, word)}</h2>
            <p>
                <span class="muted">{td_string!(locale, approvals.asked_by)} " "</span>
                {pieces::typed(request.requester_name.clone())} " · " {pieces::moment(request.created_at)}
            </p>
            <p><span class="muted">{td_string!(locale, approvals.reason)} {td_string!(locale, ui.colon)} " "</span> {pieces::typed(request.reason.clone())}</p>
            {high}
            {since}
            {changes}
            {reaches}
            {agent}
            {decisions}
            {request.failure.as_deref().map(|code| view! { <p>{failure_word(code)}</p> })}
            <p class="row-of">{needs} {ends}</p>
            {acts}
        </article>
    }
    .into_any()
}

fn state_word(state: State) -> (Tone, Option<Icon>, &'static str) {
    let locale = locale();
    match state {
        State::Waiting => (Tone::Waiting, Some(Icon::Clock), td_string!(locale, approvals.state_waiting)),
        State::Applied => (Tone::Good, Some(Icon::Allowed), td_string!(locale, approvals.state_applied)),
        State::Rejected => (Tone::Bad, Some(Icon::Denied), td_string!(locale, approvals.state_rejected)),
        State::Withdrawn => (Tone::Neutral, None, td_string!(locale, approvals.state_withdrawn)),
        State::Failed => (Tone::Bad, Some(Icon::Alert), td_string!(locale, approvals.state_failed)),
        State::Expired => (Tone::Neutral, Some(Icon::Clock), td_string!(locale, approvals.state_expired)),
    }
}

/// Why what was agreed to could not be done: by the code of the error.
fn failure_word(code: &str) -> &'static str {
    let locale = locale();
    match code {
        "missing_permission" | "beyond_your_rights" => td_string!(locale, approvals.failed_rights),
        "approval_needed" => td_string!(locale, approvals.failed_more),
        "not_found" => td_string!(locale, approvals.failed_gone),
        _ => td_string!(locale, approvals.failed_moved),
    }
}

/// The decision that is about to be made. Its dialog stands on the page once, whatever the number of requests.
#[derive(Clone, Copy)]
struct Deciding {
    chosen: RwSignal<Option<Approval>>,
    approves: RwSignal<bool>,
    shown: RwSignal<bool>,
    call: Call,
}

impl Deciding {
    fn new() -> Self {
        let (chosen, approves, shown) = (RwSignal::new(None), RwSignal::new(true), RwSignal::new(false));
        Deciding { chosen, approves, shown, call: Call::new() }
    }

    fn title(self, locale: Locale) -> String {
        let name = self.chosen.with(|chosen| chosen.as_ref().map(|one| language::isolate(&one.subject_name)));
        let name = name.unwrap_or_default();
        if self.approves.get() {
            td_string!(locale, approvals.approve_title, name = name).to_string()
        } else {
            td_string!(locale, approvals.reject_title, name = name).to_string()
        }
    }
}

fn decide_acts(request: &Approval, deciding: Deciding) -> AnyView {
    let locale = locale();
    let live = is_live();
    let of_subject = || view! { <span class="away">" " {pieces::typed(request.subject_name.clone())}</span> };
    let begin = |approves: bool| {
        let request = request.clone();
        move |_| {
            deciding.call.error.set(None);
            deciding.chosen.set(Some(request.clone()));
            deciding.approves.set(approves);
            deciding.shown.set(true);
        }
    };
    view! {
        <div class="row-of">
            <button class="btn primary" type="button" disabled=move || !live.get() on:click=begin(true)>
                {icon(Icon::Allowed)}
                {td_string!(locale, approvals.approve)}
                {of_subject()}
            </button>
            <button class="btn danger" type="button" disabled=move || !live.get() on:click=begin(false)>
                {icon(Icon::Denied)}
                {td_string!(locale, approvals.reject)}
                {of_subject()}
            </button>
        </div>
    }
    .into_any()
}

fn decide_dialog(deciding: Deciding, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let toasts = toasts();
    let Deciding { chosen, approves, shown, call } = deciding;
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let Some(request) = chosen.get_untracked() else { return };
        let verdict = Verdict { comment: typed.optional("comment"), digest: Some(request.digest) };
        call.run(decide_approval(request.id, approves.get_untracked(), verdict), move |after| {
            shown.set(false);
            match after.state {
                State::Failed => toasts.warn(td_string!(locale, approvals.toast_failed)),
                State::Rejected => toasts.say(td_string!(locale, approvals.toast_rejected)),
                State::Applied => toasts.say(td_string!(locale, approvals.toast_applied)),
                State::Waiting | State::Withdrawn | State::Expired => {
                    toasts.say(td_string!(locale, approvals.toast_approved));
                }
            }
            changed.run(());
        });
    };
    view! {
        <Dialog id="decide" open=shown title=Signal::derive(move || deciding.title(locale))>
            {fields::summary(call.error, comment_label)}
            {move || fields::is_stale(call.error).then(|| again(shown, changed))}
            <form class="stack" on:submit=submit>
                <Field
                    name="comment"
                    label=td_string!(locale, approvals.comment)
                    longest="1000"
                    error=field_error(call.error, "comment")
                />
                <div class="row-of end">
                    <button class="btn" type="button" on:click=move |_| shown.set(false)>
                        {td_string!(locale, ui.cancel)}
                    </button>
                    {move || {
                        let (class, word) = if approves.get() {
                            ("btn primary", td_string!(locale, approvals.approve))
                        } else {
                            ("btn primary danger", td_string!(locale, approvals.reject))
                        };
                        view! {
                            <button class=class type="submit" disabled=move || call.waits()>
                                {word}
                            </button>
                        }
                    }}
                </div>
            </form>
        </Dialog>
    }
    .into_any()
}

/// Back to the list as it is now, where the request may be another one than was decided on.
fn again(shown: RwSignal<bool>, changed: Callback<()>) -> AnyView {
    let look = move |_| {
        shown.set(false);
        changed.run(());
    };
    view! {
        <p>
            <button class="btn" type="button" on:click=look>
                {td_string!(locale(), approvals.look_again)}
            </button>
        </p>
    }
    .into_any()
}

fn comment_label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        "comment" => Some(td_string!(locale, approvals.comment)),
        // What of the subject others have changed meanwhile.
        _ => crate::audit::pages::field_word(field),
    }
}

fn withdraw_act(request: &Approval, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let (call, live, toasts, id) = (Call::new(), is_live(), toasts(), request.id);
    let withdraw = move |_| {
        call.run(withdraw_approval(id), move |()| {
            toasts.say(td_string!(locale, approvals.toast_withdrawn));
            changed.run(());
        });
    };
    view! {
        {fields::summary(call.error, |_field| None)}
        <p class="row-of">
            <button class="btn" type="button" disabled=move || !live.get() || call.waits() on:click=withdraw>
                {icon(Icon::Undo)}
                {td_string!(locale, approvals.withdraw)}
            </button>
        </p>
    }
    .into_any()
}
