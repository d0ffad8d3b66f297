"""Twenty everyday questions, each answered rightly in at most two calls. The calls are those that a model makes after it has read the list of
tools. What is right comes from elsewhere: the fixtures of the company, the sources of rules and checks, the database, or the command line."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx2
import yaml
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

ROOT = Path(__file__).resolve().parents[2]
COMPANY = ROOT / "fixtures" / "company"
POLICY = ROOT / "crates" / "watchpost-policy"
BIN = Path(os.environ["BIN_DIR"])
CALLS_MAX = 2
# Of critical, high, medium, low and info findings: docs/scores.md.
WEIGHTS = [10, 5, 2, 1, 0]
CEILING_PER_PERSON = 5
# A check that fails, and that a person exempts.
EXEMPT = "exo.dmarc_present"
SECONDS_TO_START = 60


def fixture(name):
    return json.loads((COMPANY / name).read_text())


def metadata(folder):
    """The metadata of the rules or checks, by id, from their sources."""
    found = {}
    for path in (POLICY / folder).glob("*.rego"):
        lines = path.read_text().splitlines()
        if lines[0] != "# METADATA":
            continue
        header = []
        for line in lines[1:]:
            if not line.startswith("#"):
                break
            header.append(line[2:])
        about = yaml.safe_load("\n".join(header))
        if "id" in about:
            found[about["id"]] = about
    return found


class Truth:
    """What is right, from sources other than an answer."""

    def __init__(self, data):
        self.data = data
        self.db = sqlite3.connect(f"file:{data / 'watchpost.db'}?mode=ro", uri=True)
        self.expected = fixture("expected.json")
        self.expected_checks = fixture("expected-checks.json")
        self.rules, self.checks = metadata("rules"), metadata("checks")

    def rows(self, sql, *values):
        return self.db.execute(sql, values).fetchall()

    def one(self, sql, *values):
        return self.rows(sql, *values)[0][0]

    def cli(self, *words):
        command = [BIN / "watchpost", "--data-dir", self.data, *words, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{words}: {done.returncode} {done.stderr}"
        return json.loads(done.stdout)

    def subjects(self, rule, stage="now"):
        """The people or apps with a finding of a rule, according to the fixtures."""
        rows = [row["subject"] for row in self.expected if row["rule"] == rule and row["stage"] == stage]
        return {row.get("email") or row["name"] for row in rows}

    def failing(self, stage, scan_type):
        """The checks of a type of scan that fail at a stage, according to the fixtures."""
        return {
            row["check"] for row in self.expected_checks
            if row[stage].split(":")[0] == "failed" and self.checks[row["check"]]["scan"] == scan_type
        }

    def risk_score(self):
        """The formula in docs/scores.md."""
        points = sum(WEIGHTS[row[0]] for row in self.rows("SELECT severity FROM findings WHERE status IN (0, 1) AND scored = 1"))
        people = self.one("SELECT COUNT(*) FROM identities WHERE accounts > 0")
        return min(100, round(100 * points / (CEILING_PER_PERSON * people)))

    def open_findings(self, severity):
        return {
            bytes.hex(row[0])
            for row in self.rows("SELECT id FROM findings WHERE status IN (0, 1) AND severity = ?", severity)
        }


def people(rows):
    return {row["subject"].get("email") or row["subject"]["name"] for row in rows}


def plain(id):
    return id.replace("-", "")


def same(got, right, what=""):
    assert got == right, f"{what} got {got!r}, right is {right!r}"


QUESTIONS = []


def question(text, note=None):
    def add(ask):
        QUESTIONS.append((text, note, ask))
        return ask
    return add


@question("What is our risk score?")
async def risk_score(call, truth):
    risk = await call("get_risk_score")
    same(risk["score"], truth.risk_score())
    same(risk["grade"], truth.cli("score")["grade"])
    same(risk["severity_counts"]["critical"], len(truth.open_findings(0)))


@question("What are our critical findings?")
async def critical(call, truth):
    page = await call("list_findings", severity="critical", limit=100)
    same({plain(row["id"]) for row in page["findings"]}, truth.open_findings(0))
    same(page["total"], len(page["findings"]))
    written = {id for id, about in truth.rules.items() if about["severity"] == "critical"}
    right = {(row["rule"], row["subject"].get("email") or row["subject"]["name"]) for row in truth.expected
             if row["stage"] == "now" and row["rule"] in written and row["subject"]["type"] != "integration"}
    got = {(rule, name) for row in page["findings"] for rule in [row["rule_id"], *row.get("also", [])] for name in people([row])}
    same(right - got, set())


@question("Who are the administrators without MFA?")
async def admins_without_mfa(call, truth):
    page = await call("list_findings", rule="id.admin_no_mfa")
    same(people(page["findings"]), truth.subjects("id.admin_no_mfa"))


@question("Tell me about Soraya Dunmore and Orla Quayle.")
async def people_by_name(call, truth):
    # The address of the second one is without the name.
    for asked, name in (("Soraya Dunmore", "Soraya Dunmore"), ("orla quayle", "Orla Quayle (admin)")):
        person = next(row for row in fixture("people.json") if row["name"] == name)
        answer = await call("lookup_identity", email=asked)
        same((answer["name"], answer["email"], answer["mfa"]), (name, person["email"], "on"))
        same(set(answer["platforms"]), {key for key in ("m365", "okta") if key in person})


@question("Are we allowed to use Ledgerly Sync?")
async def is_this_app_allowed(call, truth):
    app = await call("check_app_policy", app="Ledgerly Sync")
    right = next(row for row in truth.cli("apps", "list")["apps"] if row["name"] == "Ledgerly Sync")
    same((app["seen"], app["policy"], app["app"]["id"]), (True, right["policy"], right["id"]))
    grants = [row for row in fixture("grants.json") if row["app"] == "Ledgerly Sync"]
    same(set(app["app"]["scopes"]), {scope for row in grants for scope in row["scopes"].split()})


@question("Which integrations are broken?")
async def broken_integrations(call, truth):
    # Somebody has paused one.
    okta = truth.one("SELECT id FROM integrations WHERE platform = (SELECT MAX(platform) FROM integrations)")
    id = str(uuid.UUID(bytes=okta))
    truth.cli("integrations", "pause", id)
    try:
        answer = await call("get_integrations")
        right = {row["id"]: row["status"] for row in truth.cli("integrations", "list")["integrations"]}
    finally:
        truth.cli("integrations", "resume", id)
    got = {row["id"]: row["status"] for row in answer["integrations"]}
    same(got, right)
    same([id for id, status in got.items() if status != "connected"], [id])
    same(answer["connected_count"], len(right) - 1)


@question("What changed this week?")
async def this_week(call, truth):
    risk = await call("get_risk_score")
    compared = await call("compare_scans")
    at = truth.one("SELECT MAX(at) FROM snapshots")
    before = truth.one("SELECT score FROM snapshots WHERE at <= ? ORDER BY at DESC LIMIT 1", at - 7 * 86_400_000)
    same(risk["change"]["seven_days"]["score"], before)
    same(risk["change"]["seven_days"]["difference"], truth.risk_score() - before)
    # The settings that drifted within seven days, from the fixtures, and nothing that drifted before.
    drift = [row for row in fixture("m365/drift.json") if 0 < float(row["until"].strip("-d")) < 7]
    paths = {row["path"] for row in drift}
    changed = {setting["path"] for row in compared["new_failures"] for setting in row["settings"]}
    assert changed and changed <= paths, (changed, paths)


@question("Which findings are new this week?")
async def new_findings(call, truth):
    page = await call("list_findings", since="7", limit=100)
    at = truth.one("SELECT MAX(at) FROM snapshots")
    # From the beginning of the day seven days ago.
    day = 86_400_000
    start = at - 7 * day - at % day
    new = truth.rows("SELECT id FROM findings WHERE status IN (0, 1) AND first_seen_at >= ?", start)
    older = truth.one("SELECT COUNT(*) FROM findings WHERE status IN (0, 1) AND first_seen_at < ?", start)
    assert new and older, (new, older)
    same(page["total"], len(new))
    got = {plain(row["id"]) for row in page["findings"]}
    same(len(got), min(100, len(new)))
    assert got <= {bytes.hex(row[0]) for row in new}


@question("Which CIS checks fail for Exchange Online?")
async def cis_exchange(call, truth):
    page = await call("list_check_results", framework="cis", service="exchange", result="failed", limit=100)
    right = {
        id for id in truth.failing("now", "compliance")
        if truth.checks[id]["service"] == "exchange" and any(name.startswith("CIS.") for name in truth.checks[id].get("frameworks", []))
    }
    same({row["check_id"] for row in page["results"]}, right)


@question("How did our score develop over the last month?")
async def month(call, truth):
    trend = await call("get_score_trend", days=30)
    scans = truth.cli("scan", "list")["scans"]
    right = sorted((row["completed_at"], row["score"]) for row in scans if row["scan_type"] == "compliance" and row["status"] == "completed")
    same([(row["at"], row["score"]) for row in trend["points"]], right)
    assert len(right) >= 3


@question("Write a summary for the board.")
async def board(call, truth):
    report = (await call("generate_report"))["markdown"]
    scan = next(row for row in truth.cli("scan", "list")["scans"] if row["scan_type"] == "compliance")
    failed = len(truth.failing("now", "compliance"))
    for right in (f"**{scan['score']} of 100", f"{scan['passed']} passed and {failed} failed", "Executive summary"):
        assert right in report, (right, report[:600])


@question("Start a compliance scan of Microsoft 365, and tell me when it is done.")
async def compliance_scan(call, truth):
    # The demo has just scanned, and a scan of the last minute is returned instead of a new one, unless an exemption is newer.
    truth.cli("exemption", "add", "--check", EXEMPT, "--whole-check", "--reason", "moves next month", "--owner", "Head of IT", "--days", "30")
    known = {row[0] for row in truth.rows("SELECT hex(id) FROM scans")}
    started = await call("start_scan", scan_type="compliance")
    done = await call("get_scan", scan_id=started["scan_id"], wait_seconds=50)
    assert plain(started["scan_id"]).upper() not in known, started
    same(done["scan"]["status"], "completed")
    same(done["scan"]["failed"], len(truth.failing("now", "compliance") - {EXEMPT}))
    same(truth.one("SELECT state FROM scans WHERE hex(id) = ?", plain(started["scan_id"]).upper()), 2)


@question("Can outsiders get at our data? Run an exposure scan.")
async def exposure_scan(call, truth):
    started = await call("start_scan", scan_type="exposure", platform="m365")
    done = await call("get_scan", scan_id=started["scan_id"], wait_seconds=50)
    same((done["scan"]["scan_type"], done["scan"]["status"]), ("exposure", "completed"))
    same(done["scan"]["failed"], len(truth.failing("now", "exposure") & judged(truth, started["scan_id"])))


def judged(truth, scan):
    """The checks that a scan has, so that those of another platform don't count."""
    return {row[0] for row in truth.rows("SELECT check_id FROM scan_results WHERE hex(scan_id) = ?", plain(scan).upper())}


@question("Scan again, and walk me through the new failures.")
async def new_failures(call, truth):
    # A person who asks twice within a minute gets the scan that has just ended.
    started = await call("start_scan", scan_type="compliance")
    compared = await call("compare_scans")
    same(compared["scan_id"], started["scan_id"])
    before = compared["before_at"]
    assert before < (datetime.now(timezone.utc) - timedelta(hours=23)).isoformat(), before
    # Compared with the results that the earlier scan stored, and with the fixtures.
    stored = {row[0] for row in truth.rows(
        "SELECT check_id FROM scan_results WHERE hex(scan_id) = ? AND result = 1", plain(compared["before_scan_id"]).upper())}
    same({row["check_id"] for row in compared["new_failures"]}, truth.failing("now", "compliance") - stored - {EXEMPT})
    for row in compared["new_failures"]:
        assert row["after"]["reason"] and row["title"] == truth.checks[row["check_id"]]["title"], row


@question("Which guests have administrator roles?")
async def guest_admins(call, truth):
    page = await call("list_findings", rule="id.guest_admin")
    same(people(page["findings"]), truth.subjects("id.guest_admin"))


@question("Who left the company but still has access?")
async def left_with_access(call, truth):
    page = await call("list_findings", rule="id.offboarded_active")
    same(people(page["findings"]), truth.subjects("id.offboarded_active"))


@question("Which apps can read everybody's mail?")
async def mail_apps(call, truth):
    page = await call("list_findings", text="Mail", category="shadow_it", limit=100)
    got = {
        row["subject"]["name"] for row in page["findings"]
        if row["subject"]["type"] == "app" and "whole tenant" in row["title"] and "Mail.Read" in row["title"]
    }
    right = {
        row["app"] for row in fixture("grants.json")
        if "person" not in row and "every" not in row and any(scope.startswith("Mail.Read") for scope in row["scopes"].split())
    }
    same(got, right)


@question("Which rule found this, why, and how do I fix it?")
async def which_rule(call, truth):
    page = await call("list_findings", entity="oli@cloudcrew.example")
    finding = next(row for row in page["findings"] if row["rule_id"] == "id.guest_admin")
    found = await call("get_finding", finding_id=finding["id"])
    about = truth.rules["id.guest_admin"]
    same((found["rule"]["title"], found["severity"], found["category"]), (about["title"], about["severity"], about["category"]))
    same(found["rule"]["remediation"], about["remediation"])
    day = truth.one("SELECT first_seen_at FROM findings WHERE hex(id) = ?", plain(finding["id"]).upper()) // 1000
    same(found["first_seen_at"][:19], time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(day)))
    assert all(row["read_at"] for row in found["evidence_from"]) and found["evidence_from"]
    person = next(row for row in fixture("people.json") if row["email"] == "oli@cloudcrew.example")
    role = next(role if isinstance(role, str) else role.get("role") or role["name"] for role in person["m365"]["roles"])
    assert role in finding["title"], (role, finding["title"])
    assert role in json.dumps(found["evidence"], ensure_ascii=False), found["evidence"]


@question("How do I fix the forwarding of mail to other domains?")
async def how_to_fix(call, truth):
    answer = await call("list_check_results", check_id="exo.no_auto_forward")
    same(answer["detail"]["remediation"], truth.checks["exo.no_auto_forward"]["remediation"])


@question("Snooze the finding about Oli Crewhand for two weeks.")
async def snooze(call, truth):
    page = await call("list_findings", entity="oli@cloudcrew.example", rule="id.guest_admin")
    id = page["findings"][0]["id"]
    began = time.time() * 1000
    await call("snooze_finding", finding_id=id, days=14)
    until = truth.one("SELECT snoozed_until FROM findings WHERE hex(id) = ? AND status = 4", plain(id).upper())
    assert abs(until - began - 14 * 86_400_000) < 60_000, until


@question("Who allowed forwarding, and what was it before?", "who changed it: later, from the platform's audit log")
async def old_and_new_value(call, truth):
    compared = await call("compare_scans")
    check = next(row for row in compared["new_failures"] if row["check_id"] == "exo.no_auto_forward")
    setting = next(row for row in check["settings"] if row["path"] == "exchange/RemoteDomain")
    value = next(row for row in setting["values"] if row["pointer"].endswith("AutoForwardEnabled"))
    drift = next(row for row in fixture("m365/drift.json") if row["path"] == "exchange/RemoteDomain")
    now = fixture("m365/settings/exchange/RemoteDomain.json")["value"][int(drift["pointer"].split("/")[2])]["AutoForwardEnabled"]
    same((value["before"], value["after"]), (drift["was"], now))


@asynccontextmanager
async def demo(scratch):
    info, data = scratch / "info.json", scratch / "data"
    with (scratch / "log").open("w") as log:
        server = subprocess.Popen(
            [BIN / "watchpost-http", "--demo", "--listen", "127.0.0.1:0", "--data-dir", data, "--demo-info", info],
            stdout=subprocess.DEVNULL, stderr=log,
        )
    try:
        for _ in range(SECONDS_TO_START * 10):
            if info.exists() or server.poll() is not None:
                break
            await asyncio.sleep(0.1)
        assert info.exists(), f"the demo was not ready within {SECONDS_TO_START} s:\n{(scratch / 'log').read_text()[-2000:]}"
        yield json.loads(info.read_text()), Truth(data)
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


async def ask_all(info, truth):
    """Asks the questions in their order. Returns the number of wrong answers."""
    wrong = 0
    http = httpx2.AsyncClient(headers={"X-Api-Key": info["write_key"]}, timeout=90)
    async with http, Client(streamable_http_client(info["mcp_url"], http_client=http)) as client:
        for text, note, ask in QUESTIONS:
            calls = []

            async def call(name, **arguments):
                calls.append(name)
                result = await client.call_tool(name, arguments)
                said = "".join(block.text for block in result.content if block.type == "text")
                assert not result.is_error, f"{name} {arguments}: {said}"
                return result.structured_content

            try:
                await ask(call, truth)
                assert len(calls) <= CALLS_MAX, f"{len(calls)} calls"
                print(f"- {text} {' → '.join(calls)}{f' ({note})' if note else ''}", flush=True)
            except (AssertionError, LookupError, RuntimeError, TypeError) as error:
                wrong += 1
                print(f"- WRONG: {text} {' → '.join(calls)}: {type(error).__name__}: {error}", flush=True)
    return wrong


async def main():
    with tempfile.TemporaryDirectory() as folder:
        async with demo(Path(folder)) as (info, truth):
            wrong = await ask_all(info, truth)
    if wrong or len(QUESTIONS) != 21:
        sys.exit(f"{wrong} of {len(QUESTIONS)} questions were answered wrongly")
    print("questions: all 21 were answered rightly")


if __name__ == "__main__":
    asyncio.run(main())
