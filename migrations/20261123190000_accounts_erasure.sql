-- Erasing a person: what names them goes from every table, and it is told row by row what went and what stays.

alter table users
    -- When the person was erased, and the report on it: counts only. It outlives the log's own retention.
    add column erased_at timestamptz,
    add column erasure jsonb,
    add constraint users_erased check ((erased_at is null) = (erasure is null)),
    add constraint users_erased_deleted check (erased_at is null or status = 'deleted');

-- The application has no right to change the log, whatever a policy says: only `erase_person` does it, as the owner.
create policy audit_logs_erase on audit_logs for update using (app_scope() = 'node') with check (app_scope() = 'node');

-- Whether one of the texts is the whole of a text, or a whole value in a document.
create function names_person(part text, texts text[]) returns boolean
    language sql immutable parallel safe as $$
    select part is not null and exists (
        select from unnest(texts) t where part = t or position(to_jsonb(t)::text in part) > 0)
$$;

-- Whether one of the addresses stands in a text by itself: not as a part of a longer one.
create function names_address(part text, addresses text[]) returns boolean
    language sql immutable parallel safe as $$
    select part is not null and exists (
        select from regexp_split_to_table(lower(part), '[][\s"''(),:;<>\\=&?/|{}]+') token
        where btrim(token, '.!') = any (addresses))
$$;

-- The addresses that were somebody's: their account had them. What they only typed in is somebody else's perhaps, and so is
-- one that another account has by now.
create function person_addresses(who uuid, home uuid) returns text[]
    language sql stable set search_path = pg_catalog, public as $$
    select coalesce(array_agg(distinct lower(t)), '{}') from (
        select u.email as t from users u where u.id = who and u.tenant_id = home
        union all
        select e.old_email from email_changes e where e.user_id = who and e.tenant_id = home
        union all
        select j.v ->> 'email' from audit_logs l, lateral (values (l.old_value), (l.new_value)) j (v)
            where l.tenant_id = home and l.resource_type = 'user' and l.resource_id = who::text
              and l.action in ('admin.user_create', 'admin.user_update', 'admin.user_delete')
    ) of_person
    where t ~ '^[^\s@]+@[^\s@]+\.[^\s@]+$' and t !~ '@erased\.invalid$'
      and not exists (select from users o where o.id <> who and o.status <> 'deleted' and lower(o.email) = lower(t))
$$;

-- What somebody goes by, and went by: names, addresses, and what other systems call them.
create function person_texts(who uuid, home uuid) returns text[]
    language sql stable set search_path = pg_catalog, public as $$
    select coalesce(array_agg(distinct t), '{}') from (
        select unnest(array[u.name, u.email, u.username, u.external_id]) as t from users u
            where u.id = who and u.tenant_id = home
        union all
        select unnest(array[e.old_email, e.new_email]) from email_changes e where e.user_id = who and e.tenant_id = home
        union all
        select l.user_name from audit_logs l where l.tenant_id = home and l.user_id = who
        union all
        select l.impersonator_name from audit_logs l where l.tenant_id = home and l.impersonator_id = who
        union all
        select l.resource_name from audit_logs l
            where l.tenant_id = home and l.resource_type = 'user' and l.resource_id = who::text
        union all
        select unnest(array[j.v ->> 'name', j.v ->> 'email', j.v ->> 'username', j.v ->> 'external_id'])
            from audit_logs l, lateral (values (l.old_value), (l.new_value)) j (v)
            where l.tenant_id = home and l.resource_type = 'user' and l.resource_id = who::text
              and l.action in ('admin.user_create', 'admin.user_update', 'admin.user_delete', 'auth.profile_update')
    -- What an erasure before has put in their place is nobody's.
    ) of_person where t is not null and btrim(t) <> '' and t !~ '^#\d+(@erased\.invalid)?$'
$$;

-- Erases a deleted person of the tenant that the transaction works for. What is told is counted as it is done; a look
-- ahead does the same and is rolled back. `letters` are jobs that hold letters to them: these are sealed, and only the
-- program can tell to whom they go.
create function erase_person(who uuid, letters bigint[], erased timestamptz)
    returns table (about text, affected bigint)
    language plpgsql security definer set search_path = pg_catalog, public as $$
#variable_conflict use_column
declare
    home constant uuid := app_tenant();
    scope_before constant text := app_scope();
    label text;
    texts text[];
    addresses text[];
    patterns text[];
    names text[];
    found_rows uuid[];
    held_rows uuid[];
    one text;
    n bigint;
    total bigint;
begin
    -- Other tenants' logs and what belongs to none are reached in the scope of a node; it ends with this function.
    perform set_config('app.scope', 'node', true);
    -- The number says nothing of the person and keeps their rows apart from others'.
    select '#' || u.number into label from users u
        where u.id = who and u.tenant_id = home and u.status = 'deleted' for update;
    if label is null then
        raise exception 'only who was deleted can be erased' using errcode = '42501';
    end if;
    addresses := person_addresses(who, home);
    -- A single word is also a role's or a thing's: where a row is not about the person it says nothing of them.
    select coalesce(array_agg(t), '{}') into texts from unnest(person_texts(who, home)) t
        where t ~ '@' or btrim(t) ~ '\s';
    select coalesce(array_agg('%' || regexp_replace(fold_text(t), '([\\%_])', '\\\1', 'g') || '%'), '{}') into patterns
        from unnest(addresses) t;
    select coalesce(array_agg('%' || regexp_replace(fold_text(t), '([\\%_])', '\\\1', 'g') || '%'), '{}') into names
        from unnest(texts) t where length(btrim(t)) > 3;

    -- How they sign in.
    total := 0;
    delete from totp where user_id = who and tenant_id = home; get diagnostics n = row_count; total := total + n;
    delete from backup_codes where user_id = who and tenant_id = home; get diagnostics n = row_count; total := total + n;
    delete from passkeys where user_id = who and tenant_id = home; get diagnostics n = row_count; total := total + n;
    delete from passkey_challenges where user_id = who; get diagnostics n = row_count; total := total + n;
    delete from sign_in_steps where user_id = who and tenant_id = home; get diagnostics n = row_count; total := total + n;
    delete from links where user_id = who and tenant_id = home; get diagnostics n = row_count; total := total + n;
    about := 'sign_in'; affected := total; return next;

    -- Where they were signed in, and where they acted as somebody else.
    select count(*) into total from refresh_tokens r join sessions s on s.id = r.session_id
        where s.tenant_id = home and (s.user_id = who or s.impersonator_id = who);
    delete from sessions where tenant_id = home and (user_id = who or impersonator_id = who);
    get diagnostics n = row_count; total := total + n;
    delete from devices where user_id = who and tenant_id = home; get diagnostics n = row_count; total := total + n;
    delete from known_places where user_id = who and tenant_id = home; get diagnostics n = row_count; total := total + n;
    about := 'sessions'; affected := total; return next;

    -- What they were given; deleting them has taken most of it away.
    total := 0;
    delete from user_roles where user_id = who and tenant_id = home; get diagnostics n = row_count; total := total + n;
    delete from user_permissions where user_id = who and tenant_id = home; get diagnostics n = row_count; total := total + n;
    delete from group_members where user_id = who and tenant_id = home; get diagnostics n = row_count; total := total + n;
    delete from grant_reminders where user_id = who and tenant_id = home; get diagnostics n = row_count; total := total + n;
    about := 'grants'; affected := total; return next;

    -- What they asked for: an account, another address, leaving.
    total := 0;
    delete from registrations where tenant_id = home and lower(email) = any (addresses);
    get diagnostics n = row_count; total := total + n;
    delete from email_changes where user_id = who and tenant_id = home; get diagnostics n = row_count; total := total + n;
    delete from account_deletions where user_id = who and tenant_id = home; get diagnostics n = row_count; total := total + n;
    about := 'requests'; affected := total; return next;

    delete from api_keys where user_id = who and tenant_id = home;
    get diagnostics n = row_count; about := 'api_keys'; affected := n; return next;
    delete from jobs where id = any(letters) and tenant_id = home and kind = 'mail';
    get diagnostics n = row_count; about := 'letters'; affected := n; return next;
    delete from idempotency_keys where actor_id = who and tenant_id = home;
    get diagnostics n = row_count; about := 'answers'; affected := n; return next;

    -- What they said to which text stays as proof, without the address it was said from.
    update consent_records set ip = null where user_id = who and tenant_id = home and ip is not null;
    select count(*) into n from consent_records where user_id = who and tenant_id = home;
    about := 'consents'; affected := n; return next;

    -- What they asked others to agree to and decided on, without their names and their own words.
    select count(*) into total from approvals a where a.tenant_id = home and (a.requester_id = who or a.subject_id = who);
    update approvals set requester_name = label, reason = '—' where tenant_id = home and requester_id = who;
    update approvals set subject_name = label, department = null, region = null
        where tenant_id = home and subject_id = who;
    foreach one in array texts loop
        update approvals set proposal = replace(proposal::text, to_jsonb(one)::text, to_jsonb(label)::text)::jsonb
            where tenant_id = home and position(to_jsonb(one)::text in proposal::text) > 0
              and (requester_id = who or subject_id = who or position(who::text in proposal::text) > 0);
    end loop;
    update approval_decisions set decider_name = label, comment = null where tenant_id = home and decider_id = who;
    get diagnostics n = row_count; total := total + n;
    about := 'approvals'; affected := total; return next;

    -- What they wrote for everybody stays in force.
    update access_policy_versions set saved_by_name = label where tenant_id = home and saved_by = who;
    get diagnostics total = row_count;
    update consent_versions set published_by_name = label where tenant_id = home and published_by = who;
    get diagnostics n = row_count; total := total + n;
    about := 'authorship'; affected := total; return next;

    -- What they gave to others: only the id is noted there, and it leads to no name any more.
    select (select count(*) from user_roles where tenant_id = home and created_by = who)
         + (select count(*) from user_permissions where tenant_id = home and created_by = who)
         + (select count(*) from group_members where tenant_id = home and created_by = who)
         + (select count(*) from group_roles where tenant_id = home and created_by = who)
         + (select count(*) from links where tenant_id = home and created_by = who) into n;
    about := 'given'; affected := n; return next;

    -- The log: the rows stay, and so do their digests; the parts that name the person go with their salts.
    -- A legal hold of the tenant whose log it is leaves them as they are.
    select coalesce(array_agg(x.id) filter (where not x.is_held), '{}'),
           coalesce(array_agg(x.id) filter (where x.is_held), '{}') into found_rows, held_rows
        from (select l.id, exists (
                  select from settings s where s.tenant_id = coalesce(l.tenant_id, (select t.id from tenants t where t.is_first))
                     and s.key = 'audit.retention'
                     and coalesce((s.value ->> 'legal_hold')::boolean, false)) as is_held
              from audit_logs l
              where l.user_id = who or l.impersonator_id = who
                 or (l.resource_type = 'user' and l.resource_id = who::text and (l.tenant_id = home or l.tenant_id is null))
                 -- What is nobody's tenant's is not rewritten for a text that stands in it.
                 or (l.tenant_id = home and l.search like any (patterns || ('%' || who::text || '%')))) x;
    if cardinality(held_rows) > 0 then
        about := 'log_held'; affected := cardinality(held_rows); return next;
    end if;
    with marked as (
        select l.id, l.resource_type = 'user' and l.resource_id = who::text as is_about,
               l.user_id = who or l.impersonator_id = who as is_by,
               -- By whom it is, or what holds their id, may hold their name beside it. Elsewhere it may be a namesake's.
               case when l.user_id = who or l.impersonator_id = who or position(who::text in l.search) > 0
                    then texts else '{}' end as texts
        from audit_logs l where l.id = any(found_rows)
    ), parts as (
        select l.id, array_remove(array[
            case when l.user_id = who and l.user_name is not null then 'user_name' end,
            case when l.impersonator_id = who and l.impersonator_name is not null then 'impersonator_name' end,
            case when m.is_by and l.ip is not null then 'ip' end,
            case when m.is_by and l.user_agent is not null then 'user_agent' end,
            case when l.resource_name is not null
                  and (m.is_about or names_person(l.resource_name, m.texts)
                       or names_address(l.resource_name, addresses)) then 'resource_name' end,
            case when l.old_value is not null
                  and (m.is_about or names_person(l.old_value::text, m.texts)
                       or names_address(l.old_value::text, addresses)) then 'old_value' end,
            case when l.new_value is not null
                  and (m.is_about or names_person(l.new_value::text, m.texts)
                       or names_address(l.new_value::text, addresses)) then 'new_value' end,
            case when l.meta <> '{}' and (names_person(l.meta::text, m.texts)
                       or names_address(l.meta::text, addresses)) then 'meta' end
        ], null) as gone
        from audit_logs l join marked m on m.id = l.id
        -- The records of erasures and of removals name nobody, and are never touched.
        where l.action not in ('admin.user_erase', 'audit.retention') or m.is_by
    ), told as (
        select l.id, p.gone,
            case when 'user_name' = any(p.gone) then null else l.user_name end as user_name,
            case when 'impersonator_name' = any(p.gone) then null else l.impersonator_name end as impersonator_name,
            case when 'ip' = any(p.gone) then null else l.ip end as ip,
            case when 'user_agent' = any(p.gone) then null else l.user_agent end as user_agent,
            case when 'resource_name' = any(p.gone) then null else l.resource_name end as resource_name,
            case when 'old_value' = any(p.gone) then null else l.old_value end as old_value,
            case when 'new_value' = any(p.gone) then null else l.new_value end as new_value,
            case when 'meta' = any(p.gone) then '{}' else l.meta end as meta
        from audit_logs l join parts p on p.id = l.id where cardinality(p.gone) > 0
    )
    update audit_logs l set
        user_name = t.user_name, impersonator_name = t.impersonator_name, ip = t.ip, user_agent = t.user_agent,
        resource_name = t.resource_name, old_value = t.old_value, new_value = t.new_value, meta = t.meta,
        salts = l.salts - t.gone,
        search = fold_text(concat_ws(' ', l.action, t.user_name, t.impersonator_name, t.resource_name,
            t.old_value::text, t.new_value::text, t.meta::text, host(t.ip)))
        from told t where t.id = l.id;
    get diagnostics n = row_count; about := 'log'; affected := n; return next;

    -- The account itself: a number, to which what stays still points.
    update users set name = label, email = label || '@erased.invalid', username = null, external_id = null,
        department = null, region = null, attributes = '{}', password_hash = null, email_confirmed_at = null,
        email_moved_at = null, last_login_at = null, second_factor_at = null, passkeys = 0,
        erased_at = coalesce(erased_at, erased),
        erasure = coalesce(erasure, '[]'), version = version + 1
        where id = who and tenant_id = home;
    get diagnostics n = row_count; about := 'account'; affected := n; return next;

    -- What others wrote in their own words is theirs: it is counted, so that somebody can read it through.
    select (select count(*) from approvals where tenant_id = home and fold_text(reason) like any (names))
         + (select count(*) from approval_decisions where tenant_id = home and fold_text(comment) like any (names))
         + (select count(*) from user_roles where tenant_id = home and fold_text(reason) like any (names))
         + (select count(*) from user_permissions where tenant_id = home and fold_text(reason) like any (names))
         + (select count(*) from sessions where tenant_id = home and fold_text(impersonation_reason) like any (names))
         + (select count(*) from groups where tenant_id = home
                and (fold_text(name) like any (names) or fold_text(description) like any (names)))
         + (select count(*) from roles where tenant_id = home
                and (fold_text(name) like any (names) or fold_text(description) like any (names)))
         + (select count(*) from access_policies where tenant_id = home
                and (fold_text(name) like any (names) or fold_text(description) like any (names)))
         + (select count(*) from access_policy_versions where tenant_id = home
                and fold_text(rules::text) like any (names))
         + (select count(*) from consent_texts where tenant_id = home
                and fold_text(concat_ws(' ', title_ar, title_en, body_ar, body_en)) like any (names))
         + (select count(*) from consent_versions where tenant_id = home
                and fold_text(concat_ws(' ', title_ar, title_en, body_ar, body_en)) like any (names))
         + (select count(*) from permissions where tenant_id = home
                and fold_text(concat_ws(' ', name_ar, name_en, description_ar, description_en)) like any (names))
         + (select count(*) from api_keys where tenant_id = home and fold_text(name) like any (names))
         + (select count(*) from settings where tenant_id = home and fold_text(value::text) like any (names))
         + (select count(*) from audit_logs l where l.tenant_id = home and l.search like any (names)
                and not l.id = any (held_rows))
        into n;
    about := 'words'; affected := n; return next;

    perform set_config('app.scope', scope_before, true);
end $$;
revoke execute on function erase_person(uuid, bigint[], timestamptz) from public;
revoke execute on function names_person(text, text[]), names_address(text, text[]) from public;
revoke execute on function person_addresses(uuid, uuid) from public;
revoke execute on function person_texts(uuid, uuid) from public;
grant execute on function person_addresses(uuid, uuid), erase_person(uuid, bigint[], timestamptz) to bawwab_app;
