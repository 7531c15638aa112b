-- The logo of a tenant: one, drawn anew by the server, so that nothing is in it but the picture. Whoever comes may see it;
-- its digest stands in the group of settings `tenants.branding` and in the address under which it is served.
create table tenant_logos (
    tenant_id uuid not null
        constraint tenant_logos_pkey primary key
        constraint tenant_logos_tenant_fk references tenants (id),
    digest text not null constraint tenant_logos_digest_shape check (digest ~ '^[0-9a-f]{32}$'),
    image bytea not null constraint tenant_logos_image_size check (octet_length(image) between 1 and 524288),
    updated_at timestamptz not null
);
alter table tenant_logos enable row level security;
alter table tenant_logos force row level security;
create policy tenant_logos_tenant on tenant_logos
    using (tenant_id = app_tenant()) with check (tenant_id = app_tenant());
create policy tenant_logos_door on tenant_logos for select using (app_scope() = 'door');
grant select, insert, update, delete on tenant_logos to bawwab_app;
