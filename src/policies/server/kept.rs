//! Operations on the policies themselves: what is saved is a version, and one of them is enforced, or none (C5).

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{facts, request, store};
use crate::{
    access::{
        PERMISSIONS_READ, POLICIES_CREATE, POLICIES_DELETE, POLICIES_READ, POLICIES_UPDATE, Permission, PolicyLanguage,
        USERS_READ,
        server::{
            Cx, Edited, Tx,
            change::{self, Change, Granter},
            engine::Snapshot,
            outside,
            policy::{self, Situation},
            record::{Action, Event},
            rego::{self, Module},
        },
    },
    base::{
        errors::{AppError, Conflict, FieldCode, FieldErrors},
        ids::PolicyId,
        paging::Page,
        server::{cursor::Part, input::Input, names, search::Words},
        text::optional_line,
    },
    policies::{
        Activation, Document, ModuleTests, NewPolicy, PoliciesQuery, Policy, PolicyEdit, PolicyPreview, Saved,
        TestResult, TestResults, Trial, Tried, TriedCondition,
    },
    roles::{Effect, server::what_if},
};

/// How many policies a tenant may have: each is looked at for each decision.
const MOST: i64 = 200;
/// How many keys and wildcards a policy may be about.
const ACTIONS: usize = 50;
/// How long the rules may be, in bytes of JSON.
const LONGEST: usize = 32 * 1024;
/// How many modules are read, or have their tests run, at a time: they share the processors with everybody's requests.
static ASIDE: Semaphore = Semaphore::const_new(4);
/// How long one waits for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A page of the policies that are asked for, by name.
pub async fn list(cx: &Cx, query: Input<PoliciesQuery>) -> Result<Page<Policy>, AppError> {
    let mut tx = cx.read(POLICIES_READ).await?;
    let query = query.read()?;
    let mut errors = FieldErrors::default();
    let words = errors.take("q", Words::parse(query.q)).unwrap_or_default();
    let part = Part::parse(query.after, query.limit, &mut errors);
    errors.check()?;
    tx.decide(&Default::default())?;
    store::list(&mut tx, &words, &part).await
}

pub async fn get(cx: &Cx, id: PolicyId) -> Result<Policy, AppError> {
    let mut tx = cx.read(POLICIES_READ).await?;
    tx.decide(&Default::default())?;
    store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)
}

/// Everything that was saved of a policy, the last first.
pub async fn versions(cx: &Cx, id: PolicyId) -> Result<Vec<Saved>, AppError> {
    let mut tx = cx.read(POLICIES_READ).await?;
    tx.decide(&Default::default())?;
    store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    store::versions(&mut tx, id).await
}

/// Makes a policy. Enforcing it at once needs all that it is about.
pub async fn create(cx: &Cx, policy: Input<NewPolicy>) -> Result<Policy, AppError> {
    let mut tx = cx.allow(POLICIES_CREATE).await?;
    let NewPolicy { name, description, mode, actions, rules, language, module, tests, active } = policy.read()?;
    tx.decide(&Default::default())?;
    let snapshot = tx.snapshot()?.clone();
    // Nothing is held while a module is read and its tests run.
    drop(tx);
    let mut errors = FieldErrors::default();
    let name = errors.take("name", names::parse(&name, 120));
    let description = errors.take("description", optional_line(Some(&description), 1000)).flatten();
    let rules = if language != PolicyLanguage::Rules && rules.is_null() { json!([]) } else { rules };
    let document = Document { mode, actions, rules, language, module, tests };
    let parsed = parse(&snapshot, document, &mut errors).await?;
    errors.check()?;
    let (Some(name), Some((document, _))) = (name, parsed) else { return Err(AppError::NotFound) };
    if active {
        check_tests(&document).await?;
    }
    let mut tx = cx.allow(POLICIES_CREATE).await?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&POLICIES_CREATE)).await?;
    check_actions(tx.snapshot()?, &document)?;
    if store::count(&mut tx).await? >= MOST {
        return Err(AppError::Conflict(Conflict::Full));
    }
    let id = PolicyId(Uuid::now_v7());
    store::insert(&mut tx, id, &name, description.as_deref().unwrap_or_default()).await?;
    store::insert_version(&mut tx, id, 1, &document).await?;
    if active {
        let granter = Granter::Person(cx.person()?.user);
        enforce(&mut tx, id, &name, Some((1, &document)), granter).await?;
    }
    let created = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    tx.commit(Event::done(Action::PolicyCreate).on("policy", id, &created.name).new_value(audited(&created))).await?;
    Ok(created)
}

/// Edits a policy. Another document is its next version: what is enforced stays so until that one is activated.
pub async fn edit(cx: &Cx, id: PolicyId, edit: Input<PolicyEdit>) -> Result<Policy, AppError> {
    let mut tx = cx.allow(POLICIES_UPDATE).await?;
    let seen = edit.seen;
    let PolicyEdit { name, description, mode, actions, rules, module, tests, version } = edit.read()?;
    tx.decide(&Default::default())?;
    let before = changeable(&mut tx, id, version.or(seen)).await?;
    let snapshot = tx.snapshot()?.clone();
    // Nothing is held while a module is read.
    drop(tx);
    let mut errors = FieldErrors::default();
    let (name, description) = names::parse_edit(name.as_deref(), description.as_deref(), &mut errors);
    let old = before.document.clone();
    let document = Document {
        mode: mode.unwrap_or(old.mode),
        actions: actions.unwrap_or_else(|| old.actions.clone()),
        rules: rules.unwrap_or_else(|| old.rules.clone()),
        language: old.language,
        module: module.unwrap_or_else(|| old.module.clone()),
        tests: tests.unwrap_or_else(|| old.tests.clone()),
    };
    let parsed = parse(&snapshot, document, &mut errors).await?;
    errors.check()?;
    let (document, _) = parsed.ok_or(AppError::NotFound)?;
    let mut tx = cx.allow(POLICIES_UPDATE).await?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&POLICIES_UPDATE)).await?;
    // It stands on what was just read, and somebody may have saved meanwhile.
    let before = changeable(&mut tx, id, Some(before.version)).await?;
    check_actions(tx.snapshot()?, &document)?;
    let name = name.unwrap_or_else(|| before.name.clone());
    let description = description.unwrap_or_else(|| before.description.clone());
    let mut latest = before.latest;
    if document != old {
        latest += 1;
        store::insert_version(&mut tx, id, latest, &document).await?;
    }
    store::update(&mut tx, id, &name, &description, latest).await?;
    // The name stands in reasons.
    if name != before.name && before.active.is_some() {
        tx.catalogue_moved().await?;
    }
    let after = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let event = Event::done(Action::PolicyUpdate).on("policy", id, &after.name).version(after.version);
    tx.commit(event.change(audited(&before), audited(&after))).await?;
    Ok(after)
}

/// Puts a version of a policy into force, the last one where none is named. Also the way back to an earlier one. Needs
/// all that it is about, and all that the version before was about.
pub async fn activate(cx: &Cx, id: PolicyId, activation: Input<Activation>) -> Result<Policy, AppError> {
    let mut tx = cx.allow(POLICIES_UPDATE).await?;
    let seen = activation.seen;
    let Activation { number, version } = activation.read_or_default()?;
    tx.decide(&Default::default())?;
    let seen = version.or(seen);
    let before = changeable(&mut tx, id, seen).await?;
    let number = number.unwrap_or(before.latest);
    let document = store::version(&mut tx, id, number).await?;
    let document = document.ok_or(AppError::field("number", FieldCode::Unknown))?;
    // Nothing is held while its tests run. What was saved once stays as it is.
    drop(tx);
    check_tests(&document).await?;
    let mut tx = cx.allow(POLICIES_UPDATE).await?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&POLICIES_UPDATE)).await?;
    let before = changeable(&mut tx, id, seen).await?;
    let granter = Granter::Person(cx.person()?.user);
    enforce(&mut tx, id, &before.name, Some((number, &document)), granter).await?;
    let after = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let event = Event::done(Action::PolicyActivate).on("policy", id, &after.name).version(after.version);
    tx.commit(event.change(json!({"active": before.active}), json!({"active": after.active}))).await?;
    Ok(after)
}

/// Takes a policy out of force. Needs all that it is about: what it denied is free.
pub async fn deactivate(cx: &Cx, id: PolicyId, version: Option<i64>) -> Result<Policy, AppError> {
    let mut tx = cx.allow(POLICIES_UPDATE).await?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&POLICIES_UPDATE)).await?;
    let before = changeable(&mut tx, id, version).await?;
    enforce(&mut tx, id, &before.name, None, Granter::Person(cx.person()?.user)).await?;
    let after = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let event = Event::done(Action::PolicyDeactivate).on("policy", id, &after.name).version(after.version);
    tx.commit(event.change(json!({"active": before.active}), json!({"active": after.active}))).await?;
    Ok(after)
}

/// Deletes a policy with all of its versions; it is taken out of force first.
pub async fn delete(cx: &Cx, id: PolicyId, version: Option<i64>) -> Result<(), AppError> {
    let mut tx = cx.allow(POLICIES_DELETE).await?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&POLICIES_DELETE)).await?;
    let before = changeable(&mut tx, id, version).await?;
    if before.active.is_some() {
        enforce(&mut tx, id, &before.name, None, Granter::Person(cx.person()?.user)).await?;
    }
    store::delete(&mut tx, id).await?;
    tx.commit(Event::done(Action::PolicyDelete).on("policy", id, &before.name).old_value(audited(&before))).await
}

/// What putting a version into force would do to whom; without a number: taking the policy out of it. Nothing is written
/// (C14).
pub async fn preview(cx: &Cx, id: PolicyId, wanted: Input<PolicyPreview>) -> Result<Effect, AppError> {
    let mut tx = cx.read(POLICIES_READ).await?;
    tx.require(PERMISSIONS_READ).await?;
    tx.require(USERS_READ).await?;
    let PolicyPreview { number } = wanted.read_or_default()?;
    tx.decide(&Default::default())?;
    let policy = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let wanted = match number {
        Some(number) => {
            let document = store::version(&mut tx, id, number).await?;
            let document = document.ok_or(AppError::field("number", FieldCode::Unknown))?;
            Some(Arc::new(read(id, &policy.name, &document).await?))
        }
        None => None,
    };
    let before = tx.snapshot()?.clone();
    let changes = [Change::Policy { id, policy: wanted }];
    let people = change::moved_by_policy(&before, &change::stage(&before, &changes), id, tx.now());
    what_if::of_changes(&mut tx, &changes, &people).await
}

/// Tries a document on somebody, without saving it: what it says, and how each of its conditions stands.
pub async fn try_out(cx: &Cx, trial: Input<Trial>) -> Result<Tried, AppError> {
    let mut tx = cx.read(POLICIES_READ).await?;
    tx.require(PERMISSIONS_READ).await?;
    tx.require(USERS_READ).await?;
    tx.decide(&Default::default())?;
    let Trial { mode, actions, rules, language, module, action, user, resource, env } = trial.read()?;
    let snapshot = tx.snapshot()?.clone();
    let mut errors = FieldErrors::default();
    let rules = if language == PolicyLanguage::Rules { rules } else { json!([]) };
    let document = Document { mode, actions, rules, language, module, tests: String::new() };
    let (user, now) = (super::find(&mut tx, user.trim()).await?, tx.now());
    // Nothing is held while a module is read and evaluated.
    drop(tx);
    let document = parse(&snapshot, document, &mut errors).await?;
    let action = errors.take("action", action.map(|key| snapshot.known(&key)).transpose()).flatten();
    let user = errors.take("user", user.ok_or(FieldCode::Unknown));
    let facts = resource.map(|thing| facts(thing).1);
    let context = super::said(env.as_ref());
    let env = request(env.as_ref(), "", &mut errors);
    errors.check()?;
    let (Some((document, module)), Some(user)) = (document, user) else { return Err(AppError::NotFound) };
    let person = snapshot.person(user).ok_or(AppError::NotFound)?;
    let (facts, env) = (facts.as_ref(), env.as_ref());
    let (action, context) = (action.as_ref(), context.as_ref());
    let on = Situation { snapshot: &snapshot, user, person, action, facts, env, context, told: None, now };
    let says = for_engine(PolicyId(Uuid::nil()), "", &document, module)?.says(on);
    let conditions = policy::trace(&document.rules, on).into_iter().map(|(at, holds)| TriedCondition { at, holds });
    Ok(Tried { denies: says.denies, allows: says.allows, conditions: conditions.collect() })
}

/// Runs the tests of a module, without saving anything.
pub async fn test(cx: &Cx, tests: Input<ModuleTests>) -> Result<TestResults, AppError> {
    let mut tx = cx.read(POLICIES_READ).await?;
    tx.decide(&Default::default())?;
    drop(tx);
    let ModuleTests { module, tests } = tests.read()?;
    let results = run_tests(module, tests).await?;
    Ok(TestResults { passed: results.iter().all(|test| test.passed), results })
}

async fn run_tests(module: String, tests: String) -> Result<Vec<TestResult>, AppError> {
    let (results, errors) = aside(move |errors| rego::run_tests(&module, &tests, errors)).await?;
    errors.check()?;
    let results = results.unwrap_or_default().into_iter();
    Ok(results.map(|(name, passed)| TestResult { name, passed }).collect())
}

/// Reading a module and running its tests may take a while: no transaction may be open, and few do it at a time.
async fn aside<T: Send + 'static>(
    run: impl FnOnce(&mut FieldErrors) -> T + Send + 'static,
) -> Result<(T, FieldErrors), AppError> {
    let turn = tokio::time::timeout(LONGEST_WAIT, ASIDE.acquire()).await;
    let Ok(turn) = turn else { return Err(AppError::TooMany { retry_after: 1 }) };
    let _turn = turn.context("wait for a turn to read a Rego module")?;
    let run = move || {
        let mut errors = FieldErrors::default();
        (run(&mut errors), errors)
    };
    Ok(tokio::task::spawn_blocking(run).await.context("read a Rego module")?)
}

/// What a document is about may have been removed while it was read.
fn check_actions(snapshot: &Snapshot, document: &Document) -> Result<(), AppError> {
    let mut errors = FieldErrors::default();
    errors.take_each("actions", &document.actions, |key| snapshot.known(key));
    errors.check()
}

/// Checks a document as a whole; every place that is wrong is named. A module comes back read.
async fn parse(
    snapshot: &Snapshot,
    mut document: Document,
    errors: &mut FieldErrors,
) -> Result<Option<(Document, Option<Module>)>, AppError> {
    let before = errors.0.len();
    let mut read = None;
    if document.actions.is_empty() {
        errors.add("actions", FieldCode::Required);
    }
    if document.actions.len() > ACTIONS {
        errors.add("actions", FieldCode::TooLong);
    }
    let actions = errors.take_each("actions", &document.actions, |key| snapshot.known(key));
    match document.language {
        PolicyLanguage::Rules => {
            for (field, text) in [("module", &document.module), ("tests", &document.tests)] {
                if !text.is_empty() {
                    errors.add(field, FieldCode::Unknown);
                }
            }
            if document.rules.is_null() {
                errors.add("rules", FieldCode::Required);
            } else if document.rules.to_string().len() > LONGEST {
                errors.add("rules", FieldCode::TooLong);
            } else {
                policy::parse_rules(&document.rules, errors);
            }
        }
        PolicyLanguage::Rego => {
            if document.rules != json!([]) {
                errors.add("rules", FieldCode::Unknown);
            }
            let (module, tests) = (document.module.clone(), document.tests.clone());
            let (found, mut wrong) = aside(move |errors| rego::compile(&module, &tests, errors)).await?;
            read = found;
            errors.0.append(&mut wrong.0);
        }
        PolicyLanguage::Opa => {
            if document.rules != json!([]) {
                errors.add("rules", FieldCode::Unknown);
            }
            if !document.tests.is_empty() {
                errors.add("tests", FieldCode::Unknown);
            }
            let path = errors.take("module", outside::parse_path(&document.module));
            document.module = path.unwrap_or_default();
        }
    }
    let actions = actions.iter().map(ToString::to_string).collect();
    Ok((errors.0.len() == before).then_some((Document { actions, ..document }, read)))
}

/// A document that was saved, as the engine takes it.
pub(super) async fn read(id: PolicyId, name: &str, document: &Document) -> Result<policy::Policy, AppError> {
    let module = match document.language {
        PolicyLanguage::Rego => Some(rego::enforced(document.module.clone()).await),
        PolicyLanguage::Rules | PolicyLanguage::Opa => None,
    };
    for_engine(id, name, document, module)
}

/// A document that was checked, as the engine takes it.
fn for_engine(
    id: PolicyId,
    name: &str,
    document: &Document,
    module: Option<Module>,
) -> Result<policy::Policy, AppError> {
    let mut errors = FieldErrors::default();
    let (rules, module, outside) = match document.language {
        PolicyLanguage::Rules => (policy::parse_rules(&document.rules, &mut errors), None, None),
        PolicyLanguage::Rego => (Vec::new(), module, None),
        PolicyLanguage::Opa => {
            let path = errors.take("module", outside::parse_path(&document.module));
            (Vec::new(), None, path.map(Arc::from))
        }
    };
    let actions = errors.take_each("actions", &document.actions, |key| Permission::parse(key));
    errors.check()?;
    Ok(policy::Policy { id, name: name.to_owned(), mode: document.mode, actions, rules, module, outside })
}

/// Refuses to enforce a module whose tests do not hold (C6). No transaction may be open.
pub(super) async fn check_tests(document: &Document) -> Result<(), AppError> {
    if document.language != PolicyLanguage::Rego {
        return Ok(());
    }
    let results = run_tests(document.module.clone(), document.tests.clone()).await?;
    let mut errors = FieldErrors::default();
    for test in results.iter().filter(|test| !test.passed) {
        errors.add(format!("tests.{}", test.name), FieldCode::Failed);
    }
    errors.check()?;
    // It is kept from here on, so that nobody waits for it to be read with the grants locked.
    rego::enforced(document.module.clone()).await;
    Ok(())
}

/// Puts a version of a policy into force, or takes the policy out of it. The grants have been locked, and the tests of the
/// version have run.
pub(super) async fn enforce(
    tx: &mut Tx,
    id: PolicyId,
    name: &str,
    version: Option<(i32, &Document)>,
    granter: Granter,
) -> Result<(), AppError> {
    let policy = match version {
        Some((_, document)) => Some(read(id, name, document).await?),
        None => None,
    };
    store::set_active(tx, id, version.map(|(number, _)| number)).await?;
    tx.grant(&[Change::Policy { id, policy: policy.map(Arc::new) }], granter).await
}

/// A policy of the tenant, still the version that was seen.
pub(super) async fn changeable(tx: &mut Tx, id: PolicyId, version: Option<i64>) -> Result<Policy, AppError> {
    let policy = store::by_id(tx, id).await?.ok_or(AppError::NotFound)?;
    let read = Some(POLICIES_READ);
    tx.check_version(version, Edited { kind: "policy", id: id.0, version: policy.version, read, facts: None }).await?;
    Ok(policy)
}

fn audited(policy: &Policy) -> Value {
    json!({
        "name": policy.name,
        "description": policy.description,
        "mode": policy.document.mode,
        "actions": policy.document.actions,
        "rules": policy.document.rules,
        "language": policy.document.language,
        "module": policy.document.module,
        "tests": policy.document.tests,
        "latest": policy.latest,
        "active": policy.active,
    })
}
