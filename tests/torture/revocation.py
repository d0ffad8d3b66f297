"""Revokes keys while the server is in the middle of reading them: `strace` delays each lock that SQLite takes. A key that is revoked between
the reading of its row and of the generation must not stay valid."""

import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "shared"))
from target import BIN_DIR, FULL, Target, call, check

ROUNDS = 200 if FULL else 25
DELAY_MS = 15
RNG = random.Random(int(os.environ.get("SEED", "1")))


def cli(data, *words):
    done = subprocess.run([BIN_DIR / "watchpost", "--json", "--data-dir", data, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return json.loads(done.stdout.splitlines()[0])


def status(target, key):
    headers, body = call("get_risk_score", {}, key)
    connection = http.client.HTTPConnection(*target.address, timeout=30)
    connection.request("POST", "/mcp", body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def use_until(target, key, end, found):
    # A request whose key isn't cached reads it: the first one, and one after each change of keys.
    while not end.is_set():
        found.append(status(target, key))


def main():
    if not shutil.which("strace"):
        raise SystemExit("strace is missing: install it, for example with `apt-get install strace`")
    with Target() as target:
        data = Path(target.folder.name) / "data"
        tracer = subprocess.Popen(
            ["strace", "-f", "-p", str(target.process.pid), "-e", "trace=fcntl", "-e", f"inject=fcntl:delay_enter={DELAY_MS * 1000}", "-o", "/dev/null"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        try:
            time.sleep(1)
            if tracer.poll() is not None:
                said = tracer.stderr.read()
                if "Operation not permitted" in said:
                    print("- NOT TESTED: this system permits no tracing")
                    return
                raise SystemExit(f"strace can't trace the server: {said}")
            began = time.monotonic()
            status(target, target.read_key)
            assert time.monotonic() - began >= DELAY_MS / 1000, "strace delays nothing"
            used, late = 0, []
            for number in range(ROUNDS):
                made = cli(data, "keys", "create", "--label", f"round {number}")
                end, found = threading.Event(), []
                users = [threading.Thread(target=use_until, args=(target, made["key"], end, found)) for _ in range(4)]
                for user in users:
                    user.start()
                time.sleep(RNG.uniform(0, 0.2))
                cli(data, "keys", "revoke", made["id"])
                # The promise: no request that starts 100 ms after the revocation was answered succeeds.
                time.sleep(0.1)
                late.append(status(target, made["key"]))
                end.set()
                for user in users:
                    user.join()
                late.append(status(target, made["key"]))
                used += found.count(200)
            check(used > 0, f"{ROUNDS} keys were used {used} times while they were revoked")
            # After 20 wrong keys from one address, a wrong key gets 429.
            others = sorted(status for status in late if status not in (401, 429))
            check(not others, f"no key was valid 100 ms after its revocation: {len(late)} requests, other answers: {others}")
        finally:
            tracer.terminate()
            tracer.wait(30)


main()
