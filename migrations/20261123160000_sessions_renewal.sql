-- When a browser session was last given a new secret. The secret before it stays good until the new one is shown
-- (previous_until is null until then): the answer that brings a new secret can be lost on its way.
alter table sessions add column rekeyed_at timestamptz;
