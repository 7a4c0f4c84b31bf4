-- prefix room epoch sequence limit bytes. Answers: epoch, entries oldest first.
local room = keys_of(ARGV[1], ARGV[2])
local from, limit, bytes, entries = tonumber(ARGV[4]) + 1, tonumber(ARGV[5]), tonumber(ARGV[6]), {}
while limit > 0 and bytes > 0 do
  local some = redis.call('XRANGE', room.log, number(from), '+', 'COUNT', math.min(limit, CHUNK))
  if #some == 0 then break end
  open(room, some)
  for _, entry in ipairs(some) do
    if bytes > 0 then
      entries[#entries + 1] = entry
      bytes, limit = bytes - #entry[2][TEXT], limit - 1
    end
  end
  from = sequence_of(some[#some]) + 1
end
return {epoch_of(ARGV[1], ARGV[3]), entries}
