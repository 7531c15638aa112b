-- Whoever may not sign in has no session. It ends with the change of the status itself, whatever made that, so that none
-- comes back to life when they may again.

create function users_end_sessions() returns trigger language plpgsql as $$
begin
    update sessions set ended_at = app_now(), ended_because = new.status
        where (user_id = new.id or impersonator_id = new.id) and ended_at is null;
    update sign_in_steps set used_at = app_now() where user_id = new.id and used_at is null;
    return null;
end $$;
create trigger users_end_sessions after update of status on users for each row
    when (old.status = 'active' and new.status <> 'active') execute function users_end_sessions();

alter table users no force row level security;
alter table sessions no force row level security;
update sessions s set ended_at = now(), ended_because = u.status
    from users u where u.id = s.user_id and u.status <> 'active' and s.ended_at is null;
alter table users force row level security;
alter table sessions force row level security;
