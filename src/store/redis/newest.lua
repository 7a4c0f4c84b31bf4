-- prefix room epoch instance limit bytes. Answers: epoch latest mark, entries newest first, people, rules.
local room = keys_of(ARGV[1], ARGV[2])
local latest = latest_of(room)
local read = {entries = {}, bytes = tonumber(ARGV[6])}
read_back(room, read, latest, 1, tonumber(ARGV[5]))
return {epoch_of(ARGV[1], ARGV[3]), latest, mark_of(room), read.entries, people_of(room, ARGV[4]),
  rules_as_entries(room)}
