-- prefix epoch instance, and marks to draw from. Ends in one room that a dead instance holds people, at most as many as
-- there are marks: those whom nobody else holds have left. Answers 1 if there is more to do.
local prefix, instance = ARGV[1], ARGV[3]
local dead = prefix .. ':dead'
local name = redis.call('SRANDMEMBER', rooms_held_by(prefix, instance))
if not name then
  redis.call('SREM', dead, instance)
  return 0
end
local room = keys_of(prefix, name)
local epoch = assert_epoch(prefix, ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
open_at_end(room)
local names = redis.call('SRANDMEMBER', held_in(room, instance), #ARGV - 3)
if #names == 0 then redis.call('SREM', rooms_held_by(prefix, instance), name) end
for i, person in ipairs(names) do
  if let_go(room, person, instance) then add(room, LEFT, person, '', now, ARGV[i + 3], '', '', '', '') end
end
if room.is_changed then
  settle(room)
  tell_latest(room, epoch, '-')
end
return 1
