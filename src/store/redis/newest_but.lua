-- prefix room epoch kinds newer. Answers: epoch, and the sequence and mark of the newest message of these kinds (such
-- as 'mj') but so many newer ones, if it is kept.
local room = keys_of(ARGV[1], ARGV[2])
local epoch, newer, kinds = epoch_of(ARGV[1], ARGV[3]), tonumber(ARGV[5]), {}
for kind in string.gmatch(ARGV[4], '.') do kinds[kind] = true end
local oldest = oldest_of(room)
if not oldest then return {epoch} end
local latest = latest_of(room)
local all = count(entry_from(room, latest), kinds)
local forgotten = count(oldest, kinds) - (kinds[oldest[2][KIND]] and 1 or 0)
if newer >= all - forgotten then return {epoch} end
local found = entry_from(room, reach(room, sequence_of(oldest), latest, kinds, all - newer))
return {epoch, sequence_of(found), tonumber(found[2][MARK])}
