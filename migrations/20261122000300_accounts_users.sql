-- People. A person has one home tenant; e-mail addresses and user names are unique across tenants.

create table users (
    id uuid not null constraint users_pkey primary key,
    -- An immutable number for old integrations that cannot hold a UUID.
    number bigint generated always as identity constraint users_number_key unique,
    tenant_id uuid not null constraint users_tenant_fk references tenants (id),
    external_id text constraint users_external_id_length check (length(external_id) between 1 and 255),
    username text constraint users_username_shape check (username ~ '^[^@\s]{2,64}$'),
    email text not null constraint users_email_length check (length(email) between 3 and 254),
    name text not null constraint users_name_length check (length(name) between 1 and 200),
    department text constraint users_department_length check (length(department) between 1 and 120),
    region text constraint users_region_length check (length(region) between 1 and 120),
    locale text not null default 'ar' constraint users_locale check (locale in ('ar', 'en')),
    status text not null default 'invited'
        constraint users_status check (status in ('invited', 'active', 'suspended', 'deleted')),
    email_confirmed_at timestamptz,
    last_login_at timestamptz,
    attributes jsonb not null default '{}' constraint users_attributes_object check (jsonb_typeof(attributes) = 'object'),
    password_hash text,
    -- The tenant's grant version at which this person's rights last changed: older session keys are renewed.
    rights_version bigint not null default 0,
    version bigint not null default 1,
    search text not null generated always as
        (fold_text(name || ' ' || email || ' ' || coalesce(username, '') || ' ' || coalesce(department, ''))) stored,
    created_at timestamptz not null,
    updated_at timestamptz not null default now(),
    -- A name ends up in other tables' composite foreign keys, which keeps every reference inside its tenant.
    constraint users_tenant_id_key unique (tenant_id, id)
);
create trigger users_updated_at before update on users for each row execute function set_updated_at();

-- Deleted people free their addresses and names; their row stays for the audit log's sake.
create unique index users_email_key on users (lower(email)) where status <> 'deleted';
create unique index users_username_key on users (fold_text(username)) where status <> 'deleted';
create unique index users_external_id_key on users (tenant_id, external_id) where status <> 'deleted';
create index users_search_idx on users using gin (search gin_trgm_ops);
-- One index a sort order of the list; the id makes each order total, so that a page can go on after a row.
create index users_by_name_idx on users (tenant_id, fold_text(name), id);
create index users_by_created_idx on users (tenant_id, created_at, id);
create index users_by_last_login_idx on users (tenant_id, last_login_at desc nulls last, id);
create index users_by_status_idx on users (tenant_id, status, id);
create index users_by_department_idx on users (tenant_id, department);

-- One-time links: set-up of the first administrator, choice of a first password.
create table links (
    id uuid not null constraint links_pkey primary key,
    purpose text not null constraint links_purpose check (purpose in ('setup', 'welcome')),
    tenant_id uuid not null constraint links_tenant_fk references tenants (id),
    user_id uuid constraint links_user_required check ((purpose = 'setup') = (user_id is null)),
    digest bytea not null constraint links_digest_key unique,
    expires_at timestamptz not null,
    used_at timestamptz,
    -- Others' grants to the person void it: who invited somebody does not come into what they are given later.
    created_by uuid,
    created_at timestamptz not null,
    constraint links_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index links_user_idx on links (user_id);
create index links_expires_at_idx on links (expires_at);

alter table users enable row level security;
alter table users force row level security;
create policy users_tenant on users using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy users_found on users for select using (app_scope() in ('door', 'node'));

alter table links enable row level security;
alter table links force row level security;
create policy links_tenant on links using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy links_found on links for select using (app_scope() = 'door');
create policy links_node_read on links for select using (app_scope() = 'node');
create policy links_node_expire on links for delete using (app_scope() = 'node');

grant select, insert, update on users to bawwab_app;
grant select, insert, update, delete on links to bawwab_app;
