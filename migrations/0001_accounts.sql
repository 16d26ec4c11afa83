-- Better Auth's tables (src/auth/tables.ts).
create table user (
  id text primary key not null,
  name text not null,
  email text not null,
  email_verified integer default false not null,
  image text,
  created_at integer default (cast(unixepoch('subsecond') * 1000 as integer)) not null,
  updated_at integer default (cast(unixepoch('subsecond') * 1000 as integer)) not null
) strict, without rowid;
create unique index user_email_unique on user (email);

create table session (
  id text primary key not null,
  expires_at integer not null,
  token text not null,
  created_at integer default (cast(unixepoch('subsecond') * 1000 as integer)) not null,
  updated_at integer not null,
  ip_address text,
  user_agent text,
  user_id text not null references user (id) on delete cascade
) strict, without rowid;
create unique index session_token_unique on session (token);
create index session_user_id on session (user_id);

create table account (
  id text primary key not null,
  account_id text not null,
  provider_id text not null,
  user_id text not null references user (id) on delete cascade,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at integer,
  refresh_token_expires_at integer,
  scope text,
  password text,
  created_at integer default (cast(unixepoch('subsecond') * 1000 as integer)) not null,
  updated_at integer not null
) strict, without rowid;
create index account_user_id on account (user_id);

create table verification (
  id text primary key not null,
  identifier text not null,
  value text not null,
  expires_at integer not null,
  created_at integer default (cast(unixepoch('subsecond') * 1000 as integer)) not null,
  updated_at integer default (cast(unixepoch('subsecond') * 1000 as integer)) not null
) strict, without rowid;
create index verification_identifier on verification (identifier);
