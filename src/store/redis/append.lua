-- Appends the drafts of one room, and tells what others stored since it looked. Without drafts it changes nothing.
--
-- prefix room epoch instance batch, seen: epoch sequence mark, wants_people, most and bytes of what others stored,
-- keep entries horizon now most, memory and life of a sender's id, life of an outcome, the most people who may be barred,
-- among how many messages to look for those of one person, bytes of files that are kept;
-- then of each draft: kind name text at mark id sent_at fingerprint key looks about about_mark file upload. The key is ''
-- for none; '*', perhaps with a key behind it, if the name needs none; and 'o', likewise, for the operator. The file is
-- what is known of it, or '', and the upload the end of the key under which it waits.
--
-- Answers: epoch, the sequence and mark before the first draft, a word for each draft, what others stored, whether
-- people and rules follow, people, rules. Or 'lapsed': the instance was taken for dead, and nothing is done.

local room = keys_of(ARGV[1], ARGV[2])
local instance, batch = ARGV[4], ARGV[5]
local FIRST, EACH = 23, 14
local drafts = (#ARGV - FIRST + 1) / EACH
local record = room.base .. 'batch:' .. instance

-- The answer to an earlier try of this batch may have been lost. Then it is given again. A batch that was given up may
-- also come late, behind others: then it is not stored any more.
local is_recorded = drafts > 0 or ARGV[9] == '1'
local written = is_recorded and redis.call('GET', record)
local base, base_mark, words
if written then
  local known, known_base, known_mark, known_words = string.match(written, '^(%d+) (%d+) (%d+) (.*)$')
  if tonumber(known) > tonumber(batch) then return redis.error_reply('LATE a later batch of this room is stored') end
  if known == batch then base, base_mark, words = tonumber(known_base), tonumber(known_mark), known_words end
end
local is_known = base ~= nil
-- From version 7.2 on, Redis has WAIT and WAITAOF wait for what was written on their own connection only. This may be
-- another one than that of the earlier try, so it writes too.
if is_known then redis.call('PEXPIRE', record, ARGV[19]) end
if drafts > 0 and not is_known and not redis.call('ZSCORE', room.prefix .. ':instances', instance) then
  return 'lapsed'
end

for draft = 1, is_known and 0 or drafts do
  local upload = ARGV[FIRST + draft * EACH - 1]
  if upload ~= '' and redis.call('EXISTS', room.base .. 'upload:' .. upload) == 0 then
    return redis.error_reply('GONE a file came too slowly')
  end
end

local epoch = drafts > 0 and assert_epoch(room.prefix, ARGV[3]) or epoch_of(room.prefix, ARGV[3])
open_at_end(room)
if not is_known then
  base, base_mark = room.latest, room.mark
  local outcomes = {}
  local memory = tonumber(ARGV[17])
  local rules = drafts > 0 and rules_of(room) or {}
  for draft = 1, drafts do
    local at = FIRST + (draft - 1) * EACH
    local kind, name, text, came, mark, id, sent_at, fingerprint, key, looks, about, about_mark, file, upload =
      unpack(ARGV, at, at + EACH - 1)
    came = tonumber(came)
    local operator = string.sub(key, 1, 1) == 'o' and 'o' or ''
    local is_free = operator ~= '' or string.sub(key, 1, 1) == '*'
    local author = string.gsub(key, '^[*o]', '')
    local word
    local sent_key = room.base .. 'sent:' .. id
    local sent = id ~= '' and redis.call('GET', sent_key)
    if sent then
      local earlier, sequence, known_mark, known = string.match(sent, '^(%d+) (%d+) (%d+) (%d+)$')
      if tonumber(earlier) + memory > tonumber(sent_at) then
        word = known == fingerprint and 'r:' .. sequence .. ':' .. known_mark or 'c'
      end
    end
    word = word or denied(rules, kind, name, author, looks, came, operator ~= '', tonumber(ARGV[20]))
    if not word and operator == '' and (kind == MESSAGE or kind == TOPIC) then
      word = slowed(room, rules, name, author, came, tonumber(ARGV[21]))
    end
    if not word and name ~= '' then
      local stands = math.max(came, room.at)
      if kind ~= LEFT and not is_free and is_taken(room, looks, key) then
        word = 't'
      elseif kind == JOINED then
        if not hold(room, name, instance, stands) then word = 'n' end
        if key ~= '' and not is_free and lock(room, name, looks, key) and word then tell_keys(room, instance) end
      end
      if kind == LEFT and not let_go(room, name, instance) then word = 'n' end
    end
    local is_change = kind == EDITED or kind == DELETED
    if not word and is_change then
      local changed = changeable(room, about, about_mark)
      if not changed then
        word = 'm'
      elseif operator == '' and (author == '' or changed[2][KEY] ~= author) then
        word = 'y'
      else
        name, about_mark = changed[2][NAME], changed[2][MARK]
      end
    end
    if not word then
      local holder = (kind == MESSAGE or not is_free) and author or ''
      if IS_BAR[kind] then holder = key_of(room, name, tonumber(ARGV[21])) end
      local shown = (is_change or IS_RULE[kind]) and operator or ''
      local entry = add(room, kind, name, text, came, mark, holder, about, about_mark, shown)
      if is_change then change(room, kind, about, text, operator) end
      if IS_RULE[kind] then
        enter(room, entry, IS_BAR[kind] and looks or '')
        rules = rules_of(room)
      end
      if file ~= '' then keep_file(room, file, room.base .. 'upload:' .. upload, tonumber(ARGV[22])) end
      if id ~= '' then
        local sent_as = table.concat({sent_at, number(room.latest), mark, fingerprint}, ' ')
        redis.call('SET', sent_key, sent_as, 'PX', ARGV[18])
      end
      word = 's:' .. number(room.at)
      if is_change then
        word = word .. ':' .. about_mark .. ':' .. digits_of(name)
      elseif IS_BAR[kind] then
        word = word .. ':' .. holder
      end
    end
    outcomes[draft] = word
  end
  words = table.concat(outcomes, ' ')
  if is_recorded then
    redis.call('SET', record, table.concat({batch, number(base), number(base_mark), words}, ' '), 'PX', ARGV[19])
  end
  if drafts > 0 then
    if room.latest > 0 then
      trim(room, tonumber(ARGV[12]), tonumber(ARGV[13]), ARGV[14], ARGV[15], tonumber(ARGV[16]))
      settle(room)
    end
    if room.is_changed then tell_latest(room, epoch, instance) end
  end
end

-- What others stored, if all of it is kept, and is of the past that the room has seen.
local seen, seen_mark = tonumber(ARGV[7]), tonumber(ARGV[8])
local before, is_whole = {}, false
if tonumber(ARGV[6]) == epoch and seen <= base then
  local missed = base - seen
  local previous = base_mark
  if missed > 0 and missed <= tonumber(ARGV[10]) then
    before = open(room, redis.call('XRANGE', room.log, number(seen + 1), number(base)))
    local bytes = 0
    for _, entry in ipairs(before) do bytes = bytes + #entry[2][TEXT] end
    if #before ~= missed or bytes > tonumber(ARGV[11]) then before = {} end
    previous = before[1] and tonumber(before[1][2][PREVIOUS])
  elseif missed > 0 then
    previous = nil
  end
  is_whole = previous ~= nil and (previous == seen_mark or previous == 0 or seen_mark == 0)
  if not is_whole then before = {} end
end
local wants_people = not is_whole or ARGV[9] == '1'
return {epoch, base, base_mark, words, before, wants_people and 1 or 0, wants_people and people_of(room, instance) or {},
  wants_people and rules_as_entries(room) or {}}
