-- For scripts that end what is on its way, or make room. A full Redis refuses a script at its first write that may take
-- memory, and lets one go on that has written before: so these begin with a write that takes none, and does nothing.
-- (Without: at a full Redis no outcome is settled and nothing is ever purged, and it stays full.) `#!lua flags=allow-oom`
-- says the same only to Redis 7 and later. What they take is little, and bounded by what was let go before.
redis.call('DEL', cell .. 'nothing')
