-- A person changes their own address: the new mailbox confirms, the old one can call it off for three days, also afterwards.

create table email_changes (
    id uuid not null constraint email_changes_pkey primary key,
    tenant_id uuid not null constraint email_changes_tenant_fk references tenants (id),
    user_id uuid not null,
    old_email text not null constraint email_changes_old_length check (length(old_email) between 3 and 254),
    new_email text not null constraint email_changes_new_length check (length(new_email) between 3 and 254),
    -- The session that asked: it goes on when the address changes, the others end.
    session_id uuid,
    confirm_digest bytea not null constraint email_changes_confirm_key unique,
    cancel_digest bytea not null constraint email_changes_cancel_key unique,
    confirm_until timestamptz not null,
    cancel_until timestamptz not null,
    confirmed_at timestamptz,
    cancelled_at timestamptz,
    created_at timestamptz not null,
    constraint email_changes_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index email_changes_user_idx on email_changes (user_id);
create index email_changes_cancel_until_idx on email_changes (cancel_until);

alter table email_changes enable row level security;
alter table email_changes force row level security;
create policy email_changes_tenant on email_changes
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy email_changes_found on email_changes for select using (app_scope() in ('door', 'node'));
create policy email_changes_expire on email_changes for delete using (app_scope() = 'node');

grant select, insert, update, delete on email_changes to bawwab_app;
