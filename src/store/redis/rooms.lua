-- prefix epoch order after limit. Answers: epoch, and of each room its name, latest, mark, at, and how many people.
-- `order` is 'name' or 'recent'. The list goes on after the room `after`; by time, it begins again if there is no such
-- room.
local prefix, after, limit = ARGV[1], ARGV[4], tonumber(ARGV[5])
local names

-- By their bytes. Lua's own comparison is that of the machine's language.
local function is_below(one, other)
  for i = 1, math.min(#one, #other) do
    local a, b = string.byte(one, i), string.byte(other, i)
    if a ~= b then return a < b end
  end
  return #one < #other
end

if ARGV[3] == 'name' then
  local from = after == '' and '-' or '(' .. after
  names = redis.call('ZRANGE', prefix .. ':rooms', from, '+', 'BYLEX', 'LIMIT', 0, limit)
else
  local recent, start = prefix .. ':recent', 0
  local at = after ~= '' and redis.call('HGET', keys_of(prefix, after).meta, 'at')
  if at then
    start = redis.call('ZCOUNT', recent, '(' .. at, '+inf')
    -- Rooms of the very same time stand by name, the last one first. `after` itself may be listed no more.
    local same = redis.call('ZRANGE', recent, at, at, 'BYSCORE', 'REV')
    for _, name in ipairs(same) do
      if is_below(name, after) then break end
      start = start + 1
    end
  end
  names = redis.call('ZRANGE', recent, start, start + limit - 1, 'REV')
end
local answer = {epoch_of(prefix, ARGV[2])}
for _, name in ipairs(names) do
  local room = keys_of(prefix, name)
  local at = tonumber(redis.call('HGET', room.meta, 'at') or 0)
  answer[#answer + 1] = {name, latest_of(room), mark_of(room), at, redis.call('HLEN', room.people)}
end
return answer
