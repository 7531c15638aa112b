-- Tenants: an organisation and everything that is its own.

create table tenants (
    id uuid not null default gen_random_uuid() constraint tenants_pkey primary key,
    name text not null constraint tenants_name_key unique
        constraint tenants_name_length check (length(btrim(name)) between 1 and 120),
    plan text not null default 'free' constraint tenants_plan check (plan in ('free', 'pro', 'enterprise')),
    status text not null default 'active' constraint tenants_status check (status in ('active', 'suspended')),
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create trigger tenants_updated_at before update on tenants for each row execute function set_updated_at();

alter table tenants enable row level security;
alter table tenants force row level security;
create policy tenants_own on tenants for select using (id = app_tenant());
create policy tenants_node on tenants for select using (app_scope() in ('node', 'door', 'platform'));

grant select on tenants to bawwab_app;
