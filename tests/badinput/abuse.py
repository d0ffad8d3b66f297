"""Sends invalid input over every transport. Checks that each message gets an error that says what is wrong, that no request hangs, gets a
5xx status or changes anything, and that the next valid call is answered. Then opens invalid data folders: a locked database, wrong modes, a
database of a newer version, no database, and invalid settings. Needs only Python."""

import json
import os
import queue
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "client"))
from watchpost_client import BATCHES, INITIALIZED, LEGACY, MODERN, envelope, http_headers, initialize, step, tool_call

BIN = Path(os.environ["BIN_DIR"])
SCRATCH = Path(tempfile.mkdtemp())
# Checkpoints of the audit trail go here and not to the folder of the user.
os.environ["XDG_STATE_HOME"] = str(SCRATCH / "state")
DATA = SCRATCH / "data"
PATIENCE = 5
MIB = 1 << 20


def call_text(name, arguments, era, number=1):
    return json.dumps(tool_call(name, arguments, "abuse", era, number)).encode()


def meta_of(era):
    """The `_meta` of a request of an era; `None` if the era has none."""
    return envelope("abuse") if era == MODERN else None


def is_error(message):
    """Whether a message is a well-formed JSON-RPC error or tool error."""
    if "error" in message:
        error = message["error"]
        assert message["jsonrpc"] == "2.0" and isinstance(error["code"], int) and error["message"], message
        return True
    return bool(message.get("result", {}).get("isError"))


class Reply:
    """The answer to a request: a status (only over HTTP) and messages."""

    def __init__(self, status, messages, body=b""):
        self.status, self.messages, self.body = status, messages, body

    def refused(self):
        if self.status is not None and 400 <= self.status < 500:
            return True
        return any(is_error(message) for part in self.messages for message in (part if isinstance(part, list) else [part]))

    def text(self):
        return self.body.decode("utf-8", "replace") if self.body else json.dumps(self.messages)


def http_exchange(address, head, body, close=False, patience=PATIENCE):
    """Sends one request on a new connection. Returns status, headers and body of the answer."""
    with socket.create_connection(address, timeout=patience) as wire:
        try:
            wire.sendall(head + body)
            if close:
                wire.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # The server answered before it received the whole request.
        return read_http(wire)


def read_http(wire):
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            more = wire.recv(65536)
            if not more:
                return None, {}, data
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        if "content-length" in headers:
            while len(body) < int(headers["content-length"]):
                more = wire.recv(65536)
                if not more:
                    break
                body += more
        elif "chunked" in headers.get("transfer-encoding", ""):
            while not body.endswith(b"0\r\n\r\n"):
                more = wire.recv(65536)
                if not more:
                    break
                body += more
        return int(lines[0].split()[1]), headers, body
    except ConnectionResetError:
        return None, {}, data


class Http:
    framed_by_line = False

    def __init__(self, url, key, era):
        parts = urlsplit(url)
        self.address, self.path, self.key, self.era = (parts.hostname, parts.port), parts.path, key, era
        self.name = f"/mcp, {era}"

    def head(self, length, method="tools/call", tool="get_risk_score", **more):
        headers = {"Host": f"{self.address[0]}:{self.address[1]}", "Content-Length": str(length)}
        headers |= http_headers(self.key, self.era, method, tool) | more
        return f"POST {self.path} HTTP/1.1\r\n".encode() + b"".join(f"{name}: {value}\r\n".encode() for name, value in headers.items() if value is not None) + b"\r\n"

    def send(self, body, tool="get_risk_score"):
        status, headers, content = http_exchange(self.address, self.head(len(body), tool=tool), body)
        assert status is not None, f"{self.name}: the connection was closed without an answer"
        assert status < 500, f"{self.name}: {status} {content[:300]!r}"
        messages = []
        if headers.get("content-type", "").startswith("application/json"):
            messages = [json.loads(content)]
            if status >= 400:
                assert messages[0]["error"], f"{self.name}: an error without a reason: {content!r}"
        elif headers.get("content-type", "").startswith("text/event-stream"):
            messages = [json.loads(line[5:]) for line in content.decode().splitlines() if line.startswith("data:") and line[5:].strip()]
        return Reply(status, messages, content)

    def good(self):
        reply = self.send(call_text("get_risk_score", {}, self.era))
        assert reply.status == 200 and reply.messages and not reply.refused(), f"{self.name}: the next valid call failed: {reply.status} {reply.text()[:300]}"

    def end(self):
        pass


class Lines:
    """A transport on which answers are not bound to requests."""

    def __init__(self):
        self.incoming, self.number = queue.Queue(), 1000

    def until(self, number, wants_error, wants_answer):
        """Reads messages until the answer to the valid call has arrived, and an error or another answer if one is expected. Returns the
        other messages."""
        seen, end, good = [], time.monotonic() + PATIENCE, False
        while not (good and (not wants_answer or seen) and (not wants_error or any(is_error(m) for part in seen for m in (part if isinstance(part, list) else [part])))):
            try:
                message = self.incoming.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{self.name}: no {'error' if good else 'answer to the valid call'} within {PATIENCE} s: {seen}") from None
            assert message is not None, f"{self.name}: the connection was closed"
            if isinstance(message, dict) and message.get("id") == number:
                assert not is_error(message), f"{self.name}: the next valid call failed: {message}"
                good = True
            else:
                seen.append(message)
        return seen

    def exchange(self, body, wants_error=True, wants_answer=False):
        status = self.put(body)
        self.number += 1
        self.put(call_text("get_risk_score", {}, self.era, self.number))
        refused_at_once = status is not None and status >= 400
        return Reply(status, self.until(self.number, wants_error and not refused_at_once, wants_answer))

    def send(self, body, tool=None, wants_error=True):
        return self.exchange(body, wants_error, wants_answer=tool is not None and not wants_error)

    def good(self):
        self.exchange(b'{"jsonrpc":"2.0","method":"notifications/nothing"}', wants_error=False)


class Stdio(Lines):
    framed_by_line = True

    def __init__(self, key, era, data=None):
        super().__init__()
        self.name, self.era = f"stdio, {era}", era
        self.process = subprocess.Popen(
            [BIN / "watchpost-stdio", "--data-dir", data or DATA],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(SCRATCH / "stdio.log", "a"), env={**os.environ, "WATCHPOST_API_KEY": key},
        )
        threading.Thread(target=self.read, daemon=True).start()
        if era != MODERN:
            self.put(json.dumps(initialize("abuse", era)).encode())
            assert self.incoming.get(timeout=PATIENCE)["result"]["protocolVersion"] == era
            self.put(json.dumps(INITIALIZED).encode())

    def read(self):
        for line in self.process.stdout:
            self.incoming.put(json.loads(line))
        self.incoming.put(None)

    def put(self, body):
        self.process.stdin.write(body + b"\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=PATIENCE) == 0, f"{self.name}: exited with code {self.process.returncode}"


class Sse(Lines):
    framed_by_line = False

    def __init__(self, url, key, era):
        super().__init__()
        parts = urlsplit(url)
        self.name, self.era, self.key, self.address = f"/sse and /messages, {era}", era, key, (parts.hostname, parts.port)
        self.stream = socket.create_connection(self.address, timeout=60)
        self.stream.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: text/event-stream\r\nX-Api-Key: {key}\r\n\r\n".encode())
        self.place = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.where = self.place.get(timeout=PATIENCE)
        self.put(json.dumps(initialize("abuse", era)).encode())
        assert "result" in self.incoming.get(timeout=PATIENCE)
        self.put(json.dumps(INITIALIZED).encode())

    def read(self):
        event = None
        for line in self.stream.makefile("rb"):
            line = line.decode().rstrip("\r\n")
            if line.startswith("event:"):
                event = line[6:].strip()
            elif line.startswith("data:"):
                if event == "endpoint":
                    self.place.put(line[5:].strip())
                else:
                    self.incoming.put(json.loads(line[5:]))
        self.incoming.put(None)

    def put(self, body):
        where = self.where if self.where.startswith("/") else urlsplit(self.where).path + "?" + urlsplit(self.where).query
        head = f"POST {where} HTTP/1.1\r\nHost: {self.address[0]}:{self.address[1]}\r\nContent-Type: application/json\r\nX-Api-Key: {self.key}\r\nContent-Length: {len(body)}\r\n\r\n"
        status, _, content = http_exchange(self.address, head.encode(), body)
        assert status is not None and status < 500, f"{self.name}: {status} {content[:300]!r}"
        return status

    def end(self):
        self.stream.shutdown(socket.SHUT_RDWR)
        self.stream.close()


def messages(era):
    """Tuples of a name, bytes, and whether they must be rejected (`None`: any well-formed answer is accepted)."""
    good = call_text("get_risk_score", {}, era)
    meta = json.dumps(meta_of(era) or {}).encode()

    def call(arguments, before=b"", after=b""):
        return b'{"jsonrpc":"2.0","id":1,"method":"tools/call",' + before + b'"params":{"name":"get_risk_score","arguments":' + arguments + b',"_meta":' + meta + b"}" + after + b"}"

    yield "words", b"nonsense", True
    yield "a string", b'"text"', True
    yield "a number", b"1", True
    yield "null", b"null", True
    yield "an empty list", b"[]", True
    yield "a list of numbers", b"[1,2]", True
    yield "two values", good + good, True
    yield "an unfinished object", b'{"jsonrpc":"2.0",', True
    for part in range(1, 12):
        yield f"cut after {part}/12", good[: len(good) * part // 12], True
    yield "NUL first", b"\0" + good, True
    yield "NUL last", good + b"\0", True
    yield "NUL in a string", good.replace(b"get_risk_score", b"get_risk\0_score"), True
    yield "a byte order mark", b"\xef\xbb\xbf" + good, None
    yield "invalid UTF-8", good.replace(b"get_risk_score", b"get_risk\xff\xfe"), True
    yield "an overlong UTF-8 form", good.replace(b"get_risk_score", b"get_risk\xc0\xaf"), True
    yield "half a surrogate pair", good.replace(b"get_risk_score", b"get_risk\\ud800"), True
    yield "UTF-16", good.decode().encode("utf-16").replace(b"\n", b" "), True
    yield "100 objects deep", call(b'{"a":' * 100 + b"1" + b"}" * 100), True
    yield "100 lists deep", call(b'{"a":' + b"[" * 100 + b"]" * 100 + b"}"), True
    yield "100,000 lists deep", b"[" * 100_000, True
    yield "100,000 objects deep", call(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), True
    yield "method twice", call(b"{}", before=b'"method":"tools/list",'), True
    yield "id twice", call(b"{}", before=b'"id":2,'), True
    yield "params twice", call(b"{}", after=b',"params":{}'), True
    yield "a duplicate argument", call(b'{"a":1,"a":2}'), True
    yield "a duplicate key by escape", call(b"{}", before=b'"m\\u0065thod":"tools/list",'), True
    yield "version 1.0", good.replace(b'"2.0"', b'"1.0"'), True
    yield "no version", good.replace(b'"jsonrpc": "2.0", ', b""), True
    yield "a number as version", good.replace(b'"2.0"', b"2.0"), True
    yield "id null", good.replace(b'"id": 1', b'"id": null'), True
    yield "an object as id", good.replace(b'"id": 1', b'"id": {}'), True
    yield "a list as id", good.replace(b'"id": 1', b'"id": [1]'), True
    yield "a boolean as id", good.replace(b'"id": 1', b'"id": true'), True
    yield "a huge number as id", good.replace(b'"id": 1', b'"id": 1e999'), True
    yield "a huge id", good.replace(b'"id": 1', b'"id": "' + b"x" * 100_000 + b'"'), None
    yield "a number as method", good.replace(b'"tools/call"', b"7"), True
    yield "an unknown method", good.replace(b'"tools/call"', b'"tools/nothing"'), True
    yield "a list as params", b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["get_risk_score"]}', True
    yield "a string as params", b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"get_risk_score"}', True
    yield "no params", b'{"jsonrpc":"2.0","id":1,"method":"tools/call"}', True
    yield "a number as tool", good.replace(b'"get_risk_score"', b"7"), True
    yield "an unknown tool", good.replace(b'"get_risk_score"', b'"get_nothing"'), True
    yield "a list as meta", b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_risk_score","_meta":[]}}', True
    for value in (b"5", b'"text"', b"[]", b"true"):
        yield f"{value.decode()} as arguments", call(value), True
    yield "a batch", b"[" + good + b"," + good.replace(b'"id": 1', b'"id": 2') + b"]", era != BATCHES
    yield "a batch with nonsense in it", b"[" + good + b",7]", True
    yield "a batch of 10,000", b"[" + b",".join([b"7"] * 10_000) + b"]", True
    yield "1 MiB and a byte", good[:-1] + b" " * (MIB + 1 - len(good)) + b"}", True
    yield "8 MiB", good[:-1] + b" " * (8 * MIB) + b"}", True
    yield "1 MiB to the byte", good[:-1] + b" " * (MIB - len(good)) + b"}", False


class Raw:
    """JSON text that `json.dumps` doesn't produce."""

    def __init__(self, text):
        self.text = text


def wrong_values(form, required):
    """Values that are invalid for an argument with this schema."""
    yield from (5.5, {}, {"a": 1}, Raw("1e999"), Raw("-0.1"))
    if form["type"] == "boolean":
        yield from (7, 0, "nonsense", [], [True])
        return
    yield True
    # For an optional argument, null and an empty string mean that it is absent.
    if required:
        yield from (None, "")
    if form["type"] == "string":
        yield from (7, [], ["x"])
        yield from ["nonsense", "HIGH", " "] if "enum" in form else ["x" * 100_000]
    elif form["type"] == "integer":
        yield from ("seven", "7.5", [], [7], -1, form.get("minimum", 0) - 1, form["maximum"] + 1, 1_000_000_000, Raw("1e300"), Raw("99999999999999999999999"), Raw("7.000001"))
    else:
        yield from (7, "nonsense", '["high"', ["nonsense"], [7], [None], [["high"]], [{}], ["high"] * 10_000)


def tool_calls(tools, things):
    """Tuples of a tool, its arguments as JSON text, the argument that the answer must name, and whether it must be an error. A query
    ignores arguments that it doesn't have and says so."""
    for tool, declaration in sorted(tools.items()):
        schema, is_query = declaration["inputSchema"], declaration["annotations"]["readOnlyHint"]
        required = {name: things[name] for name in schema.get("required", [])}

        def written(name, value):
            rest = [f"{json.dumps(key)}:{json.dumps(kept)}" for key, kept in required.items() if key != name]
            text = value.text if isinstance(value, Raw) else json.dumps(value)
            return "{" + ",".join([*rest, f"{json.dumps(name)}:{text}"]) + "}"

        for name, form in schema["properties"].items():
            for value in wrong_values(form, name in required):
                # A number is a number of days.
                if name == "since" and value == 7:
                    continue
                yield tool, written(name, value), name, True
        for name in ("nothing", "workspace_id"):
            yield tool, written(name, "x"), name, not is_query
        for omitted in required:
            yield tool, json.dumps({name: value for name, value in required.items() if name != omitted}), omitted, True


def abuse(transport, tools, things):
    refused = 0
    for name, body, must in messages(transport.era):
        if transport.framed_by_line and b"\n" in body:
            continue
        what = f"{transport.name}: {name}"
        if isinstance(transport, Lines):
            reply = transport.send(body, wants_error=must is True)
        else:
            reply = transport.send(body)
        if must is not None:
            assert reply.refused() == must, f"{what}: {reply.status} {reply.text()[:300]}"
        transport.good()
        refused += 1
    for tool, arguments, argument, refuses in tool_calls(tools, things):
        what = f"{transport.name}: {tool} {arguments[:200]}"
        meta = meta_of(transport.era)
        body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"' + tool + '","arguments":' + arguments + (',"_meta":' + json.dumps(meta) if meta else "") + "}}"
        if isinstance(transport, Lines):
            reply = transport.send(body.encode(), tool=tool, wants_error=refuses)
        else:
            reply = transport.send(body.encode(), tool=tool)
        assert reply.refused() == refuses, f"{what}: {reply.status} {reply.text()[:300]}"
        assert argument in reply.text() or "1e999" in arguments, f"{what}: the answer doesn't name `{argument}`: {reply.text()[:400]}"
        assert not refuses or len(reply.text()) < 4000, f"{what}: a long error: {reply.text()[:300]}"
        refused += 1
    transport.good()
    transport.end()
    return refused


def http_abuse(url, key):
    """Sends requests that are invalid at the level of HTTP."""
    wire = Http(url, key, MODERN)
    good, legacy = call_text("get_risk_score", {}, MODERN), call_text("get_risk_score", {}, LEGACY)
    host = f"{wire.address[0]}:{wire.address[1]}"
    start = f"POST {wire.path} HTTP/1.1\r\nHost: {host}\r\nX-Api-Key: {key}\r\nContent-Type: application/json\r\n".encode()
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    cases = [
        ("plain text", wire.head(len(good), **{"Content-Type": "text/plain"}), good, {415}),
        ("no content type", wire.head(len(good), **{"Content-Type": None}), good, {415, 400}),
        ("no key", wire.head(len(good), **{"X-Api-Key": None}), good, {401}),
        ("a wrong key", wire.head(len(good), **{"X-Api-Key": "wp_" + "0" * 36}), good, {401}),
        ("a key with NUL", wire.head(len(good), **{"X-Api-Key": "wp_\0"}), good, {400, 401}),
        ("two keys", wire.head(len(good), Authorization="Bearer wp_" + "0" * 36), good, {401}),
        ("another site's page", wire.head(len(good), Origin="https://elsewhere.example"), good, {403}),
        ("another host's name", wire.head(len(good), Host="elsewhere.example"), good, {400, 403, 421}),
        ("no host", wire.head(len(good), Host=None), good, {400}),
        ("an unknown revision", wire.head(len(good), **{"MCP-Protocol-Version": "1999-01-01"}), good, {400}),
        ("another method in the header", wire.head(len(good), method="tools/list"), good, {400}),
        ("another tool in the header", wire.head(len(good), tool="list_rules"), good, {400}),
        ("a header of 64 KiB", wire.head(len(good), **{"X-Long": "x" * 65536}), good, {431, 400}),
        ("2,000 headers", start + b"".join(f"X-{n}: 1\r\n".encode() for n in range(2_000)) + b"\r\n", b"", {431, 400}),
        ("a path of 16 KiB", b"POST /" + b"x" * 16384 + b" HTTP/1.1\r\nHost: " + host.encode() + b"\r\n\r\n", b"", {414, 404, 400, 431}),
        ("an unknown path", wire.head(len(good)).replace(b"/mcp ", b"/nothing "), good, {404}),
        ("a path that climbs", wire.head(len(good)).replace(b"/mcp ", b"/../../etc/passwd "), good, {400, 404}),
        ("PUT", wire.head(len(good)).replace(b"POST", b"PUT"), good, {405}),
        ("GET", wire.head(0).replace(b"POST", b"GET"), b"", {405, 406}),
        ("an invented method", wire.head(len(good)).replace(b"POST", b"FROB"), good, {405, 400, 501}),
        ("a length of words", start + b"Content-Length: many\r\n\r\n", good, {400}),
        ("a negative length", start + b"Content-Length: -1\r\n\r\n", good, {400}),
        ("two lengths", start + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", good, {400}),
        ("a length of 10^11", start + b"Content-Length: 100000000000\r\n\r\n", b"{", {413}),
        ("2 MiB in chunks", start + b"Transfer-Encoding: chunked\r\n\r\n", chunk * 32 + b"0\r\n\r\n", {413}),
        ("a chunk of words", start + b"Transfer-Encoding: chunked\r\n\r\n", b"many\r\n{}\r\n0\r\n\r\n", {400}),
        ("compressed", wire.head(len(good), **{"Content-Encoding": "gzip"}), good, {400, 415}),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), b"\r\n\r\n", {400, None}),
        ("an empty body", wire.head(0), b"", {400}),
        ("a session nobody has", Http(url, key, LEGACY).head(len(legacy), **{"Mcp-Session-Id": "nobody"}), legacy, {404}),
        ("messages for nobody", wire.head(len(good)).replace(b"/mcp ", b"/messages?session_id=nobody "), good, {400, 404}),
        ("messages for none", wire.head(len(good)).replace(b"/mcp ", b"/messages "), good, {400, 404}),
    ]
    found = []
    for name, head, body, right in cases:
        try:
            status, _, content = http_exchange(wire.address, head, body)
        except TimeoutError:
            found.append(f"{name}: no answer within {PATIENCE} s")
            continue
        if status not in right:
            found.append(f"{name}: status {status} instead of {right}: {content[:200]!r}")
        wire.good()
    assert not found, "\n".join(found)
    # Requests that end early.
    for part in (1, 20, len(wire.head(len(good))), len(wire.head(len(good))) + 10):
        status, _, _ = http_exchange(wire.address, (wire.head(len(good)) + good)[:part], b"", close=True)
        assert status is None or 400 <= status < 500, f"a request that ends after {part} bytes: status {status}"
        wire.good()
    return len(cases) + 4


def locked(url, key, things):
    """Sends calls while another process holds the write lock for a second."""
    taken = subprocess.Popen(
        [sys.executable, "-c", "import sqlite3,sys,time\nc=sqlite3.connect(sys.argv[1],isolation_level=None,timeout=5)\nc.execute('BEGIN EXCLUSIVE')\nprint('held',flush=True)\ntime.sleep(1)\nc.execute('ROLLBACK')", DATA / "watchpost.db"],
        stdout=subprocess.PIPE, text=True,
    )
    assert taken.stdout.readline().strip() == "held"
    began, outcomes = time.monotonic(), []

    def ask(tool, arguments):
        wire = Http(url, key, MODERN)
        reply = wire.send(call_text(tool, arguments, MODERN), tool=tool)
        outcomes.append((tool, reply.status, reply.refused(), reply.text(), time.monotonic() - began))

    asked = [("get_risk_score", {}), ("list_findings", {"limit": 3}), ("snooze_finding", {"finding_id": things["finding_id"], "days": 5}), ("set_app_policy", {"app": things["app"], "policy": "blocked"})]
    threads = [threading.Thread(target=ask, args=one) for one in asked]
    [thread.start() for thread in threads]
    [thread.join(timeout=PATIENCE) for thread in threads]
    assert len(outcomes) == len(asked), f"no answer within {PATIENCE} s while the database was locked: {outcomes}"
    for tool, status, refused, text, _ in outcomes:
        assert not refused or re.search("try again|can't be written|busy|locked", text, re.I), f"{tool}: {status} {text[:300]}"
    assert taken.wait(timeout=PATIENCE) == 0
    done = sum(not refused for _, _, refused, _, _ in outcomes)
    Http(url, key, MODERN).good()
    return f"{done} of {len(asked)} calls waited and succeeded, the others failed with the reason; all were answered within {max(took for *_, took in outcomes):.1f} s"


def program(words, env=None, stdin=subprocess.DEVNULL):
    """Runs a binary that should fail to start. Returns its exit code (`None` if it keeps running) and its output."""
    process = subprocess.Popen(words, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
    try:
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, err + out
    except subprocess.TimeoutExpired:
        process.terminate()
        out, err = process.communicate(timeout=PATIENCE)
        return None, err + out


def bad_files(key):
    """Starts each binary on each invalid data folder. Checks that it exits and says what to do."""

    def version(folder):
        connection = sqlite3.connect(folder / "watchpost.db")
        connection.execute("PRAGMA user_version = 999")
        connection.close()

    def whole_database(content):
        def change(folder):
            for end in ("-wal", "-shm"):
                (folder / f"watchpost.db{end}").unlink(missing_ok=True)
            old = (folder / "watchpost.db").read_bytes()
            (folder / "watchpost.db").write_bytes(content(old))
        return change

    cases = [
        ("a database that others may read", lambda f: (f / "watchpost.db").chmod(0o644), r"chmod|0600|mode|permission"),
        ("a master key that others may read", lambda f: (f / "master.key").chmod(0o644), r"chmod|0600|mode|permission"),
        ("a database of a newer version", version, r"newer|upgrade|update"),
        ("no master key", lambda f: (f / "master.key").unlink(), r"master\.key|master key"),
        ("another master key", lambda f: (f / "master.key").write_bytes(os.urandom(32)), r"master\.key|master key"),
        ("a master key of 31 bytes", lambda f: (f / "master.key").write_bytes(bytes(31)), r"32 bytes"),
        ("a text instead of a database", whole_database(lambda old: b"this is no database\n" * 500), r"database"),
        ("an empty database file", whole_database(lambda old: b""), r"is empty"),
        ("half a database", whole_database(lambda old: old[: len(old) // 2]), r"database|damaged|malformed"),
        ("a folder instead of a database", lambda f: ((f / "watchpost.db").unlink(), (f / "watchpost.db").mkdir(mode=0o700)), r"not a file"),
        ("no database", lambda f: (f / "watchpost.db").unlink(), r"init"),
        ("no folder", shutil.rmtree, r"init"),
        ("settings that aren't TOML", lambda f: (f / "watchpost.toml").write_text("[http\n"), r"watchpost\.toml"),
        ("an unknown setting", lambda f: (f / "watchpost.toml").write_text("[http]\nlistn = 1\n"), r"listn"),
        ("a setting of the wrong type", lambda f: (f / "watchpost.toml").write_text("[limits]\nrequests_per_hour = \"many\"\n"), r"requests_per_hour"),
    ]
    found = []
    for name, change, says in cases:
        for binary in ("watchpost", "watchpost-http", "watchpost-stdio", "watchpost-sse"):
            folder = SCRATCH / "broken"
            shutil.copytree(DATA, folder)
            change(folder)
            words = [BIN / binary, "--data-dir", folder] + (["score"] if binary == "watchpost" else [] if binary == "watchpost-stdio" else ["--listen", "127.0.0.1:0"])
            code, said = program(words, {"WATCHPOST_API_KEY": key} if binary == "watchpost-stdio" else None)
            if code in (0, None) or not re.search(says, said) or re.search(r"panicked|RUST_BACKTRACE", said):
                found.append(f"{name}: {binary} exited with code {code} and printed: {said.strip()[:400]}")
            if "-v" in sys.argv and binary != "watchpost-sse":
                print(f"    {name}: {binary}: {code}: {said.strip()}")
            shutil.rmtree(folder, ignore_errors=True)
    assert not found, "\n".join(found)
    return len(cases)


def state(url, key):
    wire = Http(url, key, MODERN)
    listed = wire.send(call_text("list_findings", {"limit": 100, "status": ["open", "in_progress", "resolved", "dismissed", "snoozed"]}, MODERN), tool="list_findings")
    with sqlite3.connect(f"file:{DATA / 'watchpost.db'}?mode=ro", uri=True, timeout=10) as connection:
        generation = connection.execute("SELECT generation, key_generation FROM workspaces").fetchall()
        remediations = connection.execute("SELECT count(*) FROM remediations").fetchall()
        running = connection.execute("SELECT count(*) FROM jobs WHERE state IN (0, 1)").fetchall()
    connection.close()
    return generation, remediations, running, listed.messages[0]["result"]["structuredContent"]


def main():
    log = open(SCRATCH / "log", "w")
    info_file = SCRATCH / "info.json"
    server = subprocess.Popen(
        [BIN / "watchpost-http", "--demo", "--listen", "127.0.0.1:0", "--data-dir", DATA, "--demo-info", info_file],
        stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, "WATCHPOST_LIMITS_REQUESTS_PER_HOUR": "0"},
    )
    try:
        end = time.monotonic() + 60
        while not info_file.exists():
            if server.poll() is not None or time.monotonic() > end:
                raise SystemExit("the demo didn't start: " + (SCRATCH / "log").read_text()[-2000:])
            time.sleep(0.05)
        info = json.loads(info_file.read_text())
        url, key = info["mcp_url"], info["write_key"]
        wire = Http(url, key, MODERN)
        listed = wire.send(call_text("list_findings", {"limit": 100}, MODERN), tool="list_findings").messages[0]["result"]["structuredContent"]["findings"]
        things = {"finding_id": listed[0]["id"], "days": 7, "reason": "false_positive", "policy": "blocked", "scan_type": "compliance", "email": next(row["subject"]["email"] for row in listed if row["subject"].get("email"))}
        things["app"] = next(row["subject"]["id"] for row in listed if row["subject"]["type"] == "app")
        head = wire.head(0, method="tools/list").replace(b"Mcp-Name: get_risk_score\r\n", b"")
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": envelope("abuse")}}).encode()
        _, _, content = http_exchange(wire.address, head.replace(b"Content-Length: 0", f"Content-Length: {len(body)}".encode()), body)
        tools = {tool["name"]: tool for tool in json.loads(content)["result"]["tools"]}
        assert len(tools) == 20
        before = state(url, key)

        transports = [
            lambda: Http(url, key, MODERN), lambda: Http(url, key, LEGACY), lambda: Http(url, key, BATCHES),
            lambda: Sse(info["sse_url"], key, "2024-11-05"), lambda: Stdio(key, MODERN), lambda: Stdio(key, LEGACY), lambda: Stdio(key, BATCHES),
        ]
        for make in transports:
            transport = make()
            step(f"{transport.name}: {abuse(transport, tools, things)} invalid messages, each answered and followed by a valid call")
        step(f"HTTP: {http_abuse(url, key)} invalid requests")
        assert state(url, key) == before, "a rejected call changed something"
        step("none of them changed anything")
        step(f"a database locked for a second: {locked(url, key, things)}")
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=30)
        log.close()
    assert code == 0, f"the server exited with code {code}"
    for name in ("log", "stdio.log"):
        said = (SCRATCH / name).read_text()
        assert "panicked" not in said, said[-2000:]
    (DATA / "watchpost.toml").unlink()
    step(f"{bad_files(key)} invalid data folders: each binary says what is wrong and exits")
    shutil.rmtree(SCRATCH)
    print("bad input: passed")


main()
