-- People ask that their own account be deleted, and may change their mind until it is due.

create table account_deletions (
    id uuid not null constraint account_deletions_pkey primary key,
    tenant_id uuid not null constraint account_deletions_tenant_fk references tenants (id),
    user_id uuid not null,
    requested_at timestamptz not null,
    due_at timestamptz not null,
    ended_at timestamptz,
    ended_because text constraint account_deletions_because
        check (ended_because in ('cancelled', 'suspended', 'last_super_admin', 'deleted')),
    constraint account_deletions_waits check (due_at > requested_at),
    constraint account_deletions_ended check ((ended_at is null) = (ended_because is null)),
    constraint account_deletions_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id)
        on delete cascade
);
-- A person waits once: asking again finds the row that is there.
create unique index account_deletions_open_key on account_deletions (user_id) where ended_at is null;
create index account_deletions_user_idx on account_deletions (user_id, requested_at);
create index account_deletions_due_idx on account_deletions (due_at) where ended_at is null;
create index account_deletions_ended_at_idx on account_deletions (ended_at) where ended_at is not null;

alter table account_deletions enable row level security;
alter table account_deletions force row level security;
create policy account_deletions_tenant on account_deletions
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy account_deletions_node on account_deletions for select using (app_scope() = 'node');
create policy account_deletions_expire on account_deletions for delete using (app_scope() = 'node');

grant select, insert, update, delete on account_deletions to bawwab_app;
