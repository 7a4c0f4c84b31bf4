-- prefix epoch, and names of rooms. Answers: epoch, and of each room its latest and mark.
local answer = {epoch_of(ARGV[1], ARGV[2])}
for i = 3, #ARGV do
  local room = keys_of(ARGV[1], ARGV[i])
  answer[#answer + 1] = latest_of(room)
  answer[#answer + 1] = mark_of(room)
end
return answer
