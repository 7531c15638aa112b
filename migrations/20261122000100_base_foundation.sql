-- What every capability stands on: the row-level-security context, text folding, settings, idempotency, jobs.
--
-- Tables belong to the migrating role. The application does `set role bawwab_app` on every connection: that role
-- owns nothing and bypasses nothing. A transaction says who it works for in two settings:
--   app.tenant  the tenant whose rows may be seen and written
--   app.scope   a named scope beside it: door (finding somebody before the tenant is known), node (what a node loads
--               for all tenants), platform (a super-admin reading what belongs to no tenant)

create extension if not exists pg_trgm;

create function app_tenant() returns uuid language sql stable parallel safe
    return nullif(current_setting('app.tenant', true), '')::uuid;

create function app_scope() returns text language sql stable parallel safe
    return coalesce(current_setting('app.scope', true), '');

create function set_updated_at() returns trigger language plpgsql as $$
begin
    new.updated_at := now();
    return new;
end $$;

-- One form for searching: case, compatibility forms, Arabic diacritics and tatweel, hamza carriers, ta marbuta,
-- alif maqsura and Arabic-Indic digits fold together, so that «أحمد» finds «احمد» and «٣» finds «3».
create function fold_text(value text) returns text language sql immutable parallel safe strict
    return translate(
        regexp_replace(lower(normalize(value, nfkc)), '[\u064B-\u065F\u0670\u0640]', '', 'g'),
        'أإآٱةىؤئ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹',
        'ااااهيوي01234567890123456789');

create table settings (
    tenant_id uuid not null,
    key text not null constraint settings_key_shape check (key ~ '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$'),
    value jsonb not null,
    version bigint not null default 1,
    updated_at timestamptz not null default now(),
    constraint settings_pkey primary key (tenant_id, key)
);
create trigger settings_updated_at before update on settings for each row execute function set_updated_at();

-- The first answer to a request that carried an Idempotency-Key. The row is inserted by the transaction that does the
-- work, so that one key has at most one effect; the sealed answer follows.
create table idempotency_keys (
    tenant_id uuid not null,
    actor_id uuid not null,
    key text not null constraint idempotency_keys_key_length check (length(key) between 1 and 200),
    request_digest bytea not null,
    status smallint,
    response bytea,
    created_at timestamptz not null default now(),
    constraint idempotency_keys_pkey primary key (actor_id, key)
);
create index idempotency_keys_created_at_idx on idempotency_keys (created_at);

create table jobs (
    id bigint generated always as identity constraint jobs_pkey primary key,
    kind text not null,
    payload jsonb not null default '{}',
    unique_key text constraint jobs_unique_key unique,
    run_at timestamptz not null,
    attempts integer not null default 0,
    locked_until timestamptz,
    last_error text,
    created_at timestamptz not null default now()
);
create index jobs_due_idx on jobs (run_at);

alter table settings enable row level security;
alter table settings force row level security;
create policy settings_tenant on settings
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy settings_door on settings for select using (app_scope() in ('door', 'node'));

alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;
create policy idempotency_keys_tenant on idempotency_keys
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy idempotency_keys_node_read on idempotency_keys for select using (app_scope() = 'node');
create policy idempotency_keys_node_expire on idempotency_keys for delete using (app_scope() = 'node');

alter table jobs enable row level security;
alter table jobs force row level security;
create policy jobs_node on jobs using (app_scope() = 'node') with check (app_scope() = 'node');
create policy jobs_enqueue on jobs for insert with check (app_tenant() is not null);

grant usage on schema public to bawwab_app;
grant select, insert, update, delete on settings, idempotency_keys, jobs to bawwab_app;
