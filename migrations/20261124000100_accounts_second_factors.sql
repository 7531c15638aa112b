-- Of a million people only those with a second factor are counted (D5).
create index users_second_factor_idx on users (tenant_id)
    where status = 'active' and (second_factor_at is not null or passkeys > 0);
