-- The list of people in the order of departments; whoever has none comes last, or first where it is turned round.
create index users_by_department_order_idx on users (tenant_id, (department is null), lower(coalesce(department, '')), id);
-- Grants that end soon.
create index user_roles_expires_at_idx on user_roles (tenant_id, expires_at) where expires_at is not null;
create index user_permissions_expires_at_idx on user_permissions (tenant_id, expires_at) where expires_at is not null;
