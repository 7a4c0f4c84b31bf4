-- prefix room keep entries horizon now most. Forgets what is over the limits. Answers 1 if there may be more of it.
local room = keys_of(ARGV[1], ARGV[2])
open_at_end(room)
if room.latest == 0 then return 0 end
local is_at_limit = trim(room, tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6], tonumber(ARGV[7]))
settle(room)
return is_at_limit and 1 or 0
