// The backstage of this server, and of the one beside it: what each says, as it says it.

const beside = new URLSearchParams(location.search).get("beside");

for (const server of ["", beside].filter((url) => url !== null)) {
  const section = document.createElement("section");
  const heading = document.createElement("h2");
  const figures = document.createElement("pre");
  section.append(heading, figures);
  document.getElementById("engines").append(section);
  const events = new EventSource(server === "" ? "backstage/events" : `${server}/backstage/events`);
  events.addEventListener("frame", (event) => {
    const { cells: _cells, ...frame } = JSON.parse(event.data);
    heading.textContent = frame.engine;
    figures.textContent = JSON.stringify(frame, null, 2);
  });
}
