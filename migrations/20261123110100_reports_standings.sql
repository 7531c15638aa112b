-- How a tenant stood on each day (UTC), as a node has last seen it on that day. The log tells what happened, not how many
-- there were: that cannot be told of a day that is over.

create table daily_standings (
    tenant_id uuid not null constraint daily_standings_tenant_fk references tenants (id),
    day date not null,
    active bigint not null,
    invited bigint not null,
    suspended bigint not null,
    -- Active people with an authenticator app or a passkey.
    with_second_factor bigint not null,
    roles bigint not null,
    groups bigint not null,
    -- Requests that wait for approval.
    waiting bigint not null,
    seen_at timestamptz not null,
    constraint daily_standings_pkey primary key (tenant_id, day)
);

alter table daily_standings enable row level security;
alter table daily_standings force row level security;
create policy daily_standings_tenant on daily_standings for select using (tenant_id = app_tenant());
create policy daily_standings_node on daily_standings using (app_scope() = 'node') with check (app_scope() = 'node');

grant select, insert, update on daily_standings to bawwab_app;
