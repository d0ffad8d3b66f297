"""Several processes on one database: of many keys that are created at the same time exactly ten become active, and each job is run once,
whichever process takes it."""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "shared"))
from target import BIN_DIR, FULL, Target, check, until
from watchpost_client import HttpClient, wait_until

KEYS_MAX = 10
ROUNDS, PARALLEL = (6, 32) if FULL else (2, 16)
SECONDS = 60 if FULL else 6
FINISHED = ("integration.synced", "scan.completed", "scan.failed", "analysis.completed")


def watchpost(data, *words):
    return subprocess.Popen([BIN_DIR / "watchpost", "--json", "--data-dir", data, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def keys(scratch):
    for number in range(ROUNDS):
        data = scratch / f"keys-{number}"
        made = watchpost(data, "init")
        assert made.wait(60) == 0, made.stderr.read()
        creating = [watchpost(data, "keys", "create", "--label", f"key {n}") for n in range(PARALLEL)]
        codes = Counter()
        for process in creating:
            _, err = process.communicate(timeout=120)
            codes[process.returncode] += 1
            assert process.returncode in (0, 4), err
        listed = watchpost(data, "keys", "list")
        rows = json.loads(listed.communicate(timeout=60)[0])["keys"]
        assert codes[0] == len(rows) == KEYS_MAX, f"{codes}, {len(rows)} keys"
    check(True, f"{ROUNDS} times {PARALLEL} keys were created at the same time: {KEYS_MAX} are active each time, the others were refused")


class Server:
    """A further server on the data of the demo."""

    def __init__(self, data, log):
        self.out = log.with_suffix(".out")
        with open(self.out, "w") as out, open(log, "w") as errors:
            self.process = subprocess.Popen([BIN_DIR / "watchpost-http", "--listen", "127.0.0.1:0", "--data-dir", data], stdout=out, stderr=errors)
        said = wait_until("a server", lambda: "listening on " in self.out.read_text() and self.out.read_text(), 60)
        self.url = f"{said.split()[2].rstrip('/')}/mcp" if not said.split()[2].endswith("/mcp") else said.split()[2]

    def stop(self):
        self.process.terminate()
        assert self.process.wait(60) == 0


def queue(url, key, integrations, end, errors):
    client = HttpClient(url, key, "processes")
    try:
        while not end.is_set():
            client.call("trigger_sync").good
            for integration, platform in integrations:
                for kind in ("compliance", "exposure") if platform == "m365" else ("exposure",):
                    client.call("start_scan", scan_type=kind, integration_id=integration, read_settings=False).good
            time.sleep(0.2)
    except AssertionError as error:
        errors.append(str(error))


def jobs(target, scratch):
    data = Path(target.folder.name) / "data"
    servers = [Server(data, scratch / f"server-{n}.log") for n in range(2)]
    urls = [target.url, *(server.url for server in servers)]
    rows = HttpClient(target.url, target.read_key, "processes").call("get_integrations").structured["integrations"]
    integrations = [(row["id"], row["platform"]) for row in rows]
    end, errors = threading.Event(), []
    with closing(sqlite3.connect(data / "watchpost.db", timeout=30)) as database:
        first = database.execute("SELECT max(seq) FROM audit_entries").fetchone()[0]
        threads = [threading.Thread(target=queue, args=(url, target.write_key, integrations, end, errors)) for url in urls]
        for thread in threads:
            thread.start()
        time.sleep(SECONDS)
        end.set()
        for thread in threads:
            thread.join()
        assert not errors, errors[:3]

        def unfinished():
            return database.execute("SELECT count(*) FROM jobs WHERE kind <= 2 AND finished_at IS NULL AND state < 2").fetchone()[0]

        assert until(lambda: unfinished() == 0, 120), f"{unfinished()} jobs aren't finished"
        ended = database.execute(
            f"SELECT actor_id, action FROM audit_entries WHERE seq > ? AND action IN ({','.join('?' * len(FINISHED))})", (first, *FINISHED)
        ).fetchall()
    for server in servers:
        server.stop()
    runs = Counter(job for job, _ in ended)
    again = {job: count for job, count in runs.items() if count != 1}
    check(len(runs) > 3 and not again, f"{len(runs)} jobs over three processes ({dict(Counter(action for _, action in ended))}): each ended once {again or ''}")


def main():
    with Target() as target:
        scratch = Path(target.folder.name)
        keys(scratch)
        jobs(target, scratch)


main()
