-- A repeated request is told the version as well, which it needs for its next `If-Match`.
alter table idempotency_keys add column etag text;
