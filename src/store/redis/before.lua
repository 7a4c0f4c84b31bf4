-- prefix room epoch sequence limit notices bytes. Answers: epoch, entries newest first. Those who came and went are
-- among them only if they are among the newest `notices` entries. What changed a message is not there.
local HIDDEN = {[EDITED] = true, [DELETED] = true}
local SHOWN = {}
for kind in string.gmatch(ALL, '.') do SHOWN[kind] = not HIDDEN[kind] or nil end
local room = keys_of(ARGV[1], ARGV[2])
local limit = tonumber(ARGV[5])
local read = {entries = {}, bytes = tonumber(ARGV[7])}
local last = math.min(tonumber(ARGV[4]) - 1, latest_of(room))
local oldest = oldest_of(room)
if oldest and limit > 0 and last >= sequence_of(oldest) then
  local from = sequence_of(oldest)
  local forgotten = count(oldest, SAID) - (oldest[2][KIND] == MESSAGE and 1 or 0)
  local said = count(entry_from(room, last), SAID)
  if said - forgotten >= limit then from = reach(room, from, last, SAID, said - limit + 1) end
  local floor = math.max(last + 1 - tonumber(ARGV[6]), from)
  read_back(room, read, last, floor, last - floor + 1, SHOWN)
  read_back(room, read, floor - 1, from, limit, SAID)
end
return {epoch_of(ARGV[1], ARGV[3]), read.entries}
