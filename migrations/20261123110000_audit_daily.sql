-- How often each action came to each end on each day (UTC), so that numbers over months are read without the log.
--
-- A row is counted by the statement that gives it its place in the chain, in the same transaction: it has one place, so it
-- counts once. That is the sealer's work, and nobody who writes to the log waits for a counter. It is a trigger, so that a
-- node of the version before counts as well while an installation is being upgraded.

create table audit_daily (
    chain uuid not null,
    day date not null,
    action text not null,
    outcome text not null,
    total bigint not null constraint audit_daily_total check (total > 0),
    constraint audit_daily_pkey primary key (chain, day, action, outcome)
);

create function audit_chain_count() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
begin
    -- A row that was removed before it was sealed has a place, but nobody knows what it said.
    insert into audit_daily (chain, day, action, outcome, total)
    select s.chain, (l.created_at at time zone 'UTC')::date, l.action, l.outcome, count(*)
    from sealed s join audit_logs l on l.id = s.log_id
    group by 1, 2, 3, 4
    on conflict (chain, day, action, outcome) do update set total = audit_daily.total + excluded.total;
    return null;
end $$;
revoke execute on function audit_chain_count() from public;
-- From here on until this is committed nothing is sealed, so that each row is either counted below or by the trigger.
create trigger audit_chain_counted after insert on audit_chain referencing new table as sealed
    for each statement execute function audit_chain_count();

-- What has its place already. The owner is held to policies, too: as a node it sees every row, without a lock on the log.
select set_config('app.scope', 'node', true);
insert into audit_daily (chain, day, action, outcome, total)
select c.chain, (l.created_at at time zone 'UTC')::date, l.action, l.outcome, count(*)
from audit_chain c join audit_logs l on l.id = c.log_id
group by 1, 2, 3, 4;
select set_config('app.scope', '', true);

alter table audit_daily enable row level security;
alter table audit_daily force row level security;
-- The trigger counts as the owner; the application has no right to.
create policy audit_daily_node on audit_daily using (app_scope() = 'node') with check (app_scope() = 'node');
create policy audit_daily_own on audit_daily for select
    using (chain = app_tenant() or (chain = audit_chain_of(null) and app_scope() = 'platform'));

grant select on audit_daily to bawwab_app;
