-- What has moved in a tenant's grants with each version of them: a node that knows an older version reads these people, and
-- the roles, groups, policies and keys where one of those has moved, and keeps the rest. Without it each change would have
-- every node read everybody.
--
-- It is written by triggers, so that no way of changing a grant can forget it, at the end of the transaction, when the
-- version that it makes is known. Whoever reads also takes what stands at the version that they know: a row may have been
-- written before the version moved on.
create table grant_moves (
    tenant_id uuid not null,
    version bigint not null,
    -- Null: a role, a group, a policy or a key.
    user_id uuid,
    constraint grant_moves_key unique nulls not distinct (tenant_id, version, user_id)
);
alter table grant_moves enable row level security;
alter table grant_moves force row level security;
create policy grant_moves_add on grant_moves for insert with check (true);
create policy grant_moves_tenant on grant_moves using (tenant_id = app_tenant());
create policy grant_moves_node on grant_moves for select using (app_scope() = 'node');
grant select, delete on grant_moves to bawwab_app;

-- The argument: the column that names the person; another word where something else moves than a person. As the owner and
-- in the scope of a node: at the end of a transaction it may be in another tenant than it was when it changed the row.
create function grant_moves_row() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public set app.scope = 'node' as $$
declare
    moved jsonb;
begin
    -- No row changes its tenant or its person.
    if tg_op = 'DELETE' then moved := to_jsonb(old); else moved := to_jsonb(new); end if;
    -- What belongs to the platform moves with a new version of the program only.
    insert into grant_moves (tenant_id, version, user_id)
    select tenant_id, version, (moved ->> tg_argv[0])::uuid from grant_versions
    where tenant_id = (moved ->> 'tenant_id')::uuid
    on conflict do nothing;
    return null;
end $$;
revoke execute on function grant_moves_row() from public;

create constraint trigger users_moves after insert or delete or update of status, department, region, attributes on users
    deferrable initially deferred for each row execute function grant_moves_row('id');
create constraint trigger user_roles_moves after insert or update or delete on user_roles
    deferrable initially deferred for each row execute function grant_moves_row('user_id');
create constraint trigger user_permissions_moves after insert or update or delete on user_permissions
    deferrable initially deferred for each row execute function grant_moves_row('user_id');
create constraint trigger group_members_moves after insert or update or delete on group_members
    deferrable initially deferred for each row execute function grant_moves_row('user_id');
create constraint trigger role_permissions_moves after insert or update or delete on role_permissions
    deferrable initially deferred for each row execute function grant_moves_row('nobody');
create constraint trigger role_parents_moves after insert or update or delete on role_parents
    deferrable initially deferred for each row execute function grant_moves_row('nobody');
create constraint trigger permissions_moves after insert or update or delete on permissions
    deferrable initially deferred for each row execute function grant_moves_row('nobody');
create constraint trigger group_parents_moves after insert or update or delete on group_parents
    deferrable initially deferred for each row execute function grant_moves_row('nobody');
create constraint trigger group_roles_moves after insert or update or delete on group_roles
    deferrable initially deferred for each row execute function grant_moves_row('nobody');
create constraint trigger roles_moves after insert or delete or update of name on roles
    deferrable initially deferred for each row execute function grant_moves_row('nobody');
create constraint trigger groups_moves after insert or delete or update of name on groups
    deferrable initially deferred for each row execute function grant_moves_row('nobody');
create constraint trigger access_policies_moves after insert or delete or update of name, active on access_policies
    deferrable initially deferred for each row execute function grant_moves_row('nobody');
