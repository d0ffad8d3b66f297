"""The commands for bad days, on bad days: a full disk and a read-only file system, after a clean stop and after a crash; several workspaces; a
stopped server; a broken audit chain; a stored word that no version knows; a credential that was moved to another row. A command works, or says
in one sentence what is wrong and what to do. Entries of reads that can't be stored are owed, and stored once when the log can be written.

A full disk is simulated in one process at a time. With --full, and where mounting is permitted, the commands also run on a real one."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "shared"))
from disk import Disk
from target import BIN_DIR, FULL, Target, check

SCRATCH = tempfile.TemporaryDirectory(prefix="watchpost-bad-days-")
ROOT = Path(SCRATCH.name)
STATE = ROOT / "state"
OTHER_DISK = ROOT / "other"
# The commands that only read. `doctor` finds a problem on a bad day.
READS = [
    ["doctor"],
    ["audit", "verify"],
    ["audit", "list"],
    ["audit", "export"],
    ["findings", "list", "--limit", "3"],
    ["keys", "list"],
    ["scan", "list"],
    ["scan", "results"],
    ["scan", "trend"],
    ["apps", "list"],
    ["identity", "Mara Holt"],
    ["imports", "list"],
    ["remediations", "list"],
    ["exemption", "list"],
    ["schedule", "list"],
    ["report", "executive"],
    ["score"],
    ["integrations", "list"],
    ["client-config", "claude-desktop", "--url", "http://127.0.0.1:9/mcp"],
    ["client-config", "list"],
    ["config", "show"],
]
WITHOUT_ENTRY = [["audit", "verify"], ["client-config", "list"], ["config", "show"]]
NEXT_STEP = re.compile(r"free space|make (its|the) (file system|folder)|`watchpost |stop ")


class Folder:
    """A data folder on a good or bad day: what runs the commands, and with which environment."""

    def __init__(self, data, wrap=(), env=None):
        self.data, self.wrap, self.env = data, list(wrap), env or {}

    def run(self, *words):
        env = {**os.environ, "XDG_STATE_HOME": str(STATE), **self.env}
        command = [*self.wrap, BIN_DIR / "watchpost", "--data-dir", self.data, *words]
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)
        assert "internal error" not in done.stderr and "panicked" not in done.stderr, (words, done.stderr)
        return done

    def good(self, *words, codes=(0,)):
        done = self.run(*words)
        assert done.returncode in codes, (words, done.returncode, done.stdout[-900:], done.stderr[-900:])
        return done

    def refused(self, *words, codes=(1, 4, 5, 6)):
        """The sentence with which a command is refused, which says what to do."""
        done = self.good(*words, codes=codes)
        sentence = done.stderr.strip().splitlines()[-1]
        assert sentence.startswith("error: ") and NEXT_STEP.search(sentence), (words, done.stderr)
        return sentence

    def doctor(self):
        """What `doctor` found, by the names of the checks and the workspaces."""
        done = self.good("--json", "doctor", codes=(0, 6))
        found = {(row["check"], row["workspace"]): row for row in json.loads(done.stdout)["checks"]}
        assert all(row["ok"] or row["next_step"] for row in found.values()), found
        assert (done.returncode == 0) == all(row["ok"] for row in found.values()), found
        return found

    def entries(self, *options):
        return [json.loads(line) for line in self.good(*options, "audit", "export").stdout.splitlines()]


def owed():
    return [json.loads(line) for file in STATE.rglob("*.owed") for line in file.read_text(encoding="utf-8").splitlines()]


def settled(folder):
    return [json.loads(row["arguments"]) for row in folder.entries() if row["action"] == "audit.settled"]


def data_folders():
    """A data folder of a server that was stopped, and one of a server that was killed, with its write-ahead log."""
    with Target(settings={"XDG_STATE_HOME": str(STATE)}) as target:
        source = Path(target.folder.name) / "data"
        target.process.send_signal(signal.SIGKILL)
        target.process.wait(30)
        crashed, stopped = ROOT / "crashed", ROOT / "stopped"
        shutil.copytree(source, crashed)
    assert (crashed / "watchpost.db-wal").stat().st_size > 0
    shutil.copytree(crashed, stopped)
    Folder(stopped).good("keys", "list")
    assert not (stopped / "watchpost.db-wal").exists()
    shutil.rmtree(STATE, ignore_errors=True)
    return stopped, crashed


def unwritable(name, bad, good):
    """Every command on a data folder that can't be written, then the debts on the same one when it can."""
    found = bad.doctor()
    check(
        found["database", None]["ok"] and found["audit chain", None]["ok"] and not found["audit log", None]["ok"],
        f"{name}: doctor checks the database and the chain, and says: {found['audit log', None]['said']}",
    )
    before = len(owed())
    for words in READS:
        done = bad.good(*words, codes=(6,) if words == ["doctor"] else (0,))
        assert done.stdout.strip(), words
        assert ("is kept in" in done.stderr) == (words not in WITHOUT_ENTRY), (words, done.stderr)
    check(len(owed()) > before, f"{name}: {len(READS)} commands that read work, and owe {len(owed())} entries")
    OTHER_DISK.mkdir(exist_ok=True)
    copy = OTHER_DISK / f"{name.replace(' ', '-').replace(',', '')}.db"
    bad.good("backup", copy)
    restored = ROOT / "restored"
    shutil.rmtree(restored, ignore_errors=True)
    Folder(restored).good("restore", copy, "--master-key", good.data / "master.key")
    rows = len(json.loads(Folder(restored).good("--json", "findings", "list", "--limit", "100").stdout)["findings"])
    check(rows > 0 and len(owed()) > before and not settled(Folder(restored)), f"{name}: a backup to another disk is complete: it was restored beside the database, whose debts it doesn't take")
    key = json.loads(bad.good("--json", "keys", "list").stdout)["keys"][0]["id"]
    finding = json.loads(bad.good("--json", "findings", "list").stdout)["findings"][0]["id"]
    for words in (
        ["keys", "revoke", key],
        ["keys", "create", "--label", "bad-day"],
        ["findings", "resolve", finding],
        ["backup", bad.data / "same-disk.db"],
    ):
        sentence = bad.refused(*words)
        if words[0] == "keys" and words[1] == "revoke":
            check("stop the servers" in sentence, f"{name}: {' '.join(words[:2])} is refused: {sentence}")
    accepted = bad.run("restore", "--accept")
    check(accepted.returncode == 0 or NEXT_STEP.search(accepted.stderr), f"{name}: restore --accept has nothing to accept or says why it can't: {(accepted.stdout + accepted.stderr).strip()}")
    assert not (bad.data / "same-disk.db").exists()
    expected = sorted(row["id"] for row in owed())
    done = good.good("keys", "list")
    check("of earlier commands" in done.stderr and not owed(), f"{name}: the next command on a good day stores them: {done.stderr.strip().splitlines()[0]}")
    stored = sorted(row["id"] for row in settled(good))
    assert expected and stored == expected, (len(expected), len(stored))
    good.good("audit", "verify")
    found = good.doctor()
    check(found["audit log", None]["ok"] and found["audit chain", None]["ok"], f"{name}: all {len(stored)} are in the log once, and its chain is intact")


def full_disk(stopped, crashed):
    disk = Disk(under=ROOT / "day")
    for name, source, without in [("full disk", stopped, None), ("full disk, after a crash", crashed, None)]:
        data = fresh(source)
        disk.fails("full")
        unwritable(name, Folder(data, env=disk.env), Folder(data))
    # The index of the log is gone too, and can't be made: SQLite can't read the log.
    data = fresh(crashed)
    (data / "watchpost.db-shm").unlink()
    bad = Folder(data, env=disk.env)
    for words in (["doctor"], ["audit", "verify"], ["findings", "list"]):
        sentence = bad.refused(*words)
    check("copy the data folder" in sentence, f"full disk, without the index of the log: {sentence}")
    moved = ROOT / "moved"
    shutil.copytree(data, moved)
    check(Folder(moved).doctor()["database", None]["ok"], "full disk, without the index of the log: the copy on another disk works, as the sentence says")
    everywhere = {name: value for name, value in disk.env.items() if name != "DISK_FAULT_UNDER"}
    data = fresh(stopped)
    done = Folder(data, env=everywhere).good("findings", "list", "--limit", "1")
    check("can't be kept either" in done.stderr and "write down" in done.stderr, f"a disk that is full everywhere: {next(line for line in done.stderr.splitlines() if 'write down' in line)}")
    # While a server has the database open, it can be opened for writing, and only the entries can't be stored.
    data = fresh(stopped)
    bad = Folder(data, env=disk.env)
    with running(data):
        found = bad.doctor()
        listed = bad.good("findings", "list", "--limit", "3")
        sentence = bad.refused("keys", "create", "--label", "bad-day")
    check(
        not found["audit log", None]["ok"] and "is kept in" in listed.stderr,
        f"full disk, while a server runs: {found['audit log', None]['said']}; a change: {sentence}",
    )
    count = len(owed())
    Folder(data).good("keys", "list")
    check(count == 4 == len(settled(Folder(data))) and not owed(), f"full disk, while a server runs: the {count} entries are stored later")
    disk.fails(None)


def fresh(source):
    """A copy of a data folder, with no checkpoint and no debts of an earlier one."""
    data = ROOT / "day"
    for folder in (data, STATE):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, data)
    return data


def in_namespace(script, *arguments):
    """What runs a command in a mount namespace of its own after a script; nothing where that isn't permitted."""
    wrap = ["unshare", "--mount", "--map-root-user", "sh", "-c", f'{script} && shift {len(arguments)} && exec "$@"', "sh", *map(str, arguments)]
    try:
        allowed = subprocess.run([*wrap, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        print("- NOT TRIED: a mounted file system, since this machine doesn't permit `unshare --mount`")
    return wrap if allowed else None


READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"'


def read_only(stopped, crashed):
    for name, source in [("read-only", stopped), ("read-only, after a crash", crashed)]:
        data = fresh(source)
        wrap = in_namespace(READ_ONLY, data)
        if not wrap:
            return
        unwritable(name, Folder(data, wrap), Folder(data))
    data = fresh(crashed)
    (data / "watchpost.db-shm").unlink()
    sentence = Folder(data, in_namespace(READ_ONLY, data)).refused("findings", "list")
    check("copy the data folder" in sentence, f"read-only, without the index of the log: {sentence}")
    # A server that is running keeps the index up to date.
    data = fresh(stopped)
    with running(data):
        found = Folder(data, in_namespace(READ_ONLY, data)).doctor()
    check(found["database", None]["ok"] and found["audit chain", None]["ok"], "read-only, while a server writes through another mount: doctor works")
    Folder(data).good("keys", "list")


def real_full_disk(stopped, crashed):
    """A file system of a few megabytes that is filled up; what is in it is lost after each command, so its debts are looked at outside."""
    for name, source in [("stopped", stopped), ("crashed", crashed)]:
        fill = 'mkdir -p "$2" && mount -t tmpfs -o size=12m,mode=700 none "$2" && cp -p "$1"/* "$2" && { cat /dev/zero >"$2/fill" 2>/dev/null || true; }'
        small = ROOT / "small"
        wrap = in_namespace(fill, source, small)
        if not wrap:
            return
        shutil.rmtree(STATE, ignore_errors=True)
        bad = Folder(small, wrap)
        found = bad.doctor()
        check(found["database", None]["ok"] and found["audit chain", None]["ok"], f"a real full disk, {name}: doctor says: {found['audit log', None]['said']}")
        for words in READS:
            bad.good(*words, codes=(0, 6) if words == ["doctor"] else (0,))
        bad.good("backup", OTHER_DISK / f"real-{name}.db")
        if name == "crashed":
            # There may be space in the log that the killed server left.
            continue
        check(not found["audit log", None]["ok"], "and that the log can't be written")
        sentence = bad.refused("keys", "create", "--label", "bad-day")
        count = len(owed())
        debts = next(STATE.rglob("*.owed"))
        kept = debts.read_bytes()
        data = fresh(source)
        debts.parent.mkdir(parents=True)
        debts.write_bytes(kept)
        Folder(data).good("keys", "list")
        full = in_namespace('mount -t tmpfs -o size=1m,mode=700 none "$1"', OTHER_DISK)
        said = Folder(data, full).refused("backup", OTHER_DISK / "too-large.db")
        check("another" in said, f"a backup to a real full disk: {said}")
        check(count > len(READS) - 4 and len(settled(Folder(data))) == count, f"a real full disk, {name}: {len(READS)} commands and a backup work, {count} entries are owed and stored; a change: {sentence}")


class running:
    """A server on the data folder, at a free port."""

    def __init__(self, data):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.process = subprocess.Popen([BIN_DIR / "watchpost-http", "--data-dir", data, "--listen", self.address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "XDG_STATE_HOME": str(STATE)})

    def __enter__(self):
        host, port = self.address.split(":")
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex((host, int(port))) == 0:
                    return self
            try:
                self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise SystemExit("FAILED: the server didn't start")
        raise SystemExit("FAILED: the server didn't answer")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)


def servers(stopped, _):
    folder = Folder(fresh(stopped))
    settings = folder.data / "watchpost.toml"
    settings.unlink(missing_ok=True)
    found = folder.doctor()["server", None]
    check(found["ok"], f"no server is configured, and none is missing: {found['said']}")
    with running(folder.data) as server:
        url = f"http://{server.address}/mcp"
        settings.write_text(f'[http]\nlisten = "{server.address}"\n', encoding="utf-8")
        settings.chmod(0o600)
        found = folder.doctor()["server", None]
        check(found["ok"] and url in found["said"], f"a configured server runs: {found['said']}")
    found = folder.doctor()["server", None]
    check(not found["ok"] and "watchpost-http" in found["next_step"], f"a configured server is stopped: {found['said']}; {found['next_step']}")
    settings.unlink()
    check(folder.run("doctor", "--url", url).returncode == 6, "a named server is stopped, which is a problem")


def workspaces(stopped, _):
    folder = Folder(fresh(stopped))
    folder.good("init", "--add", "second")
    copy = OTHER_DISK / "two.db"
    OTHER_DISK.mkdir(exist_ok=True)
    folder.good("backup", copy)
    found = folder.doctor()
    names = [key for key in found if key[0] in ("keys", "audit chain", "audit log", "posture")]
    check(len(names) == 8 and found["audit chain", "default"]["ok"] and found["audit chain", "second"]["ok"], "doctor checks each of two workspaces, and backup copies them")
    one = folder.good("--workspace", "second", "--json", "doctor", codes=(0, 6)).stdout
    check({row["workspace"] for row in json.loads(one)["checks"]} == {None} and "active key" in one, "doctor checks the workspace that was named alone")
    for workspace in ("default", "second"):
        actions = [row["action"] for row in folder.entries("--workspace", workspace)]
        assert actions.count("instance.backed_up") == 1, (workspace, actions)
    check(folder.run("--workspace", "third", "doctor").returncode == 3, "the log of each tells of the backup; an unknown workspace is not found")
    sentence = folder.good("findings", "list", codes=(2,)).stderr.strip()
    check("--workspace" in sentence and "second" in sentence, f"findings list has to know which: {sentence}")


def edit(data, *statements):
    with sqlite3.connect(data / "watchpost.db") as db:
        for statement, *values in statements:
            db.execute(statement, values)


def uuid(value):
    return re.sub(r"^(.{8})(.{4})(.{4})(.{4})(.{12})$", r"\1-\2-\3-\4-\5", value.hex())


def broken_chain(stopped, _):
    folder = Folder(fresh(stopped))
    edit(folder.data, ("DROP TRIGGER audit_entries_keep",), ("UPDATE audit_entries SET operation = 'edited' WHERE seq = 7",))
    found = folder.doctor()["audit chain", None]
    check(not found["ok"] and "row 7" in found["said"], f"doctor names the broken row: {found['said']}; next: {found['next_step']}")
    folder.good("audit", "verify", codes=(6,))
    rows = [row["operation"] for row in folder.entries()]
    check(rows[6] == "edited" and len(rows) > 7, "audit export exports the evidence, with the row")
    folder.good("findings", "list")
    sentence = folder.refused("backup", OTHER_DISK / "broken.db", codes=(6,))
    check("row 7" in sentence and not (OTHER_DISK / "broken.db").exists(), f"backup names it too: {sentence}")


def unknown_word(stopped, _):
    folder = Folder(fresh(stopped))
    with sqlite3.connect(folder.data / "watchpost.db") as db:
        finding = db.execute("SELECT id FROM findings WHERE status = 0 LIMIT 1").fetchone()[0]
        db.execute("UPDATE findings SET status = 99 WHERE id = ?", [finding])
        entry = db.execute("SELECT max(seq) FROM audit_entries").fetchone()[0]
    name = uuid(finding)
    sentence = folder.refused("findings", "show", name, codes=(6,))
    check(all(word in sentence for word in ("`findings`", "`status`", name, "99")), f"an unknown word is named with its row: {sentence}")
    found = folder.doctor()["stored words", None]
    check(not found["ok"] and all(word in found["said"] for word in ("`findings`", "`status`", name, "99")), f"doctor names it: {found['said']}; next: {found['next_step']}")
    folder.refused("findings", "resolve", name, codes=(6,))
    for words in (["backup", OTHER_DISK / "word.db"], ["keys", "list"], ["score"]):
        folder.good(*words)
    edit(folder.data, ("UPDATE findings SET status = 0 WHERE id = ?", finding), ("UPDATE api_keys SET scope = 77 WHERE id = (SELECT min(id) FROM api_keys)",))
    done = folder.good("keys", "list")
    check("doctor" in done.stderr and "stored word" in done.stderr, f"a list from which a row is missing says so: {done.stderr.strip()}")
    # In the audit log nothing is left out.
    edit(folder.data, ("DROP TRIGGER audit_entries_keep",), ("UPDATE audit_entries SET outcome = 88 WHERE seq = ?", entry))
    for words in (["audit", "list"], ["audit", "export"], ["audit", "verify"]):
        done = folder.good(*words, codes=(6,))
        assert f"row {entry}" in done.stderr or (words[1] == "list" and "88" in done.stderr), (words, done.stderr)
    found = folder.doctor()
    check("88" in found["stored words", None]["said"] and not found["audit chain", None]["ok"] and found["keys", None]["said"], f"an unknown word in the audit log is named, and doctor goes on: {done.stderr.strip().splitlines()[-1]}")


def swapped_credential(stopped, _):
    folder = Folder(fresh(stopped))
    with sqlite3.connect(folder.data / "watchpost.db") as db:
        secrets = db.execute("SELECT workspace_id, integration, field, sealed, nonce FROM integration_secrets ORDER BY integration LIMIT 2").fetchall()
        ids = [uuid(row[0]) for row in db.execute("SELECT id FROM integrations ORDER BY integration LIMIT 2")]
        assert len(secrets) == 2
        for (workspace, integration, field, *_), (*_, sealed, nonce) in zip(secrets, reversed(secrets)):
            db.execute("UPDATE integration_secrets SET sealed = ?, nonce = ? WHERE workspace_id = ? AND integration = ? AND field = ?", [sealed, nonce, workspace, integration, field])
    found = folder.doctor()["credentials", None]
    check(not found["ok"] and all(word in found["said"] for word in [*ids, secrets[0][2]]), f"doctor names swapped credentials: {found['said']}; next: {found['next_step']}")
    said = folder.good("integrations", "verify", ids[0], codes=(6,)).stdout.strip()
    check(all(word in said for word in (ids[0], secrets[0][2], "set-credential")), f"verify names it: {said}")
    done = folder.run("sync")
    check(done.returncode == 6 and "credential can't be opened" in done.stdout + done.stderr and "set-credential" in done.stdout + done.stderr, f"sync says so: {(done.stdout + done.stderr).strip()}")
    integration = folder.doctor()["integration", None]
    check("set-credential" in integration["next_step"], f"and doctor: {integration['said']}; next: {integration['next_step']}")
    sentence = folder.refused("backup", OTHER_DISK / "swapped.db", codes=(6,))
    check(ids[0] in sentence, f"backup names it: {sentence}")
    for words in (["findings", "list"], ["audit", "verify"], ["keys", "list"]):
        folder.good(*words)


def other_reasons(stopped, _):
    """What a person meets when the database, its key or its settings are in no state to be used: one sentence with the next step."""
    everything = [["doctor"], ["keys", "list"], ["audit", "export"], ["backup", OTHER_DISK / "none.db"], ["restore", "--accept"]]
    folder = Folder(fresh(stopped))
    with sqlite3.connect(folder.data / "watchpost.db") as db:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("BEGIN EXCLUSIVE")
        sentence = folder.good("keys", "list", codes=(5,)).stderr.strip()
        check("stop that process" in sentence, f"another process has locked the database: {sentence}")
        db.rollback()
    db.close()
    for name, file, content in [
        ("an empty database", "watchpost.db", b""),
        ("no database at all", "watchpost.db", b"x" * 9_000),
        ("half a database", "watchpost.db", (stopped / "watchpost.db").read_bytes()[:700_000]),
    ]:
        folder = Folder(fresh(stopped))
        (folder.data / file).write_bytes(content)
        sentences = {folder.refused(*words, codes=(6,)) for words in [*everything, ["audit", "verify"]]}
        check(len(sentences) < 3 and all("watchpost restore" in sentence for sentence in sentences), f"{name}: {sentences.pop()}")
    folder = Folder(fresh(stopped))
    (folder.data / "master.key").unlink()
    for words in everything:
        done = folder.good(*words, codes=(1,))
        assert "restore it from a backup" in done.stderr, (words, done.stderr)
    folder.good("audit", "verify")
    folder.good("config", "show")
    check("without it" in done.stderr, f"the master key is missing: audit verify and config show work; {done.stderr.strip()}")
    folder = Folder(fresh(stopped))
    settings = folder.data / "watchpost.toml"
    settings.write_text("[http\n", encoding="utf-8")
    for words in [*everything, ["config", "show"]]:
        said = folder.good(*words, codes=(1,)).stderr
        assert f"correct `{settings}`" in said and "line 1" in said, (words, said)
    folder.good("audit", "verify")
    folder.good("client-config", "list")
    check("move it away" in said, f"the settings can't be read: audit verify works; {said.splitlines()[0]}")


def main():
    folders = data_folders()
    OTHER_DISK.mkdir(exist_ok=True)
    parts = [servers, workspaces, broken_chain, unknown_word, swapped_credential, other_reasons, full_disk, read_only]
    for part in parts + ([real_full_disk] if FULL else []):
        part(*folders)


main()
