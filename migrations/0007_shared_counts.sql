-- A known source may share its count with others (src/auth/throttling/throttle.ts).
alter table known_source add column counted_as text default '' not null;
update known_source set counted_as = source;

-- Where housekeeping stopped in each table that was too long for one run (src/housekeeping.ts).
create table housekeeping (
  chore text primary key not null,
  stopped_at text not null
) strict, without rowid;
