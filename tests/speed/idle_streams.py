"""Opens idle event streams and measures calls meanwhile; see `idle-streams`."""

import json
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlparse

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "client"))
from watchpost_client import LEGACY, http_headers, initialize, request as message_of

URL, KEY, PID, STREAMS = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
HOST, PORT = urlparse(URL).hostname, urlparse(URL).port
CALLS = 2_000


def rss_kib():
    with open(f"/proc/{PID}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def request(method, headers, body=b""):
    lines = [f"{method} /mcp HTTP/1.1", f"Host: {HOST}:{PORT}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def modern(method, params, name=None):
    message = message_of(method, params, "streams")
    return request("POST", http_headers(KEY, method=method, name=name), json.dumps(message).encode())


def connect():
    return socket.create_connection((HOST, PORT), timeout=30)


def read_head(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        assert more, data
        data += more
    return data.split(b"\r\n\r\n", 1)


def read_answer(connection):
    head, body = read_head(connection)
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    while len(body) < length:
        body += connection.recv(65536)
    return head, json.loads(body)


def session():
    hello = json.dumps(initialize("streams", LEGACY)).encode()
    with connect() as connection:
        connection.sendall(request("POST", http_headers(KEY, LEGACY), hello))
        head, _ = read_answer(connection)
    return next(line.split(b":", 1)[1].strip().decode() for line in head.split(b"\r\n") if line.lower().startswith(b"mcp-session-id"))


LISTEN = modern(
    "subscriptions/listen",
    {"notifications": {"resourcesListChanged": True, "resourceSubscriptions": ["watchpost://posture"]}},
)


def open_stream(number):
    connection = connect()
    if number % 2:
        connection.sendall(LISTEN)
    else:
        connection.sendall(request("GET", {"Accept": "text/event-stream", "X-Api-Key": KEY, "Mcp-Session-Id": session()}))
    head, _ = read_head(connection)
    assert b" 200 " in head.split(b"\r\n")[0] and b"text/event-stream" in head.lower(), head
    return connection


def calls():
    """Makes calls. Returns the milliseconds that each took, sorted."""
    took = []
    call = modern("tools/call", {"name": "get_risk_score", "arguments": {}}, "get_risk_score")
    with connect() as connection:
        for _ in range(CALLS):
            begun = time.perf_counter()
            connection.sendall(call)
            _, answer = read_answer(connection)
            took.append((time.perf_counter() - begun) * 1_000)
            assert "result" in answer, answer
    return sorted(took)


def percentiles(took):
    return f"p50 {took[len(took) // 2]:.2f} ms, p99 {took[len(took) * 99 // 100]:.2f} ms"


print(f"{CALLS} calls before: {percentiles(calls())}")
before = rss_kib()
begun = time.perf_counter()
streams = [open_stream(number) for number in range(STREAMS)]
print(f"{STREAMS} streams opened in {time.perf_counter() - begun:.1f} s")
time.sleep(2)
each = (rss_kib() - before) / STREAMS
took = calls()
print(f"{CALLS} calls meanwhile: {percentiles(took)}")
print(f"memory: {before} KiB before, {rss_kib()} KiB now: {each:.1f} KiB per stream")
for stream in streams:
    stream.setblocking(False)
    try:
        assert stream.recv(1 << 20) != b"", "the server closed a stream"
    except BlockingIOError:
        pass
print("all streams are still open")
if each > 24 or took[len(took) * 99 // 100] > 50:
    sys.exit("over the limits: at most 24 KiB per stream, and at most 50 ms for 99 % of the calls")
