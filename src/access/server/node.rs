//! What a node keeps of all tenants' grants: compiled, current, and given up when it cannot be known to be current.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction, postgres::PgListener};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use crate::{
    access::{
        Facts, Permission, PermissionInfo, PolicyLanguage, PolicyMode, Scope,
        server::{
            engine::{Membership, OverrideGrant, PersonGrants, RoleGrant, Snapshot},
            outside,
            policy::{self, Policy},
            rego,
        },
    },
    base::{
        errors::{AppError, FieldErrors},
        ids::{GroupId, PolicyId, RoleId, TenantId, UserId},
        server::{clock::Clock, seldom::Seldom},
    },
};

/// How often the versions are read. With one round trip this stays well inside the half second that a revocation may
/// take to reach every node (I2).
const POLL: Duration = Duration::from_millis(150);
/// A node that could not read the versions for this long answers 503 instead of guessing.
const LEASE: Duration = Duration::from_secs(2);
/// So many people are read at a time. Where more than so many have moved everybody is read again.
const TOGETHER: usize = 10_000;
/// What has moved is told for so many versions back.
const KEPT: i64 = 1_000;
/// The channel on which writers wake the other nodes.
const CHANNEL: &str = "bawwab_grants";

/// It is tried again at every poll.
static UNREADABLE: Seldom = Seldom::new();

/// The compiled grants of every tenant.
#[derive(Clone)]
pub struct Grants(Arc<Inner>);

struct Inner {
    tenants: ArcSwap<HashMap<TenantId, Arc<Snapshot>>>,
    /// Monotonic microseconds at which the versions were last known to be current.
    confirmed: AtomicI64,
    clock: Clock,
    /// One refresh at a time; who waits finds it done.
    refreshing: tokio::sync::Mutex<()>,
}

/// What a node knows of the grants.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The versions of all tenants added up.
    pub version: i64,
    /// How long ago they were last known to be current.
    pub age: Duration,
}

impl Grants {
    pub fn new(clock: Clock) -> Self {
        Grants(Arc::new(Inner {
            tenants: ArcSwap::default(),
            confirmed: AtomicI64::new(i64::MIN / 2),
            clock,
            refreshing: tokio::sync::Mutex::new(()),
        }))
    }

    /// The current grants of a tenant, not older than `at_least`.
    pub async fn snapshot(&self, pool: &PgPool, tenant: TenantId, at_least: i64) -> Result<Arc<Snapshot>, AppError> {
        if let Some(snapshot) = self.known(tenant).filter(|snapshot| snapshot.version >= at_least) {
            return if self.is_current() { Ok(snapshot) } else { Err(AppError::Unavailable) };
        }
        self.refresh(pool).await?;
        self.known(tenant).ok_or(AppError::Unavailable)
    }

    /// How many people of a tenant are active, as this node knows.
    pub fn active_people(&self, tenant: TenantId) -> i64 {
        self.known(tenant).map_or(0, |snapshot| snapshot.states().active)
    }

    pub(super) fn known(&self, tenant: TenantId) -> Option<Arc<Snapshot>> {
        self.0.tenants.load().get(&tenant).cloned()
    }

    /// Whether the lease holds.
    pub fn is_current(&self) -> bool {
        self.monotonic() - self.0.confirmed.load(Ordering::Acquire) < micros(LEASE)
    }

    pub fn state(&self) -> Known {
        let version = self.0.tenants.load().values().map(|snapshot| snapshot.version).sum();
        let age = self.monotonic().saturating_sub(self.0.confirmed.load(Ordering::Acquire));
        Known { version, age: Duration::from_micros(u64::try_from(age).unwrap_or(0)) }
    }

    fn monotonic(&self) -> i64 {
        micros(self.0.clock.monotonic())
    }

    /// Reads the versions and loads what has moved. Also samples the clock.
    pub async fn refresh(&self, pool: &PgPool) -> Result<(), AppError> {
        let _alone = self.0.refreshing.lock().await;
        let asked_at = self.0.clock.monotonic();
        let mut tx = begin(pool, None, "node", self.0.clock.now(), false).await?;
        let before = self.0.clock.monotonic();
        let time = sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(&mut *tx).await?;
        self.0.clock.sample(time, before, self.0.clock.monotonic());
        let versions = sqlx::query!("select tenant_id, version from grant_versions").fetch_all(&mut *tx).await?;
        let known = self.0.tenants.load();
        let mut next = HashMap::clone(&known);
        let mut moved = false;
        for row in versions {
            let tenant = TenantId(row.tenant_id);
            let before = known.get(&tenant);
            if before.is_none_or(|snapshot| snapshot.version != row.version) {
                match renew(&mut tx, tenant, before).await {
                    Ok(snapshot) => drop(next.insert(tenant, Arc::new(snapshot))),
                    Err(error) if error.chain().any(|cause| cause.is::<sqlx::Error>()) => return Err(error.into()),
                    // What is wrong with one tenant's grants is not wrong with the others': it alone is not served.
                    Err(error) => {
                        if UNREADABLE.is_due(Instant::now()) {
                            warn!(%tenant, "the grants of a tenant cannot be read: {error:#}");
                        }
                        next.remove(&tenant);
                    }
                }
                moved = true;
            }
        }
        tx.commit().await?;
        if moved {
            self.0.tenants.store(Arc::new(next));
        }
        self.0.confirmed.store(micros(asked_at), Ordering::Release);
        Ok(())
    }

    /// Tells the other nodes that something moved. Best effort: they poll anyway.
    pub fn announce(&self, pool: PgPool) {
        tokio::spawn(async move {
            if let Err(error) = sqlx::query!("select pg_notify($1, '')", CHANNEL).fetch_one(&pool).await {
                warn!(%error, "the other nodes were not woken");
            }
        });
    }

    /// Keeps the snapshots current until told to stop.
    pub async fn keep_current(self, pool: PgPool, stop: CancellationToken) {
        let mut listener = None;
        loop {
            if listener.is_none() {
                listener = listen(&pool).await;
            }
            let woken = async {
                match &mut listener {
                    Some(listener) => listener.recv().await.map(drop),
                    None => std::future::pending().await,
                }
            };
            let lost = tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(POLL) => false,
                woken = woken => woken.is_err(),
            };
            if lost {
                listener = None;
            }
            if let Err(error) = self.refresh(&pool).await {
                warn!(%error, "the grants could not be read");
            }
        }
    }
}

async fn listen(pool: &PgPool) -> Option<PgListener> {
    let mut listener = match PgListener::connect_with(pool).await {
        Ok(listener) => listener,
        Err(error) => {
            warn!(%error, "cannot listen for changes; polling goes on");
            return None;
        }
    };
    match listener.listen(CHANNEL).await {
        Ok(()) => Some(listener),
        Err(error) => {
            warn!(%error, "cannot listen for changes; polling goes on");
            None
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Says for whom a transaction works, which row-level security reads, and what time it is, which triggers read. It ends
/// with the transaction.
pub async fn set_context(
    connection: &mut PgConnection,
    tenant: Option<TenantId>,
    scope: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let tenant = tenant.map_or_else(String::new, |tenant| tenant.to_string());
    sqlx::query!(
        "select set_config('app.tenant', $1, true) as tenant, set_config('app.scope', $2, true) as scope,
                set_config('app.now', $3, true) as now",
        tenant,
        scope,
        now.to_rfc3339_opts(SecondsFormat::Micros, true),
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// Begins a transaction in such a context, in one round trip: every request needs a few of them.
pub async fn begin(
    pool: &PgPool,
    tenant: Option<TenantId>,
    scope: &'static str,
    now: DateTime<Utc>,
    read_only: bool,
) -> sqlx::Result<Transaction<'static, Postgres>> {
    let tenant = tenant.map_or_else(String::new, |tenant| tenant.to_string());
    let mode = if read_only { " read only" } else { "" };
    let now = now.to_rfc3339_opts(SecondsFormat::Micros, true);
    // A statement that begins takes no parameters. A UUID, a word of ours and a time hold nothing that ends a text.
    pool.begin_with(AssertSqlSafe(format!(
        "begin{mode};
         select set_config('app.tenant', '{tenant}', true), set_config('app.scope', '{scope}', true),
                set_config('app.now', '{now}', true)"
    )))
    .await
}

/// Compiles a tenant's grants. The transaction is in the scope `node`.
pub async fn load(connection: &mut PgConnection, tenant: TenantId) -> anyhow::Result<Snapshot> {
    let mut snapshot = shape(&mut *connection, tenant).await?;
    let everybody = sqlx::query_scalar!("select id from users where tenant_id = $1 and status <> 'deleted'", tenant.0)
        .fetch_all(&mut *connection)
        .await?;
    snapshot.expect_people(everybody.len());
    // Thousands of ids have the planner think that reading a whole table is cheaper, each time.
    let plans = |mode: &'static str| sqlx::query_scalar!("select set_config('plan_cache_mode', $1, true)", mode);
    plans("force_generic_plan").fetch_one(&mut *connection).await?;
    // People with the same grants share them: a million have but a few kinds.
    let mut kinds = HashSet::<Arc<PersonGrants>>::new();
    for ids in everybody.chunks(TOGETHER) {
        for (user, person) in people(&mut *connection, tenant, ids).await? {
            let person = kinds.get(&person).cloned().unwrap_or_else(|| {
                let person = Arc::new(person);
                kinds.insert(person.clone());
                person
            });
            snapshot.set_person(user, Some(person));
        }
    }
    plans("auto").fetch_one(&mut *connection).await?;
    Ok(snapshot)
}

/// A tenant's grants as they are now, from those known before: only what has moved since is read (I2). The transaction is in
/// the scope `node`.
pub async fn renew(
    connection: &mut PgConnection,
    tenant: TenantId,
    known: Option<&Arc<Snapshot>>,
) -> anyhow::Result<Snapshot> {
    let Some(known) = known else { return load(connection, tenant).await };
    // In one statement: what is seen, and who had not ended then, belong together.
    let moves = sqlx::query!(
        r#"select v.version, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as "seen!",
                  m.tenant_id is not null as "has_moved!", m.user_id as "user_id?"
           from grant_versions v left join grant_moves m on m.tenant_id = v.tenant_id and m.moved_by >= $2
           where v.tenant_id = $1 limit $3"#,
        tenant.0,
        known.seen,
        i64::try_from(TOGETHER).unwrap_or(i64::MAX),
    )
    .fetch_all(&mut *connection)
    .await
    .context("read what has moved")?;
    let (version, seen) = moves.first().map(|row| (row.version, row.seen)).context("the grants have no version")?;
    let is_kept = (known.version..known.version.saturating_add(KEPT)).contains(&version);
    // Numbers that went back are those of another history.
    if !is_kept || moves.len() >= TOGETHER || seen < known.seen {
        return load(connection, tenant).await;
    }
    let is_reshaped = moves.iter().any(|row| row.has_moved && row.user_id.is_none());
    let mut snapshot = if is_reshaped {
        let mut snapshot = shape(&mut *connection, tenant).await?;
        snapshot.take_people(known);
        snapshot
    } else {
        Snapshot::clone(known)
    };
    (snapshot.version, snapshot.seen) = (version, seen);
    let moved = moves.iter().filter_map(|row| row.user_id).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let mut found = people(&mut *connection, tenant, &moved).await?;
    for user in moved.into_iter().map(UserId) {
        snapshot.set_person(user, found.remove(&user).map(Arc::new));
    }
    Ok(snapshot)
}

/// A tenant's grants without its people.
async fn shape(connection: &mut PgConnection, tenant: TenantId) -> anyhow::Result<Snapshot> {
    let now = sqlx::query!(
        r#"select version, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as "seen!"
           from grant_versions where tenant_id = $1"#,
        tenant.0,
    )
    .fetch_one(&mut *connection)
    .await
    .context("read the version of the grants")?;
    let catalogue = sqlx::query_as!(
        PermissionInfo,
        r#"select key, name_ar, name_en, description_ar, description_en, tenant_id is not null as "own!"
           from permissions where tenant_id is null or tenant_id = $1"#,
        tenant.0,
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut snapshot = Snapshot::new(tenant, now.version, catalogue);
    snapshot.seen = now.seen;
    let roles = sqlx::query!(
        r#"select r.id, r.name, r.tenant_id is null as "platform!",
                  coalesce(array_agg(p.key) filter (where p.key is not null), '{}') as "keys!",
                  array(select parent_id from role_parents where role_id = r.id) as "parents!"
           from roles r
           left join role_permissions rp on rp.role_id = r.id
           left join permissions p on p.id = rp.permission_id
           where r.tenant_id is null or r.tenant_id = $1
           group by r.id"#,
        tenant.0,
    )
    .fetch_all(&mut *connection)
    .await?;
    for role in roles {
        let patterns = role.keys.iter().map(|key| stored_key(key)).collect::<anyhow::Result<_>>()?;
        let parents = role.parents.into_iter().map(RoleId).collect();
        snapshot.put_heir(RoleId(role.id), role.name, role.platform, patterns, parents);
    }
    groups(connection, tenant, &mut snapshot).await?;
    policies(connection, tenant, &mut snapshot).await?;
    snapshot.link();
    Ok(snapshot)
}

async fn groups(connection: &mut PgConnection, tenant: TenantId, snapshot: &mut Snapshot) -> anyhow::Result<()> {
    let mut grants = HashMap::<Uuid, Vec<RoleGrant>>::new();
    let rows = sqlx::query!(
        "select group_id, role_id, scope_department, scope_region, expires_at from group_roles where tenant_id = $1
         order by group_id, created_at, role_id",
        tenant.0,
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in rows {
        let scope = Scope { department: row.scope_department, region: row.scope_region };
        let grant = RoleGrant { role: RoleId(row.role_id), scope, expires_at: row.expires_at };
        grants.entry(row.group_id).or_default().push(grant);
    }
    let rows = sqlx::query!(
        r#"select id, name, array(select parent_id from group_parents where group_id = g.id) as "parents!"
           from groups g where tenant_id = $1"#,
        tenant.0,
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in rows {
        let parents = row.parents.into_iter().map(GroupId).collect();
        snapshot.put_group(GroupId(row.id), row.name, parents, grants.remove(&row.id).unwrap_or_default());
    }
    Ok(())
}

async fn policies(connection: &mut PgConnection, tenant: TenantId, snapshot: &mut Snapshot) -> anyhow::Result<()> {
    let rows = sqlx::query!(
        "select p.id, p.name, v.mode, v.actions, v.rules, v.language, v.module
         from access_policies p join access_policy_versions v on v.policy_id = p.id and v.number = p.active
         where p.tenant_id = $1",
        tenant.0,
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in rows {
        let mode =
            PolicyMode::parse(&row.mode).with_context(|| format!("policy {} has the mode {:?}", row.id, row.mode))?;
        let actions = row.actions.iter().map(|key| stored_key(key)).collect::<anyhow::Result<_>>()?;
        let mut errors = FieldErrors::default();
        let language = PolicyLanguage::parse(&row.language);
        let language = language.with_context(|| format!("policy {} is written in {:?}", row.id, row.language))?;
        let (rules, module, outside) = match language {
            PolicyLanguage::Rules => (policy::parse_rules(&row.rules, &mut errors), None, None),
            PolicyLanguage::Rego => (Vec::new(), Some(rego::enforced(row.module).await), None),
            PolicyLanguage::Opa => (Vec::new(), None, errors.take("module", outside::parse_path(&row.module))),
        };
        let outside = outside.map(Arc::from);
        // A policy that cannot be read must not count as one that is not there.
        anyhow::ensure!(errors.0.is_empty(), "the rules of policy {} are wrong: {:?}", row.id, errors.0);
        let id = PolicyId(row.id);
        snapshot.put_policy(id, Some(Arc::new(Policy { id, name: row.name, mode, actions, rules, module, outside })));
    }
    Ok(())
}

/// What these people were given; whoever is not there any more is left out.
async fn people(
    connection: &mut PgConnection,
    tenant: TenantId,
    ids: &[Uuid],
) -> anyhow::Result<HashMap<UserId, PersonGrants>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        r#"select id, status = 'active' as "active!", status = 'invited' as "invited!", department, region, attributes
           from users where tenant_id = $1 and id = any($2) and status <> 'deleted'"#,
        tenant.0,
        ids,
    )
    .fetch_all(&mut *connection)
    .await?;
    let people = rows.into_iter().map(|row| {
        let facts = Facts { department: row.department, region: row.region, other: row.attributes };
        let facts = (!facts.is_empty()).then(|| Arc::new(facts));
        (UserId(row.id), PersonGrants { active: row.active, invited: row.invited, facts, ..PersonGrants::default() })
    });
    let mut people = people.collect::<HashMap<_, _>>();
    let roles = sqlx::query!(
        "select user_id, role_id, scope_department, scope_region, expires_at from user_roles
         where tenant_id = $1 and user_id = any($2) order by user_id, created_at, role_id",
        tenant.0,
        ids,
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in roles {
        if let Some(person) = people.get_mut(&UserId(row.user_id)) {
            let scope = Scope { department: row.scope_department, region: row.scope_region };
            person.roles.push(RoleGrant { role: RoleId(row.role_id), scope, expires_at: row.expires_at });
        }
    }
    let memberships = sqlx::query!(
        "select user_id, group_id, expires_at from group_members where tenant_id = $1 and user_id = any($2)
         order by user_id, created_at, group_id",
        tenant.0,
        ids,
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in memberships {
        if let Some(person) = people.get_mut(&UserId(row.user_id)) {
            person.groups.push(Membership { group: GroupId(row.group_id), expires_at: row.expires_at });
        }
    }
    let overrides = sqlx::query!(
        "select up.user_id, p.key, up.allowed, up.expires_at, up.reason
         from user_permissions up join permissions p on p.id = up.permission_id
         where up.tenant_id = $1 and up.user_id = any($2) order by up.user_id, p.key",
        tenant.0,
        ids,
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in overrides {
        if let Some(person) = people.get_mut(&UserId(row.user_id)) {
            let pattern = stored_key(&row.key)?;
            let given = OverrideGrant { pattern, allowed: row.allowed, expires_at: row.expires_at, reason: row.reason };
            person.overrides.push(given);
        }
    }
    Ok(people)
}

fn stored_key(key: &str) -> anyhow::Result<Permission> {
    Permission::parse(key).map_err(|code| anyhow::anyhow!("the stored key {key:?} is {code:?}"))
}

/// Locks the tenant's grants for writing and gives back their version.
pub async fn lock(connection: &mut PgConnection, tenant: TenantId) -> sqlx::Result<i64> {
    sqlx::query_scalar!("select version from grant_versions where tenant_id = $1 for update", tenant.0)
        .fetch_one(connection)
        .await
}

/// Through whom rights move: the people whom a change names, those who have one of the roles or are in one of the groups, and
/// whomever else it reaches.
#[derive(Debug, Default)]
pub struct Carriers {
    pub people: Vec<Uuid>,
    pub roles: Vec<Uuid>,
    pub groups: Vec<Uuid>,
    /// About whom a policy says something else, or whose own permission goes with its key.
    pub unnamed: Vec<Uuid>,
}

/// About so many people whom a change does not name are marked one by one. Where it moves the rights of more all of the tenant are,
/// in one row: a million would not be marked before a change has to end.
const MARKED: usize = 1_000;

/// Moves the version on and marks the people whose rights move with it, so that their session keys are renewed. Who is marked
/// by their own row has a new version; of so many that the tenant is marked nobody has but those whom the change names.
pub async fn bump(connection: &mut PgConnection, tenant: TenantId, carriers: Carriers) -> sqlx::Result<i64> {
    let version = sqlx::query_scalar!(
        "update grant_versions set version = version + 1 where tenant_id = $1 returning version",
        tenant.0,
    )
    .fetch_one(&mut *connection)
    .await?;
    // Twice as long as it is asked for: whoever asks has read the version a moment before.
    sqlx::query!("delete from grant_moves where tenant_id = $1 and version < $2", tenant.0, version - 2 * KEPT)
        .execute(&mut *connection)
        .await?;
    let Carriers { mut people, roles, groups, mut unnamed } = carriers;
    if unnamed.len() <= MARKED && !(roles.is_empty() && groups.is_empty()) {
        // No more than are marked are read. Planned for these each time: of a role that few have everybody's would be read.
        let most = i64::try_from(MARKED + 1).unwrap_or(i64::MAX);
        let through = sqlx::query_scalar!(
            r#"(select user_id as "id!" from user_roles where tenant_id = $1 and role_id = any($2) limit $4)
               union all
               (select user_id from group_members where tenant_id = $1 and group_id = any($3) limit $4)"#,
            tenant.0,
            &roles,
            &groups,
            most,
        );
        unnamed.extend(through.persistent(false).fetch_all(&mut *connection).await?);
    }
    if unnamed.len() <= MARKED {
        people.extend(unnamed);
    } else {
        sqlx::query!("update grant_versions set rights_version = version where tenant_id = $1", tenant.0)
            .execute(&mut *connection)
            .await?;
    }
    if !people.is_empty() {
        sqlx::query!(
            "update users set rights_version = $1, version = version + 1 where id = any($2)",
            version,
            &people
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(version)
}

/// How many people in the whole installation are super-admins for good. Asked in the scope `node`.
pub async fn count_super_admins(connection: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        // One after the other, each by its index: few have the platform's role, and a plan for many would read everybody's.
        r#"select count(distinct u.id) as "count!"
           from roles r
           cross join lateral (
               select user_id from user_roles
               where role_id = r.id and expires_at is null and scope_department is null and scope_region is null
               offset 0) ur
           cross join lateral (
               select id, tenant_id from users where id = ur.user_id and status = 'active' offset 0) u
           join tenants t on t.id = u.tenant_id and t.status = 'active'
           where r.tenant_id is null"#,
    )
    .fetch_one(connection)
    .await
}

/// Holds other transactions that may cost a super-admin, in any tenant, until this one ends.
pub async fn lock_super_admins(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('bawwab.super-admin'))").fetch_one(connection).await?;
    Ok(())
}
