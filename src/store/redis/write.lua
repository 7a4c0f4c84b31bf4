-- What the steps that write share.

local function assert_epoch(prefix, epoch)
  redis.call('SET', prefix .. ':epoch', epoch, 'NX')
  return epoch_of(prefix, epoch)
end

-- Reads what is needed to go on at the end of a room's order.
local function open_at_end(room)
  local meta = redis.call('HMGET', room.meta, 'mark', 'at', 'said', 'joined', 'others')
  room.latest = latest_of(room)
  room.mark, room.at = tonumber(meta[1] or 0), tonumber(meta[2] or 0)
  room.said, room.joined = tonumber(meta[3] or 0), tonumber(meta[4] or 0)
  room.others = meta[5] or ''
end

-- Counts one more of a rare kind in a word such as `e3d1`.
local function count_one_more(word, kind)
  local some = string.match(word, kind .. '(%d+)')
  if not some then return word .. kind .. '1' end
  return (string.gsub(word, kind .. '%d+', kind .. number(tonumber(some) + 1)))
end

-- Adds an entry at the end. `came` is when it came by the clock of that moment; a room's times never go back. `about` is
-- the sequence of the message that it is about and `about_mark` its mark, or both are ''. `operator` is 'o' or ''.
-- Returns the entry, with its text.
local function add(room, kind, name, text, came, mark, key, about, about_mark, operator)
  room.latest = room.latest + 1
  room.at = math.max(room.at, came)
  if kind == MESSAGE then
    room.said = room.said + 1
  elseif kind == JOINED then
    room.joined = room.joined + 1
  elseif kind ~= LEFT then
    room.others = count_one_more(room.others, kind)
  end
  local fields = {'k', kind, 'n', name, 't', '', 'a', number(room.at), 'c', number(came), 'm', mark,
    'p', number(room.mark), 's', number(room.said), 'j', number(room.joined), 'h', key, 'o', about, 'om', about_mark,
    'b', operator, 'x', room.others}
  local id = redis.call('XADD', room.log, number(room.latest), unpack(fields))
  if HAS_TEXT[kind] then redis.call('HSET', room.texts, number(room.latest), '= ' .. text) end
  room.mark = tonumber(mark)
  room.is_changed = true
  fields[TEXT] = text
  return {id, fields}
end

-- The message of a sequence and mark, if it can be edited or deleted.
local function changeable(room, sequence, mark)
  local entry = sequence ~= '' and redis.call('XRANGE', room.log, sequence, sequence)[1]
  if not entry or entry[2][KIND] ~= MESSAGE then return nil end
  local known = entry[2][MARK]
  if known ~= mark and known ~= '0' and mark ~= '0' then return nil end
  open(room, {entry})
  if string.sub(entry[3], 1, 1) == DELETED then return nil end
  return entry
end

-- Forgets the file of a message, if it is kept.
local function drop_file(room, sequence)
  if redis.call('ZREM', room.kept, number(sequence)) == 0 then return end
  local file = file_of(room, sequence)
  redis.call('HINCRBY', room.meta, 'files', -redis.call('STRLEN', file))
  redis.call('UNLINK', file)
end

-- Changes a message by the entry that was added last, of this kind, and empties the edit that it overtakes. With a
-- message that is deleted goes its file.
local function change(room, kind, sequence, text, operator)
  redis.call('HSET', room.texts, sequence, kind .. operator .. number(room.at) .. ' ' .. text)
  local overtaken = redis.call('HGET', room.edits, sequence)
  if overtaken then redis.call('HSET', room.texts, overtaken, '= ') end
  if kind == EDITED then redis.call('HSET', room.edits, sequence, number(room.latest)) end
  if kind == DELETED then
    drop_file(room, tonumber(sequence))
    redis.call('HDEL', room.files, sequence)
  end
end

-- Keeps the file that waits under a key for the message that was added last. If the files are more than are kept by that,
-- the oldest are forgotten, and their messages say so.
local function keep_file(room, facts, upload, most)
  local file = file_of(room, room.latest)
  redis.call('RENAME', upload, file)
  redis.call('PERSIST', file)
  redis.call('HSET', room.files, number(room.latest), facts)
  redis.call('ZADD', room.kept, number(room.latest), number(room.latest))
  local bytes = redis.call('HINCRBY', room.meta, 'files', redis.call('STRLEN', file))
  while bytes > most do
    local oldest = redis.call('ZRANGE', room.kept, 0, 0)[1]
    if not oldest then return end
    drop_file(room, tonumber(oldest))
    redis.call('HSET', room.files, oldest, 'gone ' .. redis.call('HGET', room.files, oldest))
    bytes = tonumber(redis.call('HGET', room.meta, 'files'))
  end
end

-- Forgets the texts and files of these sequences, and those between.
local function forget_texts(room, from, to)
  for _, sequence in ipairs(redis.call('ZRANGE', room.kept, '-inf', number(to), 'BYSCORE')) do
    drop_file(room, tonumber(sequence))
  end
  for first = from, to, 500 do
    local some = {}
    for sequence = first, math.min(first + 499, to) do some[#some + 1] = number(sequence) end
    redis.call('HDEL', room.texts, unpack(some))
    redis.call('HDEL', room.edits, unpack(some))
    redis.call('HDEL', room.files, unpack(some))
  end
end

-- Notes that an instance holds a person. Returns whether the person was not present before.
local function hold(room, name, instance, at)
  redis.call('SADD', held_in(room, instance), name)
  redis.call('SADD', rooms_held_by(room.prefix, instance), room.name)
  local written = redis.call('HGET', room.people, name)
  if not written then
    redis.call('HSET', room.people, name, number(at) .. ' ' .. instance)
    return true
  end
  for _, holder in ipairs(holders_of(written)) do
    if holder == instance then return false end
  end
  redis.call('HSET', room.people, name, written .. ' ' .. instance)
  return false
end

-- Names that are held by a key. `keys` has of each name the key, as its hash, and how the name looks; `looks` has of each
-- look the key, and how many names have it. So no two keys have one look.

-- Whether a name that looks so is another's.
local function is_taken(room, looks, key)
  for look in string.gmatch(looks, '%S+') do
    local written = redis.call('HGET', room.looks, look)
    if written and string.match(written, '^%S+') ~= key then return true end
  end
  return false
end

-- Notes by which key a name is held.
local function lock(room, name, looks, key)
  if redis.call('HSETNX', room.keys, name, key .. ' ' .. looks) == 0 then return false end
  for look in string.gmatch(looks, '%S+') do
    local written = redis.call('HGET', room.looks, look)
    local count = written and tonumber(string.match(written, '%d+$')) or 0
    redis.call('HSET', room.looks, look, key .. ' ' .. number(count + 1))
  end
  return true
end

-- The name is nobody's any more.
local function unlock(room, name)
  local written = redis.call('HGET', room.keys, name)
  if not written then return end
  redis.call('HDEL', room.keys, name)
  local key, looks = string.match(written, '^(%S+) (.*)$')
  for look in string.gmatch(looks, '%S+') do
    local count = tonumber(string.match(redis.call('HGET', room.looks, look), '%d+$')) - 1
    if count > 0 then
      redis.call('HSET', room.looks, look, key .. ' ' .. number(count))
    else
      redis.call('HDEL', room.looks, look)
    end
  end
end

-- Notes that an instance holds a person no more. Returns whether nobody holds the person now who was present.
local function let_go(room, name, instance)
  local held = held_in(room, instance)
  redis.call('SREM', held, name)
  if redis.call('EXISTS', held) == 0 then redis.call('SREM', rooms_held_by(room.prefix, instance), room.name) end
  local written = redis.call('HGET', room.people, name)
  if not written then return false end
  local kept = string.match(written, '^%d+')
  local is_held = false
  for _, holder in ipairs(holders_of(written)) do
    if holder ~= instance then kept, is_held = kept .. ' ' .. holder, true end
  end
  if is_held then
    redis.call('HSET', room.people, name, kept)
  else
    redis.call('HDEL', room.people, name)
    unlock(room, name)
  end
  return not is_held
end

-- Forgets what is over the limits: how many messages were said, how many entries begin with a join or leave, and
-- the age. Those from before `horizon` are too old ('' for none), and those from after `now` have no age. Looks at
-- the age of `most` entries at most; returns whether there may be more to forget.
local function trim(room, keep, entries, horizon, now, most)
  local first = redis.call('XRANGE', room.log, '-', '+', 'COUNT', 1)[1]
  if not first then return false end
  local oldest, latest = sequence_of(first), room.latest
  local from = oldest
  local forgotten = count(first, SAID) - (first[2][KIND] == MESSAGE and 1 or 0)
  if room.said - forgotten > keep then from = reach(room, oldest, latest, SAID, room.said - keep) + 1 end
  if latest - from + 1 > entries then
    local entry = entry_from(room, from)
    if entry and entry[2][KIND] ~= MESSAGE then
      local said = count(entry, SAID)
      local next_said = said < room.said and reach(room, from, latest, SAID, said + 1) or latest + 1
      from = math.min(next_said, latest - entries + 1)
    end
  end
  local is_at_limit = false
  if horizon ~= '' then
    local start, last, is_young = from, math.min(from + most, latest + 1), false
    while start < last and not is_young do
      local some = redis.call('XRANGE', room.log, number(start), number(last - 1), 'COUNT', 32)
      if #some == 0 then break end
      for _, entry in ipairs(some) do
        local came = tonumber(entry[2][CAME])
        is_young = came >= tonumber(horizon) and came <= tonumber(now)
        if is_young then break end
        start = sequence_of(entry) + 1
        if came < tonumber(horizon) then from = start end
      end
    end
    is_at_limit = not is_young and start < latest + 1 and from == start
  end
  if from > oldest then
    redis.call('XTRIM', room.log, 'MINID', number(from))
    forget_texts(room, oldest, from - 1)
  end
  return is_at_limit
end

-- Writes what has changed of a room, and whether it is in the list of rooms.
local function settle(room)
  if room.is_changed then
    redis.call('HSET', room.meta, 'mark', number(room.mark), 'at', number(room.at), 'said', number(room.said),
      'joined', number(room.joined), 'others', room.others)
  end
  local rooms, recent = room.prefix .. ':rooms', room.prefix .. ':recent'
  if redis.call('XLEN', room.log) > 0 or redis.call('HLEN', room.people) > 0 then
    redis.call('ZADD', rooms, 0, room.name)
    redis.call('ZADD', recent, number(room.at), room.name)
  else
    redis.call('ZREM', rooms, room.name)
    redis.call('ZREM', recent, room.name)
  end
end

-- Tells the other instances that a name is held which was free before, though nobody came or went by that.
local function tell_keys(room, instance)
  redis.call('PUBLISH', room.prefix .. ':notices', table.concat({'keys', instance, room.name}, ' '))
end

-- Tells the other instances where a room's order ends. This one, if there is one, knows.
local function tell_latest(room, epoch, instance)
  local words = {'latest', instance, room.name, number(epoch), number(room.latest), number(room.mark)}
  redis.call('PUBLISH', room.prefix .. ':notices', table.concat(words, ' '))
end
