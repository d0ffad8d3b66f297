"""A small MCP client for the scripts in `tests/`: messages of both eras, HTTP on a persistent connection, standard input and output, and
the functions for waiting and printing that the scripts share. Needs only Python. A script imports it after

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "client"))
"""

import http.client
import json
import os
import subprocess
import time
from urllib.parse import urlsplit

# The stateless revision, the newest one with sessions, and the one with batches.
MODERN, LEGACY, BATCHES = "2026-07-28", "2025-11-25", "2025-03-26"


def step(text):
    print(f"- {text}", flush=True)


def wait_until(what, condition, seconds=60, pause=0.05):
    """Waits until a condition is true and returns its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise SystemExit(f"timed out after {seconds} s waiting for: {what}")


def envelope(client):
    """The `_meta` of every request of the stateless revision."""
    return {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": client, "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }


def request(method, params, client, era=MODERN, number=1):
    """A request of an era. Doesn't change the given parameters."""
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
    """The headers of a POST. The stateless revision repeats the method and the name of the tool, prompt or resource in headers."""
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "X-Api-Key": key, "MCP-Protocol-Version": era}
    if era == MODERN and method:
        headers["Mcp-Method"] = method
        if name:
            headers["Mcp-Name"] = name
    return headers


class Answer:
    """An answer: its HTTP status, its body, and its result, if it has one."""

    def __init__(self, status, body):
        self.status, self.body = status, body
        try:
            self.result = json.loads(body).get("result")
        except ValueError:
            self.result = None

    @property
    def good(self):
        """The result of a successful request."""
        assert self.status == 200 and self.result is not None, f"{self.status} {self.body[:300]}"
        return self.result

    @property
    def structured(self):
        """The structured content of a successful tool call."""
        assert not self.good.get("isError"), self.body
        return self.good["structuredContent"]


class HttpClient:
    """A client over one persistent connection, without a session."""

    def __init__(self, url, key, client, era=MODERN, answer=Answer):
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        self.path, self.key, self.client, self.era, self.answer = parts.path, key, client, era, answer

    def post(self, body, headers):
        """Sends one request and returns the answer. In an event stream, that is the last message with an id."""
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
    """A client of a process over its standard input and output, with one message per line."""

    def __init__(self, command, client, era=MODERN, env=None, answer=Answer):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **(env or {})}
        )
        self.client, self.era, self.answer = client, era, answer

    def put(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def exchange(self, message):
        """Sends a request and returns its answer. Skips notifications."""
        self.put(message)
        while True:
            line = self.process.stdout.readline()
            assert line, f"{self.process.args[0]} ended"
            if json.loads(line).get("id") == message["id"]:
                return self.answer(200, line)

    def send(self, method, params):
        # One request at a time, always with the same id, so that answers can be compared.
        return self.exchange(request(method, params, self.client, self.era))

    def call(self, name, **arguments):
        return self.send("tools/call", {"name": name, "arguments": arguments})

    def end(self, seconds=20):
        """Closes the input of the process and returns its exit code."""
        self.process.stdin.close()
        return self.process.wait(timeout=seconds)
