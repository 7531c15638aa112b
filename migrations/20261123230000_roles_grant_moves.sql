-- What has moved of a tenant's grants: a node that knows them from before reads these people, and the roles, groups, policies
-- and keys where one of those has moved, and keeps the rest. Without it each change would have every node read everybody.
--
-- It is written by triggers, so that no way of changing a grant can forget it. Whoever reads asks for what was moved by
-- transactions that had not ended when they last looked, whatever the version was then: a transaction may have moved
-- something before it moved the version on, and may end after others that began later.
create table grant_moves (
    tenant_id uuid not null,
    -- The version that the transaction found: what is much older is swept away.
    version bigint not null,
    moved_by bigint not null default (pg_current_xact_id()::text::bigint),
    -- Null: a role, a group, a policy or a key.
    user_id uuid,
    constraint grant_moves_key unique nulls not distinct (tenant_id, moved_by, user_id)
);
create index grant_moves_version_idx on grant_moves (tenant_id, version);
alter table grant_moves enable row level security;
alter table grant_moves force row level security;
create policy grant_moves_add on grant_moves for insert with check (true);
create policy grant_moves_tenant on grant_moves using (tenant_id = app_tenant());
create policy grant_moves_node on grant_moves for select using (app_scope() = 'node');
grant select, delete on grant_moves to bawwab_app;

-- The functions work as the owner, in the scope of a node: whoever may change a grant needs no right to say so.

create function grant_moves_person() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
declare
    scope_before constant text := app_scope();
begin
    perform set_config('app.scope', 'node', true);
    insert into grant_moves (tenant_id, version, user_id)
    select tenant_id, version, new.id from grant_versions where tenant_id = new.tenant_id
    on conflict do nothing;
    perform set_config('app.scope', scope_before, true);
    return null;
end $$;

create function grant_moves_users() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
declare
    scope_before constant text := app_scope();
begin
    perform set_config('app.scope', 'node', true);
    insert into grant_moves (tenant_id, version, user_id)
    select v.tenant_id, v.version, m.id from moved m join grant_versions v using (tenant_id)
    on conflict do nothing;
    perform set_config('app.scope', scope_before, true);
    return null;
end $$;

create function grant_moves_people() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
declare
    scope_before constant text := app_scope();
begin
    perform set_config('app.scope', 'node', true);
    insert into grant_moves (tenant_id, version, user_id)
    select distinct v.tenant_id, v.version, m.user_id from moved m join grant_versions v using (tenant_id)
    on conflict do nothing;
    perform set_config('app.scope', scope_before, true);
    return null;
end $$;

-- What belongs to the platform is in the grants of every tenant.
create function grant_moves_shape() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
declare
    scope_before constant text := app_scope();
begin
    perform set_config('app.scope', 'node', true);
    insert into grant_moves (tenant_id, version, user_id)
    select v.tenant_id, v.version, null from grant_versions v
    where exists (select from moved m where m.tenant_id = v.tenant_id or m.tenant_id is null)
    on conflict do nothing;
    perform set_config('app.scope', scope_before, true);
    return null;
end $$;

-- A key stands in the overrides of people as well.
create function grant_moves_key() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
declare
    scope_before constant text := app_scope();
begin
    perform set_config('app.scope', 'node', true);
    insert into grant_moves (tenant_id, version, user_id)
    select v.tenant_id, v.version, up.user_id
    from user_permissions up join grant_versions v on v.tenant_id = up.tenant_id
    where up.permission_id = new.id
    on conflict do nothing;
    perform set_config('app.scope', scope_before, true);
    return null;
end $$;

revoke execute on function grant_moves_person(), grant_moves_users(), grant_moves_people(), grant_moves_shape(),
    grant_moves_key() from public;

-- Most changes of a person's row are no change of grants.
create trigger users_moved after update on users for each row
    when ((old.tenant_id, old.status, old.department, old.region, old.attributes)
          is distinct from (new.tenant_id, new.status, new.department, new.region, new.attributes))
    execute function grant_moves_person();
create trigger users_added after insert on users referencing new table as moved
    for each statement execute function grant_moves_users();
create trigger users_gone after delete on users referencing old table as moved
    for each statement execute function grant_moves_users();
create trigger permissions_renamed after update on permissions for each row
    when (old.key is distinct from new.key) execute function grant_moves_key();

do $$
declare
    one text;
begin
    -- No row of these changes whose it is.
    foreach one in array array['user_roles', 'user_permissions', 'group_members'] loop
        execute format('create trigger %1$I after insert on %2$I referencing new table as moved
                        for each statement execute function grant_moves_people()', one || '_added', one);
        execute format('create trigger %1$I after update on %2$I referencing new table as moved
                        for each statement execute function grant_moves_people()', one || '_moved', one);
        execute format('create trigger %1$I after delete on %2$I referencing old table as moved
                        for each statement execute function grant_moves_people()', one || '_gone', one);
    end loop;
    foreach one in array array['roles', 'role_permissions', 'role_parents', 'permissions', 'groups', 'group_parents',
                               'group_roles', 'access_policies', 'access_policy_versions'] loop
        execute format('create trigger %1$I after insert on %2$I referencing new table as moved
                        for each statement execute function grant_moves_shape()', one || '_added', one);
        execute format('create trigger %1$I after update on %2$I referencing new table as moved
                        for each statement execute function grant_moves_shape()', one || '_moved', one);
        execute format('create trigger %1$I after delete on %2$I referencing old table as moved
                        for each statement execute function grant_moves_shape()', one || '_gone', one);
    end loop;
end $$;
