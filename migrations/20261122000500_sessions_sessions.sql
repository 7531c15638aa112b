-- Devices, sessions, refresh tokens and the counters that slow guessing down. The session row is the authority.

create table devices (
    id uuid not null constraint devices_pkey primary key,
    tenant_id uuid not null constraint devices_tenant_fk references tenants (id),
    user_id uuid not null,
    fingerprint bytea not null,
    name text not null,
    kind text not null constraint devices_kind check (kind in ('mobile', 'desktop', 'tablet', 'other')),
    browser text not null,
    ip inet,
    last_seen_at timestamptz not null,
    created_at timestamptz not null,
    constraint devices_fingerprint_key unique (user_id, fingerprint),
    constraint devices_tenant_id_key unique (tenant_id, id),
    constraint devices_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);

create table sessions (
    id uuid not null constraint sessions_pkey primary key,
    tenant_id uuid not null constraint sessions_tenant_fk references tenants (id),
    user_id uuid not null,
    device_id uuid,
    kind text not null constraint sessions_kind check (kind in ('browser', 'program')),
    -- Browsers: digest of the session cookie; the one before it stays good for a moment after a renewal, so that two
    -- tabs never log a person out.
    digest bytea constraint sessions_digest_key unique,
    previous_digest bytea,
    previous_until timestamptz,
    keyed_rights_version bigint not null default 0,
    -- The tenant's grant version of this session's last write: no node answers it from an older one.
    seen_version bigint not null default 0,
    assurance smallint not null default 1,
    ip inet,
    user_agent text,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    absolute_expires_at timestamptz not null,
    ended_at timestamptz,
    ended_because text,
    constraint sessions_digest_kind check ((kind = 'browser') = (digest is not null)),
    constraint sessions_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade,
    constraint sessions_device_fk foreign key (tenant_id, device_id) references devices (tenant_id, id)
        on delete set null (device_id)
);
create index sessions_user_idx on sessions (user_id) where ended_at is null;
create index sessions_previous_digest_idx on sessions (previous_digest) where previous_digest is not null;
create index sessions_expires_at_idx on sessions (expires_at);

create table refresh_tokens (
    id uuid not null constraint refresh_tokens_pkey primary key,
    tenant_id uuid not null constraint refresh_tokens_tenant_fk references tenants (id),
    session_id uuid not null constraint refresh_tokens_session_fk references sessions (id) on delete cascade,
    digest bytea not null constraint refresh_tokens_digest_key unique,
    parent_id uuid,
    expires_at timestamptz not null,
    spent_at timestamptz,
    created_at timestamptz not null
);
create index refresh_tokens_session_idx on refresh_tokens (session_id);
create index refresh_tokens_expires_at_idx on refresh_tokens (expires_at);

-- Attempts by account and by address. An attempt is counted before it is judged and in a transaction of its own, so
-- that neither a race nor a rollback nor a kill gives a free guess.
create table limits (
    subject bytea not null constraint limits_pkey primary key,
    attempts integer not null,
    blocked_until timestamptz,
    updated_at timestamptz not null
);
create index limits_updated_at_idx on limits (updated_at);

alter table devices enable row level security;
alter table devices force row level security;
create policy devices_tenant on devices using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());

alter table sessions enable row level security;
alter table sessions force row level security;
create policy sessions_tenant on sessions using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy sessions_found on sessions for select using (app_scope() = 'door');
create policy sessions_node_read on sessions for select using (app_scope() = 'node');
create policy sessions_node_expire on sessions for delete using (app_scope() = 'node');

alter table refresh_tokens enable row level security;
alter table refresh_tokens force row level security;
create policy refresh_tokens_tenant on refresh_tokens
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy refresh_tokens_found on refresh_tokens for select using (app_scope() = 'door');

alter table limits enable row level security;
alter table limits force row level security;
create policy limits_door on limits using (app_scope() in ('door', 'node')) with check (app_scope() = 'door');

grant select, insert, update, delete on devices, sessions, refresh_tokens, limits to bawwab_app;
