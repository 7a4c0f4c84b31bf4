"""Follows rooms with requests, by the Link header: prints ROOM, a tab and TEXT of each message.

    follow.py json|plain http://127.0.0.1:8080/chat/lobby,kitchen
"""

import sys
import time
from urllib.parse import unquote, urljoin

import requests

ACCEPT = {"json": "application/json", "plain": "text/plain"}

how, url = sys.argv[1:]
url += "?kinds=message&after=oldest"
session = requests.Session()
session.headers["Accept"] = ACCEPT[how]

while True:
    try:
        reply = session.get(url, timeout=75)
    except requests.RequestException:
        time.sleep(0.2)
        continue
    if reply.status_code == 503:
        time.sleep(0.2)
        continue
    reply.raise_for_status()
    assert "Chat-Gap" not in reply.headers, url
    if reply.status_code == 200 and how == "json":
        for message in reply.json()["messages"]:
            print(message["room"], message["text"], sep="\t")
    elif reply.status_code == 200:
        print(unquote(reply.headers["Chat-Room"]), reply.text, sep="\t")
    sys.stdout.flush()
    url = urljoin(url, reply.links["next"]["url"])
