-- What the steps that read share. A read ends when its texts have so many bytes.

-- So many entries are read at once: with the longest texts they take a few megabytes.
local CHUNK = 32

local function oldest_of(room) return redis.call('XRANGE', room.log, '-', '+', 'COUNT', 1)[1] end

-- Reads from one sequence down to another, newest first: at most so many entries, of these kinds.
local function read_back(room, read, from, floor, limit, kinds)
  while from >= floor and limit > 0 and read.bytes > 0 do
    local some = redis.call('XREVRANGE', room.log, number(from), number(floor), 'COUNT', math.min(limit, CHUNK))
    if #some == 0 then return end
    open(room, some)
    local has_found = false
    for _, entry in ipairs(some) do
      if read.bytes > 0 and (not kinds or kinds[entry[2][KIND]]) then
        read.entries[#read.entries + 1] = entry
        read.bytes = read.bytes - #entry[2][TEXT]
        limit, has_found = limit - 1, true
      end
    end
    from = sequence_of(some[#some]) - 1
    if not has_found and from >= floor then
      -- Thousands who came and went may stand here: the next one is found by halving.
      local entry = entry_from(room, from)
      local so_many = count(entry, kinds)
      from = reach(room, floor, from, kinds, so_many)
      if not kinds[entry_from(room, from)[2][KIND]] then return end
    end
  end
end
