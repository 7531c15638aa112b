-- Envelope encryption (E7): the master key seals the data keys, and those seal everything else. The key with the number 0
-- is the master key itself, under which an installation's first values may have been sealed.

create table data_keys (
    number integer not null constraint data_keys_pkey primary key constraint data_keys_number check (number >= 0),
    sealed bytea,
    created_at timestamptz not null,
    -- Nodes know of a key before any of them uses it.
    active_from timestamptz not null,
    -- From then on nothing is opened with it, and none of its tokens is good.
    retired_at timestamptz,
    constraint data_keys_sealed check (sealed is not null or number = 0),
    constraint data_keys_retired check (retired_at > active_from)
);
insert into data_keys (number, created_at, active_from) values (0, now(), 'epoch');

alter table data_keys enable row level security;
alter table data_keys force row level security;
create policy data_keys_node on data_keys using (app_scope() = 'node') with check (app_scope() = 'node');

grant select, insert, update on data_keys to bawwab_app;
-- The key that signs the heads of the log is sealed anew; its public half stays.
grant update (sealed) on audit_keys to bawwab_app;
