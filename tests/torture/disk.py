"""The disk under a server reports errors, is full, or is locked, while clients go on. Readiness is red within 5 s and answers within a
second, changes are refused with 503 or a tool error that says that nothing was changed, reads go on where their audit entry can be
written, the log has a line and not one per call, and everything works again by itself. After a kill, no refused change is there."""

import http.client
import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "shared"))
from disk import Disk
from target import BIN_DIR, FULL, Target, call, check, until
from watchpost_client import LEGACY, http_headers, tool_call

CALLS = 200 if FULL else 30


def get(target, path):
    """The status, the seconds and the body of a probe."""
    start = time.monotonic()
    connection = http.client.HTTPConnection(*target.address, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, time.monotonic() - start, body


def post(target, headers, body):
    connection = http.client.HTTPConnection(*target.address, timeout=30)
    connection.request("POST", "/mcp", body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.getheader("Content-Type", "").startswith("text/event-stream"):
        text = next(line[5:].strip() for line in reversed(text.splitlines()) if line.startswith("data:") and '"id"' in line)
    return answer, json.loads(text)


def change(target, app, policy):
    return post(target, *call("set_app_policy", {"app": app, "policy": policy}, target.write_key))


def change_as_legacy(target, app, policy):
    body = json.dumps(tool_call("set_app_policy", {"app": app, "policy": policy}, "torture", LEGACY)).encode()
    return post(target, http_headers(target.write_key, LEGACY), body)


def read(target):
    return post(target, *call("get_risk_score", {}, target.read_key))


def lines_of_log(target):
    return [line for line in target.log.read_text(encoding="utf-8").splitlines() if "ERROR" in line or "WARN" in line]


def policies(data):
    with sqlite3.connect(data / "watchpost.db", timeout=20) as db:
        return dict(db.execute("SELECT name, policy FROM apps"))


def single_app(data):
    """An app whose name no other one has."""
    with sqlite3.connect(data / "watchpost.db", timeout=20) as db:
        return db.execute("SELECT name FROM apps GROUP BY name HAVING count(*) = 1 ORDER BY name").fetchone()[0]


def outage(target, disk, fault, app, reads_go_on):
    """One kind of failing disk, from its beginning to its end."""
    before = len(lines_of_log(target))
    disk.fails(fault)
    check(until(lambda: get(target, "/readyz")[0] == 503, 5), f"{fault}: readiness is red within 5 s")
    slowest = max(get(target, "/readyz")[1] for _ in range(5))
    check(slowest < 1, f"{fault}: readiness answers in {slowest:.2f} s")
    check(get(target, "/healthz")[0] == 200, f"{fault}: the process is healthy")
    for number in range(CALLS):
        answer, body = change(target, app, ("sanctioned", "blocked")[number % 2])
        message = body.get("error", {}).get("message", "")
        assert answer.status == 503 and answer.getheader("Retry-After"), (answer.status, body)
        assert "Safe to retry: yes, because nothing was changed" in message, message
    answer, body = change_as_legacy(target, app, "blocked")
    legacy = body["result"]["content"][0]["text"]
    check(answer.status == 200 and body["result"]["isError"] and "nothing was changed" in legacy, f"{fault}: {CALLS} changes are refused with 503, for a legacy client with a tool error: {legacy}")
    answer, body = read(target)
    if reads_go_on:
        check(answer.status == 200 and not body["result"].get("isError"), f"{fault}: reads go on")
    else:
        check(answer.status == 503, f"{fault}: a read without its audit entry is refused")
    disk.fails(None)
    start = time.monotonic()
    check(until(lambda: get(target, "/readyz")[0] == 200, 5), f"{fault}: readiness is green {time.monotonic() - start:.1f} s after the end")
    lines = lines_of_log(target)[before:]
    # A line a minute, whatever the reason: only the first outage of this script surely has one.
    least = 1 if fault == "fsync" else 0
    check(least <= len(lines) <= 8, f"{fault}: the log has {len(lines)} lines about {CALLS} refused calls")


def held_lock(target, data):
    db = sqlite3.connect(data / "watchpost.db", timeout=20, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    probes = []

    def red():
        probes.append(get(target, "/readyz"))
        return probes[-1][0] == 503

    check(until(red, 5), "lock: readiness is red within 5 s")
    end = time.monotonic() + 3
    while time.monotonic() < end:
        probes.append(get(target, "/readyz"))
    slowest = max(seconds for _, seconds, _ in probes)
    check(slowest < 1, f"lock: readiness answers in {slowest:.2f} s")
    check(probes[-1][0] == 503, f"lock: readiness stays red: {probes[-1][2]}")
    db.execute("ROLLBACK")
    db.close()
    check(until(lambda: get(target, "/readyz")[0] == 200, 8), "lock: readiness is green after its end")


def main():
    disk = Disk()
    disk.fails(None)
    with Target(settings=disk.env) as target:
        data = Path(target.folder.name) / "data"
        app = single_app(data)
        answer, body = change(target, app, "sanctioned")
        assert answer.status == 200 and not body["result"].get("isError"), body
        outage(target, disk, "fsync", app, reads_go_on=True)
        outage(target, disk, "full", app, reads_go_on=False)
        outage(target, disk, "write", app, reads_go_on=False)
        held_lock(target, data)

        before = policies(data)
        disk.fails("fsync")
        for number, app in enumerate(sorted(before)[:20]):
            change(target, app, "sanctioned" if number % 2 else "blocked")
        target.process.send_signal(signal.SIGKILL)
        target.process.wait()
        check(policies(data) == before, "no change that was refused before a kill is there after it")
        found = subprocess.run([BIN_DIR / "watchpost", "--data-dir", data, "audit", "verify"], capture_output=True, text=True)
        check(found.returncode == 0, f"the chain is valid: {found.stdout.strip()}{found.stderr.strip()}")


main()
