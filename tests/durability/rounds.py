"""Kills `watchpost-http` with SIGKILL at random times while clients read and write, for a number of rounds. Checks after each round that no
acknowledged change is lost, that the audit trail has every answered call, that the chain is valid, and that the file is intact."""

import collections
import http.client
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "client"))
from watchpost_client import HttpClient

BIN = Path(os.environ["BIN_DIR"])
SCRATCH = Path(tempfile.mkdtemp())
# Checkpoints of the audit trail go here and not to the folder of the user.
os.environ["XDG_STATE_HOME"] = str(SCRATCH / "state")
DATA = SCRATCH / "data"
CLIENTS = 4
SEED = int(os.environ.get("SEED", "1"))


def start(first):
    address = SCRATCH / "out"
    out = open(address, "w")
    info = SCRATCH / "info.json"
    log = open(SCRATCH / "log", "a")
    words = ["--demo", "--demo-info", info] if first else []
    process = subprocess.Popen([BIN / "watchpost-http", "--listen", "127.0.0.1:0", "--data-dir", DATA, *words], stdout=out, stderr=log)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"the server exited with code {process.returncode}: {(SCRATCH / 'log').read_text()[-2000:]}")
        text = address.read_text()
        if first and info.exists():
            return process, json.loads(info.read_text())
        lines = [line.split() for line in text.splitlines() if "http://" in line]
        if not first and lines:
            url = next(word for word in lines[0] if word.startswith("http://")).rstrip("/,.")
            return process, url if url.endswith("/mcp") else url + "/mcp"
        time.sleep(0.01)
    raise SystemExit("the server did not start within 60 s")


def work(url, key, findings, apps, rng, acknowledged, answered, stop):
    client = HttpClient(url, key, "rounds")
    try:
        while not stop.is_set():
            kind = rng.random()
            if kind < 0.5:
                client.call("get_risk_score").good
                answered["get_risk_score"] += 1
            elif kind < 0.6:
                client.call("list_findings", severity="high", limit=5).good
                answered["list_findings"] += 1
            elif kind < 0.8:
                app = rng.choice(apps)
                policy = rng.choice(["sanctioned", "unauthorized", "blocked", "none"])
                acknowledged.append(("asked", app, policy))
                client.call("set_app_policy", app=app, policy=policy).good
                answered["set_app_policy"] += 1
                acknowledged.append(("policy", app, policy))
            else:
                finding = rng.choice(findings)
                days = rng.randint(1, 90)
                acknowledged.append(("asked", finding, days))
                client.call("snooze_finding", finding_id=finding, days=days).good
                answered["snooze_finding"] += 1
                acknowledged.append(("snoozed", finding, days))
    except (OSError, http.client.HTTPException):
        pass  # the server was killed


def cli(*words):
    return subprocess.run([BIN / "watchpost", "--data-dir", DATA, *words], capture_output=True, text=True, timeout=120)


def audited():
    """The number of calls per tool in the audit trail."""
    done = cli("audit", "export")
    if done.returncode != 0:
        raise SystemExit(f"audit export: {done.stderr}")
    counts = collections.Counter()
    for line in done.stdout.splitlines():
        row = json.loads(line)
        if row.get("channel") == "mcp":
            counts[row["operation"]] += 1
    return counts


def main():
    rounds = int(sys.argv[1])
    rng = random.Random(SEED)
    process, info = start(first=True)
    key = info["write_key"]
    client = HttpClient(info["mcp_url"], key, "rounds")
    everything = client.call("list_findings", limit=100).structured["findings"]
    apps = sorted({row["subject"]["id"] for row in everything if row["subject"]["type"] == "app"})
    findings = [row["id"] for row in everything if row["subject"]["type"] == "identity"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    (DATA / "watchpost.toml").write_text("[limits]\nrequests_per_hour = 0\n")
    # Each client has its own findings and apps, so that the last acknowledged change is the expected one.
    shares = [(findings[n::CLIENTS], apps[n::CLIENTS]) for n in range(CLIENTS)]
    assert all(mine and theirs for mine, theirs in shares), "the demo has too few findings or apps"
    answered_total = audited()
    changes = 0
    for number in range(1, rounds + 1):
        process, url = start(first=False)
        stop = threading.Event()
        logs = [[] for _ in range(CLIENTS)]
        answers = [collections.Counter() for _ in range(CLIENTS)]
        threads = [
            threading.Thread(target=work, args=(url, key, mine, theirs, random.Random(rng.random()), logs[n], answers[n], stop))
            for n, (mine, theirs) in enumerate(shares)
        ]
        for thread in threads:
            thread.start()
        time.sleep(rng.uniform(0.02, 0.5))
        process.kill()
        process.wait()
        stop.set()
        for thread in threads:
            thread.join()
        for counter in answers:
            answered_total += counter

        verdict = cli("audit", "verify")
        assert verdict.returncode == 0, f"round {number}: {verdict.stdout}{verdict.stderr}"
        trail = audited()
        for tool, count in answered_total.items():
            assert trail[tool] >= count, f"round {number}: {count} answered calls of {tool}, but {trail[tool]} in the audit trail"
        # The trail may have calls that the server didn't answer before it was killed.
        answered_total = trail
        with sqlite3.connect(f"file:{DATA / 'watchpost.db'}?mode=ro", uri=True) as database:
            (verdict,) = database.execute("PRAGMA integrity_check").fetchone()
        assert verdict == "ok", f"round {number}: {verdict}"
        policies = {row["id"]: row["policy"] for row in json.loads(cli("apps", "list", "--json").stdout)["apps"]}
        for log in logs:
            last = {}
            for kind, subject, value in log:
                if kind == "asked":
                    last.setdefault(subject, [None, None])[1] = value
                else:
                    last[subject] = [(kind, value), None]
                    changes += 1
            for subject, (acknowledged, unanswered) in last.items():
                if acknowledged is None:
                    continue
                kind, value = acknowledged
                if kind == "policy":
                    assert policies.get(subject) in (value, unanswered), f"round {number}: {subject} is {policies.get(subject)}, not {value}"
                else:
                    row = json.loads(cli("findings", "show", subject, "--json").stdout)
                    assert row["status"] == "snoozed", f"round {number}: {subject} is {row['status']}, not snoozed"
    shutil.rmtree(SCRATCH)
    print(f"kill -9: {rounds} rounds, {changes} acknowledged changes, {sum(answered_total.values())} audited calls, nothing lost")


main()
