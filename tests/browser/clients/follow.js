// Follows rooms with an EventSource: prints ROOM, a tab and TEXT of each message.
//
//   node follow.js http://127.0.0.1:8080/chat/lobby,kitchen

import { EventSource } from "eventsource";

const source = new EventSource(`${process.argv[2]}?kinds=message&after=oldest`);
source.addEventListener("message", ({ data }) => {
  const { room, text } = JSON.parse(data);
  process.stdout.write(`${room}\t${text}\n`);
});
source.addEventListener("gap", () => process.exit(1));
