//! The chain over the audit log: whatever is done to it behind the program's back is found and named.

use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    access::server::{Cx, record},
    app::server::{
        sealer,
        test_app::{Client, TestApp, options_of},
    },
    audit::{
        Checkpoint, Fault, Report,
        server::{seal, verify},
    },
    base::server::crypto::{Keys, sha256},
};

struct World {
    app: TestApp,
    admin: Client,
    cx: Cx,
    chain: Uuid,
}

/// A log of some rows, all of them sealed.
async fn world(pool: &PgPool) -> World {
    let app = TestApp::start(options_of(pool)).await;
    let admin = app.admin().await;
    for n in 0..8 {
        admin.post("/admin/users", json!({"email": format!("p{n}@x.example"), "name": format!("شخص {n}")})).await.ok();
    }
    let chain = sqlx::query_scalar("select id from tenants").fetch_one(&app.owner).await.expect("a tenant");
    let cx = Cx::for_job(app.heart.clone(), "test");
    seal::seal(&cx).await.expect("sealed");
    World { app, admin, cx, chain }
}

impl World {
    async fn report(&self) -> Report {
        self.report_against(None).await
    }

    async fn report_against(&self, checkpoint: Option<Checkpoint>) -> Report {
        verify::verify(&self.cx, self.chain, checkpoint.as_ref()).await.expect("a report")
    }

    async fn checkpoint(&self) -> Checkpoint {
        let mut tx = self.cx.node().await.expect("a transaction");
        seal::checkpoint(&mut tx, self.chain).await.expect("works").expect("a checkpoint")
    }

    /// As whoever owns the tables, around every policy.
    async fn tamper(&self, statement: &str) {
        let statement = statement.replace("CHAIN", &format!("'{}'", self.chain));
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&self.app.owner).await.expect("works");
        assert!(done.rows_affected() > 0, "nothing was tampered with");
    }

    async fn id_at(&self, seq: i64) -> Uuid {
        sqlx::query_scalar("select log_id from audit_chain where chain = $1 and seq = $2")
            .bind(self.chain)
            .bind(seq)
            .fetch_one(&self.app.owner)
            .await
            .expect("a place")
    }

    async fn expect_bad(&self, seq: Option<i64>, fault: Fault) {
        let bad = self.report().await.first_bad.expect("it was tampered with");
        assert_eq!((bad.seq, bad.fault), (seq, fault), "{bad:?}");
        if let (Some(seq), Some(id)) = (bad.seq, bad.id) {
            assert_eq!(id, self.id_at(seq).await, "the row is named");
        }
    }
}

/// E2: what nobody touched is intact, sealed by whichever node, and what is not sealed yet is counted.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_untouched_log_is_intact(pool: PgPool) {
    let world = world(&pool).await;
    let report = world.report().await;
    assert_eq!(report.first_bad, None);
    assert_eq!((report.rows, report.head, report.unsealed), (10, 10, 0));
    world.admin.post("/admin/users", json!({"email": "q@x.example", "name": "q"})).await.ok();
    let known = world.admin.get("/admin/audit/verification").await.ok();
    assert_eq!((&known["unsealed"], &known["intact"]), (&json!(1), &Value::Null));
    assert_eq!(world.report().await.unsealed, 1);
    let other = Cx::for_job(world.app.second_node().await.heart, "test");
    let (one, two) = tokio::join!(seal::seal(&world.cx), seal::seal(&other));
    assert_eq!(one.expect("works") + two.expect("works"), 1, "one of them seals it");
    sealer::once(&world.cx).await.expect("works");
    let known = world.admin.get("/admin/audit/verification").await.ok();
    assert_eq!((&known["unsealed"], &known["intact"]), (&json!(0), &json!(true)));
    assert_eq!(known["report"]["rows"], 11);
    assert_eq!(known["checkpoint"]["seq"], 11);
}

/// E2, F27: an edit of any part is found, and the row named.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_edited_row_is_named(pool: PgPool) {
    let world = world(&pool).await;
    let id = world.id_at(5).await;
    for change in [
        "action = 'auth.login'",
        "outcome = 'denied'",
        "user_name = 'somebody else'",
        "user_id = gen_random_uuid()",
        "impersonator_name = 'somebody'",
        "new_value = '{\"name\": \"other\"}'",
        "new_value = null",
        "ip = '203.0.113.9'",
        "created_at = created_at + interval '1 second'",
        "request_id = null",
        "tenant_id = gen_random_uuid()",
        "canonical = replace(canonical, 'outcome=done', 'outcome=denied'), outcome = 'denied'",
        "mac = '\\x00'",
    ] {
        let kept = "create table kept as select * from audit_logs";
        sqlx::raw_sql(kept).execute(&world.app.owner).await.expect("works");
        world.tamper(&format!("update audit_logs set {change} where id = '{id}'")).await;
        let bad = world.report().await.first_bad.unwrap_or_else(|| panic!("{change} was not found"));
        assert_eq!((bad.seq, bad.id), (Some(5), Some(id)), "{change}: {bad:?}");
        assert!(matches!(bad.fault, Fault::Changed | Fault::NotOurs), "{change}: {bad:?}");
        let undo = format!(
            "delete from audit_logs where id = '{id}'; insert into audit_logs select * from kept where id = '{id}';
             delete from audit_unsealed; drop table kept"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(undo)).execute(&world.app.owner).await.expect("works");
        assert_eq!(world.report().await.first_bad, None, "{change} is undone");
    }
}

/// E2, F27: a deleted row is named by its place, also where its link went with it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_deleted_row_is_named(pool: PgPool) {
    let world = world(&pool).await;
    let id = world.id_at(4).await;
    world.tamper(&format!("delete from audit_logs where id = '{id}'")).await;
    world.expect_bad(Some(4), Fault::Missing).await;
    world.tamper(&format!("delete from audit_chain where log_id = '{id}'")).await;
    world.expect_bad(Some(4), Fault::Missing).await;
    // Closing the gap breaks the links.
    world.tamper("update audit_chain set seq = seq - 1 where chain = CHAIN and seq > 4").await;
    let bad = world.report().await.first_bad.expect("it was tampered with");
    assert_eq!((bad.seq, bad.fault), (Some(4), Fault::Chain));
}

/// E2, F27: a row that the program did not write is found, sealed or not.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_inserted_row_is_named(pool: PgPool) {
    let world = world(&pool).await;
    let like = world.id_at(3).await;
    let forged = "0190a6e0-0000-7000-8000-00000000f0f0";
    world
        .tamper(&format!(
            "create temp table t as select * from audit_logs where id = '{like}';
             update t set id = '{forged}', canonical = replace(canonical, '{like}', '{forged}');
             insert into audit_logs select * from t; drop table t; update audit_unsealed set chain = chain"
        ))
        .await;
    let bad = world.report().await.first_bad.expect("it was tampered with");
    assert_eq!((bad.seq, bad.id, bad.fault), (None, Some(forged.parse().expect("an id")), Fault::NotOurs));
    seal::seal(&world.cx).await.expect("sealed");
    world.expect_bad(Some(11), Fault::NotOurs).await;
    // As if it had been written before there were codes.
    world
        .tamper(&format!(
            "update audit_logs set canonical = replace(canonical, 'audit.v2', 'audit.v1') where id = '{forged}'"
        ))
        .await;
    let bad = world.report().await.first_bad.expect("it was tampered with");
    assert_eq!(bad.seq, Some(11));
}

/// E2, F27: rows that changed places are found: their contents, or their places in the chain.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn swapped_rows_are_named(pool: PgPool) {
    let world = world(&pool).await;
    let (a, b) = (world.id_at(5).await, world.id_at(7).await);
    let spare = Uuid::now_v7();
    let swap = format!(
        "update audit_logs set id = '{spare}' where id = '{a}'; update audit_logs set id = '{a}' where id = '{b}';
         update audit_logs set id = '{b}' where id = '{spare}'"
    );
    world.tamper(&swap).await;
    world.expect_bad(Some(5), Fault::Changed).await;
    world.tamper(&swap).await;
    assert_eq!(world.report().await.first_bad, None, "swapped back");
    world
        .tamper(&format!(
            "update audit_chain set log_id = '{spare}' where log_id = '{a}';
             update audit_chain set log_id = '{a}' where log_id = '{b}';
             update audit_chain set log_id = '{b}' where log_id = '{spare}'"
        ))
        .await;
    world.expect_bad(Some(5), Fault::Moved).await;
}

/// E2, F27: an end that was cut off is found by the signed head: our own, and where that went too one kept elsewhere.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_truncated_end_is_found_by_a_checkpoint(pool: PgPool) {
    let world = world(&pool).await;
    let kept = world.checkpoint().await;
    assert_eq!(world.report_against(Some(kept.clone())).await.first_bad, None);
    world
        .tamper(
            "delete from audit_logs where id in (select log_id from audit_chain where seq > 8);
             delete from audit_chain where chain = CHAIN and seq > 8",
        )
        .await;
    world.expect_bad(Some(9), Fault::CutOff).await;
    world.tamper("delete from audit_checkpoints").await;
    assert_eq!(world.report().await.first_bad, None, "nothing inside the database tells any more");
    let bad = world.report_against(Some(kept.clone())).await.first_bad.expect("the kept head tells");
    assert_eq!((bad.seq, bad.fault), (Some(9), Fault::CutOff));
    // Whoever goes on writing on the shortened chain comes to another head.
    for n in 0..4 {
        world.admin.post("/admin/users", json!({"email": format!("r{n}@x.example"), "name": "r"})).await.ok();
    }
    seal::seal(&world.cx).await.expect("sealed");
    let bad = world.report_against(Some(kept.clone())).await.first_bad.expect("the kept head tells");
    assert_eq!((bad.seq, bad.fault), (Some(10), Fault::Chain));
    let altered = Checkpoint { seq: 3, ..kept.clone() };
    let bad = world.report_against(Some(altered)).await.first_bad.expect("its signature does not hold");
    assert_eq!(bad.fault, Fault::Checkpoint);
}

/// E2, E5: erasing a person's parts with their salts leaves the chain as it was.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn erasing_personal_parts_leaves_the_chain_intact(pool: PgPool) {
    let world = world(&pool).await;
    let id = world.id_at(5).await;
    world
        .tamper(&format!(
            "update audit_logs set new_value = null, resource_name = null, search = '',
                 salts = salts - 'new_value' - 'resource_name' where id = '{id}'"
        ))
        .await;
    let report = world.report().await;
    assert_eq!((report.first_bad, report.erased), (None, 1));
}

/// E4: what is kept no longer goes in whole ranges, the log tells of it, and the rest still verifies; a hold stops it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn retention_removes_and_the_chain_stays_verifiable(pool: PgPool) {
    let world = world(&pool).await;
    let rule = json!({"keep_days": 90, "legal_hold": true});
    let refused = world.admin.json(axum::http::Method::PUT, "/admin/audit/retention", rule).await;
    assert_eq!(refused.json()["errors"][0]["field"], "hold_reason");
    let put = async |rule: Value| {
        let admin = world.app.sign_in("hind@nakheel.example").await;
        admin.json(axum::http::Method::PUT, "/admin/audit/retention", rule).await.ok()
    };
    put(json!({"keep_days": 90, "legal_hold": true, "hold_reason": "قضية"})).await;
    world.app.advance(std::time::Duration::from_secs(200 * 86_400)).await;
    put(json!({"keep_days": 90, "legal_hold": true, "hold_reason": "قضية"})).await;
    seal::seal(&world.cx).await.expect("sealed");
    assert_eq!(seal::prune(&world.cx).await.expect("works"), 0, "a hold stops it");
    put(json!({"keep_days": 90, "legal_hold": false})).await;
    assert_eq!(seal::prune(&world.cx).await.expect("works"), 12);
    assert_eq!(seal::prune(&world.cx).await.expect("works"), 0);
    sealer::once(&world.cx).await.expect("works");
    let report = world.report().await;
    assert_eq!((report.first_bad, report.removed, report.unsealed), (None, 12, 0));
    let admin = world.app.sign_in("hind@nakheel.example").await;
    let told = admin.get("/admin/audit?action=audit.retention").await.ok();
    assert_eq!(told["items"][0]["new_value"]["rows"], 12);
    // What goes beyond the rule is not excused by it.
    let id = world.id_at(14).await;
    world.tamper(&format!("delete from audit_logs where id = '{id}'")).await;
    world.expect_bad(Some(14), Fault::Missing).await;
}

/// E2: the program itself can neither alter the chain nor remove rows around the rule.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_application_cannot_alter_the_chain(pool: PgPool) {
    let world = world(&pool).await;
    for statement in [
        "update audit_chain set seq = seq + 1",
        "delete from audit_chain",
        "update audit_keys set public_key = ''",
        "insert into audit_unsealed values (gen_random_uuid(), gen_random_uuid(), now())",
        "select audit_prune((select id from tenants), (select id from tenants), 1, 100, now())",
    ] {
        let mut tx = world.app.owner.begin().await.expect("a transaction");
        sqlx::raw_sql("set local role bawwab_app; set local app.scope = 'node'")
            .execute(&mut *tx)
            .await
            .expect("works");
        let refused = sqlx::raw_sql(statement).execute(&mut *tx).await.expect_err(statement);
        let code = refused.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
        assert_eq!(code.as_deref(), Some("42501"), "{statement}");
    }
}

/// E2: the formats are published: what they come to is written down, and never changes.
#[test]
fn the_formats_are_fixed() {
    let golden = include_str!("../../../../docs/audit-chain.golden.json");
    let golden: Value = serde_json::from_str(golden).expect("JSON");
    let plain = &golden["plain"];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let plain = record::Plain {
        id: text(&plain["id"]),
        tenant: text(&plain["tenant"]),
        action: text(&plain["action"]),
        outcome: text(&plain["outcome"]),
        resource_type: text(&plain["resource_type"]),
        request_id: text(&plain["request_id"]),
        created_at: text(&plain["created_at"]),
    };
    let salt = hex::decode(text(&golden["salt"])).expect("hex");
    let digests = record::VEILED.iter().map(|name| {
        let value = golden["veiled"][name].as_str().unwrap_or_default();
        (*name, record::veil(&salt, name, value))
    });
    let canonical = record::canonical(&plain, digests);
    let entry = sha256(canonical.as_bytes());
    let chain = plain.tenant.parse().expect("an id");
    let first = seal::link(chain, 1, &seal::BEGINNING, &entry);
    let second = seal::link(chain, 2, &first, &entry);
    let mac = Keys::new([7; 32]).mac(record::MAC_PURPOSE).code(canonical.as_bytes());
    let comes_to = json!({
        "canonical": canonical,
        "entry": hex::encode(entry),
        "first_link": hex::encode(first),
        "second_link": hex::encode(second),
        "mac_with_master_key_07": hex::encode(mac),
    });
    assert_eq!(golden["comes_to"], comes_to, "{comes_to:#}");
}
