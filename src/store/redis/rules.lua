-- The rules of a room: the entries that are in force, in a hash beside the order, which outlive their like in it. Each is
-- kept as its id, its fields with its text, '', and how the name of a muted or removed person looks.

local IS_BAR = {[MUTED] = true, [REMOVED] = true}
local IS_RULE = {[TOPIC] = true, [MUTED] = true, [REMOVED] = true, [ALLOWED] = true, [SLOWED] = true, [LOCKED] = true,
  [UNLOCKED] = true}

-- All of them, the oldest first.
local function rules_of(room)
  local kept, rules = redis.call('HGETALL', room.rules), {}
  for i = 2, #kept, 2 do rules[#rules + 1] = cmsgpack.unpack(kept[i]) end
  table.sort(rules, function(one, other) return sequence_of(one) < sequence_of(other) end)
  return rules
end

-- The same as entries.
local function rules_as_entries(room)
  local entries = {}
  for i, rule in ipairs(rules_of(room)) do entries[i] = {rule[1], rule[2], '', ''} end
  return entries
end

-- Under which field a rule is kept: one of each kind, and one of each person.
local function slot_of(kind, name)
  if IS_BAR[kind] or kind == ALLOWED then return 'n' .. name end
  return kind == UNLOCKED and LOCKED or kind
end

-- Until when a rule holds, or nil.
local function ends(rule)
  local seconds = tonumber(rule[2][TEXT])
  return seconds and tonumber(rule[2][AT]) + seconds * 1000
end

local function rule_of(rules, kind)
  for _, rule in ipairs(rules) do
    if rule[2][KIND] == kind then return rule end
  end
end

local function is_alike(one, other)
  for look in string.gmatch(one, '%S+') do
    if string.find(' ' .. other .. ' ', ' ' .. look .. ' ', 1, true) then return true end
  end
  return false
end

-- The rule by which a person is muted, or removed, at this time.
local function bar_of(rules, kind, author, looks, now)
  for _, rule in ipairs(rules) do
    local ended = ends(rule)
    if rule[2][KIND] == kind and not (ended and ended <= now) then
      if author ~= '' and rule[2][KEY] == author or is_alike(rule[4], looks) then return rule end
    end
  end
end

local function until_when(letter, rule)
  local ended = ends(rule)
  return letter .. ':' .. (ended and number(ended) or '')
end

local function digits_of(text)
  return (string.gsub(text, '.', function(byte) return string.format('%02x', string.byte(byte)) end))
end

-- Why the rules do not let a draft in, as a word, but for slow mode. At most so many people may be barred.
local function denied(rules, kind, name, author, looks, now, is_operator, most)
  if IS_BAR[kind] then
    local others = 0
    for _, rule in ipairs(rules) do
      local ended = ends(rule)
      if IS_BAR[rule[2][KIND]] and not (ended and ended <= now) then
        if rule[2][NAME] == name then return nil end
        others = others + 1
      end
    end
    if others >= most then return 'F' end
  end
  local speaks = kind == MESSAGE or kind == EDITED or kind == TOPIC
  if is_operator or not (speaks or kind == JOINED) then return nil end
  local removed = bar_of(rules, REMOVED, author, looks, now)
  if removed then return until_when('R', removed) end
  if not speaks then return nil end
  local muted = bar_of(rules, MUTED, author, looks, now)
  if muted then return until_when('M', muted) end
  local locked = rule_of(rules, LOCKED)
  return locked and 'K:' .. digits_of(locked[2][TEXT])
end

-- How long slow mode has a speaker wait yet, as a word. Looks at so many of the newest messages.
local function slowed(room, rules, name, author, now, most)
  local slow = rule_of(rules, SLOWED)
  if not slow then return nil end
  local millis = tonumber(slow[2][TEXT]) * 1000
  local left = 0
  local function look(fields, came)
    local is_same = fields[KEY] == author and (author ~= '' or fields[NAME] == name)
    if is_same and came <= now then left = math.max(left, came + millis - now) end
  end
  local topic = rule_of(rules, TOPIC)
  if topic then look(topic[2], tonumber(topic[2][AT])) end
  local from = room.latest
  while from > 0 and most > 0 do
    local some = redis.call('XREVRANGE', room.log, number(from), '-', 'COUNT', 32)
    for _, entry in ipairs(some) do
      local came = tonumber(entry[2][CAME])
      if entry[2][KIND] == MESSAGE then
        if came + millis <= now then most = 0 end
        if most > 0 then look(entry[2], came) end
        most = most - 1
      end
    end
    from = #some > 0 and sequence_of(some[#some]) - 1 or 0
  end
  return left > 0 and 'S:' .. slow[2][TEXT] .. ':' .. number(left) or nil
end

-- The key of who is present under a name, or else said something last under it.
local function key_of(room, name, most)
  local held = redis.call('HGET', room.keys, name)
  if held then return string.match(held, '^%S+') end
  for _, entry in ipairs(redis.call('XREVRANGE', room.log, '+', '-', 'COUNT', most)) do
    if entry[2][KIND] == MESSAGE and entry[2][NAME] == name then return entry[2][KEY] or '' end
  end
  return ''
end

-- Has the entry that was added last come into force.
local function enter(room, entry, looks)
  local fields = entry[2]
  local kind, text = fields[KIND], fields[TEXT]
  local slot = slot_of(kind, fields[NAME])
  if IS_BAR[kind] or kind == ALLOWED then
    for _, rule in ipairs(rules_of(room)) do
      local ended = IS_BAR[rule[2][KIND]] and ends(rule)
      if ended and ended <= tonumber(fields[AT]) then redis.call('HDEL', room.rules, 'n' .. rule[2][NAME]) end
    end
  end
  if kind == ALLOWED or kind == UNLOCKED or kind == TOPIC and text == '' or kind == SLOWED and tonumber(text) == 0 then
    redis.call('HDEL', room.rules, slot)
  else
    redis.call('HSET', room.rules, slot, cmsgpack.pack({entry[1], fields, '', looks}))
  end
end
