-- Tenants are made, named and suspended by the platform: a super-admin, in the scope `platform`.

alter table tenants
    drop constraint tenants_name_key,
    add column search text not null generated always as (fold_text(name)) stored,
    add column name_key text collate "C" not null generated always as (fold_text(name)) stored,
    add column name_skeleton text collate "C" not null generated always as (name_skeleton(name)) stored,
    -- The one from the beginning: whoever registers comes into it, and it is never suspended.
    add column is_first boolean not null default false;
create unique index tenants_name_key on tenants (name_key);
create unique index tenants_name_lookalike_key on tenants (name_skeleton);
create unique index tenants_first_key on tenants (is_first) where is_first;

alter table tenants no force row level security;
update tenants set is_first = true where id = (select id from tenants order by created_at, id limit 1);
alter table tenants force row level security;
alter table tenants add constraint tenants_first_active check (not is_first or status = 'active');

create policy tenants_platform_add on tenants for insert with check (app_scope() = 'platform' and not is_first);
create policy tenants_platform_edit on tenants for update
    using (app_scope() = 'platform') with check (app_scope() = 'platform');
grant insert (id, name, plan, created_at, updated_at) on tenants to bawwab_app;
grant update (name, plan, status, version) on tenants to bawwab_app;

-- What a tenant begins with. Called once for each, with app.tenant set to it.
create function seed_tenant(tenant uuid) returns void language plpgsql as $$
begin
    perform seed_roles(tenant);
    perform seed_policies(tenant);
end $$;
revoke execute on function seed_tenant(uuid) from public;
grant execute on function seed_roles(uuid), seed_policies(uuid), seed_tenant(uuid) to bawwab_app;
grant insert on grant_versions to bawwab_app;

-- What the platform does to a tenant stands in the tenant's own log, and by name where only the platform reads.
create policy audit_logs_platform_add on audit_logs for insert
    with check (tenant_id is null and app_scope() = 'platform');

-- Whose tenant is suspended has no session, and none comes back to life: not even one that began while it was being suspended,
-- since opening the tenant again ends what there is once more. app.tenant is the tenant's.
create function tenants_end_sessions() returns trigger language plpgsql as $$
begin
    update sessions set ended_at = app_now(), ended_because = 'suspended'
        where tenant_id = new.id and ended_at is null;
    update sign_in_steps set used_at = app_now() where tenant_id = new.id and used_at is null;
    update links set used_at = app_now() where tenant_id = new.id and purpose <> 'welcome' and used_at is null;
    return null;
end $$;
create trigger tenants_end_sessions after update of status on tenants for each row
    when (old.status is distinct from new.status) execute function tenants_end_sessions();
