-- API keys: a program acts as the person who holds the key, as far as the key's scopes reach.

create table api_keys (
    id uuid not null constraint api_keys_pkey primary key,
    tenant_id uuid not null constraint api_keys_tenant_fk references tenants (id),
    user_id uuid not null,
    name text not null constraint api_keys_name_length check (length(btrim(name)) between 1 and 120),
    -- The beginning of the key, in clear, so that one that was found somewhere can be recognised.
    prefix text not null constraint api_keys_prefix_key unique,
    digest bytea not null constraint api_keys_digest_key unique,
    -- After a rotation the key before stays good for a while.
    previous_digest bytea,
    previous_until timestamptz,
    scopes text[] not null constraint api_keys_scopes_some check (cardinality(scopes) > 0),
    -- Networks that it may come from; none: any.
    networks cidr[] not null default '{}',
    active boolean not null default true,
    expires_at timestamptz,
    last_used_at timestamptz,
    last_used_ip inet,
    version bigint not null default 1,
    created_at timestamptz not null,
    constraint api_keys_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index api_keys_tenant_idx on api_keys (tenant_id, created_at desc, id desc);
create index api_keys_user_idx on api_keys (user_id);
create unique index api_keys_previous_digest_key on api_keys (previous_digest) where previous_digest is not null;

alter table api_keys enable row level security;
alter table api_keys force row level security;
create policy api_keys_tenant on api_keys using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy api_keys_door on api_keys for select using (app_scope() in ('door', 'node'));

grant select, insert, update, delete on api_keys to bawwab_app;
