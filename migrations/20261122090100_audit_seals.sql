-- Proof that the audit log is as it was written.
--
-- Each row carries a code that only the program can make. A sealer chains the rows, each tenant's in an order of its own,
-- outside the transactions that write them; what belongs to no tenant is the chain of the nil id. The chain covers the
-- canonical text, which holds salted digests: erasing a field and its salt leaves it as it was.

alter table audit_logs
    add column impersonator_name text,
    -- Empty in rows from before: verification takes them at the beginning of a chain only.
    add column mac bytea not null default '';
create index audit_logs_impersonator_idx on audit_logs (tenant_id, impersonator_id, created_at desc, id desc)
    where impersonator_id is not null;
create policy audit_logs_node on audit_logs for select using (app_scope() = 'node');
create policy audit_logs_node_add on audit_logs for insert with check (tenant_id is null and app_scope() = 'node');

create function audit_chain_of(tenant uuid) returns uuid language sql immutable parallel safe
    return coalesce(tenant, '00000000-0000-0000-0000-000000000000'::uuid);

-- Rows that wait for their place in the chain.
create table audit_unsealed (
    log_id uuid not null constraint audit_unsealed_pkey primary key,
    chain uuid not null,
    created_at timestamptz not null
);
create index audit_unsealed_chain_idx on audit_unsealed (chain, created_at);

create table audit_chain (
    chain uuid not null,
    seq bigint not null constraint audit_chain_seq check (seq > 0),
    log_id uuid not null constraint audit_chain_log_key unique,
    -- SHA-256 of the row's canonical text; it stays when retention removes the row.
    entry bytea not null,
    hash bytea not null,
    constraint audit_chain_pkey primary key (chain, seq)
);

-- The key that signs checkpoints, sealed with the master key. Its public half is for whoever keeps checkpoints.
create table audit_keys (
    id smallint not null constraint audit_keys_pkey primary key constraint audit_keys_one check (id = 1),
    sealed bytea not null,
    public_key bytea not null,
    created_at timestamptz not null
);

-- Signed heads of the chains: the last of each day.
create table audit_checkpoints (
    chain uuid not null,
    day date not null,
    seq bigint not null,
    hash bytea not null,
    signed_at timestamptz not null,
    public_key bytea not null,
    signature bytea not null,
    constraint audit_checkpoints_pkey primary key (chain, day)
);

-- How the last look at the whole of a chain ended.
create table audit_verifications (
    chain uuid not null constraint audit_verifications_pkey primary key,
    verified_at timestamptz not null,
    report jsonb not null
);

create function audit_logs_enqueue() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
begin
    insert into audit_unsealed (log_id, chain, created_at)
    values (new.id, audit_chain_of(new.tenant_id), new.created_at);
    return null;
end $$;
create trigger audit_logs_unsealed after insert on audit_logs for each row execute function audit_logs_enqueue();

alter table audit_logs no force row level security;
insert into audit_unsealed (log_id, chain, created_at)
select id, audit_chain_of(tenant_id), created_at from audit_logs;
alter table audit_logs force row level security;

-- Removes rows that a tenant keeps no longer. The application cannot remove any by itself: this keeps to the tenant's
-- rule, to its legal hold, to whole ranges of sealed rows, and away from the last 30 days and the records of removals.
create function audit_prune(chain_id uuid, ruled_by uuid, first_seq bigint, last_seq bigint, cutoff timestamptz)
    returns bigint language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    rule jsonb;
    newest timestamptz;
    removed bigint;
begin
    select value into rule from settings where tenant_id = ruled_by and key = 'audit.retention';
    if rule is null or rule -> 'keep_days' is null or jsonb_typeof(rule -> 'keep_days') <> 'number'
        or coalesce((rule ->> 'legal_hold')::boolean, false) then
        raise exception 'nothing may be removed from the audit log' using errcode = '42501';
    end if;
    if chain_id = audit_chain_of(null) then
        select max(created_at) into newest from audit_logs where tenant_id is null;
    else
        select max(created_at) into newest from audit_logs where tenant_id = chain_id;
    end if;
    delete from audit_logs l using audit_chain c
        where c.chain = chain_id and c.seq between first_seq and last_seq and l.id = c.log_id
          and l.created_at < least(cutoff, newest - interval '30 days') and l.action <> 'audit.retention';
    get diagnostics removed = row_count;
    return removed;
end $$;
revoke execute on function audit_prune(uuid, uuid, bigint, bigint, timestamptz) from public;
revoke execute on function audit_logs_enqueue() from public;
grant execute on function audit_prune(uuid, uuid, bigint, bigint, timestamptz) to bawwab_app;
-- The owner is held to policies too; the application has no right to delete, whatever a policy says.
create policy audit_logs_prune on audit_logs for delete using (app_scope() = 'node');

alter table audit_unsealed enable row level security;
alter table audit_unsealed force row level security;
-- The trigger adds as the owner; the application has no right to.
create policy audit_unsealed_add on audit_unsealed for insert with check (true);
create policy audit_unsealed_node on audit_unsealed using (app_scope() = 'node');
create policy audit_unsealed_own on audit_unsealed for select
    using (chain = app_tenant() or (chain = audit_chain_of(null) and app_scope() = 'platform'));

alter table audit_chain enable row level security;
alter table audit_chain force row level security;
create policy audit_chain_node on audit_chain using (app_scope() = 'node') with check (app_scope() = 'node');
create policy audit_chain_own on audit_chain for select
    using (chain = app_tenant() or (chain = audit_chain_of(null) and app_scope() = 'platform'));

alter table audit_keys enable row level security;
alter table audit_keys force row level security;
create policy audit_keys_node on audit_keys using (app_scope() = 'node') with check (app_scope() = 'node');

alter table audit_checkpoints enable row level security;
alter table audit_checkpoints force row level security;
create policy audit_checkpoints_node on audit_checkpoints
    using (app_scope() = 'node') with check (app_scope() = 'node');
create policy audit_checkpoints_own on audit_checkpoints for select
    using (chain = app_tenant() or (chain = audit_chain_of(null) and app_scope() = 'platform'));

alter table audit_verifications enable row level security;
alter table audit_verifications force row level security;
create policy audit_verifications_node on audit_verifications
    using (app_scope() = 'node') with check (app_scope() = 'node');
create policy audit_verifications_own on audit_verifications for select
    using (chain = app_tenant() or (chain = audit_chain_of(null) and app_scope() = 'platform'));

grant select, delete on audit_unsealed to bawwab_app;
grant select, insert on audit_chain, audit_keys to bawwab_app;
grant select, insert, update on audit_checkpoints, audit_verifications to bawwab_app;
