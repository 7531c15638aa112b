-- When an administrator gave somebody another address. Whoever was half-way in before that has to begin again.

alter table users add column email_moved_at timestamptz;
