-- Requests of one client address to one account endpoint, in the current window (src/auth/throttling/address.ts).
create table address_limit (
  key text primary key not null,
  count integer not null,
  window_started_at integer not null
) strict, without rowid;

-- Tries at one account's password, and mails to it (src/auth/throttling/account.ts).
create table account_throttle (
  account text not null,
  scope text not null,
  tries integer not null,
  blocked_until integer not null,
  last_try_at integer not null,
  primary key (account, scope)
) strict, without rowid;
