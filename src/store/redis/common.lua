-- What the steps share. Redis runs each step whole, so nobody sees half of one.
--
-- A room's messages are a stream. Their sequences are its ids: message 42 is the entry 42-0. There is no counter
-- beside the stream that could part from it. Each entry also counts what was said and who had joined up to it,
-- so any place is found by halving, whatever stands between.
--
-- A stream's entries never change, but what was said may: so the texts stand beside it, by their sequences. Before a text
-- stands a word: `=`, or when it was edited or deleted, with `o` if the operator did that: `e1764000000000 hi`,
-- `do1764000000000 `. Entries of earlier versions hold their texts themselves.
--
-- The file that came with a message is a key of its own, by the sequence. What is known of it stands in a hash, also when
-- it is no longer kept, and `kept` has the sequences of those that are.
--
-- Keys are made here from a prefix and a room's name, and not declared: a Redis Cluster is refused.

local MESSAGE, JOINED, LEFT, EDITED, DELETED = 'm', 'j', 'l', 'e', 'd'
local TOPIC, MUTED, REMOVED, ALLOWED, SLOWED, LOCKED, UNLOCKED = 't', 'q', 'r', 'a', 's', 'k', 'u'
local ALL = 'mjledtqrasku'
local SAID = {[MESSAGE] = true}
local HAS_TEXT = {[MESSAGE] = true, [EDITED] = true, [TOPIC] = true, [MUTED] = true, [REMOVED] = true, [SLOWED] = true,
  [LOCKED] = true}

-- Where the fields of an entry are: all have the same ones, in one order, which a stream stores best.
local KIND, NAME, TEXT, AT, CAME, MARK, PREVIOUS, SAID_COUNT, JOINED_COUNT = 2, 4, 6, 8, 10, 12, 14, 16, 18
local KEY, OTHER_COUNTS = 20, 28

local function keys_of(prefix, name)
  local base = prefix .. ':{' .. name .. '}:'
  return {prefix = prefix, name = name, base = base, log = base .. 'log', meta = base .. 'meta', people = base .. 'people',
    keys = base .. 'keys', looks = base .. 'looks', texts = base .. 'texts', edits = base .. 'edits',
    rules = base .. 'rules', files = base .. 'files', kept = base .. 'kept'}
end

-- The set of those whom an instance holds in a room, and the set of the rooms where it holds somebody.
local function held_in(room, instance) return room.base .. 'held:' .. instance end
local function rooms_held_by(prefix, instance) return prefix .. ':held:' .. instance end

local function number(value) return string.format('%d', value) end

local function sequence_of(entry) return tonumber(string.match(entry[1], '^%d+')) end

-- The file that came with the message of a sequence.
local function file_of(room, sequence) return room.base .. 'file:' .. number(sequence) end

-- The last sequence that was given out. Trimming does not change it.
local function latest_of(room)
  if redis.call('EXISTS', room.log) == 0 then return 0 end
  local info = redis.call('XINFO', 'STREAM', room.log)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return tonumber(string.match(info[i + 1], '^%d+')) end
  end
end

-- The mark of the last message, which may be forgotten itself.
local function mark_of(room) return tonumber(redis.call('HGET', room.meta, 'mark') or 0) end

-- The first entry from a sequence on.
local function entry_from(room, sequence) return redis.call('XRANGE', room.log, number(sequence), '+', 'COUNT', 1)[1] end

-- How many entries of these kinds there were up to this one, with those that are forgotten. Those of the kinds that are
-- rare are counted in one word, such as `e3d1`. Whatever is not counted has left.
local function count(entry, kinds)
  local fields, sum = entry[2], 0
  local said, joined = tonumber(fields[SAID_COUNT]), tonumber(fields[JOINED_COUNT])
  local left = sequence_of(entry) - said - joined
  if kinds[MESSAGE] then sum = sum + said end
  if kinds[JOINED] then sum = sum + joined end
  for kind, some in string.gmatch(fields[OTHER_COUNTS] or '', '(%a)(%d+)') do
    if kinds[kind] then sum = sum + tonumber(some) end
    left = left - tonumber(some)
  end
  if kinds[LEFT] then sum = sum + left end
  return sum
end

-- Gives entries their texts as they are now, what became of them as a third part, and what is known of their files as a
-- fourth.
local function open(room, entries)
  local wanted, fields = {}, {}
  for _, entry in ipairs(entries) do
    entry[3], entry[4] = '', ''
    if HAS_TEXT[entry[2][KIND]] then
      wanted[#wanted + 1] = entry
      fields[#fields + 1] = number(sequence_of(entry))
    end
  end
  -- Lua takes so many arguments at once, and more than that are never read.
  for first = 1, #fields, 500 do
    local texts = redis.call('HMGET', room.texts, unpack(fields, first, math.min(first + 499, #fields)))
    for i, text in ipairs(texts) do
      local entry = wanted[first + i - 1]
      if text then entry[3], entry[2][TEXT] = string.match(text, '^(%S*) (.*)$') end
    end
  end
  if #fields > 0 and redis.call('EXISTS', room.files) == 1 then
    for first = 1, #fields, 500 do
      local files = redis.call('HMGET', room.files, unpack(fields, first, math.min(first + 499, #fields)))
      for i, file in ipairs(files) do wanted[first + i - 1][4] = file or '' end
    end
  end
  return entries
end

-- The first sequence of these two, or between them, by which there were so many entries of these kinds.
local function reach(room, from, to, kinds, wanted)
  while from < to do
    local middle = math.floor((from + to) / 2)
    local entry = entry_from(room, middle)
    if not entry or count(entry, kinds) >= wanted then to = middle else from = middle + 1 end
  end
  return from
end

-- Who holds a person, by what is written of that person: since when, and by which instances.
local function holders_of(written)
  local holders = {}
  for instance in string.gmatch(string.match(written, ' (.*)$') or '', '%S+') do holders[#holders + 1] = instance end
  return holders
end

-- All people as name, since, whether this instance holds the person, by which key the name is held, and so on.
local function people_of(room, instance)
  local people, keys, listed = redis.call('HGETALL', room.people), redis.call('HGETALL', room.keys), {}
  local key_of = {}
  for i = 1, #keys, 2 do key_of[keys[i]] = string.match(keys[i + 1], '^%S+') end
  for i = 1, #people, 2 do
    local is_held = 0
    for _, holder in ipairs(holders_of(people[i + 1])) do
      if holder == instance then is_held = 1 end
    end
    listed[#listed + 1] = people[i]
    listed[#listed + 1] = tonumber(string.match(people[i + 1], '^%d+'))
    listed[#listed + 1] = is_held
    listed[#listed + 1] = key_of[people[i]] or ''
  end
  return listed
end

-- The life of this store. A reader gives what it knows if there is none: only writers begin one.
local function epoch_of(prefix, known) return tonumber(redis.call('GET', prefix .. ':epoch') or known) end
