"""Kills syncs, scans and migrations with SIGKILL at random times. After each kill the file is intact and its trail valid; the work is taken up
again and ends with the numbers that it had before; a migration is complete or not there."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import apsw

sys.path.insert(0, str(Path(__file__).resolve().parent / "shared"))
from target import BIN_DIR, FULL, Target, check, until

ROUNDS = 60 if FULL else 6
SEED = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
RNG = random.Random(SEED)
SCHEMA = sorted((Path(__file__).resolve().parents[2] / "crates/watchpost-sqlite/schema").glob("*.sql"))
COMMANDS = (("sync",), ("scan", "start", "--type", "compliance", "--wait", "--again"), ("scan", "start", "--type", "exposure", "--platform", "okta", "--wait", "--again"))


def start(data, *words):
    return subprocess.Popen([BIN_DIR / "watchpost", "--data-dir", data, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def good(data, *words):
    process = start(data, *words)
    said = process.communicate(timeout=180)[0]
    assert process.returncode == 0, f"{words}: exit {process.returncode}: {said}"
    return said


def kill(data, *words, longest):
    process = start(data, *words)
    try:
        process.communicate(timeout=RNG.uniform(0.005, longest))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True
    return False


def intact(data, what):
    good(data, "audit", "verify")
    with closing(sqlite3.connect(data / "watchpost.db", timeout=30)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",), what
        assert not database.execute("PRAGMA foreign_key_check").fetchall(), what


def one(database, sql, *values):
    return database.execute(sql, values).fetchone()[0]


def numbers(data):
    """What a sync and its analysis bring about: the same each time, since the company doesn't change."""
    with closing(sqlite3.connect(data / "watchpost.db", timeout=30)) as database:
        return {
            "live findings": one(database, "SELECT count(*) FROM findings WHERE status IN (0, 1)"),
            "people": one(database, "SELECT count(*) FROM identities WHERE accounts > 0"),
            "apps": one(database, "SELECT count(*) FROM apps"),
        }


def work(target, scratch):
    """Kills commands that work on the demo's data, while the demo's simulator answers and its server waits."""
    data = Path(target.folder.name) / "data"
    words = {words: None for words in COMMANDS}
    for command in words:
        began = time.monotonic()
        good(data, *command)
        words[command] = 1.1 * (time.monotonic() - began)
    before = numbers(data)
    killed = 0
    for _ in range(ROUNDS):
        command = RNG.choice(COMMANDS)
        killed += kill(data, *command, longest=words[command])
        intact(data, command)

    def unfinished():
        with closing(sqlite3.connect(data / "watchpost.db", timeout=30)) as database:
            return one(database, "SELECT count(*) FROM jobs WHERE state < 2 AND not_before <= ? AND finished_at IS NULL", int(time.time() * 1000))

    # The server takes up what the killed processes had leased.
    assert until(lambda: unfinished() == 0, 180), f"{unfinished()} jobs are left"
    for command in COMMANDS:
        good(data, *command)
    after = numbers(data)
    assert after == before, f"{before} before, {after} after"
    check(killed > 0, f"{killed} kills in syncs and scans: the file intact each time, the work taken up again, {after} as before")


def older(newest, data, version):
    """The database as version `version` of the schema had it."""
    data.mkdir(mode=0o700)
    shutil.copy(newest / "master.key", data / "master.key")
    # Python's own SQLite may be too old for the schema.
    with closing(apsw.Connection(str(data / "watchpost.db"))) as database:
        database.execute("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF")
        for file in SCHEMA[:version]:
            database.execute(file.read_text(encoding="utf-8"))
        database.execute("ATTACH ? AS newest", (str(newest / "watchpost.db"),))
        tables = database.execute(
            "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'findings_text%' ORDER BY rowid"
        ).fetchall()
        database.execute("BEGIN")
        for (table,) in tables:
            mine, theirs = ([row[1] for row in database.execute(f"PRAGMA {schema}.table_xinfo({table})") if row[6] == 0] for schema in ("main", "newest"))
            columns = ", ".join(column for column in mine if column in theirs)
            if columns:
                database.execute(f"INSERT OR IGNORE INTO main.{table} ({columns}) SELECT {columns} FROM newest.{table}")
        database.execute("COMMIT")
        application = one(database, "PRAGMA newest.application_id")
        database.execute(f"DETACH newest; PRAGMA application_id = {application}; PRAGMA user_version = {version}")
    (data / "watchpost.db").chmod(0o600)


def migrations(target, scratch):
    newest = scratch / "newest"
    backup = scratch / "demo.db"
    data = Path(target.folder.name) / "data"
    good(data, "backup", backup)
    good(newest, "restore", backup, "--master-key", data / "master.key")
    with closing(sqlite3.connect(newest / "watchpost.db")) as database:
        latest = one(database, "PRAGMA user_version")
        findings = one(database, "SELECT count(*) FROM findings")
    assert latest == len(SCHEMA)
    killed = halfway = 0
    for version in range(1, latest):
        template = scratch / f"schema-{version}"
        older(newest, template, version)
        measured = scratch / "measured"
        shutil.copytree(template, measured)
        began = time.monotonic()
        good(measured, "findings", "list", "--limit", "1")
        longest = 1.1 * (time.monotonic() - began)
        shutil.rmtree(measured)
        for _ in range(max(1, ROUNDS // (latest - 1))):
            copy = scratch / "migrating"
            shutil.copytree(template, copy)
            killed += kill(copy, "findings", "list", "--limit", "1", longest=longest)
            with closing(sqlite3.connect(copy / "watchpost.db")) as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                found = one(database, "PRAGMA user_version")
            assert version <= found <= latest, found
            halfway += found < latest
            good(copy, "findings", "list", "--limit", "1")
            intact(copy, f"schema {version}")
            with closing(sqlite3.connect(copy / "watchpost.db")) as database:
                assert one(database, "PRAGMA user_version") == latest
                assert one(database, "SELECT count(*) FROM findings") == findings
            shutil.rmtree(copy)
        shutil.rmtree(template)
    check(killed > 0, f"{killed} kills in migrations from {latest - 1} older schemas, {halfway} before the end: each file intact, and migrated by the next command")


def main():
    print(f"SEED={SEED}", flush=True)
    with Target() as target, tempfile.TemporaryDirectory() as folder:
        migrations(target, Path(folder))
        work(target, Path(folder))


main()
