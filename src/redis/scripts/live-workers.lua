--@ lib clock
--@ lib workers
--[[ live-workers: the worker processes that beat within the last six seconds. Reads only.
     KEYS 1 cell
     Reply their members '<worker>:<channel>:<concurrency>' ]]
return redis.call('ZRANGEBYSCORE', cell .. 'workers', beating_since(read_clock()), '+inf')
