"""Walks through the product: starts the demo; reads the score, the critical findings and a person; snoozes a finding; sets an app's policy
to unauthorized; requests a remediation; revokes the key; verifies the audit trail, and again after a byte of it is changed. Needs only
Python."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "client"))
from watchpost_client import HttpClient, step, wait_until

BIN = Path(os.environ["BIN_DIR"])
SCRATCH = Path(tempfile.mkdtemp())
# Checkpoints of the audit trail go here and not to the folder of the user.
os.environ["XDG_STATE_HOME"] = str(SCRATCH / "state")
DATA = SCRATCH / "data"


def cli(*words, ok=True):
    done = subprocess.run([BIN / "watchpost", "--data-dir", DATA, *words], capture_output=True, text=True, timeout=60)
    if ok and done.returncode != 0:
        raise SystemExit(f"watchpost {' '.join(words)} exited with code {done.returncode}: {done.stderr}{done.stdout}")
    return done


def cli_json(*words):
    return json.loads(cli(*words, "--json").stdout)


def main():
    log = open(SCRATCH / "log", "w")
    info_file = SCRATCH / "info.json"
    server = subprocess.Popen(
        [BIN / "watchpost-http", "--demo", "--listen", "127.0.0.1:0", "--data-dir", DATA, "--demo-info", info_file],
        stdout=subprocess.DEVNULL,
        stderr=log,
    )
    try:
        began = time.monotonic()
        wait_until("the demo", lambda: info_file.exists() or (server.poll() is not None and sys.exit("the demo ended early")))
        info = json.loads(info_file.read_text())
        step(f"the demo is ready after {time.monotonic() - began:.1f} s")
        api = HttpClient(info["mcp_url"], info["write_key"], "walkthrough")

        risk = api.call("get_risk_score").structured
        step(f"score {risk['score']}, {risk['label']}, grade {risk['grade']}, {risk['direction']}; as of {risk['as_of']}")
        assert risk["severity_counts"]["critical"] > 0

        critical = api.call("list_findings", severity="critical", limit=100).structured
        assert critical["total"] == risk["severity_counts"]["critical"] == critical["returned"]
        step(f"{critical['total']} critical findings")

        person = next(row for row in critical["findings"] if row["subject"].get("email"))
        identity = api.call("lookup_identity", email=person["subject"]["email"].upper()).structured
        assert person["id"] in json.dumps(identity)
        step(f"looked up {person['subject']['email']}")

        api.call("snooze_finding", finding_id=person["id"], days=7).structured
        after = api.call("list_findings", severity="critical", limit=100).structured
        assert person["id"] not in [row["id"] for row in after["findings"]] and after["total"] == critical["total"] - 1
        lower = api.call("get_risk_score").structured
        assert lower["severity_counts"]["critical"] == risk["severity_counts"]["critical"] - 1
        assert lower["explanation"]["raw"] == risk["explanation"]["raw"] - 10, "a critical finding counts 10 points"
        step("snoozed it: it is no longer in the list and in the score")

        again = api.call("snooze_finding", finding_id=person["id"], days=7).structured
        assert again["changed"] is False
        step("snoozed it again: nothing changed, and the answer says so")

        app = next(
            row["subject"]
            for row in api.call("list_findings", severity=["low", "medium", "high"], limit=100).structured["findings"]
            if row["subject"]["type"] == "app" and row["rule_id"] in ("app.unreviewed", "app.risky_scopes", "app.unverified_publisher")
        )
        api.call("set_app_policy", app=app["id"], policy="unauthorized").structured
        api.call("trigger_sync").structured
        found = wait_until(
            "the finding of the unauthorized app",
            lambda: [r for r in api.call("list_findings", entity=app["id"], limit=100).structured["findings"] if r["rule_id"] == "app.unauthorized_in_use"],
        )
        step(f"an unauthorized app in use: {found[0]['severity']}")

        actionable = {rule["id"] for rule in api.call("list_rules").structured["rules"] if rule.get("action")}
        target = next(row for row in after["findings"] if row["rule_id"] in actionable)
        asked = api.call("remediate_finding", finding_id=target["id"]).structured
        assert asked["status"] == "pending_approval"
        waiting = cli_json("remediations", "list")
        assert any(row["state"] == "pending_approval" for row in waiting["remediations"])
        step(f"a remediation waits for approval: {asked['action']}")

        cli("findings", "reopen", person["id"])
        assert api.call("list_findings", severity="critical", limit=100).structured["total"] == critical["total"]
        step("reopened it on the command line")

        write_key = next(row for row in cli_json("keys", "list")["keys"] if info["write_key"].startswith(row["prefix"]))
        cli("keys", "revoke", write_key["id"])
        revoked = time.monotonic()
        status = 200
        while status != 401 and time.monotonic() - revoked < 5:
            status = api.call("get_risk_score").status
        took = (time.monotonic() - revoked) * 1000
        assert status == 401 and took < 150, f"{status} after {took:.0f} ms"
        step(f"the revoked key is rejected with 401, {took:.0f} ms after the command ended")

        verdict = cli("audit", "verify")
        step(f"audit verify: {verdict.stdout.strip() or 'ok'}")
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=30)
        log.close()
    assert code == 0, f"the server exited with code {code}"

    copy = SCRATCH / "tampered"
    shutil.copytree(DATA, copy)
    database = copy / "watchpost.db"
    content = database.read_bytes()
    assert b"finding.snoozed" in content, "the audit trail doesn't have the snooze"
    # Changes all copies of the row: when SQLite splits a page, it leaves unused copies of moved rows behind.
    database.write_bytes(content.replace(b"finding.snoozed", b"ginding.snoozed"))
    tampered = subprocess.run([BIN / "watchpost", "--data-dir", copy, "audit", "verify"], capture_output=True, text=True, timeout=60)
    output = (tampered.stdout + tampered.stderr).strip()
    assert tampered.returncode != 0 and "row" in output, f"the changed byte was not detected: {tampered.returncode} {output}"
    step(f"after one changed byte: {output.splitlines()[0]}")
    shutil.rmtree(SCRATCH)
    print("walkthrough: passed")


main()
