-- One clock: a row's time of change is the time that its transaction was told, as everywhere else. Whoever works in the
-- database by hand tells none and gets the database's own.
create or replace function set_updated_at() returns trigger language plpgsql as $$
begin
    new.updated_at := app_now();
    return new;
end $$;
