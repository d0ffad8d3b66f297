"""A small MCP client for the scripts under `tests/`: messages of both eras, HTTP on a kept connection, standard input and output, and the
waiting and telling that the scripts share. Needs nothing but Python. A script finds it by

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "client"))
"""

import http.client
import json
import os
import subprocess
import time
from urllib.parse import urlsplit

# The stateless revision, the newest with sessions, and the one that has batches.
MODERN, LEGACY, BATCHES = "2026-07-28", "2025-11-25", "2025-03-26"


def step(text):
    print(f"- {text}", flush=True)


def wait_until(what, condition, seconds=60, pause=0.05):
    """The first true value of a condition."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise SystemExit(f"gave up waiting for: {what}")


def envelope(client):
    """What every request of the stateless revision carries in `_meta`."""
    return {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": client, "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }


def request(method, params, client, era=MODERN, number=1):
    """A request of an era. The parameters given stay as they are."""
    if era == MODERN:
        params = {**params, "_meta": envelope(client)}
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def tool_call(name, arguments, client, era=MODERN, number=1):
    return request("tools/call", {"name": name, "arguments": arguments}, client, era, number)


def initialize(client, era, number=0):
    """The first request of the eras with sessions."""
    params = {"protocolVersion": era, "capabilities": {}, "clientInfo": {"name": client, "version": "1"}}
    return {"jsonrpc": "2.0", "id": number, "method": "initialize", "params": params}


INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def http_headers(key, era=MODERN, method=None, name=None):
    """The headers of a POST. The stateless revision repeats the method, and the name of what is called, in headers."""
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "X-Api-Key": key, "MCP-Protocol-Version": era}
    if era == MODERN and method:
        headers["Mcp-Method"] = method
        if name:
            headers["Mcp-Name"] = name
    return headers


class Answer:
    """An answer: its HTTP status, its body, and the result in it, if it has one."""

    def __init__(self, status, body):
        self.status, self.body = status, body
        try:
            self.result = json.loads(body).get("result")
        except ValueError:
            self.result = None

    @property
    def good(self):
        """The result of a request that was answered."""
        assert self.status == 200 and self.result is not None, f"{self.status} {self.body[:300]}"
        return self.result

    @property
    def structured(self):
        """What a tool that succeeded gave."""
        assert not self.good.get("isError"), self.body
        return self.good["structuredContent"]


class HttpClient:
    """Speaks over one kept connection, without a session."""

    def __init__(self, url, key, client, era=MODERN, answer=Answer):
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        self.path, self.key, self.client, self.era, self.answer = parts.path, key, client, era, answer

    def post(self, body, headers):
        """One exchange. Of an event stream, the last message that answers."""
        self.connection.request("POST", self.path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read().decode()
        if answer.getheader("Content-Type", "").startswith("text/event-stream"):
            content = next(line[5:].strip() for line in reversed(content.splitlines()) if line.startswith("data:") and '"id"' in line)
        return self.answer(answer.status, content)

    def send(self, method, params, name=None):
        body = json.dumps(request(method, params, self.client, self.era))
        return self.post(body, http_headers(self.key, self.era, method, name))

    def call(self, name, **arguments):
        return self.send("tools/call", {"name": name, "arguments": arguments}, name)


class StdioClient:
    """Speaks to a process over its standard input and output, one message a line."""

    def __init__(self, command, client, era=MODERN, env=None, answer=Answer):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **(env or {})}
        )
        self.client, self.era, self.answer = client, era, answer

    def put(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def exchange(self, message):
        """Sends a request and reads until its answer, past notifications."""
        self.put(message)
        while True:
            line = self.process.stdout.readline()
            assert line, f"{self.process.args[0]} ended"
            if json.loads(line).get("id") == message["id"]:
                return self.answer(200, line)

    def send(self, method, params):
        # One at a time, and always the same number, so that answers can be compared.
        return self.exchange(request(method, params, self.client, self.era))

    def call(self, name, **arguments):
        return self.send("tools/call", {"name": name, "arguments": arguments})

    def end(self, seconds=20):
        """Closes its input. Gives its exit code."""
        self.process.stdin.close()
        return self.process.wait(timeout=seconds)
