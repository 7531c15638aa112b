-- Roles, permissions and who has what. Built-in permissions and the platform role `super-admin` belong to no tenant.

create table permissions (
    id uuid not null default gen_random_uuid() constraint permissions_pkey primary key,
    tenant_id uuid constraint permissions_tenant_fk references tenants (id),
    key text not null constraint permissions_key_shape
        check (key = '*' or key ~ '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*\.(\*|[a-z][a-z0-9_]*)$'),
    name_ar text not null,
    name_en text not null,
    created_at timestamptz not null default now()
);
create unique index permissions_key_key on permissions (key) where tenant_id is null;
create unique index permissions_own_key_key on permissions (tenant_id, key) where tenant_id is not null;

create table roles (
    id uuid not null default gen_random_uuid() constraint roles_pkey primary key,
    tenant_id uuid constraint roles_tenant_fk references tenants (id),
    name text not null constraint roles_name_length check (length(name) between 1 and 120),
    description text not null default '' constraint roles_description_length check (length(description) <= 1000),
    built_in boolean not null default false,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- ` Super-Admin`, `SUPER-ADMIN`: nobody dresses a role of a tenant as the platform's.
    constraint roles_platform_name check (tenant_id is null or fold_text(btrim(name)) <> 'super-admin')
);
create trigger roles_updated_at before update on roles for each row execute function set_updated_at();
create unique index roles_name_key on roles (tenant_id, fold_text(name)) nulls not distinct;

create table role_permissions (
    tenant_id uuid constraint role_permissions_tenant_fk references tenants (id),
    role_id uuid not null constraint role_permissions_role_fk references roles (id) on delete cascade,
    permission_id uuid not null constraint role_permissions_permission_fk references permissions (id) on delete cascade,
    constraint role_permissions_pkey primary key (role_id, permission_id)
);
create index role_permissions_permission_idx on role_permissions (permission_id);

create table user_roles (
    tenant_id uuid not null constraint user_roles_tenant_fk references tenants (id),
    user_id uuid not null,
    role_id uuid not null constraint user_roles_role_fk references roles (id) on delete cascade,
    -- A grant inside a scope counts only for what lies in this department or region.
    scope_department text,
    scope_region text,
    expires_at timestamptz,
    reason text,
    created_by uuid,
    created_at timestamptz not null,
    constraint user_roles_pkey primary key (user_id, role_id),
    constraint user_roles_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index user_roles_role_idx on user_roles (role_id, user_id);
create index user_roles_tenant_idx on user_roles (tenant_id);

create table user_permissions (
    tenant_id uuid not null constraint user_permissions_tenant_fk references tenants (id),
    user_id uuid not null,
    permission_id uuid not null constraint user_permissions_permission_fk references permissions (id) on delete cascade,
    allowed boolean not null,
    expires_at timestamptz,
    reason text constraint user_permissions_reason_length check (length(reason) <= 500),
    created_by uuid,
    created_at timestamptz not null,
    constraint user_permissions_pkey primary key (user_id, permission_id),
    constraint user_permissions_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index user_permissions_permission_idx on user_permissions (permission_id);
create index user_permissions_tenant_idx on user_permissions (tenant_id);

-- The version of a tenant's grants. Whoever writes grants locks this row first; nodes poll it.
create table grant_versions (
    tenant_id uuid not null constraint grant_versions_pkey primary key
        constraint grant_versions_tenant_fk references tenants (id) on delete cascade,
    version bigint not null default 1
);

alter table permissions enable row level security;
alter table permissions force row level security;
create policy permissions_seen on permissions for select
    using (tenant_id is null or tenant_id = app_tenant() or app_scope() = 'node');

alter table roles enable row level security;
alter table roles force row level security;
create policy roles_seen on roles for select
    using (tenant_id is null or tenant_id = app_tenant() or app_scope() = 'node');
create policy roles_tenant on roles using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());

alter table role_permissions enable row level security;
alter table role_permissions force row level security;
create policy role_permissions_seen on role_permissions for select
    using (tenant_id is null or tenant_id = app_tenant() or app_scope() = 'node');
create policy role_permissions_tenant on role_permissions
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());

alter table user_roles enable row level security;
alter table user_roles force row level security;
create policy user_roles_tenant on user_roles using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy user_roles_node on user_roles for select using (app_scope() = 'node');

alter table user_permissions enable row level security;
alter table user_permissions force row level security;
create policy user_permissions_tenant on user_permissions
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy user_permissions_node on user_permissions for select using (app_scope() = 'node');

alter table grant_versions enable row level security;
alter table grant_versions force row level security;
create policy grant_versions_tenant on grant_versions
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy grant_versions_node on grant_versions for select using (app_scope() = 'node');

-- Rights from roles and overrides in plain SQL: an oracle that tests hold against the decision engine. Nothing asks it
-- at run time. It knows no scope (a scoped grant is not a right everywhere) and takes the time from app.now.
create function app_now() returns timestamptz language sql stable
    return coalesce(nullif(current_setting('app.now', true), '')::timestamptz, now());

create function permission_covers(pattern text, key text) returns boolean language sql immutable parallel safe strict
    return pattern = '*' or pattern = key or (pattern like '%.*' and starts_with(key, left(pattern, -1)));

create view v_user_effective_permissions with (security_invoker = true) as
select u.tenant_id, u.id as user_id, p.key as permission_key
from users u
cross join permissions p
where u.status = 'active'
  and p.key not like '%*'
  and (p.tenant_id is null or p.tenant_id = u.tenant_id)
  and (exists (
          select from user_permissions up join permissions g on g.id = up.permission_id
          where up.user_id = u.id and up.allowed and permission_covers(g.key, p.key)
            and (up.expires_at is null or up.expires_at > app_now()))
       or exists (
          select from user_roles ur
          join role_permissions rp on rp.role_id = ur.role_id
          join permissions g on g.id = rp.permission_id
          where ur.user_id = u.id and permission_covers(g.key, p.key)
            and ur.scope_department is null and ur.scope_region is null
            and (ur.expires_at is null or ur.expires_at > app_now())))
  and (not exists (
          select from user_permissions up join permissions g on g.id = up.permission_id
          where up.user_id = u.id and not up.allowed and permission_covers(g.key, p.key)
            and (up.expires_at is null or up.expires_at > app_now()))
       or (p.key in ('users.read', 'users.update', 'roles.read', 'roles.update', 'permissions.read', 'permissions.assign')
           and exists (
          select from user_roles ur join roles r on r.id = ur.role_id
          where ur.user_id = u.id and r.tenant_id is null and r.name = 'super-admin'
            and ur.scope_department is null and ur.scope_region is null
            and (ur.expires_at is null or ur.expires_at > app_now()))));

grant select on permissions, v_user_effective_permissions to bawwab_app;
grant select, insert, update, delete on roles, role_permissions, user_roles, user_permissions to bawwab_app;
grant select, update on grant_versions to bawwab_app;
