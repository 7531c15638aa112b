-- Roles that give what other roles give, and permission keys of a tenant's own.

alter table roles add constraint roles_tenant_id_key unique (tenant_id, id);

-- What `parent_id` gives, `role_id` gives too. Both belong to the tenant: the platform's role is handed on to nobody.
create table role_parents (
    tenant_id uuid not null constraint role_parents_tenant_fk references tenants (id),
    role_id uuid not null,
    parent_id uuid not null,
    constraint role_parents_pkey primary key (role_id, parent_id),
    constraint role_parents_role_fk foreign key (tenant_id, role_id) references roles (tenant_id, id) on delete cascade,
    constraint role_parents_parent_fk foreign key (tenant_id, parent_id) references roles (tenant_id, id)
        on delete cascade,
    constraint role_parents_other check (role_id <> parent_id)
);
create index role_parents_parent_idx on role_parents (parent_id);
create index role_parents_tenant_idx on role_parents (tenant_id);
alter table role_parents enable row level security;
alter table role_parents force row level security;
create policy role_parents_tenant on role_parents using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy role_parents_node on role_parents for select using (app_scope() = 'node');
grant select, insert, update, delete on role_parents to bawwab_app;

-- Keys that a tenant adds to the catalogue for its own programs.
alter table permissions
    add column description_ar text not null default ''
        constraint permissions_description_ar_length check (length(description_ar) <= 500),
    add column description_en text not null default ''
        constraint permissions_description_en_length check (length(description_en) <= 500);
create policy permissions_tenant on permissions using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
grant insert, update, delete on permissions to bawwab_app;

alter table permissions no force row level security;
insert into permissions (key, name_ar, name_en) values
    ('permissions.manage', 'تعريف صلاحيات خاصة', 'Define own permissions'),
    ('groups.read', 'عرض المجموعات', 'See groups'),
    ('groups.manage', 'إدارة المجموعات', 'Manage groups'),
    ('groups.*', 'كل ما يخص المجموعات', 'Everything about groups');
alter table permissions force row level security;
