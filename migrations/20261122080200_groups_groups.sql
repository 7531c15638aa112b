-- Groups of people: whoever is in one has the roles of the group and of every group around it.

create table groups (
    id uuid not null default gen_random_uuid() constraint groups_pkey primary key,
    tenant_id uuid not null constraint groups_tenant_fk references tenants (id),
    name text not null constraint groups_name_length check (length(name) between 1 and 120),
    description text not null default '' constraint groups_description_length check (length(description) <= 1000),
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    search text not null generated always as (fold_text(name || ' ' || description)) stored,
    name_key text collate "C" not null generated always as (fold_text(name)) stored,
    name_skeleton text collate "C" not null generated always as (name_skeleton(name)) stored,
    constraint groups_tenant_id_key unique (tenant_id, id)
);
create trigger groups_updated_at before update on groups for each row execute function set_updated_at();
create unique index groups_name_key on groups (tenant_id, name_key);
create unique index groups_name_lookalike_key on groups (tenant_id, name_skeleton);

-- The group lies in `parent_id`: its people are that one's people too.
create table group_parents (
    tenant_id uuid not null constraint group_parents_tenant_fk references tenants (id),
    group_id uuid not null,
    parent_id uuid not null,
    constraint group_parents_pkey primary key (group_id, parent_id),
    constraint group_parents_group_fk foreign key (tenant_id, group_id) references groups (tenant_id, id)
        on delete cascade,
    constraint group_parents_parent_fk foreign key (tenant_id, parent_id) references groups (tenant_id, id)
        on delete cascade,
    constraint group_parents_other check (group_id <> parent_id)
);
create index group_parents_parent_idx on group_parents (parent_id);
create index group_parents_tenant_idx on group_parents (tenant_id);

create table group_members (
    tenant_id uuid not null constraint group_members_tenant_fk references tenants (id),
    group_id uuid not null,
    user_id uuid not null,
    expires_at timestamptz,
    created_by uuid,
    created_at timestamptz not null,
    constraint group_members_pkey primary key (group_id, user_id),
    constraint group_members_group_fk foreign key (tenant_id, group_id) references groups (tenant_id, id)
        on delete cascade,
    constraint group_members_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index group_members_user_idx on group_members (user_id);
create index group_members_tenant_idx on group_members (tenant_id);

-- Roles of the tenant only: the platform's role is given to people by name.
create table group_roles (
    tenant_id uuid not null constraint group_roles_tenant_fk references tenants (id),
    group_id uuid not null,
    role_id uuid not null,
    scope_department text,
    scope_region text,
    expires_at timestamptz,
    created_by uuid,
    created_at timestamptz not null,
    constraint group_roles_pkey primary key (group_id, role_id),
    constraint group_roles_group_fk foreign key (tenant_id, group_id) references groups (tenant_id, id)
        on delete cascade,
    constraint group_roles_role_fk foreign key (tenant_id, role_id) references roles (tenant_id, id) on delete cascade
);
create index group_roles_role_idx on group_roles (role_id);
create index group_roles_tenant_idx on group_roles (tenant_id);

alter table groups enable row level security;
alter table groups force row level security;
create policy groups_tenant on groups using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy groups_node on groups for select using (app_scope() = 'node');
alter table group_parents enable row level security;
alter table group_parents force row level security;
create policy group_parents_tenant on group_parents
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy group_parents_node on group_parents for select using (app_scope() = 'node');
alter table group_members enable row level security;
alter table group_members force row level security;
create policy group_members_tenant on group_members
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy group_members_node on group_members for select using (app_scope() = 'node');
alter table group_roles enable row level security;
alter table group_roles force row level security;
create policy group_roles_tenant on group_roles
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy group_roles_node on group_roles for select using (app_scope() = 'node');
grant select, insert, update, delete on groups, group_parents, group_members, group_roles to bawwab_app;

-- The oracle of the tests learns of inheritance and groups.
create or replace view v_user_effective_permissions with (security_invoker = true) as
with recursive
role_reach (role_id, source_id) as (
    select id, id from roles
    union
    select reach.role_id, up.parent_id from role_reach reach join role_parents up on up.role_id = reach.source_id
),
group_reach (group_id, source_id) as (
    select id, id from groups
    union
    select reach.group_id, up.parent_id from group_reach reach join group_parents up on up.group_id = reach.source_id
),
given (user_id, role_id) as (
    select user_id, role_id from user_roles
    where scope_department is null and scope_region is null and (expires_at is null or expires_at > app_now())
    union
    select member.user_id, has.role_id
    from group_members member
    join group_reach reach on reach.group_id = member.group_id
    join group_roles has on has.group_id = reach.source_id
    where has.scope_department is null and has.scope_region is null
      and (has.expires_at is null or has.expires_at > app_now())
      and (member.expires_at is null or member.expires_at > app_now())
),
allowed (user_id, pattern) as (
    select given.user_id, g.key
    from given
    join role_reach reach on reach.role_id = given.role_id
    join role_permissions rp on rp.role_id = reach.source_id
    join permissions g on g.id = rp.permission_id
    union
    select up.user_id, g.key from user_permissions up join permissions g on g.id = up.permission_id
    where up.allowed and (up.expires_at is null or up.expires_at > app_now())
)
select u.tenant_id, u.id as user_id, p.key as permission_key
from users u
cross join permissions p
where u.status = 'active'
  and p.key not like '%*'
  and (p.tenant_id is null or p.tenant_id = u.tenant_id)
  and exists (select from allowed where allowed.user_id = u.id and permission_covers(allowed.pattern, p.key))
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
