"""Changes an audit trail in the file: every column of rows, rows that are deleted, added, swapped or renumbered, and a trail that is cut off. Every
change is found: all but the cut by the chain, the cut by the checkpoint."""

import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

BIN = Path(os.environ["BIN_DIR"]) / "watchpost"
FULL = "--full" in sys.argv[1:]
CHANGES = 5_000 if FULL else 150
RNG = random.Random(int(os.environ.get("SEED", "1")))
COLUMNS = ("at", "actor_kind", "actor_id", "action", "target_kind", "target_id", "outcome", "channel", "operation", "arguments", "prev_hash", "row_hash")


# The number of rows that the checkpoint proves.
NOTED = 0


def run(data, *words):
    environment = {"PATH": os.environ.get("PATH", ""), "XDG_STATE_HOME": str(data.parent / "state")}
    done = subprocess.run([BIN, "--data-dir", data, *words], capture_output=True, text=True, timeout=120, env=environment)
    return done.returncode, done.stdout + done.stderr


def changed(value):
    """Another value of the same type."""
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, bytes):
        at = RNG.randrange(len(value))
        return value[:at] + bytes([value[at] ^ (1 << RNG.randrange(8))]) + value[at + 1:]
    return RNG.choice([value + "x", value[1:], "x" + value]) if value else "x"


def edit(database, rows):
    seq = RNG.randrange(1, rows + 1)
    column = RNG.choice(COLUMNS)
    value = database.execute(f"SELECT {column} FROM audit_entries WHERE seq = ?", (seq,)).fetchone()[0]
    database.execute(f"UPDATE audit_entries SET {column} = ? WHERE seq = ?", (changed(value), seq))
    return f"{column} of row {seq}"


def delete(database, rows):
    seq = RNG.randrange(1, rows)
    database.execute("DELETE FROM audit_entries WHERE seq = ?", (seq,))
    return f"row {seq} deleted"


def renumber(database, rows):
    seq = RNG.randrange(1, rows)
    database.execute("DELETE FROM audit_entries WHERE seq = ?", (seq,))
    for later in range(seq + 1, rows + 1):
        database.execute("UPDATE audit_entries SET seq = ? WHERE seq = ?", (later - 1, later))
    return f"row {seq} deleted, and the later ones renumbered"


def insert(database, rows):
    seq = RNG.randrange(1, rows + 1)
    database.execute(f"INSERT INTO audit_entries SELECT workspace_id, {rows + 1}, {', '.join(COLUMNS)} FROM audit_entries WHERE seq = ?", (seq,))
    return f"row {seq} again at the end"


def swap(database, rows):
    one, two = RNG.sample(range(1, rows + 1), 2)
    for old, new in ((one, -1), (two, one), (-1, two)):
        database.execute("UPDATE audit_entries SET seq = ? WHERE seq = ?", (new, old))
    return f"rows {one} and {two} swapped"


def cut(database, rows):
    # The checkpoint proves nothing about the rows after it.
    seq = RNG.randrange(1, NOTED)
    database.execute("DELETE FROM audit_entries WHERE seq > ?", (seq,))
    return f"cut off after row {seq}"


def main():
    with tempfile.TemporaryDirectory(prefix="watchpost-chain-") as folder:
        folder = Path(folder)
        data, copy = folder / "data", folder / "copy"
        assert run(data, "init")[0] == 0
        for number in range(12):
            assert run(data, "keys", "create", "--label", f"key {number}")[0] in (0, 4)
            assert run(data, "findings", "list")[0] == 0
        assert run(data, "audit", "verify")[0] == 0
        with closing(sqlite3.connect(data / "watchpost.db", isolation_level=None)) as database:
            database.execute("DROP TRIGGER audit_entries_keep")
            database.execute("DROP TRIGGER audit_entries_stay")
            rows = database.execute("SELECT max(seq) FROM audit_entries").fetchone()[0]
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        code, said = run(data, "audit", "verify")
        assert code == 0, said
        global NOTED
        NOTED = int(re.search(r"checkpoint of \S+ over (\d+) rows", said)[1])
        missed, counts = [], {}
        began = time.monotonic()
        for _ in range(CHANGES):
            shutil.rmtree(copy, ignore_errors=True)
            copy.mkdir(mode=0o700)
            for name in ("watchpost.db", "master.key"):
                shutil.copy2(data / name, copy / name)
            kind = RNG.choices((edit, delete, renumber, insert, swap, cut), (12, 1, 1, 1, 1, 1))[0]
            with closing(sqlite3.connect(copy / "watchpost.db", isolation_level=None)) as database:
                what = kind(database, rows)
            code, said = run(copy, "audit", "verify")
            if code != 6:
                missed.append(f"{what}: exit {code}: {said.strip()}")
            counts[kind.__name__] = counts.get(kind.__name__, 0) + 1
        assert not missed, f"{len(missed)} changes weren't found: {missed[:5]}"
        print(f"- {CHANGES} changes of a trail of {rows} rows, each found: {json.dumps(counts)} ({time.monotonic() - began:.0f} s)")


main()
