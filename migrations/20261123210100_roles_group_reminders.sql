-- People are also reminded of roles that they have through a group and that the group has for a time.

alter table grant_reminders drop constraint grant_reminders_kind;
alter table grant_reminders add constraint grant_reminders_kind
    check (kind in ('role', 'permission', 'group', 'group_role'));

create index group_roles_expires_at_idx on group_roles (tenant_id, expires_at) where expires_at is not null;

-- Who of the tenant loses which role when because a group around them has it until then. Whoever leaves that group
-- earlier, has the role themselves as long, or has it by another group for longer, does not lose it by that.
create function ending_by_groups(since timestamptz, upto timestamptz)
returns table (tenant_id uuid, user_id uuid, role_id uuid, expires_at timestamptz, created_at timestamptz)
language sql stable
as $$
    with recursive reach (tenant_id, group_id, role_id, ends_at, given_at) as (
        select has.tenant_id, has.group_id, has.role_id, has.expires_at, has.created_at
        from group_roles has
        where has.tenant_id = app_tenant() and has.expires_at > since and has.expires_at <= upto
        union
        select reach.tenant_id, below.group_id, reach.role_id, reach.ends_at, reach.given_at
        from reach join group_parents below on below.parent_id = reach.group_id
    )
    select reach.tenant_id, member.user_id, reach.role_id, reach.ends_at, greatest(reach.given_at, member.created_at)
    from reach join group_members member on member.group_id = reach.group_id
    where (member.expires_at is null or member.expires_at > reach.ends_at)
      and not exists (
          select from user_roles own
          where own.user_id = member.user_id and own.role_id = reach.role_id
            and own.scope_department is null and own.scope_region is null
            and (own.expires_at is null or own.expires_at >= reach.ends_at))
      and not exists (
          with recursive around (group_id) as (
              select place.group_id from group_members place
              where place.user_id = member.user_id and (place.expires_at is null or place.expires_at > reach.ends_at)
              union
              select up.parent_id from around join group_parents up on up.group_id = around.group_id
          )
          select from around join group_roles other on other.group_id = around.group_id
          where other.role_id = reach.role_id and other.scope_department is null and other.scope_region is null
            and (other.expires_at is null or other.expires_at > reach.ends_at))
$$;
