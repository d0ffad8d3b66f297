"""The server that a part works on: the demo on a port of its own, with an optional limit of open files."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "client"))
from watchpost_client import http_headers, tool_call, wait_until

BIN_DIR = Path(os.environ["BIN_DIR"])
FULL = "--full" in sys.argv[1:]


class Target:
    """A running demo. Use it with `with`: the server is stopped at the end, and its folder is removed."""

    def __init__(self, open_files=None, settings=None):
        self.folder = tempfile.TemporaryDirectory(prefix="watchpost-torture-")
        folder = Path(self.folder.name)
        self.log = folder / "log"
        info = folder / "info.json"
        command = [BIN_DIR / "watchpost-http", "--demo", "--listen", "127.0.0.1:0", "--data-dir", folder / "data", "--demo-info", info]

        def limit():
            if open_files:
                resource.setrlimit(resource.RLIMIT_NOFILE, open_files)

        env = {**os.environ, "WATCHPOST_LIMITS_REQUESTS_PER_HOUR": "0", **(settings or {})}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, preexec_fn=limit, env=env)

        def started():
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")[-2000:]
            return info.exists()

        wait_until("the demo", started, 120)
        keys = json.loads(info.read_text(encoding="utf-8"))
        self.url, self.read_key, self.write_key = keys["mcp_url"], keys["read_key"], keys["write_key"]
        parts = urlsplit(self.url)
        self.address = (parts.hostname, parts.port)
        self.authority = f"{parts.hostname}:{parts.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def mib(self, field="VmRSS"):
        """The memory of the server, in MiB. `VmHWM` is the highest value so far."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field)) / 1024

    def reset_peak(self):
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="ascii")

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def call(name, arguments, key):
    """The headers and the body of a tool call."""
    return http_headers(key, method="tools/call", name=name), json.dumps(tool_call(name, arguments, "torture")).encode()


def check(condition, text):
    if not condition:
        raise SystemExit(f"FAILED: {text}")
    print(f"- {text}", flush=True)


def until(condition, seconds):
    """Whether a condition becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())
