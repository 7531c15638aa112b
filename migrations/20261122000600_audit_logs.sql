-- The audit log. The application may add rows and read them; nothing it can do changes or removes one.

create table audit_logs (
    id uuid not null constraint audit_logs_pkey primary key,
    tenant_id uuid,
    -- No foreign key: people may be erased, rows stay. Names are kept as they were.
    user_id uuid,
    user_name text,
    impersonator_id uuid,
    action text not null constraint audit_logs_action_shape check (action ~ '^[a-z_]+(\.[a-z_]+)+$'),
    outcome text not null constraint audit_logs_outcome check (outcome in ('done', 'denied', 'failed')),
    resource_type text,
    resource_id text,
    resource_name text,
    old_value jsonb,
    new_value jsonb,
    meta jsonb not null default '{}',
    ip inet,
    user_agent text,
    request_id uuid,
    created_at timestamptz not null,
    -- What a later chain is computed over: the fields that name nobody in clear, the others as salted digests. Erasing
    -- a field and its salt leaves this text, and so the chain, as it was.
    canonical text not null,
    salts jsonb not null,
    search text not null
);
create index audit_logs_tenant_idx on audit_logs (tenant_id, created_at desc, id desc);
create index audit_logs_user_idx on audit_logs (tenant_id, user_id, created_at desc, id desc);
create index audit_logs_action_idx on audit_logs (tenant_id, action, created_at desc, id desc);
create index audit_logs_resource_idx on audit_logs (tenant_id, resource_type, resource_id, created_at desc, id desc);
create index audit_logs_ip_idx on audit_logs (tenant_id, ip, created_at desc, id desc);
create index audit_logs_search_idx on audit_logs using gin (search gin_trgm_ops);

alter table audit_logs enable row level security;
alter table audit_logs force row level security;
create policy audit_logs_read on audit_logs for select
    using (tenant_id = app_tenant() or (tenant_id is null and app_scope() = 'platform'));
create policy audit_logs_add on audit_logs for insert
    with check (tenant_id = app_tenant() or (tenant_id is null and app_scope() = 'door'));

grant select, insert on audit_logs to bawwab_app;
