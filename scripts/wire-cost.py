#!/usr/bin/env python3
"""What a message costs on the way from the server to a client, in each format: bytes, requests and time.

    scripts/wire-cost.py [http://127.0.0.1:8080]

The client is curl. It goes through a relay in this script, which counts every byte, headers and chunks too; for the
times the relay also holds each byte up for 50 ms, as a long line does. Needs a server that runs, curl 7.71 or later
and nothing else.
"""

import http.client
import json
import queue
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid

DELAY = 0.05
BURST = 100
FORMATS = {
    "plain text": "text/plain",
    "JSON": "application/json",
    "server-sent events": "text/event-stream",
    "lines of JSON": "application/x-ndjson",
}

server = urllib.parse.urlsplit(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080")


class Relay:
    """Passes bytes on, counts them, and delays them."""

    def __init__(self, delay=0.0):
        self.delay, self.up, self.down = delay, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client = self.listener.accept()[0]
            upstream = socket.create_connection((server.hostname, server.port))
            for ends in [(client, upstream, "up"), (upstream, client, "down")]:
                threading.Thread(target=self.pump, args=ends, daemon=True).start()

    def pump(self, source, target, way):
        on_the_way = queue.SimpleQueue()
        threading.Thread(target=self.hand_on, args=(on_the_way, target), daemon=True).start()
        try:
            while data := source.recv(65536):
                setattr(self, way, getattr(self, way) + len(data))
                on_the_way.put((time.monotonic() + self.delay, data))
        except OSError:
            pass
        on_the_way.put((time.monotonic() + self.delay, None))

    def hand_on(self, on_the_way, target):
        target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                due, data = on_the_way.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if data is None:
                    return target.shutdown(socket.SHUT_WR)
                target.sendall(data)
        except OSError:
            pass


def publish(room, number):
    """Publishes directly, without the relay."""
    line = http.client.HTTPConnection(server.hostname, server.port)
    body = json.dumps({"name": "anna", "message": f"message number {number:3}"})
    line.request("POST", f"/chat/{room}", body, {"Content-Type": "application/json"})
    assert line.getresponse().read() == b"ok"


def latest(room):
    line = http.client.HTTPConnection(server.hostname, server.port)
    line.request("GET", f"/chat/{room}?after=latest&wait=0")
    return line.getresponse().headers["Chat-Cursor"]


def waiting(room):
    """How many wait in a room."""
    line = http.client.HTTPConnection(server.hostname, server.port)
    line.request("GET", "/rooms?limit=500", headers={"Accept": "application/json"})
    rooms = json.load(line.getresponse())["rooms"]
    return sum(there["waiting"] for there in rooms if there["room"] == room)


def until(holds):
    while not holds():
        time.sleep(0.01)


def curl(relay, accept, path, *options):
    command = ["curl", "-sN", "-D", "-", "-H", f"Accept: {accept}", *options, relay.url + path]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def is_stream(accept):
    return accept not in ("text/plain", "application/json")


def one_delivery(accept):
    """Bytes of a request and of the reply that brings one message; for a stream, of each further message."""
    relay, room = Relay(), f"cost-{uuid.uuid4().hex[:8]}"
    client = curl(relay, accept, f"/chat/{room}?after={latest(room)}")
    until(lambda: waiting(room) == 1)
    if is_stream(accept):
        publish(room, 1)
        until(lambda: "message number" in client.stdout.readline())
        until(lambda: waiting(room) == 1)
    before = relay.down if is_stream(accept) else 0
    publish(room, 2)
    until(lambda: "message number" in client.stdout.readline())
    client.kill() if is_stream(accept) else client.wait()
    return relay.up, relay.down - before


def burst(accept):
    """Requests and bytes until a client has 100 messages that came while it was away."""
    relay, room = Relay(), f"cost-{uuid.uuid4().hex[:8]}"
    path = f"/chat/{room}?after={latest(room)}"
    for number in range(BURST):
        publish(room, number)
    requests = seen = 0
    while seen < BURST:
        client = curl(relay, accept, path)
        requests += 1
        for line in client.stdout:
            seen += line.count("message number")
            if link := re.match(r"(?i)link: <([^>]*)>", line):
                path = link[1]
            if is_stream(accept) and seen == BURST:
                client.kill()
        client.wait()
    return requests, relay.up + relay.down


def times(accept):
    """Milliseconds until a client that waits has a message, and until it has one that came while its answer to the
    message before was on its way."""
    relay, room = Relay(DELAY), f"cost-{uuid.uuid4().hex[:8]}"
    came = {}

    def follow():
        line, path = http.client.HTTPConnection("127.0.0.1", relay.port), f"/chat/{room}?after={latest(room)}"
        while len(came) < 2:
            line.request("GET", path, headers={"Accept": accept})
            reply = line.getresponse()
            while text := reply.readline():
                for number in re.findall(rb"message number +(\d+)", text):
                    came[int(number)] = time.monotonic()
                if is_stream(accept) and len(came) == 2:
                    return
            reply.read()
            path = re.match("<(.*)>", reply.headers["Link"])[1]

    client = threading.Thread(target=follow, daemon=True)
    client.start()
    until(lambda: waiting(room) == 1)
    time.sleep(4 * DELAY)
    sent = {}
    for number in (1, 2):
        publish(room, number)
        sent[number] = time.monotonic()
    client.join()
    return [round((came[number] - sent[number]) * 1000) for number in (1, 2)]


print("| | request | reply, or event | 100 messages that came meanwhile | in time | just missed |")
print("|---|---|---|---|---|---|")
for name, accept in FORMATS.items():
    up, down = one_delivery(accept)
    requests, total = burst(accept)
    first, second = map(statistics.median, zip(*(times(accept) for _ in range(5))))
    up = f"{up} bytes, once" if is_stream(accept) else f"{up} bytes"
    count = f"{requests} request{'s' if requests > 1 else ''}, {total:,} bytes"
    print(f"| {name} | {up} | {down} bytes | {count} | {first} ms | {second} ms |")
