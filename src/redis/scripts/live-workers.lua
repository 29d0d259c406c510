--@ lib clock
--[[ live-workers: the worker processes that beat within the last six seconds. Reads only.
     KEYS 1 cell
     Reply their members '<worker>:<channel>:<concurrency>' ]]
return redis.call('ZRANGEBYSCORE', cell .. 'workers', '(' .. string.format('%.0f', read_clock() - 6000), '+inf')
