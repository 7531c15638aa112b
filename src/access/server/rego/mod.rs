//! Policies as code: a module of Rego is checked and compiled once, and asked in process (C6).
//!
//! The language is cut down before anything of it is evaluated (`check`): the time limit of the interpreter alone stops
//! neither a function that calls itself nor one call that builds gigabytes. What fails denies.

use std::{
    collections::HashMap,
    fmt,
    num::NonZeroU32,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use regorus::{Engine, LimitError, Value as Rego, utils::limits::ExecutionTimerConfig};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use tracing::warn;

use self::share::Kind;

use crate::{
    access::{Permission, server::policy::Situation},
    base::{
        errors::{FieldCode, FieldErrors},
        server::seldom::Seldom,
    },
};

mod check;
mod share;

/// How long a module may be, in bytes.
const LONGEST: usize = 32 * 1024;
/// How long the tests of a module may be, in bytes.
const LONGEST_TESTS: usize = 64 * 1024;
/// How large the input of one question may be, in bytes of JSON. What is larger is not evaluated, and so denies.
const LARGEST_INPUT: usize = 16 * 1024;
/// How long one question, or one test, may take.
const TIME: Duration = Duration::from_millis(50);
/// How long evaluating the rules of a module that is new may take in all.
const TIME_TO_READ: Duration = Duration::from_millis(500);
/// How long all tests of a module may take.
const TIME_OF_TESTS: Duration = Duration::from_secs(3);
/// Reading a source may nest as deep as the source does, which is checked only on what was read.
const STACK: usize = 256 * 1024 * 1024;
/// How many modules a node keeps compiled.
const MOST_KEPT: usize = 2_000;

/// By their texts, which say all of them: each is compiled once, however often the grants move.
static KEPT: LazyLock<Mutex<HashMap<Arc<str>, Module>>> = LazyLock::new(Mutex::default);

// The process has one count of them, as of panics.
static FAILED: AtomicU64 = AtomicU64::new(0);
static WARNED: Seldom = Seldom::new();

/// How many evaluations failed, each of which denied.
pub fn failed() -> u64 {
    FAILED.load(Ordering::Relaxed)
}

/// What a module reads of what is not always known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    pub user: bool,
    pub resource: bool,
    pub request: bool,
    pub action: bool,
}

impl Reads {
    const ALL: Reads = Reads { user: true, resource: true, request: true, action: true };
}

/// A module that was checked and compiled.
#[derive(Clone)]
pub struct Module {
    text: Arc<str>,
    /// None: what was saved cannot be read any more. It fails whatever is asked.
    engine: Option<Arc<Engine>>,
    allow: Option<String>,
    deny: Option<String>,
    reads: Reads,
}

impl PartialEq for Module {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Module").field("text", &self.text).finish_non_exhaustive()
    }
}

/// What a module says, before the mode of its policy is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It reads what is not known, or the tenant's time for questions is spent.
    Unknown,
    /// It could not be evaluated, or `deny` is no boolean.
    Failed,
    Says {
        denies: bool,
        allows: bool,
    },
}

impl Module {
    fn unreadable(text: Arc<str>) -> Self {
        Module { text, engine: None, allow: None, deny: None, reads: Reads::default() }
    }

    /// Whether what was saved can be read.
    pub fn is_readable(&self) -> bool {
        self.engine.is_some()
    }

    pub fn reads(&self) -> Reads {
        self.reads
    }

    pub fn has_allow(&self) -> bool {
        self.allow.is_some()
    }

    pub fn has_deny(&self) -> bool {
        self.deny.is_some()
    }

    /// Evaluates the module, unless it reads what is not known.
    pub fn judge(&self, on: Situation<'_>) -> Verdict {
        let Reads { resource, request, action: by_action, user: _ } = self.reads;
        if (resource && on.facts.is_none()) || (request && on.env.is_none()) || (by_action && action(on).is_none()) {
            return Verdict::Unknown;
        }
        let (tenant, kind) = (on.snapshot.tenant, if on.env.is_some() { Kind::Request } else { Kind::Question });
        let started = Instant::now();
        // What cannot be read fails, whoever asks: nothing is known of what it could have said.
        let is_left = !self.is_readable() || share::is_left(tenant, kind, started);
        // Who asks in general is told that it depends, which is never a yes.
        if !is_left && kind == Kind::Question {
            return Verdict::Unknown;
        }
        let evaluated = if is_left {
            let evaluated = self.evaluate(&input(self.reads, on));
            let ended = Instant::now();
            share::spend(tenant, kind, ended.saturating_duration_since(started), ended);
            evaluated
        } else {
            Err(anyhow::anyhow!("the modules of this tenant have had their share of this second"))
        };
        match evaluated {
            Ok((denies, allows)) => Verdict::Says { denies, allows },
            Err(why) => {
                let times = FAILED.fetch_add(1, Ordering::Relaxed) + 1;
                // Each question may fail, and there are many.
                if WARNED.is_due(Instant::now()) {
                    warn!(times, "a Rego module could not be evaluated, so it denies: {why:#}");
                }
                Verdict::Failed
            }
        }
    }

    fn evaluate(&self, input: &Value) -> anyhow::Result<(bool, bool)> {
        let engine = self.engine.as_ref();
        let engine = engine.ok_or_else(|| anyhow::anyhow!("the module cannot be read any more"))?;
        let text = input.to_string();
        anyhow::ensure!(text.len() <= LARGEST_INPUT, "the input is too large");
        let run = || {
            let mut engine = Engine::clone(engine);
            engine.set_input(Rego::from_json_str(&text)?);
            let mut ask = |rule: &Option<String>| match rule {
                Some(rule) => engine.eval_rule(rule.clone()),
                None => Ok(Rego::Undefined),
            };
            let denies = match ask(&self.deny)? {
                Rego::Undefined => false,
                Rego::Bool(denies) => denies,
                _ => anyhow::bail!("deny is no boolean"),
            };
            Ok((denies, ask(&self.allow)? == Rego::Bool(true)))
        };
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_panic| anyhow::bail!("the evaluation panicked"))
    }
}

/// All that a decision from outside may look at, as a module sees it.
pub(super) fn whole_input(on: Situation<'_>) -> Value {
    input(Reads::ALL, on)
}

/// The one permission that is asked about. A wildcard is none.
fn action(on: Situation<'_>) -> Option<&Permission> {
    on.action.filter(|action| !action.is_wildcard())
}

/// What the module sees: the attributes of JSON policies, by the same names. What is not known of somebody is not there.
fn input(reads: Reads, on: Situation<'_>) -> Value {
    let mut document = json!({"env": {"time": on.now.to_rfc3339()}});
    let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
    if reads.user {
        let facts = on.person.facts.as_deref();
        let mut user = facts.map(|facts| object(&facts.other)).unwrap_or_default();
        for name in ["id", "tenant", "department", "region", "roles", "groups"] {
            user.remove(name);
        }
        user.insert("id".to_owned(), json!(on.user.0));
        user.insert("tenant".to_owned(), json!(on.snapshot.tenant.0));
        user.insert("roles".to_owned(), json!(on.snapshot.role_names(on.person, on.now)));
        user.insert("groups".to_owned(), json!(on.snapshot.group_names(on.person, on.now)));
        for (name, value) in [
            ("department", facts.and_then(|facts| facts.department.as_ref())),
            ("region", facts.and_then(|facts| facts.region.as_ref())),
        ] {
            if let Some(value) = value {
                user.insert(name.to_owned(), json!(value));
            }
        }
        document["user"] = Value::Object(user);
    }
    if let (true, Some(facts)) = (reads.resource, on.facts) {
        let mut resource = object(&facts.other);
        for (name, value) in [("department", &facts.department), ("region", &facts.region)] {
            resource.remove(name);
            if let Some(value) = value {
                resource.insert(name.to_owned(), json!(value));
            }
        }
        document["resource"] = Value::Object(resource);
    }
    if let (true, Some(env)) = (reads.request, on.env) {
        if let Some(address) = env.address {
            document["env"]["address"] = json!(address);
        }
        if let Some(device) = env.device {
            document["env"]["device"] = json!(device);
        }
        document["env"]["assurance"] = json!(env.assurance);
        if let Some(context) = on.context {
            document["env"]["context"] = context.clone();
        }
    }
    if let (true, Some(action)) = (reads.action, action(on)) {
        document["action"] = json!(action.as_str());
    }
    document
}

/// Checks a module and its tests and compiles them; every place that is wrong is named `module:line:column` or
/// `tests:line:column`. The tests are not run.
pub fn compile(module: &str, tests: &str, errors: &mut FieldErrors) -> Option<Module> {
    read(module, tests, Source::New, errors).map(|read| read.module)
}

/// A module that is enforced. It was checked when it was saved: here no rule of it is waited for. One that cannot be read any
/// more denies what it is about, and nothing else: the others of the tenant and of the installation go on.
pub async fn enforced(text: String) -> Module {
    if let Some(known) = known(&text) {
        return known;
    }
    let text = Arc::<str>::from(text);
    let saved = text.clone();
    let module = spawn_blocking(move || {
        let mut errors = FieldErrors::default();
        let found = read(&saved, "", Source::Saved, &mut errors);
        found.map(|read| read.module).ok_or(errors)
    });
    let module = match module.await {
        Ok(Ok(module)) => module,
        Ok(Err(errors)) => {
            warn!(?errors, "a Rego module that is enforced cannot be read any more, so it denies");
            Module::unreadable(text)
        }
        Err(error) => {
            // It may be read the next time.
            warn!(%error, "a Rego module that is enforced was not read, so it denies");
            return Module::unreadable(text);
        }
    };
    keep(&module);
    module
}

fn known(text: &str) -> Option<Module> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).get(text).cloned()
}

fn keep(module: &Module) {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= MOST_KEPT {
        kept.clear();
    }
    kept.insert(module.text.clone(), module.clone());
}

/// Compiles a module and runs its tests: each by its name, with whether it holds.
pub fn run_tests(module: &str, tests: &str, errors: &mut FieldErrors) -> Option<Vec<(String, bool)>> {
    let Read { tests: found, engine, .. } = read(module, tests, Source::New, errors)?;
    let run = move || {
        let mut left = TIME_OF_TESTS;
        let run = |(name, rule): (String, String)| {
            let started = Instant::now();
            let mut engine = engine.clone();
            engine.set_input(Rego::new_object());
            let one = |engine: &mut Engine| catch_unwind(AssertUnwindSafe(|| engine.eval_rule(rule)));
            let passed = !left.is_zero() && matches!(one(&mut engine), Ok(Ok(Rego::Bool(true))));
            left = left.saturating_sub(started.elapsed());
            (name, passed)
        };
        found.into_iter().map(run).collect::<Vec<_>>()
    };
    let results = on_large_stack(run);
    if results.is_none() {
        errors.add("tests", FieldCode::Malformed);
    }
    results
}

/// Where a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// Somebody wrote it now.
    New,
    /// It was checked when it was saved.
    Saved,
}

struct Read {
    module: Module,
    /// With the tests.
    engine: Engine,
    /// Each test by its name and its path.
    tests: Vec<(String, String)>,
}

fn read(module: &str, tests: &str, source: Source, errors: &mut FieldErrors) -> Option<Read> {
    if module.trim().is_empty() {
        errors.add("module", FieldCode::Required);
        return None;
    }
    for (field, text, longest) in [("module", module, LONGEST), ("tests", tests, LONGEST_TESTS)] {
        if text.len() > longest {
            errors.add(field, FieldCode::TooLong);
            return None;
        }
        if let Some((line, column)) = check::is_nested_too_deep(text) {
            errors.add(format!("{field}:{line}:{column}"), FieldCode::TooDeep);
            return None;
        }
    }
    let (module, tests) = (module.to_owned(), tests.to_owned());
    match on_large_stack(move || read_here(&module, &tests, source)) {
        Some(Ok(read)) => Some(read),
        Some(Err(mut found)) => {
            // Many lines of one mistake help nobody.
            found.0.truncate(20);
            errors.0.append(&mut found.0);
            None
        }
        None => {
            errors.add("module", FieldCode::Malformed);
            None
        }
    }
}

/// Runs something that may nest deep.
fn on_large_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let started = thread::Builder::new().name("rego".to_owned()).stack_size(STACK).spawn(run);
    match started {
        Ok(thread) => thread.join().ok(),
        Err(error) => {
            warn!("no thread for reading a Rego module: {error}");
            None
        }
    }
}

fn timed(limit: Duration) -> ExecutionTimerConfig {
    ExecutionTimerConfig { limit, check_interval: NonZeroU32::MIN }
}

fn read_here(module: &str, tests: &str, source: Source) -> Result<Read, FieldErrors> {
    let mut errors = FieldErrors::default();
    let mut engine = Engine::new();
    engine.set_strict_builtin_errors(true);
    engine.set_execution_timer_config(timed(TIME));
    for (field, text) in [("module", module), ("tests", tests)] {
        if text.trim().is_empty() {
            continue;
        }
        if let Err(error) = engine.add_policy(field.to_owned(), text.to_owned()) {
            errors.add(place(&error, field), FieldCode::Malformed);
        }
    }
    if !errors.0.is_empty() {
        return Err(errors);
    }
    let modules = engine.get_modules().clone();
    let found = check::check(&modules, &mut errors);
    let (Some(found), true) = (found, errors.0.is_empty()) else { return Err(errors) };
    // What is not seen in the text alone comes out in the first evaluation, and is not paid again after it.
    let text = Arc::<str>::from(module);
    let mut own = Engine::new();
    own.set_strict_builtin_errors(true);
    // What prepares a module comes before its time begins to run. What is enforced already is prepared and no more: how long
    // its rules take at this moment is nothing that is wrong with it.
    let (limit, rules) = match source {
        Source::New => (TIME, found.rules.as_slice()),
        Source::Saved => (Duration::from_millis(1), found.rules.get(..1).unwrap_or_default()),
    };
    own.set_execution_timer_config(timed(limit));
    let first = |engine: &mut Engine, rule: &str, field: &str| {
        engine.set_input(Rego::new_object());
        let evaluated = catch_unwind(AssertUnwindSafe(|| engine.eval_rule(rule.to_owned())));
        match evaluated {
            Ok(Ok(_)) => None,
            Ok(Err(error)) if is_late(&error) && source == Source::Saved => None,
            Ok(Err(error)) if is_late(&error) => Some((field.to_owned(), FieldCode::TooLong)),
            Ok(Err(error)) => Some((place(&error, field), FieldCode::Malformed)),
            Err(_panic) => Some((field.to_owned(), FieldCode::Malformed)),
        }
    };
    let added = own.add_policy("module".to_owned(), module.to_owned());
    let mut wrong = added.err().map(|error| (place(&error, "module"), FieldCode::Malformed));
    let started = Instant::now();
    for rule in rules {
        wrong = wrong.or_else(|| {
            let is_in_time = started.elapsed() <= TIME_TO_READ;
            if is_in_time { first(&mut own, rule, "module") } else { Some(("module".to_owned(), FieldCode::TooLong)) }
        });
    }
    own.set_execution_timer_config(timed(TIME));
    if let (None, Some((_, rule))) = (&wrong, found.tests.first()) {
        wrong = first(&mut engine.clone(), rule, "tests").filter(|(place, _)| place.contains(':'));
    }
    if let Some((place, code)) = wrong {
        errors.add(place, code);
        return Err(errors);
    }
    let check::Found { allow, deny, reads, tests, .. } = found;
    Ok(Read { module: Module { text, engine: Some(Arc::new(own)), allow, deny, reads }, engine, tests })
}

/// Whether the time of an evaluation ran out.
fn is_late(error: &anyhow::Error) -> bool {
    let is_limit = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref::<LimitError>(), Some(LimitError::TimeLimitExceeded { .. }))
    };
    error.chain().any(is_limit) || format!("{error:#}").contains("time limit")
}

/// Where an error of the interpreter lies: it writes ` --> module:3:5`.
fn place(error: &anyhow::Error, field: &str) -> String {
    let text = format!("{error:#}");
    let found = text.split("--> ").skip(1).find_map(|rest| {
        let at = rest.split_whitespace().next()?;
        (at.starts_with("module:") || at.starts_with("tests:")).then(|| at.to_owned())
    });
    found.unwrap_or_else(|| field.to_owned())
}

#[cfg(test)]
mod tests;
