"""One read key opens 1,100 event streams. With 1,024 files, which can't be raised, some of them get 503 with Retry-After; probes, other
keys, the store and the command line go on. With 1,024 files, which can be raised, the server raises the limit itself."""

import os
import re
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "shared"))
from target import BIN_DIR, FULL, Target, call, check, until

STREAMS = 1_100
# What a request may take while the streams are open.
SECONDS_MAX = 3


def connect(target, seconds=SECONDS_MAX):
    return socket.create_connection(target.address, timeout=seconds)


def exchange(target, method, path, headers=(), body=b""):
    """The status, the head and the body of an answer over a new connection, or 0 if there is none in time."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {target.authority}", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in dict(headers).items()]
    try:
        with connect(target) as connection:
            connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            answer = b""
            while more := connection.recv(65536):
                answer += more
    except OSError:
        return 0, b"", b""
    head, _, content = answer.partition(b"\r\n\r\n")
    return (int(head.split()[1]) if head else 0), head.lower(), content


def open_stream(target, key):
    """Opens an event stream and returns its connection and the head of the answer. Keeps the connection in any case."""
    connection = None
    try:
        connection = connect(target)
        connection.sendall(f"GET /sse HTTP/1.1\r\nHost: {target.authority}\r\nX-Api-Key: {key}\r\nAccept: text/event-stream\r\n\r\n".encode())
        return connection, connection.recv(4096).lower()
    except OSError:
        return connection, b""


def calls_are_answered(target, key, name, arguments):
    status, _, body = exchange(target, "POST", "/mcp", *call(name, arguments, key))
    return status == 200 and b'"error"' not in body, f"{status} {body[:120]!r}"


def metric(target, name):
    body = exchange(target, "GET", "/metrics")[2].decode()
    found = re.search(rf"^{name} (\d+)", body, re.M)
    return int(found.group(1)) if found else None


def flood(target, label):
    """Opens all streams. Returns their connections."""
    opened = [open_stream(target, target.read_key) for _ in range(STREAMS)]
    heads = [head for _, head in opened]
    good = sum(b" 200 " in head for head in heads)
    refused = [head for head in heads if b" 503 " in head.split(b"\r\n")[0]]
    silent = STREAMS - good - len(refused)
    print(f"  {label}: {good} streams open, {len(refused)} refused with 503, {silent} without an answer, {target.files()} files", flush=True)
    check(silent == 0, f"{label}: each of {STREAMS} requests got an answer")
    check(all(b"retry-after: 1" in head for head in refused), f"{label}: each refusal says when to retry")
    return [connection for connection, _ in opened if connection], good


def stays_usable(target, label):
    start = time.monotonic()
    for path in ("/healthz", "/readyz"):
        status, _, body = exchange(target, "GET", path)
        check(status == 200, f"{label}: {path} answers 200 ({status} {body[:80]!r})")
    good, said = calls_are_answered(target, target.write_key, "list_findings", {"limit": 5})
    check(good, f"{label}: another key is served ({said})" if not good else f"{label}: another key is served")
    good, said = calls_are_answered(target, target.write_key, "trigger_sync", {})
    check(good, f"{label}: another key changes something ({said})" if not good else f"{label}: another key changes something")
    command = [BIN_DIR / "watchpost", "--data-dir", Path(target.folder.name) / "data", "keys", "list"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    check(done.returncode == 0, f"{label}: the command line works ({done.stderr[:200]!r})" if done.returncode else f"{label}: the command line works")
    print(f"  {label}: all of that in {time.monotonic() - start:.1f} s", flush=True)


hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

with Target(open_files=(1_024, 1_024)) as target:
    connections, good = flood(target, "1,024 files")
    check(0 < good < 512, f"1,024 files: one key gets less than half of the connections ({good})")
    stays_usable(target, "1,024 files")
    allowed = metric(target, "watchpost_connections_max")
    check(allowed and allowed < 1_024, f"1,024 files: the metrics say what is allowed ({allowed} connections)")
    text = target.log.read_text(encoding="utf-8")
    check("open_files=1024" in text and "ulimit -n" in text, "1,024 files: the log says what is allowed and how to raise it")
    for connection in connections:
        connection.close()
    ended = until(lambda: metric(target, "watchpost_streams_open") == 0, 20)
    check(ended, "1,024 files: no stream is left after the clients are gone")
    connection, head = open_stream(target, target.read_key)
    check(b" 200 " in head, "1,024 files: the key opens streams again")
    connection.close()

with Target(open_files=(128, 128 if hard < 224 else 224)) as target:
    check(metric(target, "watchpost_connections_max") == 16, "224 files: the smallest server starts")

if hard >= 4_096:
    with Target(open_files=(1_024, 4_096)) as target:
        connections, good = flood(target, "1,024 of 4,096 files")
        check(good == 1_024, "1,024 of 4,096 files: the server raised the limit, and one key gets its 1,024 streams")
        stays_usable(target, "1,024 of 4,096 files")
        for connection in connections:
            connection.close()
