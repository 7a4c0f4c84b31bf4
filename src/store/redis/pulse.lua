-- prefix epoch instance is_new lease silence secret. Tells that an instance lives, for so many milliseconds by this clock.
-- Answers: epoch, whether the instance is alive (1) or was taken for dead (0), one that is dead and still holds people,
-- or '', and the secret with which keys are hashed: the first that was told.
local prefix, instance, lease = ARGV[1], ARGV[3], tonumber(ARGV[5])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local instances, dead, beat = prefix .. ':instances', prefix .. ':dead', prefix .. ':beat'
local epoch = assert_epoch(prefix, ARGV[2])

-- When nobody could tell that it lives for a while, Redis was away. Then nobody is taken for dead until all have had
-- the time to tell it.
local silence = tonumber(ARGV[6])
local last = tonumber(redis.call('HGET', beat, 'at') or now)
if now - last > silence or now < last then redis.call('HSET', beat, 'calm_until', number(now + silence)) end
redis.call('HSET', beat, 'at', number(now))

local is_alive = ARGV[4] == '1' or redis.call('ZSCORE', instances, instance)
if is_alive then redis.call('ZADD', instances, number(now + lease), instance) end
if now >= tonumber(redis.call('HGET', beat, 'calm_until') or 0) then
  for _, other in ipairs(redis.call('ZRANGE', instances, '-inf', number(now), 'BYSCORE')) do
    redis.call('ZREM', instances, other)
    redis.call('SADD', dead, other)
  end
end
-- So nobody who listens is without a sign of life for long.
redis.call('PUBLISH', prefix .. ':notices', 'beat')
redis.call('SET', prefix .. ':secret', ARGV[7], 'NX')
return {epoch, is_alive and 1 or 0, redis.call('SRANDMEMBER', dead) or '', redis.call('GET', prefix .. ':secret')}
