-- Attribute policies: what is saved becomes a version that stays; one of them is enforced, or none.

create table access_policies (
    id uuid not null default gen_random_uuid() constraint access_policies_pkey primary key,
    tenant_id uuid not null constraint access_policies_tenant_fk references tenants (id),
    name text not null constraint access_policies_name_length check (length(name) between 1 and 120),
    description text not null default '' constraint access_policies_description_length check (length(description) <= 1000),
    latest int not null default 1,
    active int,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    search text not null generated always as (fold_text(name || ' ' || description)) stored,
    name_key text collate "C" not null generated always as (fold_text(name)) stored,
    name_skeleton text collate "C" not null generated always as (name_skeleton(name)) stored,
    constraint access_policies_tenant_id_key unique (tenant_id, id),
    constraint access_policies_active check (active between 1 and latest)
);
create trigger access_policies_updated_at before update on access_policies
    for each row execute function set_updated_at();
create unique index access_policies_name_key on access_policies (tenant_id, name_key);
create unique index access_policies_name_lookalike_key on access_policies (tenant_id, name_skeleton);

create table access_policy_versions (
    tenant_id uuid not null constraint access_policy_versions_tenant_fk references tenants (id),
    policy_id uuid not null,
    number int not null constraint access_policy_versions_number check (number > 0),
    mode text not null constraint access_policy_versions_mode check (mode in ('grant', 'require')),
    actions text[] not null constraint access_policy_versions_actions check (cardinality(actions) between 1 and 50),
    rules jsonb not null,
    saved_by uuid,
    saved_by_name text,
    saved_at timestamptz not null,
    constraint access_policy_versions_pkey primary key (policy_id, number),
    constraint access_policy_versions_policy_fk foreign key (tenant_id, policy_id)
        references access_policies (tenant_id, id) on delete cascade
);

alter table access_policies enable row level security;
alter table access_policies force row level security;
create policy access_policies_tenant on access_policies
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy access_policies_node on access_policies for select using (app_scope() = 'node');
alter table access_policy_versions enable row level security;
alter table access_policy_versions force row level security;
create policy access_policy_versions_tenant on access_policy_versions
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy access_policy_versions_node on access_policy_versions for select using (app_scope() = 'node');
grant select, insert, update, delete on access_policies to bawwab_app;
-- What was saved once is never written over; it goes with its policy.
grant select, insert on access_policy_versions to bawwab_app;

-- Called once for each tenant, with app.tenant set to it.
create function seed_policies(tenant uuid) returns void language plpgsql as $$
declare
    sample uuid := gen_random_uuid();
begin
    insert into access_policies (id, tenant_id, name, description, active) values (
        sample, tenant, 'signals.create.only_if_subscription_active_and_role',
        'Allow creating signals only if user has role trader and active subscription', 1);
    insert into access_policy_versions (tenant_id, policy_id, number, mode, actions, rules, saved_at) values (
        tenant, sample, 1, 'require', array['signals.create'],
        '[{"effect": "allow", "condition": {"and": [
            {"user.subscription.active": true}, {"user.roles": {"contains": "trader"}}]}}]',
        now());
end $$;
revoke execute on function seed_policies(uuid) from public;

alter table tenants no force row level security;
do $$
declare
    one uuid;
begin
    for one in select id from tenants loop
        perform set_config('app.tenant', one::text, true);
        perform seed_policies(one);
    end loop;
end $$;
alter table tenants force row level security;

-- The oracle of the tests learns what a super-admin keeps.
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
       or (p.key in ('users.read', 'users.update', 'roles.read', 'roles.update', 'permissions.read', 'permissions.assign',
                     'policies.read', 'policies.update')
           and exists (
          select from user_roles ur join roles r on r.id = ur.role_id
          where ur.user_id = u.id and r.tenant_id is null and r.name = 'super-admin'
            and ur.scope_department is null and ur.scope_region is null
            and (ur.expires_at is null or ur.expires_at > app_now()))));
