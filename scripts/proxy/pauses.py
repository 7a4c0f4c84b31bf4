#!/usr/bin/env python3
"""Sends requests through a proxy with pauses around every idle time, and fails if one is not answered 200.

    pauses.py URL REQUESTS PAUSE...

A proxy keeps connections to the server for the next requests. If the server closes one in the moment in which the proxy
uses it, the answer is 502. So each pause, in seconds, stands between two bursts. The requests of a burst are spread over a
second, so connections of many ages are used again. Every other request is a POST, which no proxy may send twice.
"""

import http.client
import sys
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

CLIENTS = 100


def client(url, number, requests, answers):
    time.sleep(number / CLIENTS)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=120)
    try:
        for n in range(requests):
            if n % 2:
                connection.request("GET", f"{url.path}?after=oldest&wait=0")
            else:
                connection.request("POST", url.path, body=b"ping", headers={"Content-Type": "text/plain"})
            reply = connection.getresponse()
            reply.read()
            answers[reply.status] += 1
    except (OSError, http.client.HTTPException) as error:
        answers[repr(error)] += 1
    finally:
        connection.close()


def burst(url, requests, answers):
    each = [Counter() for _ in range(CLIENTS)]
    threads = [
        threading.Thread(target=client, args=(url, number, requests, each[number])) for number in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for counted in each:
        answers.update(counted)


def main():
    url, requests, pauses = urlsplit(sys.argv[1]), int(sys.argv[2]), [float(pause) for pause in sys.argv[3:]]
    answers = Counter()
    in_burst = -(-requests // (CLIENTS * (len(pauses) + 1)))
    burst(url, in_burst, answers)
    for pause in pauses:
        # A burst takes a second, so a connection that was used at its end is this old.
        time.sleep(max(0, pause - 1))
        burst(url, in_burst, answers)
    print(", ".join(f"{count} times {answer}" for answer, count in answers.items()))
    sys.exit(0 if set(answers) == {200} else 1)


main()
