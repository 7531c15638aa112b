-- What somebody was reminded of: that a role, a permission or the place in a group ends at that moment, so many days before.
-- The end belongs to the key: what was extended is another thing to be reminded of.

create table grant_reminders (
    tenant_id uuid not null constraint grant_reminders_tenant_fk references tenants (id),
    user_id uuid not null,
    kind text not null constraint grant_reminders_kind check (kind in ('role', 'permission', 'group')),
    subject_id uuid not null,
    expires_at timestamptz not null,
    days int not null,
    reminded_at timestamptz not null,
    constraint grant_reminders_pkey primary key (user_id, kind, subject_id, expires_at, days),
    constraint grant_reminders_user_fk foreign key (tenant_id, user_id) references users (tenant_id, id)
        on delete cascade
);
create index grant_reminders_tenant_idx on grant_reminders (tenant_id);
create index grant_reminders_expires_at_idx on grant_reminders (expires_at);

alter table grant_reminders enable row level security;
alter table grant_reminders force row level security;
create policy grant_reminders_tenant on grant_reminders
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy grant_reminders_node on grant_reminders for select using (app_scope() = 'node');
create policy grant_reminders_expire on grant_reminders for delete using (app_scope() = 'node');
grant select, insert, delete on grant_reminders to bawwab_app;

-- What ends soon is looked for every hour; roles and permissions have this index already.
create index group_members_expires_at_idx on group_members (tenant_id, expires_at) where expires_at is not null;
