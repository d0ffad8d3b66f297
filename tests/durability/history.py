"""Puts other databases in the place of a server's database and checks that no key is accepted then: yesterday's copy, a lost write-ahead log, a
trail that was rewritten or cut off, and a file that is replaced or deleted while the server runs. Uses the binaries as an operator does. Needs only
Python."""

import hashlib
import http.client
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "client"))
from watchpost_client import step

BIN = Path(os.environ["BIN_DIR"])
SCRATCH = Path(tempfile.mkdtemp())
os.environ["XDG_STATE_HOME"] = str(SCRATCH / "state")
DATA = SCRATCH / "data"
DATABASE = DATA / "watchpost.db"
BODY = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})


def cli(*words, data=DATA, code=0):
    done = subprocess.run([BIN / "watchpost", "--data-dir", data, *words], capture_output=True, text=True, timeout=120)
    if done.returncode != code:
        raise SystemExit(f"{words}: exit code {done.returncode} instead of {code}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


class Server:
    def __init__(self):
        out = open(SCRATCH / "out", "w")
        log = open(SCRATCH / "log", "a")
        self.process = subprocess.Popen([BIN / "watchpost-http", "--listen", "127.0.0.1:0", "--data-dir", DATA], stdout=out, stderr=log)
        end = time.monotonic() + 60
        while "listening on " not in (SCRATCH / "out").read_text():
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"the server did not start: {(SCRATCH / 'log').read_text()[-2000:]}")
            time.sleep(0.01)
        self.address = urlsplit((SCRATCH / "out").read_text().split()[2]).netloc

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=30)

    def status(self, key=None):
        connection = http.client.HTTPConnection(self.address, timeout=10)
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if key is None:
            connection.request("GET", "/readyz")
        else:
            connection.request("POST", "/mcp", BODY, {**headers, "X-Api-Key": key})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status


def new_key():
    made = json.loads(cli("--json", "keys", "create", "--label", "history").splitlines()[0])
    return made["id"], made["key"]


def put(content):
    for ending in ("-wal", "-shm"):
        Path(f"{DATABASE}{ending}").unlink(missing_ok=True)
    DATABASE.write_bytes(content)
    DATABASE.chmod(0o600)


def expect(name, found, wanted):
    if found != wanted:
        raise SystemExit(f"{name}: {found} instead of {wanted}\n{(SCRATCH / 'log').read_text()[-2000:]}")


def refused(name, keys):
    """Starts a server on the database and checks that it and every command refuse it."""
    with Server() as server:
        for key in keys:
            expect(f"{name}: a key", server.status(key), 503)
        expect(f"{name}: /readyz", server.status(), 503)
    for words in (("doctor",), ("audit", "verify")):
        said = cli(*words, code=6)
        if "checkpoint" not in said:
            raise SystemExit(f"{name}: {words} says nothing about the checkpoint: {said}")
    step(f"{name}: refused by the server, doctor and audit verify")


def wait_until_refused(name, server, key):
    end = time.monotonic() + 5
    begun = time.monotonic()
    while server.status(key) != 503:
        if time.monotonic() > end:
            raise SystemExit(f"{name}: still served after 5 s")
        time.sleep(0.05)
    expect(f"{name}: /readyz", server.status(), 503)
    step(f"{name}: refused after {time.monotonic() - begun:.1f} s")


def hash_again(edit):
    """Edits the trail and computes every hash from the first row again, as the documentation of the chain says."""
    raw = sqlite3.connect(DATABASE)
    raw.execute("DROP TRIGGER audit_entries_keep")
    raw.execute("DROP TRIGGER audit_entries_stay")
    edit(raw)
    workspace = raw.execute("SELECT id FROM workspaces").fetchone()[0]
    exported = {row["seq"]: row for row in map(json.loads, EXPORT)}
    previous = bytes(32)
    for seq, operation in raw.execute("SELECT seq, operation FROM audit_entries ORDER BY seq").fetchall():
        row = exported[seq]
        columns = [workspace, str(seq), str(row["at_ms"]), row["actor_kind"], row["actor_id"], row["action"], row["target_kind"]]
        columns += [row["target_id"], row["outcome"], row["channel"], operation, row["arguments"]]
        content = b"wp-audit-1" + previous
        for column in columns:
            column = column if isinstance(column, bytes) else column.encode()
            content += len(column).to_bytes(4, "little") + column
        digest = hashlib.sha256(content).digest()
        raw.execute("UPDATE audit_entries SET prev_hash = ?, row_hash = ? WHERE seq = ?", (previous, digest, seq))
        previous = digest
    raw.commit()
    raw.close()


cli("init")
kept_id, kept = new_key()
revoked_id, revoked = new_key()
yesterday = DATABASE.read_bytes()
state = list((SCRATCH / "state" / "watchpost").glob("*.checkpoint"))
expect("files of checkpoints", len(state), 1)

with Server() as server:
    expect("a key", server.status(revoked), 200)
    cli("keys", "revoke", revoked_id)
    time.sleep(0.2)
    expect("a revoked key", server.status(revoked), 401)
    expect("another key", server.status(kept), 200)
    server.kill()
cli("audit", "verify")
today = sqlite3.connect(DATABASE)
today.execute("PRAGMA wal_checkpoint(TRUNCATE)")
today.close()
content = DATABASE.read_bytes()
EXPORT = cli("audit", "export").splitlines()
(SCRATCH / "export.jsonl").write_text("\n".join(EXPORT) + "\n")
whole = DATABASE.read_bytes()

put(yesterday)
refused("yesterday's database", [kept, revoked])

put(whole)
with Server() as server:
    other = cli("keys", "create", "--label", "lost")
    server.kill()
put(whole)
refused("a lost write-ahead log", [kept])

os.remove(state[0])
put(whole)
with Server() as server:
    expect("a missing checkpoint", server.status(kept), 200)
step("a missing checkpoint: served")
EXPORT = cli("audit", "export").splitlines()
cli("keys", "create", "--label", "checkpoint")
EXPORT = cli("audit", "export").splitlines()
whole = DATABASE.read_bytes()

hash_again(lambda raw: raw.execute("UPDATE audit_entries SET operation = 'nothing' WHERE seq = 3"))
refused("a trail that was edited and hashed again", [kept])
put(whole)
hash_again(lambda raw: raw.execute("DELETE FROM audit_entries WHERE seq > 4"))
refused("a trail that was cut off", [kept])
said = cli("audit", "verify", "--against", SCRATCH / "export.jsonl", code=6)
expect("the export", "of the export is missing or different" in said, True)

put(whole)
copy = SCRATCH / "copy"
copy.mkdir(mode=0o700)
shutil.copy(DATABASE, copy)
vkey = next(line.split(" ", 1)[1] for line in state[0].read_text().splitlines() if line.startswith("vkey "))
said = cli("audit", "verify", "--checkpoint", state[0], "--key", vkey, data=copy)
expect("a copy agrees with its checkpoint", "agrees with the checkpoint" in said, True)
expect("files in the folder of the copy", [file.name for file in copy.iterdir()], ["watchpost.db"])
step("a copy: verified without its master key")

with Server() as server:
    expect("a key", server.status(kept), 200)
    shutil.copy(DATABASE, SCRATCH / "same.db")
    os.chmod(SCRATCH / "same.db", 0o600)
    os.replace(SCRATCH / "same.db", DATABASE)
    wait_until_refused("a file that is replaced while serving", server, kept)
with Server() as server:
    expect("a key", server.status(kept), 200)
    DATABASE.unlink()
    wait_until_refused("a file that is deleted while serving", server, kept)

put(yesterday)
said = cli("restore", "--accept")
expect("restore --accept", "recorded the gap" in said, True)
expect("the entry", "gap_accepted" in cli("audit", "list", "--action", "audit_chain."), True)
cli("audit", "verify")
with Server() as server:
    expect("a key of the accepted database", server.status(kept), 200)
expect("nothing left to accept", "nothing to accept" in cli("restore", "--accept"), True)
step("an accepted database: served again")
shutil.rmtree(SCRATCH)
