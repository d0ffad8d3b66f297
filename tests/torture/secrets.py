"""Searches everything that a server and the commands write for secrets, with the log of every crate at trace: keys (valid, revoked and wrong ones),
the master key, and the credentials of the connected platforms; as they are, in base64, in hexadecimal and URL-encoded."""

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parent / "shared"))
from target import BIN_DIR, Target, call, check
from watchpost_client import LEGACY, HttpClient, StdioClient, http_headers, tool_call

ROOT = Path(__file__).resolve().parents[2]
# A filter with more than a level applies to the crates of others too.
TRACE = "trace,watchpost=trace"
# The simulator's log is not that of the product.
OURS = "watchpost_simulator"


def forms(secret):
    """A secret in every form in which it would be found."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), quote(raw).encode()}
    # Base64 of a text that contains the secret, at each offset, without the characters that depend on what surrounds it.
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(encode(b"\0" * offset + raw)[4 if offset else 0:][: len(raw) * 4 // 3 - 4])
    return {form for form in found if len(form) >= 8}


def cli(data, *words, given=None, env=None):
    done = subprocess.run([BIN_DIR / "watchpost", "--data-dir", data, *words], capture_output=True, input=given, timeout=180, env={**os.environ, **(env or {})})
    return done.stdout + done.stderr


def use(target, data, scratch):
    """Uses every surface, with good and bad input. Returns what it said."""
    said = {}
    made = json.loads(cli(data, "--json", "keys", "create", "--label", "revoked").splitlines()[0])
    revoked = made["key"]
    client = HttpClient(target.url, revoked, "secrets")
    client.call("get_risk_score").good
    cli(data, "keys", "revoke", made["id"])
    wrong = f"{revoked[:-1]}{'A' if revoked[-1] != 'A' else 'B'}"
    for key in (revoked, wrong, "Bearer nonsense-that-is-a-secret"):
        HttpClient(target.url, key, "secrets").send("tools/list", {})
    out = []
    for key in (target.read_key, target.write_key):
        client = HttpClient(target.url, key, "secrets")
        tools = client.send("tools/list", {}).good["tools"]
        for tool in tools:
            if tool["name"] != "set_app_policy":
                out.append(client.call(tool["name"]).body)
        out.append(client.call("lookup_identity", email=key).body)
        out.append(client.call("list_findings", text=key).body)
        for kind in ("executive", "framework", "evidence"):
            out.append(client.call("generate_report", kind=kind).body)
        out.append(client.post(json.dumps(tool_call("get_risk_score", {}, "secrets", LEGACY)), http_headers(key, LEGACY)).body)
    said["answers over HTTP"] = "\n".join(out).encode()
    environment = {"WATCHPOST_API_KEY": target.read_key, "WATCHPOST_LOG_FILTER": TRACE}
    with open(scratch / "stdio.log", "wb") as log:
        stdio = StdioClient([BIN_DIR / "watchpost-stdio", "--data-dir", data], "secrets", env=environment)
        said["answers over stdio"] = stdio.call("get_integrations").body.encode()
        stdio.end()
        process = subprocess.run(
            [BIN_DIR / "watchpost-stdio", "--data-dir", data], input=b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n', stdout=log, stderr=log, timeout=60,
            env={**os.environ, **environment},
        )
        assert process.returncode == 0
    trace = {"WATCHPOST_LOG_FILTER": TRACE}
    words = [
        ("config", "show"), ("doctor",), ("keys", "list"), ("integrations", "list"), ("audit", "list"), ("audit", "export"), ("audit", "verify"), ("findings", "list"),
        ("sync",), ("scan", "start", "--type", "compliance", "--wait", "--again"), ("scan", "results"), ("backup", str(scratch / "copy.db")), ("--json", "integrations", "list"),
    ]
    said["commands"] = b"\n".join(cli(data, *command, env=trace) for command in words)
    return said, {"revoked key": revoked, "wrong key": wrong}


def main():
    constants = (ROOT / "crates/watchpost-simulator/src/control.rs").read_text(encoding="utf-8")
    secrets = {name: re.search(rf'const {name}: &str = "([^"]+)"', constants)[1] for name in ("CLIENT_SECRET", "OKTA_API_TOKEN")}
    with Target(settings={"WATCHPOST_LOG_FILTER": TRACE}) as target, tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        data = Path(target.folder.name) / "data"
        said, keys = use(target, data, scratch)
        metrics = HttpClient(target.url, target.read_key, "secrets")
        metrics.connection.request("GET", "/metrics")
        said["metrics"] = metrics.connection.getresponse().read()
        secrets |= keys | {"read key": target.read_key, "write key": target.write_key, "master key": (data / "master.key").read_bytes()}
        log = target.log.read_bytes()
        ours = b"\n".join(line for line in log.splitlines() if OURS.encode() not in line)
        assert b" TRACE " in log and b" DEBUG watchpost" in ours, "the log isn't at trace"
        said["log of the server"] = ours
        said["log of watchpost-stdio"] = (scratch / "stdio.log").read_bytes()
        for file in [*data.iterdir(), *scratch.glob("copy.db*")]:
            if file.is_file() and file.name != "master.key":
                said[file.name] = file.read_bytes()
        hits = [
            f"{name} in {place}: …{content[max(0, at - 60):at + 20]!r}"
            for place, content in said.items()
            for name, secret in secrets.items()
            for form in forms(secret)
            if (at := content.find(form)) >= 0
        ]
        sizes = sum(map(len, said.values())) / 1024 / 1024
        check(not hits, f"{len(secrets)} secrets in {len(said)} places ({sizes:.0f} MiB, {len(ours.splitlines())} lines of log): {len(hits)} found {hits[:5] or ''}")
        # The search itself: a secret within other text, in each encoding and at each offset.
        for before in range(4):
            text = b"y" * before + target.read_key.encode() + b" and more"
            for planted in (text, base64.b64encode(text), base64.urlsafe_b64encode(text), text.hex().encode()):
                assert any(form in planted for form in forms(target.read_key)), planted


main()
