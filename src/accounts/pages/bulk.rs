//! What can be done to many people at once: the bar below the list, and the review before anything is saved.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::{
    access::{PERMISSIONS_ASSIGN, ROLES_READ, RoleRef, USERS_UPDATE},
    accounts::{
        Status,
        bulk::{BulkAnswer, BulkLine, BulkRole, BulkStatus, Fate, RoleAct},
        calls::set_status_of_many,
    },
    base::{
        errors::AppError,
        ids::{RoleId, UserId},
        language::{self, td_string},
    },
    i18n::Locale,
    ui::{
        asking::follow,
        browser::{self, Typed},
        calls::Call,
        dialog::Dialog,
        fields::{self, Field, field_error},
        icons::Icon,
        locale,
        menu::{Item, Menu},
        pieces,
        selection::{self, Selection, SelectionBar},
        states::{self, Mood},
        toasts::{Toasts, toasts},
        viewer::Held,
    },
};

type Changing = Pin<Box<dyn Future<Output = Result<BulkAnswer, AppError>> + Send>>;

/// Changes a role of many people. People know nothing of roles: who draws the pages hands this in.
#[derive(Clone)]
pub struct RoleChanger(Arc<dyn Fn(BulkRole) -> Changing + Send + Sync>);

impl RoleChanger {
    pub fn new<F>(change: impl Fn(BulkRole) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<BulkAnswer, AppError>> + Send + 'static,
    {
        RoleChanger(Arc::new(move |what| Box::pin(change(what))))
    }
}

/// What is done to everybody who is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Suspend,
    Activate,
    Give,
    Take,
}

impl Act {
    fn word(self) -> &'static str {
        let locale = locale();
        match self {
            Act::Suspend => td_string!(locale, accounts.bulk_suspend),
            Act::Activate => td_string!(locale, accounts.bulk_activate),
            Act::Give => td_string!(locale, accounts.bulk_give),
            Act::Take => td_string!(locale, accounts.bulk_take),
        }
    }

    fn about(self) -> &'static str {
        let locale = locale();
        match self {
            Act::Suspend => td_string!(locale, accounts.bulk_suspend_about),
            Act::Activate => td_string!(locale, accounts.bulk_activate_about),
            Act::Give => td_string!(locale, accounts.bulk_give_about),
            Act::Take => td_string!(locale, accounts.bulk_take_about),
        }
    }

    fn sign(self) -> Icon {
        match self {
            Act::Suspend => Icon::Pause,
            Act::Activate => Icon::Play,
            Act::Give => Icon::Add,
            Act::Take => Icon::Denied,
        }
    }

    fn is_about_roles(self) -> bool {
        matches!(self, Act::Give | Act::Take)
    }

    /// The act that undoes it for those whom it has changed. Roles that are taken lose their bounds for good.
    fn back(self) -> Option<Self> {
        match self {
            Act::Suspend => Some(Act::Activate),
            Act::Activate => Some(Act::Suspend),
            Act::Give => Some(Act::Take),
            Act::Take => None,
        }
    }
}

/// What is asked of the server.
#[derive(Clone)]
struct Asked {
    act: Act,
    people: Vec<UserId>,
    /// Of the acts about roles.
    role: Option<RoleId>,
    reason: Option<String>,
    /// Goes on with the others where it is refused for some.
    skip_refused: bool,
    dry_run: bool,
}

impl Asked {
    async fn send(self, roles: Option<RoleChanger>) -> Result<BulkAnswer, AppError> {
        let Asked { act, people: users, role, reason, skip_refused, dry_run } = self;
        let status = |status| BulkStatus { users: users.clone(), status, skip_refused, dry_run };
        let role_act = match act {
            Act::Suspend => return set_status_of_many(status(Status::Suspended)).await,
            Act::Activate => return set_status_of_many(status(Status::Active)).await,
            Act::Give => RoleAct::Give,
            Act::Take => RoleAct::Take,
        };
        let (Some(RoleChanger(change)), Some(role)) = (roles, role) else { return Err(AppError::NotFound) };
        change(BulkRole { users, role, act: role_act, reason, skip_refused, dry_run }).await
    }
}

/// Whether somebody may do something to many: else nothing is to be selected.
pub fn may_act(held: &Held) -> bool {
    held.may(USERS_UPDATE.as_str()) || may_give(held)
}

fn may_give(held: &Held) -> bool {
    held.may(PERMISSIONS_ASSIGN.as_str()) && held.may(ROLES_READ.as_str())
}

/// How many people, in words.
pub fn selected(count: usize) -> String {
    td_string!(locale(), accounts.selected, count = count).to_string()
}

/// The review of an act.
#[derive(Clone, Copy)]
struct Review {
    selection: Selection,
    open: RwSignal<bool>,
    act: RwSignal<Act>,
    role: RwSignal<Option<RoleId>>,
    /// What the server says would come of it.
    foreseen: RwSignal<Option<Result<BulkAnswer, AppError>>>,
    waits: RwSignal<bool>,
    call: Call,
    undoing: Call,
}

/// What is to be looked at; nothing as long as something is missing.
fn asked(selection: Selection, act: Act, role: Option<RoleId>) -> Option<Asked> {
    let people = selection.items().iter().filter_map(|item| item.id.parse().ok()).collect::<Vec<_>>();
    let is_whole = !people.is_empty() && (!act.is_about_roles() || role.is_some());
    is_whole.then_some(Asked { act, people, role, reason: None, skip_refused: false, dry_run: true })
}

impl Review {
    /// How many there are of whom this would come.
    fn count(self, fate: Fate) -> usize {
        self.foreseen.with(|foreseen| match foreseen {
            Some(Ok(answer)) => answer.people.iter().filter(|line| line.fate == fate).count(),
            _ => 0,
        })
    }

    fn stopped(self) -> usize {
        self.count(Fate::Refused) + self.count(Fate::Unknown)
    }

    /// How many it would be done to, or asked for.
    fn others(self) -> usize {
        self.count(Fate::Changes) + self.count(Fate::NeedsApproval)
    }

    fn may_save(self) -> bool {
        self.stopped() == 0 && self.others() > 0
    }

    /// Whether it can go on with some of them only.
    fn may_go_on(self) -> bool {
        self.stopped() > 0 && self.others() > 0
    }
}

/// The bar of those who are selected, and the dialog in which an act is looked at before it is saved.
#[component]
pub fn BulkActs(selection: Selection, roles: Vec<RoleRef>, held: Held, changed: Callback<()>) -> impl IntoView {
    let locale = locale();
    let changer = use_context::<RoleChanger>();
    let open = RwSignal::new(false);
    let (act, role) = (RwSignal::new(Act::Suspend), RwSignal::new(None));
    let foreseen = RwSignal::new(None);
    let asking = changer.clone();
    let ask = move || {
        let asked = open.get().then(|| asked(selection, act.get(), role.get())).flatten()?;
        Some(asked.send(asking.clone()))
    };
    let waits = follow(Duration::ZERO, ask, move |answer| foreseen.set(answer));
    let review = Review { selection, open, act, role, foreseen, waits, call: Call::new(), undoing: Call::new() };
    // Undoing happens without the dialog: what goes wrong then is told beside it.
    let toasts = toasts();
    Effect::new(move |_| {
        if let Some(error) = review.undoing.error.get() {
            toasts.warn(language::error(locale, &error));
        }
    });
    let begin = move |chosen: Act| {
        act.set(chosen);
        foreseen.set(None);
        review.call.error.set(None);
        open.set(true);
    };
    let item = |chosen: Act| Item {
        sign: chosen.sign(),
        word: chosen.word(),
        danger: chosen == Act::Suspend,
        act: Callback::new(move |()| begin(chosen)),
    };
    let of_status = held.may(USERS_UPDATE.as_str()).then(|| [item(Act::Activate), item(Act::Suspend)]);
    let navigate = use_navigate();
    let in_studio = Item {
        sign: Icon::Key,
        word: td_string!(locale, roles.open_several),
        danger: false,
        act: Callback::new(move |()| {
            let ids = untrack(|| selection.items()).into_iter().map(|item| item.id).collect::<Vec<_>>();
            navigate(&format!("/console/studio?people={}", ids.join(",")), NavigateOptions::default());
        }),
    };
    let of_roles = (may_give(&held) && changer.is_some()).then(|| [item(Act::Give), item(Act::Take), in_studio]);
    let items = of_roles.into_iter().flatten().chain(of_status.into_iter().flatten()).collect::<Vec<_>>();
    let said = Signal::derive(move || selected(selection.count()));
    let title = Signal::derive(move || {
        let count = selection.count();
        match act.get() {
            Act::Suspend => td_string!(locale, accounts.bulk_suspend_title, count = count).to_string(),
            Act::Activate => td_string!(locale, accounts.bulk_activate_title, count = count).to_string(),
            Act::Give => td_string!(locale, accounts.bulk_give).to_owned(),
            Act::Take => td_string!(locale, accounts.bulk_take).to_owned(),
        }
    });
    let roles = StoredValue::new(roles);
    let changer = StoredValue::new(changer);
    view! {
        <SelectionBar selection said>
            <Menu id="bulk-acts" sign=Icon::People word=td_string!(locale, accounts.bulk_acts) items class="btn primary sm" />
        </SelectionBar>
        <Dialog id="bulk" open title>
            <p class="muted">{move || act.get().about()}</p>
            {move || act.get().is_about_roles().then(|| role_field(role, roles.get_value()))}
            <p class="away" role="status">{move || told(review)}</p>
            {move || outcome(review)}
            {fields::summary(review.call.error, |_field| None)}
            {move || save_form(review, changer.get_value(), changed)}
        </Dialog>
    }
    .into_any()
}

fn role_field(role: RwSignal<Option<RoleId>>, roles: Vec<RoleRef>) -> AnyView {
    let locale = locale();
    let chosen = role.get_untracked();
    let options = roles
        .into_iter()
        .map(|one| {
            let is_chosen = chosen == Some(one.id);
            view! { <option value=one.id.to_string() selected=is_chosen dir="auto">{one.name}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for="bulk-role">{td_string!(locale, accounts.role)}</label>
            <select class="input" id="bulk-role" on:change:target=move |event| role.set(event.target().value().parse().ok())>
                <option value="" selected=chosen.is_none()>{td_string!(locale, accounts.bulk_choose_role)}</option>
                {options}
            </select>
        </div>
    }
    .into_any()
}

/// How many it comes to, for whoever does not see the lists.
fn told(review: Review) -> String {
    let locale = locale();
    let (changes, stopped) = (review.count(Fate::Changes), review.stopped());
    let words = |count: usize, say: &dyn Fn(usize) -> String| (count > 0).then(|| say(count));
    let all = [
        words(stopped, &|count| td_string!(locale, accounts.bulk_refused, count = count).to_string()),
        words(changes, &|count| td_string!(locale, accounts.bulk_changes, count = count).to_string()),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(". ")
}

/// Who is affected, and how: exactly those whom saving would change, and those who stand in its way.
fn outcome(review: Review) -> AnyView {
    let lacks_role = review.act.get().is_about_roles() && review.role.get().is_none();
    if lacks_role || review.selection.count() == 0 {
        return ().into_any();
    }
    match review.foreseen.get() {
        None => states::bones(3),
        Some(Err(error)) => fields::summary_of(&error, |_field| None),
        Some(Ok(answer)) => lines(review, answer),
    }
}

fn lines(review: Review, answer: BulkAnswer) -> AnyView {
    let locale = locale();
    let of =
        |fates: &[Fate]| answer.people.iter().filter(|line| fates.contains(&line.fate)).cloned().collect::<Vec<_>>();
    let changes = of(&[Fate::Changes]);
    let stays = of(&[Fate::Stays]);
    let approval = of(&[Fate::NeedsApproval]);
    let stopped = of(&[Fate::Refused, Fate::Unknown]);
    let leave_out = {
        let gone = stopped.iter().map(|line| line.user.to_string()).collect::<Vec<_>>();
        move |_| {
            let items = review.selection.items();
            let gone = items.into_iter().filter(|item| gone.contains(&item.id)).collect::<Vec<_>>();
            review.selection.set(&gone, false);
        }
    };
    let stopped = (!stopped.is_empty()).then(|| {
        let count = stopped.len();
        states::notice(
            Mood::Bad,
            view! {
                <p class="strong">{td_string!(locale, accounts.bulk_refused, count = count).to_string()}</p>
                {people(review, stopped)}
                <p>
                    <button class="btn sm" type="button" on:click=leave_out>
                        {td_string!(locale, accounts.bulk_leave_out)}
                    </button>
                </p>
            },
        )
    });
    let approval = (!approval.is_empty()).then(|| {
        let count = approval.len();
        states::notice(
            Mood::Waiting,
            view! {
                <p class="strong">{td_string!(locale, accounts.bulk_approval, count = count).to_string()}</p>
                {people(review, approval)}
            },
        )
    });
    let changes = (!changes.is_empty()).then(|| {
        view! {
            <section class="stack" aria-labelledby="bulk-changes">
                <h3 id="bulk-changes">{td_string!(locale, accounts.bulk_changes, count = changes.len()).to_string()}</h3>
                {people(review, changes)}
            </section>
        }
    });
    let stays = (!stays.is_empty()).then(|| {
        view! {
            <details>
                <summary>{td_string!(locale, accounts.bulk_stays, count = stays.len()).to_string()}</summary>
                {people(review, stays)}
            </details>
        }
    });
    view! { <div class="stack">{stopped} {approval} {changes} {stays}</div> }.into_any()
}

/// People by name and address, each with why not where there is a reason.
fn people(review: Review, lines: Vec<BulkLine>) -> AnyView {
    let locale = locale();
    let items = review.selection.items();
    let lines = lines
        .into_iter()
        .map(|line| {
            // Whoever is out of reach is called as the list called them.
            let listed = || items.iter().find(|item| item.id == line.user.to_string()).map(|item| item.name.clone());
            let name = if line.fate == Fate::Unknown { listed().unwrap_or_default() } else { line.name };
            let why = match (line.fate, line.denial) {
                (Fate::Unknown, _) => Some(language::error(locale, &AppError::NotFound)),
                (_, Some(denial)) => Some(language::error(locale, &AppError::Forbidden(denial))),
                (_, None) => None,
            };
            view! {
                <li>
                    <span class="grow">
                        <span class="strong">{pieces::typed(name)}</span>
                        " "
                        <span class="small muted">{pieces::email(&line.email)}</span>
                        {why.map(|why| view! { <span class="why small">{pieces::sentence(&why)}</span> })}
                    </span>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="changes people" role="list">{lines}</ul> }.into_any()
}

/// The end of the dialog. Where others have to agree it asks for the reason that they are told.
fn save_form(review: Review, changer: Option<RoleChanger>, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let toasts = toasts();
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let skip_refused = untrack(|| review.may_go_on());
        let asked = untrack(|| {
            let asked = asked(review.selection, review.act.get(), review.role.get());
            asked.filter(|_| skip_refused || review.may_save())
        });
        let Some(asked) = asked else { return };
        let reason = typed.optional("bulk_reason");
        let asked = Asked { reason, skip_refused, dry_run: false, ..asked };
        let (back, again) = (asked.clone(), changer.clone());
        review.call.run(asked.send(changer.clone()), move |answer| {
            review.open.set(false);
            // Whoever was skipped stays chosen: there is something left to do about them.
            let chosen = untrack(|| review.selection.items());
            review.selection.clear();
            review.selection.set(&skipped(&answer, chosen), true);
            // The bar is gone, and with it the button that would have the focus.
            request_animation_frame(|| browser::focus("main"));
            let told = Told { locale, toasts, undoing: review.undoing, changed };
            told.of(&back, &answer, again);
            changed.run(());
        });
    };
    let needs_reason = move || review.count(Fate::NeedsApproval) > 0;
    let danger = move || if review.act.get() == Act::Suspend { "btn primary danger" } else { "btn primary" };
    view! {
        <form class="stack" on:submit=submit>
            {move || {
                needs_reason()
                    .then(|| {
                        view! {
                            <Field
                                name="bulk_reason"
                                label=td_string!(locale, accounts.bulk_reason)
                                required=true
                                longest="1000"
                                error=field_error(review.call.error, "reason")
                            />
                        }
                    })
            }}
            <div class="row-of end">
                <button class="btn" type="button" on:click=move |_| review.open.set(false)>
                    {td_string!(locale, ui.cancel)}
                </button>
                <button
                    class=danger
                    type="submit"
                    disabled=move || review.call.waits() || review.waits.get() || !review.may_save()
                >
                    {move || review.act.get().word()}
                </button>
                {move || {
                    review.may_go_on().then(|| {
                        view! {
                            <button class=danger type="submit" disabled=move || review.call.waits() || review.waits.get()>
                                {td_string!(locale, accounts.bulk_go_on, count = review.others()).to_string()}
                            </button>
                        }
                    })
                }}
            </div>
        </form>
    }
    .into_any()
}

/// Those of the chosen for whom an act was refused.
fn skipped(answer: &BulkAnswer, chosen: Vec<selection::Item>) -> Vec<selection::Item> {
    let refused = |item: &selection::Item| {
        let line = answer.people.iter().find(|line| line.user.to_string() == item.id);
        line.is_some_and(|line| matches!(line.fate, Fate::Refused | Fate::Unknown))
    };
    chosen.into_iter().filter(refused).collect()
}

/// What telling of an act needs once the page has gone on.
#[derive(Clone, Copy)]
struct Told {
    locale: Locale,
    toasts: Toasts,
    undoing: Call,
    changed: Callback<()>,
}

impl Told {
    /// Says what was done, and offers to undo it where that is certain: as another change, recorded like this one.
    fn of(self, asked: &Asked, answer: &BulkAnswer, changer: Option<RoleChanger>) {
        let Told { locale, toasts, undoing, changed } = self;
        let of = |fate: Fate| answer.people.iter().filter(move |line| line.fate == fate);
        let waiting = of(Fate::Asked).count();
        if waiting > 0 {
            toasts.say(td_string!(locale, accounts.bulk_asked, count = waiting).to_string());
        }
        let left = of(Fate::Refused).count() + of(Fate::Unknown).count();
        if left > 0 {
            toasts.warn(td_string!(locale, accounts.bulk_skipped, count = left).to_string());
        }
        let people = of(Fate::Changes).map(|line| line.user).collect::<Vec<_>>();
        if people.is_empty() {
            return;
        }
        let words = td_string!(locale, accounts.bulk_done, count = people.len()).to_string();
        let Some(act) = asked.act.back() else {
            toasts.say(words);
            return;
        };
        let back = Asked { act, people, role: asked.role, reason: None, skip_refused: false, dry_run: false };
        let undo = Callback::new(move |()| {
            undoing.run(back.clone().send(changer.clone()), move |_answer| {
                toasts.say(td_string!(locale, accounts.bulk_undone));
                changed.run(());
            });
        });
        toasts.offer(words, td_string!(locale, accounts.bulk_undo), undo);
    }
}
