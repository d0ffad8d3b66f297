#!/usr/bin/env python3
"""Kills `restore`, `backup`, `init` and `import` with SIGKILL at random times, lets files end at every size and disks be full, and damages
databases and backups. After each case a data folder is complete or has no database, a backup is whole or absent, and repeating the
command works. `--full` runs more rounds. SEED (default: random, printed) repeats a run. BIN_DIR (default target/debug): the folder of
the binaries. Needs only Python; a small file system is mounted if that is permitted."""

import contextlib
import json
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("BIN_DIR", ROOT / "target/debug")).resolve() / "watchpost"
FULL = "--full" in sys.argv[1:]
SEED = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
RNG = random.Random(SEED)
SCRATCH = Path(tempfile.mkdtemp(prefix="watchpost-restore-"))
SOURCE, BACKUP, ROWS = SCRATCH / "source", SCRATCH / "copy.db", SCRATCH / "rows.json"
KEY = SOURCE / "master.key"
ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "XDG_STATE_HOME": str(SCRATCH / "state"), "XDG_DATA_HOME": str(SCRATCH / "none")}
DAMAGED, CONFLICT, USAGE = 6, 4, 2


def start(data, *words, file_bytes=None):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    # Python ignores SIGXFSZ, and so does the process then: a write beyond the limit fails, as on a full disk.
    return subprocess.Popen(
        [BIN, "--data-dir", data, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
        preexec_fn=limit if file_bytes is not None else None, restore_signals=False,
    )


def run(data, *words, file_bytes=None):
    process = start(data, *words, file_bytes=file_bytes)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def good(data, *words):
    code, out, err = run(data, *words)
    assert code == 0, f"{words}: exit {code}: {err}"
    return out


def refused(data, *words, code):
    found, _, err = run(data, *words)
    assert found == code, f"{words}: exit {found}, not {code}: {err}"
    assert "panicked" not in err, err


def kill(data, *words, longest):
    """Runs a command and kills it at a random time. Returns whether it was killed."""
    process = start(data, *words)
    try:
        process.communicate(timeout=RNG.uniform(0, longest))
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    return False


def seconds(data, *words):
    began = time.monotonic()
    good(data, *words)
    return time.monotonic() - began


def row(number):
    """A finding in the form of Prowler's OCSF output."""
    status = "FAIL" if number % 3 else "PASS"
    return {
        "message": f"User number {number}", "severity_id": 4, "severity": "High", "status": "New", "status_code": status, "status_id": 1,
        "metadata": {"event_code": "entra_users_mfa_capable", "product": {"name": "Prowler", "uid": "prowler", "vendor_name": "Prowler", "version": "5.38.0"}, "version": "1.5.0", "tenant_uid": "c0ffee00-1111-4222-8333-444444444444"},
        "unmapped": {"provider_uid": "birchworks.onmicrosoft.com", "provider": "m365"}, "activity_name": "Create", "activity_id": 1,
        "finding_info": {"created_time": 1772442000, "desc": "An invented sentence. " * 4, "title": "Users are MFA capable", "uid": f"prowler-m365-{number}", "types": []},
        "resources": [{"region": "global", "labels": [], "name": f"User {number}", "type": "NotDefined", "uid": f"5b1c0f0a-1111-4222-8333-{number:012}"}],
        "category_name": "Findings", "category_uid": 2, "class_name": "Detection Finding", "class_uid": 2004,
        "cloud": {"account": {"name": "", "type": "Other", "type_id": 99, "uid": "c0ffee00-1111-4222-8333-444444444444"}, "provider": "m365", "region": "global"},
        "time": 1772442000, "time_dt": "2026-03-02T09:00:00.000000", "type_uid": 200401, "type_name": "Detection Finding: Create",
    }


def write_rows(count, first=0):
    ROWS.write_text(json.dumps([row(first + number) for number in range(count)]))


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def is_complete(data):
    """Whether the folder has a database; then it must be complete."""
    if not (data / "watchpost.db").exists():
        return False
    good(data, "audit", "verify")
    with contextlib.closing(sqlite3.connect(data / "watchpost.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM workspaces").fetchone() == (1,)
    return True


def build_rounds(what, rounds, words):
    """Kills a command that makes a data folder: one that doesn't exist, or one that does."""
    folder = SCRATCH / f"{what}-rounds"
    folder.mkdir()
    longest = 1.1 * seconds(folder / "measured", *words)
    shutil.rmtree(folder / "measured")
    killed = done = 0
    for number in range(rounds):
        data = folder / "data"
        existed = number % 2 == 1
        if existed:
            data.mkdir(mode=0o700)
        for _ in range(RNG.randint(1, 3)):
            killed += kill(data, *words, longest=longest)
            if is_complete(data):
                break
            assert data.exists() == existed, f"{what}: half a folder: {names(data)}"
        was_done = (data / "watchpost.db").exists()
        done += was_done
        if not was_done:
            good(data, *words)
        assert is_complete(data)
        left = [name for name in names(data) if name.endswith(".part")] + [name for name in names(folder) if name != "data"]
        if was_done and left:
            # Nothing follows a command that was done. Only a process killed after its last step leaves an empty stage.
            assert all(name.endswith(".part") for name in left), left
            for name in left:
                shutil.rmtree(next(path for path in (data / name, folder / name) if path.exists()))
        else:
            assert not left, left
        shutil.rmtree(data)
    print(f"- {what}: {rounds} rounds, {killed} kills, {done} of them after the last step; each folder complete or without a database")


def backup_rounds(rounds):
    folder = SCRATCH / "backup-rounds"
    folder.mkdir()
    longest = 1.1 * seconds(SOURCE, "backup", folder / "measured.db")
    killed = 0
    for number in range(rounds):
        file = folder / f"{number}.db"
        killed += kill(SOURCE, "backup", file, longest=longest)
        if file.exists():
            assert file.with_name(file.name + ".manifest.json").exists(), "a backup without its manifest"
            good(folder / f"data-{number}", "restore", file, "--master-key", KEY)
        else:
            good(SOURCE, "backup", file)
    good(SOURCE, "backup", folder / "last.db")
    left = [name for name in names(folder) if name.endswith(".part")]
    assert not left, left
    print(f"- backup: {rounds} rounds, {killed} kills; each backup whole or absent")


def unfinished_rows(data):
    with contextlib.closing(sqlite3.connect(data / "watchpost.db")) as database:
        return database.execute(
            "SELECT count(*) FROM import_results r WHERE NOT EXISTS (SELECT 1 FROM imports i WHERE i.workspace_id = r.workspace_id "
            "AND i.import = r.import AND i.state = 1)").fetchone()[0]


def import_rounds(rounds, rows):
    data = SCRATCH / "import-rounds"
    good(data, "init")
    write_rows(rows)
    measured = SCRATCH / "import-measured"
    good(measured, "init")
    longest = 1.1 * seconds(measured, "import", ROWS)
    killed = most = 0
    for number in range(rounds):
        write_rows(rows, first=(number + 1) * rows)
        killed += kill(data, "import", ROWS, longest=longest)
        most = max(most, unfinished_rows(data))
    write_rows(3)
    good(data, "import", ROWS)
    assert unfinished_rows(data) == 0, f"{unfinished_rows(data)} rows of killed imports are left"
    left = [name for name in names(data) if ".import-" in name]
    assert not left, left
    assert is_complete(data)
    print(f"- import: {rounds} rounds, {killed} kills, up to {most} rows left at a time, none after the next import")


def files_end_at_every_size(sizes):
    """As on a full disk, which ends a write anywhere."""
    succeeded = 0
    whole = BACKUP.stat().st_size
    for number in range(sizes):
        size = whole * number // (sizes - 2)
        for what, words in (("restore", ("restore", BACKUP, "--master-key", KEY)), ("init", ("init",))):
            data = SCRATCH / f"limited-{what}-{number}"
            code, _, err = run(data, *words, file_bytes=size)
            assert "panicked" not in err, err
            assert (code == 0) == is_complete(data), f"{what} with files of {size} bytes: exit {code}: {err}"
            assert code == 0 or not data.exists(), names(data)
            succeeded += code == 0
            if code:
                good(data, *words)
        file = SCRATCH / f"limited-{number}.db"
        code, _, err = run(SOURCE, "backup", file, file_bytes=size)
        assert (code == 0) == file.exists(), f"backup with files of {size} bytes: exit {code}: {err}"
    assert 0 < succeeded < 2 * sizes
    assert not [name for name in names(SCRATCH) if name.endswith(".part")], names(SCRATCH)
    print(f"- files that can't grow: {sizes} sizes, {succeeded} commands succeeded, the others left nothing")


def full_file_systems(sizes):
    mount = SCRATCH / "small"
    mount.mkdir()
    whole = BACKUP.stat().st_size // 1_024
    succeeded = 0
    for number in range(sizes):
        kib = 16 + whole * number * 5 // (4 * (sizes - 1))
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k,mode=700", "none", mount], capture_output=True).returncode != 0:
            print("- full file systems: not tested, because mounting is not permitted here")
            return
        try:
            # The mount point itself, and a folder in it.
            for data in (mount, mount / "data"):
                for words in (("restore", BACKUP, "--master-key", KEY), ("init",)):
                    code, _, err = run(data, *words)
                    assert "panicked" not in err, err
                    has_database = (data / "watchpost.db").exists()
                    assert (code == 0) == has_database, f"{words[0]} on {kib} KiB: exit {code}: {err}"
                    succeeded += code == 0
                    assert not [name for name in names(mount) if name.endswith(".part")], names(mount)
                    for entry in mount.iterdir():
                        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        finally:
            subprocess.run(["umount", mount], check=True)
    assert 0 < succeeded < 4 * sizes
    print(f"- full file systems: {sizes} sizes, {succeeded} commands succeeded, the others left no database and no unfinished files")


def damaged_databases(cases):
    """A damaged page is found by the backup, and a changed bit in a backup by the restore."""
    whole = (SOURCE / "watchpost.db").read_bytes()
    data = SCRATCH / "damaged"
    shutil.copytree(SOURCE, data)
    with contextlib.closing(sqlite3.connect(data / "watchpost.db")) as database:
        free = database.execute("PRAGMA freelist_count").fetchone()[0]
    assert free == 0, "a damaged free page does no harm"
    pages = len(whole) // 4_096
    for page in sorted(RNG.sample(range(pages), min(cases, pages))):
        for leftover in ("-wal", "-shm"):
            (data / f"watchpost.db{leftover}").unlink(missing_ok=True)
        changed = bytearray(whole)
        changed[page * 4_096:(page + 1) * 4_096] = RNG.randbytes(4_096)
        (data / "watchpost.db").write_bytes(changed)
        refused(data, "backup", SCRATCH / "never.db", code=DAMAGED)
        assert not list(SCRATCH.glob("never.db*")), f"page {page}"
    whole, flipped = BACKUP.read_bytes(), SCRATCH / "flipped.db"
    shutil.copy(f"{BACKUP}.manifest.json", f"{flipped}.manifest.json")
    for _ in range(cases):
        changed = bytearray(whole)
        at = RNG.randrange(len(changed))
        changed[at] ^= 1 << RNG.randrange(8)
        flipped.write_bytes(changed)
        refused(SCRATCH / "never", "restore", flipped, "--master-key", KEY, code=DAMAGED)
        assert not (SCRATCH / "never").exists(), f"byte {at}"
    print(f"- {cases} damaged pages: no backup; {cases} changed bits: no restore")


def keys_and_older_backups():
    wrong = SCRATCH / "wrong.key"
    wrong.write_bytes(RNG.randbytes(32))
    wrong.chmod(0o600)
    data = SCRATCH / "keys"
    refused(data, "restore", BACKUP, code=USAGE)
    refused(data, "restore", BACKUP, "--master-key", wrong, code=USAGE)
    refused(data, "restore", BACKUP, "--master-key", SCRATCH / "none", code=USAGE)
    assert not data.exists()
    older = SCRATCH / "older.db"
    shutil.copy(BACKUP, older)
    code, _, err = run(data, "restore", older, "--master-key", KEY)
    assert code == 0 and "no manifest" in err, err
    assert is_complete(data)
    refused(data, "restore", BACKUP, "--master-key", KEY, code=CONFLICT)
    print("- a missing or wrong master key changes nothing; a backup without a manifest is restored with a warning")


def main():
    print(f"SEED={SEED}", flush=True)
    good(SOURCE, "init")
    write_rows(3_000 if FULL else 1_000)
    good(SOURCE, "import", ROWS)
    good(SOURCE, "backup", BACKUP)
    keys_and_older_backups()
    damaged_databases(100 if FULL else 8)
    restore = ("restore", BACKUP, "--master-key", KEY)
    build_rounds("restore", 150 if FULL else 12, restore)
    build_rounds("init", 150 if FULL else 12, ("init",))
    backup_rounds(60 if FULL else 8)
    import_rounds(40 if FULL else 4, 10_000 if FULL else 2_000)
    files_end_at_every_size(40 if FULL else 6)
    full_file_systems(24 if FULL else 4)
    shutil.rmtree(SCRATCH)


main()
