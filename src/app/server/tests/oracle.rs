//! The decision engine against plain SQL: two ways of telling who may do what, which must never differ.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use uuid::Uuid;

use crate::{
    access::server::{engine::Snapshot, node},
    app::server::{
        backup,
        test_app::{TestApp, options_of},
    },
    base::{
        ids::{TenantId, UserId},
        server::db,
    },
};

/// A small generator (xorshift64*), so that one number repeats the data.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).expect("31 bits") % limit
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// No end, or one around `now`: a microsecond decides.
    fn end(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self.below(8) {
            0..=3 => None,
            4 => Some(now - TimeDelta::days(1)),
            5 => Some(now),
            6 => Some(now + TimeDelta::microseconds(1)),
            _ => Some(now + TimeDelta::days(1)),
        }
    }
}

async fn ids(connection: &mut PgConnection, query: &'static str, tenant: Uuid) -> Vec<Uuid> {
    sqlx::query_scalar(query).bind(tenant).fetch_all(connection).await.expect("ids")
}

/// Random roles, people and grants in one tenant.
async fn populate(connection: &mut PgConnection, tenant: Uuid, seed: u64, now: DateTime<Utc>) {
    let mut dice = Dice(seed);
    for own in ["crm.read", "crm.*", "crm.deals.read", "crm.deals.*", "users.export"] {
        sqlx::query(
            "insert into permissions (tenant_id, key, name_ar, name_en) values ($1, $2, $2, $2) on conflict do nothing",
        )
        .bind(tenant)
        .bind(own)
        .execute(&mut *connection)
        .await
        .expect("a permission");
    }
    let permissions = "select id from permissions where tenant_id is null or tenant_id = $1 order by key, id";
    let permissions = ids(connection, permissions, tenant).await;
    for number in 0..6 {
        let role = Uuid::from_u64_pair(seed, number);
        sqlx::query("insert into roles (id, tenant_id, name) values ($1, $2, $3)")
            .bind(role)
            .bind(tenant)
            .bind(format!("role {seed} {number}"))
            .execute(&mut *connection)
            .await
            .expect("a role");
        for _ in 0..dice.below(5) {
            sqlx::query("insert into role_permissions (tenant_id, role_id, permission_id) values ($1, $2, $3) on conflict do nothing")
                .bind(tenant)
                .bind(role)
                .bind(permissions[dice.below(permissions.len())])
                .execute(&mut *connection)
                .await
                .expect("a permission of a role");
        }
    }
    let roles = "select id from roles where tenant_id is null or tenant_id = $1 order by tenant_id nulls first, name";
    let roles = ids(connection, roles, tenant).await;
    // What a role inherits stands before it, so that nothing goes round; the first is the platform's, and is not handed on.
    for (at, role) in roles.iter().enumerate().skip(2) {
        for _ in 0..dice.below(3) {
            let query =
                "insert into role_parents (tenant_id, role_id, parent_id) values ($1, $2, $3) on conflict do nothing";
            sqlx::query(query)
                .bind(tenant)
                .bind(role)
                .bind(roles[1 + dice.below(at - 1)])
                .execute(&mut *connection)
                .await
                .expect("a parent");
        }
    }
    for number in 0..4 {
        let group = Uuid::from_u64_pair(seed, 5000 + number);
        sqlx::query("insert into groups (id, tenant_id, name) values ($1, $2, $3)")
            .bind(group)
            .bind(tenant)
            .bind(format!("group {seed} {number}"))
            .execute(&mut *connection)
            .await
            .expect("a group");
        if number > 0 {
            sqlx::query("insert into group_parents (tenant_id, group_id, parent_id) values ($1, $2, $3)")
                .bind(tenant)
                .bind(group)
                .bind(Uuid::from_u64_pair(seed, 5000 + dice.below(usize::try_from(number).expect("small")) as u64))
                .execute(&mut *connection)
                .await
                .expect("a group around it");
        }
        for _ in 0..dice.below(3) {
            let query = "insert into group_roles
                 (tenant_id, group_id, role_id, scope_department, expires_at, created_at)
                 values ($1, $2, $3, $4, $5, $6) on conflict do nothing";
            sqlx::query(query)
                .bind(tenant)
                .bind(group)
                .bind(roles[1 + dice.below(roles.len() - 1)])
                .bind(dice.chance(20).then_some("finance"))
                .bind(dice.end(now))
                .bind(now)
                .execute(&mut *connection)
                .await
                .expect("a role of a group");
        }
    }
    for number in 0..30 {
        let user = Uuid::from_u64_pair(seed, 1000 + number);
        let status = ["active", "active", "active", "active", "invited", "suspended", "deleted"][dice.below(7)];
        sqlx::query(
            "insert into users (id, tenant_id, email, name, status, created_at) values ($1, $2, $3, $3, $4, $5)",
        )
        .bind(user)
        .bind(tenant)
        .bind(format!("p{number}-{seed}@x.example"))
        .bind(status)
        .bind(now)
        .execute(&mut *connection)
        .await
        .expect("a person");
        for _ in 0..dice.below(4) {
            // The platform's role, the first, more often than chance would have it.
            let role = if dice.chance(15) { roles[0] } else { roles[dice.below(roles.len())] };
            let query = "insert into user_roles
                 (tenant_id, user_id, role_id, scope_department, scope_region, expires_at, created_at)
                 values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing";
            sqlx::query(query)
                .bind(tenant)
                .bind(user)
                .bind(role)
                .bind(dice.chance(20).then_some("finance"))
                .bind(dice.chance(10).then_some("riyadh"))
                .bind(dice.end(now))
                .bind(now)
                .execute(&mut *connection)
                .await
                .expect("a role of a person");
        }
        for _ in 0..dice.below(2) {
            let query = "insert into group_members (tenant_id, group_id, user_id, expires_at, created_at)
                 values ($1, $2, $3, $4, $5) on conflict do nothing";
            sqlx::query(query)
                .bind(tenant)
                .bind(Uuid::from_u64_pair(seed, 5000 + dice.below(4) as u64))
                .bind(user)
                .bind(dice.end(now))
                .bind(now)
                .execute(&mut *connection)
                .await
                .expect("a member");
        }
        for _ in 0..dice.below(6) {
            let query =
                "insert into user_permissions (tenant_id, user_id, permission_id, allowed, expires_at, created_at)
                 values ($1, $2, $3, $4, $5, $6) on conflict do nothing";
            sqlx::query(query)
                .bind(tenant)
                .bind(user)
                .bind(permissions[dice.below(permissions.len())])
                .bind(dice.chance(50))
                .bind(dice.end(now))
                .bind(now)
                .execute(&mut *connection)
                .await
                .expect("an override");
        }
    }
    sqlx::query("update grant_versions set version = version + 1 where tenant_id = $1")
        .bind(tenant)
        .execute(connection)
        .await
        .expect("the version");
}

/// The rights of a tenant's people as the view tells them.
async fn by_view(connection: &mut PgConnection, tenant: Uuid, now: DateTime<Utc>) -> BTreeSet<(Uuid, String)> {
    sqlx::query("select set_config('app.now', $1, false)")
        .bind(now.to_rfc3339())
        .execute(&mut *connection)
        .await
        .expect("the time is set");
    let rows = sqlx::query_as("select user_id, permission_key from v_user_effective_permissions where tenant_id = $1");
    rows.bind(tenant).fetch_all(connection).await.expect("the view").into_iter().collect()
}

async fn people(connection: &mut PgConnection, tenant: Uuid) -> Vec<Uuid> {
    ids(connection, "select id from users where tenant_id = $1 order by id", tenant).await
}

/// The same as the engine tells them.
async fn by_engine(connection: &mut PgConnection, tenant: Uuid, now: DateTime<Utc>) -> BTreeSet<(Uuid, String)> {
    let snapshot = node::load(connection, TenantId(tenant)).await.expect("a snapshot");
    let people = people(connection, tenant).await;
    let effective = people.into_iter().flat_map(|user| {
        let held = snapshot.effective(UserId(user), now).into_iter().filter(|one| one.allowed);
        held.map(move |one| (user, one.key)).collect::<Vec<_>>()
    });
    effective.collect()
}

/// The view knows of roles, groups and overrides: what policies say of them is tested for itself.
async fn without_policies(connection: &mut PgConnection) {
    sqlx::query("delete from access_policies").execute(connection).await.expect("no policies");
}

async fn another_tenant(connection: &mut PgConnection) -> Uuid {
    let tenant = Uuid::from_u64_pair(9, 9);
    sqlx::query("insert into tenants (id, name) values ($1, 'another')")
        .bind(tenant)
        .execute(&mut *connection)
        .await
        .expect("a tenant");
    sqlx::query("select seed_roles($1)").bind(tenant).execute(connection).await.expect("its roles");
    tenant
}

/// C4: on random grants of two tenants, around every end of a grant, the engine and the view say the same.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_engine_agrees_with_plain_sql(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let now = app.clock.now();
    let mut connection = app.owner.acquire().await.expect("a connection");
    let home = sqlx::query_scalar("select id from tenants").fetch_one(&mut *connection).await.expect("the tenant");
    let tenants = [home, another_tenant(&mut connection).await];
    without_policies(&mut connection).await;
    let mut rights = 0;
    for round in 1..=6 {
        for (at, tenant) in (1..).zip(tenants) {
            let seed = round * 1_000_003 + at;
            populate(&mut connection, tenant, seed, now).await;
            for shift in [-1, 0, 1] {
                let then = now + TimeDelta::microseconds(shift);
                let (view, engine) =
                    (by_view(&mut connection, tenant, then).await, by_engine(&mut connection, tenant, then).await);
                let differing = view.symmetric_difference(&engine).collect::<Vec<_>>();
                assert!(differing.is_empty(), "seed {seed}, {shift} µs: {differing:?}");
                rights += view.len();
            }
        }
    }
    assert!(rights > 10_000, "{rights}: the data gives next to nothing");
}

/// C4: and what the API shows is what the view says, through the application's own role and its row-level security.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_effective_permissions_shown_agree_with_plain_sql(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let now = app.clock.now();
    let mut connection = app.owner.acquire().await.expect("a connection");
    let home = sqlx::query_scalar("select id from tenants").fetch_one(&mut *connection).await.expect("the tenant");
    let other = another_tenant(&mut connection).await;
    without_policies(&mut connection).await;
    populate(&mut connection, home, 77, now).await;
    populate(&mut connection, other, 78, now).await;
    app.heart.refresh().await.expect("the grants");
    let view = by_view(&mut connection, home, now).await;
    for user in people(&mut connection, home).await {
        let held = admin.held(&user.to_string()).await.into_iter().collect::<BTreeSet<_>>();
        let expected = view.iter().filter(|(of, _)| *of == user).map(|(_, key)| key.clone()).collect();
        assert_eq!(held, expected, "{user}");
    }
}

/// Everything that a snapshot knows of, for comparison.
fn whole(snapshot: &Snapshot) -> impl PartialEq + std::fmt::Debug {
    let people = snapshot.everybody().map(|(id, person)| (id, person.clone())).collect::<BTreeMap<_, _>>();
    let roles = snapshot.role_ids().into_iter().map(|id| (id, snapshot.role(id).cloned())).collect::<Vec<_>>();
    let groups = snapshot.group_ids().into_iter().map(|id| (id, snapshot.group(id).cloned())).collect::<Vec<_>>();
    (snapshot.version, people, roles, groups, snapshot.policies().to_vec(), snapshot.catalogue().to_vec())
}

/// What moves a tenant's grants, by all the tables that they stand in: `$1` is the tenant, `$2` a row in no order.
const MOVES: [&str; 20] = [
    "update users set status = 'suspended' where id = (select id from users where tenant_id = $1 order by md5(id::text || $2) limit 1)",
    "update users set status = 'deleted' where id = (select id from users where tenant_id = $1 order by md5(id::text || $2) limit 1)",
    "update users set department = $2, attributes = '{\"level\": 3}' where id = (select id from users where tenant_id = $1 order by md5(id::text || $2) limit 1)",
    "delete from users where id = (select id from users where tenant_id = $1 and email like 'p%' order by md5(id::text || $2) limit 1)",
    "delete from user_roles where tenant_id = $1 and user_id = (select user_id from user_roles where tenant_id = $1 order by md5(user_id::text || $2) limit 1)",
    "update user_roles set expires_at = '2020-01-01' where tenant_id = $1 and user_id = (select user_id from user_roles where tenant_id = $1 order by md5(user_id::text || $2) limit 1)",
    "update user_permissions set allowed = not allowed where tenant_id = $1 and user_id = (select user_id from user_permissions where tenant_id = $1 order by md5(user_id::text || $2) limit 1)",
    "delete from user_permissions where tenant_id = $1 and user_id = (select user_id from user_permissions where tenant_id = $1 order by md5(user_id::text || $2) limit 1)",
    "delete from group_members where tenant_id = $1 and user_id = (select user_id from group_members where tenant_id = $1 order by md5(user_id::text || $2) limit 1)",
    "delete from groups where id = (select id from groups where tenant_id = $1 order by md5(id::text || $2) limit 1)",
    "update groups set name = 'g' || $2 where id = (select id from groups where tenant_id = $1 order by md5(id::text || $2) limit 1)",
    "delete from group_roles where tenant_id = $1 and group_id = (select group_id from group_roles where tenant_id = $1 order by md5(group_id::text || $2) limit 1)",
    "delete from group_parents where tenant_id = $1 and group_id = (select group_id from group_parents where tenant_id = $1 order by md5(group_id::text || $2) limit 1)",
    "delete from role_parents where tenant_id = $1 and role_id = (select role_id from role_parents where tenant_id = $1 order by md5(role_id::text || $2) limit 1)",
    "delete from role_permissions where tenant_id = $1 and role_id = (select role_id from role_permissions where tenant_id = $1 order by md5(role_id::text || $2) limit 1)",
    "delete from roles where id = (select id from roles where tenant_id = $1 and name like 'role %' order by md5(id::text || $2) limit 1)",
    "delete from permissions where id = (select id from permissions where tenant_id = $1 order by md5(id::text || $2) limit 1)",
    "update access_policies set active = case when active is null then 1 end where id = (select id from access_policies where tenant_id = $1 order by md5(id::text || $2) limit 1)",
    "with made as (insert into access_policy_versions (tenant_id, policy_id, number, mode, actions, rules, saved_at)
         select tenant_id, id, latest + 1, 'require', array['users.read'], '[{\"effect\": \"allow\"}]', now() from access_policies
         where tenant_id = $1 and $2 <> '' order by name limit 1 returning policy_id, number)
     update access_policies set active = number, latest = number from made where id = policy_id",
    "update permissions set key = 'crm.renamed' || $2 where id = (select id from permissions where tenant_id = $1 and key <> 'crm.*' order by md5(id::text || $2) limit 1)",
];

/// I2: a node that reads only what has moved knows what one that reads everything knows, whatever has moved in whichever
/// table, whether the version moves on before or after it, and however long it has not looked. It reads as the program does,
/// under row-level security.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_has_moved_is_all_that_has_changed(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let now = app.clock.now();
    let mut connection = app.owner.acquire().await.expect("a connection");
    let home: Uuid =
        sqlx::query_scalar("select id from tenants").fetch_one(&mut *connection).await.expect("the tenant");
    let tenant = TenantId(home);
    let mut known = Arc::new(node::load(&mut connection, tenant).await.expect("a snapshot"));
    let bump = "update grant_versions set version = version + $2 where tenant_id = $1";
    let held = db::connect(options_of(&pool), 1).await.expect("the application's connection");
    let mut dice = Dice(4_711);
    let mut moved = BTreeSet::new();
    for step in 0..150_u64 {
        if step % 30 == 0 {
            populate(&mut connection, home, step + 1, now).await;
        }
        // Now and then the node has slept over more than is kept.
        let by = if dice.chance(5) { 1_500_i64 } else { 1 };
        let before = dice.chance(50);
        let mut tx = connection.begin().await.expect("a transaction");
        if before {
            sqlx::query(bump).bind(home).bind(by).execute(&mut *tx).await.expect("the version");
        }
        for _ in 0..=dice.below(3) {
            let at = dice.below(MOVES.len());
            let done = sqlx::query(MOVES[at]).bind(home).bind(format!("{step}")).execute(&mut *tx).await;
            moved.extend((done.expect("moves").rows_affected() > 0).then_some(at));
        }
        if !before {
            sqlx::query(bump).bind(home).bind(by).execute(&mut *tx).await.expect("the version");
        }
        tx.commit().await.expect("committed");
        // It does not look each time.
        if dice.chance(70) {
            let mut tx = node::begin(&held, None, "node", now, true).await.expect("a transaction");
            let renewed = node::renew(&mut tx, tenant, Some(&known)).await.expect("a snapshot");
            drop(tx);
            let loaded = node::load(&mut connection, tenant).await.expect("a snapshot");
            assert!(whole(&renewed) == whole(&loaded), "step {step}: {:?}\n{:?}", whole(&renewed), whole(&loaded));
            known = Arc::new(renewed);
        }
    }
    assert_eq!(moved.len(), MOVES.len(), "{moved:?}: not everything has moved");
}

/// I2: where one person's grant moves only that person is read again, and all others are shared with the state before.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn one_change_reads_one_person(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let now = app.clock.now();
    let mut connection = app.owner.acquire().await.expect("a connection");
    let home: Uuid =
        sqlx::query_scalar("select id from tenants").fetch_one(&mut *connection).await.expect("the tenant");
    populate(&mut connection, home, 5, now).await;
    // Somebody at work in another database of this server would have what was moved meanwhile read once more.
    sqlx::query("delete from grant_moves").execute(&mut *connection).await.expect("nothing has moved");
    let tenant = TenantId(home);
    let known = Arc::new(node::load(&mut connection, tenant).await.expect("a snapshot"));
    let one = known.everybody().map(|(id, _)| id).max().expect("somebody");
    sqlx::query("insert into group_members (tenant_id, group_id, user_id, created_at) select $1, id, $2, $3 from groups where tenant_id = $1 on conflict do nothing")
        .bind(home)
        .bind(one.0)
        .bind(now)
        .execute(&mut *connection)
        .await
        .expect("a member");
    sqlx::query("update grant_versions set version = version + 1 where tenant_id = $1")
        .bind(home)
        .execute(&mut *connection)
        .await
        .expect("the version");
    let renewed = node::renew(&mut connection, tenant, Some(&known)).await.expect("a snapshot");
    let rest = renewed.everybody().map(|(id, _)| id).filter(|id| *id != one).collect::<Vec<_>>();
    assert!(rest.len() > 15, "{rest:?}");
    for id in rest {
        let same = known.person(id).zip(renewed.person(id)).is_some_and(|(was, is)| Arc::ptr_eq(was, is));
        assert!(same, "{id} was read again");
    }
    assert_ne!(known.groups_of(one), renewed.groups_of(one));
}

/// I2: what somebody has moved without waiting for others, and commits after them, is read as well.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn whoever_commits_late_is_not_passed_over(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let now = app.clock.now();
    let mut connection = app.owner.acquire().await.expect("a connection");
    let home: Uuid =
        sqlx::query_scalar("select id from tenants").fetch_one(&mut *connection).await.expect("the tenant");
    populate(&mut connection, home, 9, now).await;
    let tenant = TenantId(home);
    let load = async |known: Option<&Arc<Snapshot>>| {
        let mut connection = app.owner.acquire().await.expect("a connection");
        Arc::new(node::renew(&mut connection, tenant, known).await.expect("a snapshot"))
    };
    let bump = "update grant_versions set version = version + 1 where tenant_id = $1";
    let before = load(None).await;
    let mut late = app.owner.begin().await.expect("a transaction");
    sqlx::query("delete from user_roles where tenant_id = $1").bind(home).execute(&mut *late).await.expect("moves");
    sqlx::query(bump).bind(home).execute(&mut *connection).await.expect("the version");
    let between = load(Some(&before)).await;
    assert_eq!(between.version, before.version + 1);
    late.commit().await.expect("committed");
    sqlx::query(bump).bind(home).execute(&mut *connection).await.expect("the version");
    let after = load(Some(&between)).await;
    assert!(after.everybody().all(|(_, person)| person.roles.is_empty()), "a right has stayed");
    assert!(before.everybody().any(|(_, person)| !person.roles.is_empty()));
}

/// I2, F26, "Database": neither the triggers nor a restore need a superuser: under an owner who is none, and whom the policies
/// hold, what moves is told, and what a restore ends is ended.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_owner_without_special_rights_suffices(pool: PgPool) {
    let name = format!("owner_{}", Uuid::now_v7().simple());
    for make in ["create role {} login createrole password 'nothing special'", "create database {} owner {}"] {
        sqlx::query(AssertSqlSafe(make.replace("{}", &name))).execute(&pool).await.expect("made");
    }
    let options = options_of(&pool).username(&name).password("nothing special").database(&name);
    db::prepare(&options).await.expect("migrated");
    {
        let mut boss = PgConnection::connect_with(&options_of(&pool).database(&name)).await.expect("a connection");
        let owner = "select proowner::regrole::text from pg_proc where proname = 'grant_moves_people'";
        let owner: String = sqlx::query_scalar(owner).fetch_one(&mut boss).await.expect("an owner");
        assert_eq!(owner, name);
        let home = another_tenant(&mut boss).await;
        let tenant = TenantId(home);
        let held = db::connect(options.clone(), 1).await.expect("the application's connection");
        let now = db::now(&held).await.expect("the time");
        let read = async |known: Option<&Arc<Snapshot>>| {
            let mut tx = node::begin(&held, None, "node", now, true).await.expect("a transaction");
            Arc::new(node::renew(&mut tx, tenant, known).await.expect("a snapshot"))
        };
        let known = read(None).await;
        populate(&mut boss, home, 3, now).await;
        let renewed = read(Some(&known)).await;
        assert!(renewed.everybody().count() > 15);
        let loaded = read(None).await;
        assert!(whole(&renewed) == whole(&loaded));

        let mut owner = PgConnection::connect_with(&options).await.expect("a connection");
        backup::void(&mut owner, false).await.expect("void");
        let left = "select (select count(*) from grant_moves), (select min(version) from grant_versions)";
        let (moves, version): (i64, i64) = sqlx::query_as(left).fetch_one(&mut boss).await.expect("counts");
        assert!(moves == 0 && version > renewed.version + 1_000_000, "{moves} {version}");
        let open = "select count(*) from pg_class where relkind = 'r' and relrowsecurity and not relforcerowsecurity";
        let open: i64 = sqlx::query_scalar(open).fetch_one(&mut boss).await.expect("a count");
        assert_eq!(open, 0, "the policies hold everybody again");
        held.close().await;
    }
    for unmake in ["drop database {} with (force)", "drop role {}"] {
        sqlx::query(AssertSqlSafe(unmake.replace("{}", &name))).execute(&pool).await.expect("gone");
    }
}
