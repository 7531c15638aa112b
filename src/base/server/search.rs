//! What people search for, as conditions of a query: every word must be found, in any order.

use sqlx::{PgConnection, Postgres, QueryBuilder};
use tracing::info;

use crate::base::{errors::FieldCode, search::fold};

/// The longest text that a filter takes.
const LONGEST: usize = 200;

/// What a parameter says, trimmed; `None` when it is blank.
pub fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The text of a filter: trimmed and bounded; `None` when it is blank.
pub fn filter_text(text: Option<String>) -> Result<Option<String>, FieldCode> {
    match text.as_deref().map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) if text.contains('\0') => Err(FieldCode::Characters),
        Some(text) if text.chars().count() > LONGEST => Err(FieldCode::TooLong),
        Some(text) => Ok(Some(text.to_owned())),
    }
}

/// The words of a search, folded, each as a pattern for `like` on a column that is folded too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// Reads what was typed; nothing typed finds everything.
    pub fn parse(text: Option<String>) -> Result<Self, FieldCode> {
        let folded = filter_text(text)?.map(|text| fold(&text)).unwrap_or_default();
        let mut patterns = folded.split_whitespace().map(pattern).collect::<Vec<_>>();
        patterns.sort();
        patterns.dedup();
        Ok(Words(patterns))
    }

    /// For `like all ($1)`: true of everything where there are no words.
    pub fn patterns(&self) -> &[String] {
        &self.0
    }

    /// For `like $1` beside [`Words::patterns`]: an index serves a single pattern, and not `like all`.
    pub fn first(&self) -> &str {
        self.0.first().map_or("%", String::as_str)
    }

    /// How a query with these words is to be planned: with the words, each time. Once for all words PostgreSQL would take each
    /// for one that many rows have, and go through a list in its order until enough are found.
    pub fn plan_is_kept(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a condition for each word, of the kind that a trigram index serves.
    pub fn push(&self, query: &mut QueryBuilder<Postgres>, column: &str) {
        for pattern in &self.0 {
            query.push(" and ").push(column).push(" like ").push_bind(pattern.clone());
        }
    }
}

/// A word anywhere, taken literally.
fn pattern(word: &str) -> String {
    let mut pattern = String::from("%");
    for c in word.chars() {
        if matches!(c, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Lets the planner take `like` into an index although the table is under row-level security.
///
/// PostgreSQL does so only with functions that are marked leakproof, and `like` is not: a pattern that ends in a lone
/// backslash is an error, which tells whether a hidden row came that far. [`Words`] makes no such pattern. The mark can be
/// set by a superuser only; it is kept in this one database, and has to be set again after a restore. Without it searching
/// finds the same, row by row.
pub async fn allow_indexed_search(owner: &mut PgConnection) -> sqlx::Result<()> {
    let (may, done): (bool, bool) = sqlx::query_as(
        "select current_setting('is_superuser') = 'on', proleakproof
         from pg_proc where oid = 'pg_catalog.textlike(text, text)'::regprocedure",
    )
    .fetch_one(&mut *owner)
    .await?;
    if may && !done {
        sqlx::query("alter function pg_catalog.textlike(text, text) leakproof").execute(owner).await?;
    } else if !done {
        info!(
            "searching large tenants is faster after a superuser has said, in this database: \
             alter function pg_catalog.textlike(text, text) leakproof"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::{Strategy as _, ValueTree as _};
    use sqlx::PgPool;

    fn words(text: &str) -> Vec<String> {
        Words::parse(Some(text.to_owned())).expect("a search").patterns().to_vec()
    }

    /// D1: what stands in a search is looked for, never obeyed.
    #[test]
    fn words_are_folded_and_taken_literally() {
        assert_eq!(words("  الشهرى   أحمد أَحمد "), ["%احمد%", "%الشهري%"]);
        assert_eq!(words(r"50% a_b c\"), [r"%50\%%", r"%a\_b%", r"%c\\%"]);
        assert_eq!(words("   "), Vec::<String>::new());
        assert_eq!(Words::parse(Some("b a".to_owned())).expect("a search").first(), "%a%");
        assert_eq!(Words::default().first(), "%");
        assert_eq!(Words::parse(None), Ok(Words::default()));
        assert_eq!(Words::parse(Some("a\0".to_owned())), Err(FieldCode::Characters));
        assert_eq!(Words::parse(Some("a".repeat(201))), Err(FieldCode::TooLong));
    }

    /// "user list, audit search": PostgreSQL keeps no plan of a search, which would be the same for a word of few rows and of
    /// many; of what has no words it does.
    #[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
    async fn a_search_is_planned_with_its_words(pool: PgPool) {
        let mut connection = pool.acquire().await.expect("a connection");
        for (text, kept) in [("ahmad", 0_i64), ("", 1)] {
            let words = Words::parse(Some(text.to_owned())).expect("a search");
            for _ in 0..3 {
                let mut query = QueryBuilder::<Postgres>::new("select name from users where status = ");
                query.push_bind("active");
                words.push(&mut query, "search");
                let query = query.build().persistent(words.plan_is_kept());
                query.fetch_all(&mut *connection).await.expect("rows");
            }
            let plans = sqlx::query_scalar::<_, i64>(
                "select count(*) from pg_prepared_statements where statement like 'select name from users%'",
            );
            assert_eq!(plans.fetch_one(&mut *connection).await.expect("a count"), kept, "{text}");
        }
    }

    async fn folded_by_sql(pool: &PgPool, texts: &[String]) -> Vec<String> {
        sqlx::query_scalar("select fold_text(t) from unnest($1::text[]) with ordinality as given (t, n) order by n")
            .bind(texts)
            .fetch_all(pool)
            .await
            .expect("folded texts")
    }

    /// D1, E3: the database and the program fold alike: every letter of the scripts that fold, alone and in company.
    #[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
    async fn the_database_folds_as_the_program_does(pool: PgPool) {
        // Assigned in Unicode 14, which the oldest PostgreSQL that is supported knows.
        let letters = [
            0x20..0x378,
            0x384..0x530,
            0x531..0x557,
            0x561..0x588,
            0x5D0..0x5EB,
            0x606..0x70E,
            0x750..0x780,
            0x8A0..0x8E2,
            0x1E00..0x1F16,
            0x1F50..0x1F58,
            0x2010..0x2028,
            0x2100..0x218C,
            0x3041..0x3097,
            0xAC00..0xAC80,
            0xFB50..0xFBC3,
            0xFD50..0xFD90,
            0xFE70..0xFE75,
            0xFE76..0xFEFD,
            0xFF01..0xFFBF,
        ];
        let letters = letters.into_iter().flatten().filter_map(char::from_u32).collect::<Vec<_>>();
        let mut texts = letters.iter().map(char::to_string).collect::<Vec<_>>();
        let word = proptest::collection::vec(proptest::sample::select(letters), 1..12);
        let mut dice = proptest::test_runner::TestRunner::deterministic();
        for _ in 0..3_000 {
            let letters = word.new_tree(&mut dice).expect("a word").current();
            texts.push(letters.into_iter().collect());
        }
        for (text, by_sql) in texts.iter().zip(folded_by_sql(&pool, &texts).await) {
            assert_eq!(fold(text), by_sql, "{text:?} {}", text.escape_unicode());
        }
    }

    /// "user list, audit search": under row-level security a word is looked up in the index, not row by row; so in every
    /// list that is searched by the database.
    #[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
    async fn a_search_goes_through_the_index(pool: PgPool) {
        let mut owner = pool.acquire().await.expect("a connection");
        allow_indexed_search(&mut owner).await.expect("the tests' owner is a superuser");
        allow_indexed_search(&mut owner).await.expect("once more changes nothing");
        let tenant: String =
            sqlx::query_scalar("select id::text from tenants").fetch_one(&mut *owner).await.expect("one");
        sqlx::query(
            "insert into users (id, tenant_id, email, name, created_at)
             select gen_random_uuid(), $1::uuid, 'p' || n || '@x.example', 'شخص ' || md5(n::text), now()
             from generate_series(1, 3000) n",
        )
        .bind(&tenant)
        .execute(&mut *owner)
        .await
        .expect("people");
        for table in ["roles", "groups", "access_policies"] {
            let rows = format!(
                "insert into {table} (tenant_id, name) select $1::uuid, 'p' || n || '@ ' || md5(n::text)
                 from generate_series(1, 3000) n"
            );
            sqlx::query(sqlx::AssertSqlSafe(rows)).bind(&tenant).execute(&mut *owner).await.expect(table);
        }
        sqlx::query(
            "insert into audit_logs (id, tenant_id, action, outcome, created_at, canonical, salts, search)
             select gen_random_uuid(), $1::uuid, 'auth.login', 'done', now(), '', '{}', 'p' || n || '@ ' || md5(n::text)
             from generate_series(1, 3000) n",
        )
        .bind(&tenant)
        .execute(&mut *owner)
        .await
        .expect("a log");
        // Tables as small as these would be read whole.
        let tables = "vacuum analyze users, roles, groups, access_policies, audit_logs";
        sqlx::raw_sql(tables).execute(&mut *owner).await.expect("works");
        sqlx::raw_sql("set enable_seqscan = off").execute(&mut *owner).await.expect("works");
        sqlx::query("select set_config('app.tenant', $1, false)")
            .bind(&tenant)
            .execute(&mut *owner)
            .await
            .expect("works");
        sqlx::raw_sql("set role bawwab_app").execute(&mut *owner).await.expect("works");
        let both = "search like all (array['%p2718@%']) and search like '%p2718@%'";
        for (table, condition, index) in [
            ("users", "status <> 'deleted' and search like '%p2718@%'", "users_search_idx"),
            ("audit_logs", "search like '%p2718@%'", "audit_logs_search_idx"),
            ("roles", both, "roles_search_idx"),
            ("groups", both, "groups_search_idx"),
            ("access_policies", both, "access_policies_search_idx"),
            (
                "users",
                "status <> 'deleted' and (name_key, id) > ('m', '00000000-0000-0000-0000-000000000000') order by name_key, id limit 9",
                "users_by_name_idx",
            ),
            (
                "users",
                "status <> 'deleted' and (email = 'p7@x.example' or username_key = 'p7@x.example')",
                "users_username_key",
            ),
        ] {
            let query = format!("explain select id from {table} where tenant_id = '{tenant}' and {condition}");
            let plan: Vec<String> =
                sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_all(&mut *owner).await.expect("a plan");
            let plan = plan.join("\n");
            let inside = plan.split(index).nth(1).unwrap_or_default();
            assert!(inside.contains("Index Cond"), "{table}, {condition}: {plan}");
        }
    }
}
