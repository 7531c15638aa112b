-- Letters that could not be sent can be tried again by the tenant's administrators: a row of theirs may come back to life.

drop policy jobs_dead on jobs;
create policy jobs_mail on jobs for select using (tenant_id = app_tenant() and kind = 'mail');
drop policy jobs_revive on jobs;
create policy jobs_revive on jobs for update
    using (tenant_id = app_tenant() and dead_at is not null) with check (tenant_id = app_tenant());
