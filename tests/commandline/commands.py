"""Tests the command line on a demo: the printed client configuration starts a working server, directly and over the bridge; a wrong key is
rejected on every request; keys, scans, reports, backup and restore work as documented. Needs only Python."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "client"))
from watchpost_client import INITIALIZED, StdioClient, initialize

BIN = Path(os.environ["BIN_DIR"])
SCRATCH = Path(tempfile.mkdtemp())
# Checkpoints of the audit trail go here and not to the folder of the user.
os.environ["XDG_STATE_HOME"] = str(SCRATCH / "state")
DATA = SCRATCH / "data"
# The key in the documentation: valid in form, and not the key of any workspace.
NOBODY = "wp_0123456789abcdefghijABCDEFGHIJ3O07sR"


def cli(*words, data=DATA, given=None, code=0):
    done = subprocess.run([BIN / "watchpost", "--data-dir", data, *words], input=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, f"watchpost {words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def talk(launch):
    """Starts a server as a client would and performs the handshake. Returns the three answers and the exit code."""
    era = "2025-06-18"
    client = StdioClient([launch["command"], *launch.get("args", [])], "commands", era, env=launch.get("env"))
    first = client.exchange(initialize("commands", era))
    client.put(INITIALIZED)
    tools = client.send("tools/list", {})
    call = client.call("get_risk_score")
    return *(json.loads(answer.body) for answer in (first, tools, call)), client.end()


def launch_of(text):
    return next(iter(json.loads(text)["mcpServers"].values()))


def order(origin, what):
    """Gives an order to the demo's simulated vendors."""
    urllib.request.urlopen(urllib.request.Request(f"{origin}/_simulator/orders", json.dumps(what).encode(), method="POST"), timeout=10).read()


CHECK = """# METADATA
# id: acme.{name}
# title: An example
# description: Says why.
# scan: compliance
# severity: low
# service: sharepoint
# platforms: [m365]
# inputs: [sharepoint/Tenant]
# remediation: [Do this.]
package watchpost.checks.acme_{name}

import data.watchpost.checklib as lib
import rego.v1

{body}
"""


def policies():
    """Rules and checks without a database."""
    nowhere = SCRATCH / "nowhere"
    export = {"module_version": "1.8.0", "SPO_tenant": [{"SharingCapability": 2}]}

    def run(*words, given=None, code=0):
        return cli("policy", *words, data=nowhere, given=given, code=code)

    def lines(*words, given):
        return [json.loads(line) for line in run("eval", "--format", "scubagear", "--json", *words, given=given).stdout.splitlines()]

    (one,) = lines("--input", "-", "--check", "MS.SHAREPOINT.1.1v1", given=json.dumps(export))
    assert (one["check"], one["scuba_ids"], one["result"]) == ("spo.sharing_limited", ["MS.SHAREPOINT.1.1v1"], "failed"), one
    whole = SCRATCH / "export.json"
    whole.write_text(json.dumps(export), encoding="utf-16")
    ours, published = (lines("--input", str(whole), *words, given="") for words in ([], ["--profile", "scuba"]))

    def of(rows, policy):
        return next(row for row in rows if policy in row["scuba_ids"])

    assert of(ours, "MS.AAD.1.1v1")["reason"] == "unreadable" and of(published, "MS.AAD.1.1v1")["result"] == "failed"
    assert of(published, "MS.POWERPLATFORM.4.1v1")["reason"] == "manual"
    assert len({row["check"] for row in ours}) == len(ours)
    cases = [
        {"id": "a", "policy_id": "MS.SHAREPOINT.1.1v1", "input": {"SPO_tenant": [{"SharingCapability": 0}]}},
        {"id": 2, "policy_id": "MS.NONE.1.1v1", "input": {}},
    ]
    answers = lines("--batch", given="".join(json.dumps(case) + "\n" for case in cases) + "no case\n")
    assert [(row["id"], row["result"]) for row in answers] == [("a", "passed"), (2, "unsupported"), (None, "error")], answers
    run("eval", "--input", str(SCRATCH / "missing.json"), code=3)
    run("eval", given="{}", code=2)
    run("eval", "--check", "none.such", given=json.dumps(export), code=3)

    rows = json.loads(run("list", "--json", "--service", "teams", "--type", "compliance").stdout)["policies"]
    assert rows and all(row["service"] == "teams" for row in rows)
    assert json.loads(run("show", "MS.AAD.1.1v1", "--json").stdout)["id"] == "entra.legacy_auth_blocked"
    run("show", "none.such", code=3)

    pack = SCRATCH / "pack"
    pack.mkdir()
    case = {"name": "a case", "settings": {"sharepoint/Tenant": {"SharingCapability": 0}}, "expect": {"result": "passed"}}

    def test(name, body, code):
        for file in pack.iterdir():
            file.unlink()
        (pack / f"acme.{name}.rego").write_text(CHECK.format(name=name, body=body))
        (pack / f"acme.{name}.cases.json").write_text(json.dumps({"cases": [case]}))
        done = run("test", str(pack), code=code)
        return done.stdout + done.stderr

    test("good", 'result := lib.passed("Sharing is limited.", 0)', 0)
    assert "expected passed, got failed" in test("other", 'result := lib.failed("Sharing is open.", 0, [])', 6)
    assert "acme.broken.rego:16" in test("broken", "result := := 1", 2)
    many = "n := [" + ", ".join(map(str, range(60))) + "]\n\n"
    endless = many + "all := [1 | some a in n; some b in n; some c in n; some d in n; a + b + c + d < 0]\n\n"
    said = test("endless", endless + 'result := lib.passed("Done.", count(all))', 6)
    assert "acme.endless.rego:18" in said and "on one document" in said, said
    assert not nowhere.exists(), "a policy command created a data folder"
    print("- policies: evaluated, listed and shown without a database; errors in a pack are reported with file and line")


def scans():
    """Tests scans, reports, schedules and exemptions, with their exit codes."""

    def asked(*words, code=0):
        return json.loads(cli(*words, "--json", code=code).stdout)

    scan = asked("scan", "start", "--wait", "--fail-under", "1")
    assert scan["status"] == "completed" and scan["new_failures"] == [] and scan["fixed"] == 0, scan
    strict = cli("scan", "start", "--stored-settings", "--wait", "--fail-under", "99.9", "--fail-on", "critical", code=6)
    assert "under 99.9" in strict.stderr and "critical or worse fail" in strict.stderr, strict.stderr
    cli("scan", "start", "--fail-under", "80", code=2)
    cli("scan", "start", "--wait", "--fail-under", "101", code=2)
    exposure = asked("scan", "start", "--type", "exposure", "--platform", "okta", "--wait")
    assert exposure["platform"] == "okta" and exposure["exposure"], exposure
    assert "no compliance checks" in cli("scan", "start", "--platform", "okta", code=4).stderr

    latest = asked("scan", "status")
    failing = asked("scan", "results", "--result", "failed")
    assert failing["total"] == latest["failed"] > 0
    some = asked("scan", "results", "--result", "failed", "--framework", "cis", "--service", "Exchange Online")["results"]
    assert some and all(row["service"] == "exchange" and any(one.startswith("CIS.M365.") for one in row["framework_ids"]) for row in some)
    one = asked("scan", "results", "--check", some[0]["check_id"])
    assert one["evidence"] and one["remediation"] and all(row["state"] and row["sha256"] for row in one["settings"]), one
    carried = [row for row in asked("scan", "results")["results"] if "CIS.M365.6.2.1" in row["framework_ids"]]
    for name in ("CIS.M365.6.2.1", "cis 6.2.1", "6.2.1"):
        named = asked("scan", "results", "--check", name)["results"]
        assert {row["check_id"] for row in named} == {row["check_id"] for row in carried} != set(), (name, named)
        assert [row["result"] for row in named] == sorted((row["result"] for row in named), key=lambda one: one != "failed"), named
    repeated = cli("scan", "start", "--wait")
    assert asked("scan", "status")["scan_id"] == latest["scan_id"] and "--again" in repeated.stdout + repeated.stderr, repeated
    latest = asked("scan", "start", "--again", "--wait")
    assert asked("scan", "replay", some[0]["check_id"])["same_verdict"]
    trend = asked("scan", "trend", "--days", "20")["points"]
    assert trend[-1]["scan_id"] == latest["scan_id"]
    drifted = asked("scan", "compare", "--before", trend[0]["scan_id"])
    moved = [value for row in drifted["new_failures"] for setting in row["settings"] for value in setting["values"]]
    assert drifted["new_failures"] and moved, drifted
    whole, part = asked("scan", "compare"), asked("scan", "compare", "--framework", "cis", "--service", "Exchange Online")
    assert whole["before"]["completed_at"][:10] < whole["after"]["completed_at"][:10], "the default is the last scan of another day"
    kept = asked("scan", "results", "--framework", "cis", "--service", "Exchange Online")
    assert part["score"] != whole["score"] and len(kept["results"]) >= part["still_failing"] + len(part["new_failures"]), part
    nobody = "00000000-0000-7000-8000-000000000000"
    cli("scan", "status", "--scan", nobody, code=3)
    cli("scan", "cancel", latest["scan_id"], code=4)
    print("- scans: started, reported by exit code, listed, explained, replayed, compared")

    for name, start in [("r.html", "<!doctype html"), ("r.md", "# "), ("r.json", "{"), ("r.csv", ""), ("r.ocsf.jsonl", "{")]:
        file = SCRATCH / name
        cli("report", "evidence", "--output", file)
        text = file.read_text()
        assert text.lower().startswith(start) and len(text) > 1_000, name
        assert file.stat().st_mode & 0o077 == 0, "other users can read a report"
    cli("report", "evidence", "--output", SCRATCH / "r.html", code=4)
    cli("report", "executive", "--difference", "--output", SCRATCH / "r.html", "--force")
    assert cli("report", "executive", "--output", "-").stdout.startswith("# "), "`-` is standard output"
    again = asked("import", SCRATCH / "r.ocsf.jsonl")
    [batch] = again["batches"]
    assert batch["rows"] == batch["rows_ok"] > 100 and batch["platform"] == "m365" and not batch["integration_is_new"], again
    assert [batch["results"][name] for name in ("passed", "failed", "skipped")] == [latest[name] for name in ("passed", "failed", "skipped")], again
    print("- reports: five formats, private files, replaced only with --force; the OCSF report can be imported")

    added = asked("schedule", "add", "--name", "weekly", "--every", "week", "--on", "sunday", "--at", "06:30", "--zone", "Europe/Berlin")
    assert added["next_at"] and asked("schedule", "list")["schedules"][0]["id"] == added["id"]
    cli("schedule", "disable", added["id"])
    assert asked("schedule", "list")["schedules"][0]["enabled"] is False
    cli("schedule", "remove", added["id"])
    cli("schedule", "remove", added["id"], code=3)
    for wrong in (["--every", "day", "--zone", "Europe/Atlantis"], ["--cron", "every monday"], ["--every", "day", "--at", "25:00"]):
        cli("schedule", "add", "--name", "wrong", *wrong, code=2)
    kept = asked("exemption", "add", "--check", some[0]["check_id"], "--whole-check", "--reason", "agreed", "--owner", "Head of IT", "--days", "30")
    cli("scan", "start", "--stored-settings", "--wait")
    exempted = asked("scan", "results", "--check", some[0]["check_id"])
    assert (exempted["result"], exempted["skip_reason"]) == ("skipped", "not_applicable"), exempted
    cli("exemption", "remove", kept["id"])
    cli("exemption", "add", "--check", "no.such", "--whole-check", "--reason", "x", "--owner", "y", code=2)
    print("- schedules and exemptions: added, applied, removed; invalid ones are rejected")


def main():
    policies()
    info_file = SCRATCH / "info.json"
    server = subprocess.Popen(
        [BIN / "watchpost-http", "--demo", "--listen", "127.0.0.1:0", "--data-dir", DATA, "--demo-info", info_file],
        stdout=subprocess.DEVNULL,
        stderr=open(SCRATCH / "log", "w"),
    )
    end = time.monotonic() + 60
    while not info_file.exists():
        assert server.poll() is None and time.monotonic() < end, (SCRATCH / "log").read_text()[-2000:]
        time.sleep(0.1)
    info = json.loads(info_file.read_text())

    stdio = launch_of(cli("client-config", "claude-desktop").stdout)
    bridge = launch_of(cli("client-config", "claude-desktop", "--url", info["mcp_url"], "--key", "-", given=info["write_key"]).stdout)
    assert info["write_key"] not in " ".join(bridge["args"]), "the arguments contain a key"
    # A proxy for the network must not be asked for a server on this machine.
    bridge["env"] = {**bridge.get("env", {}), "HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    for name, launch, tools in [("stdio", stdio, 15), ("bridge", bridge, 20)]:
        first, listed, called, code = talk(launch)
        assert first["result"]["protocolVersion"] == "2025-06-18", first
        assert len(listed["result"]["tools"]) == tools, name
        assert "score" in called["result"]["structuredContent"] and code == 0
        rejected = talk({**launch, "env": {"WATCHPOST_API_KEY": NOBODY}})
        assert all(answer["error"] == {"code": 401, "message": "Invalid API key"} for answer in rejected[:3]), rejected
        print(f"- the output of client-config works over {name}, and a wrong key is rejected on every request")
    unavailable = cli("client-config", "cursor", "--url", "http://127.0.0.1:9/mcp")
    assert "not available" in unavailable.stderr

    made = cli("keys", "create", "--label", "laptop")
    key = made.stdout.strip()
    assert re.fullmatch(r"wp_[0-9A-Za-z]{36}", key), "standard output must have only the key"
    row = next(row for row in json.loads(cli("keys", "list", "--json").stdout)["keys"] if row["label"] == "laptop")
    assert row["prefix"] == key[:12] and row["last_used"] == "never" and row["scope"] == "read" and row["state"] == "active"
    made = 3
    while made < 10:
        cli("keys", "create", "--label", f"key {made}", "--expires", "90d")
        made += 1
    rejected = cli("keys", "create", "--label", "one too many", code=4)
    assert "10" in rejected.stderr and "keys revoke" in rejected.stderr
    cli("keys", "revoke", row["id"])
    cli("keys", "create", "--label", "replacement")
    print("- keys: shown once, listed, limited to ten, revoked")

    verified = json.loads(cli("integrations", "verify", "--json").stdout)
    assert all(row["ok"] for row in verified["integrations"])
    cli("doctor", "--url", info["mcp_url"])
    assert json.loads(cli("config", "show", "--json").stdout)["settings"]
    cli("findings", "show", NOBODY, code=2)
    cli("findings", "show", "00000000-0000-7000-8000-000000000000", code=3)
    print("- verify and doctor find no problems; invalid arguments and unknown ids have different exit codes")

    token = ["integrations", "set-credential", "okta", "--secret-stdin", "api_token"]
    before = json.loads(cli("findings", "list", "--json").stdout)
    set_to = json.loads(cli(*token, "--json", given="simulated-api-token\n").stdout)
    assert set_to["changed"] and set_to["status"] == "connected" and set_to["sync_job"]
    assert "the current credential is kept" in cli(*token, given="wrong", code=2).stderr
    cli("integrations", "set-credential", "okta", code=2)
    cli("integrations", "set-credential", "okta", "--set", "api_token=simulated-api-token", code=2)
    assert "set-credential" in cli("integrations", "remove", "okta", code=2).stderr
    cli("sync", "--platform", "okta")
    assert {row["id"] for row in json.loads(cli("findings", "list", "--json").stdout)["findings"]} == {row["id"] for row in before["findings"]}
    print("- set-credential replaces a credential, keeps the findings, and rejects a wrong one; remove points to it")

    origin = re.search(r"http://127\.0\.0\.1:\d+", (DATA / "watchpost.toml").read_text()).group()
    order(origin, {"fault": {"vendor": "okta", "path_contains": "/zones", "times": 4294967295, "kind": "malformed_json"}})
    failed = cli("sync", "--platform", "okta", code=6)
    assert "`locations` failed" in failed.stderr and "Not everything could be read" in failed.stdout, failed
    order(origin, "clear_faults")
    cli("sync", "--platform", "okta")
    print("- sync exits with 6 and names the dataset that failed")

    hung_up = subprocess.Popen([BIN / "watchpost", "bridge", "--url", info["mcp_url"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "WATCHPOST_API_KEY": info["read_key"]})
    hung_up.stdin.write((json.dumps(initialize("commands", "2025-06-18")) + "\n").encode())
    hung_up.stdin.flush()
    assert hung_up.stdout.readline(), "the bridge runs"
    hung_up.send_signal(signal.SIGHUP)
    assert hung_up.wait(timeout=10) == 0
    print("- the bridge stops at SIGHUP, although its input is open")

    scans()

    cli("backup", SCRATCH / "copy.db")
    cli("backup", SCRATCH / "copy.db", code=4)
    restored = SCRATCH / "restored"
    cli("restore", SCRATCH / "copy.db", "--master-key", DATA / "master.key", data=restored)
    cli("audit", "verify", data=restored)
    before, after = (json.loads(cli("score", "--json", data=data).stdout) for data in (DATA, restored))
    assert before["score"] == after["score"] and before["severity_counts"] == after["severity_counts"]
    cli("restore", SCRATCH / "copy.db", data=restored, code=4)
    print("- a backup of a running server is restored completely into another folder")

    server.send_signal(signal.SIGHUP)
    assert server.wait(timeout=30) == 0
    print("- the server stops at SIGHUP")
    shutil.rmtree(SCRATCH)
    print("command line: passed")


main()
