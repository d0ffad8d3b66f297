"""Tests two workspaces in one file: data of one workspace is as unknown to the other as data that doesn't exist.

The first workspace is the demo's company. The second is connected to the same simulated vendors through a proxy in this script that renames the
company, its domain and two apps, so that not only ids but also people and apps differ. The script then calls every tool with every key, in both
eras, with the ids, addresses, names and cursors of the other workspace, and compares each answer with the one for a made-up value.
Needs only Python."""

import http.client
import http.server
import json
import os
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import uuid
from pathlib import Path
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "client"))
from watchpost_client import LEGACY, MODERN, Answer, HttpClient, StdioClient, step, wait_until

BIN = Path(os.environ["BIN_DIR"])
SCRATCH = Path(tempfile.mkdtemp())
# Checkpoints of the audit trail go here and not to the folder of the user.
os.environ["XDG_STATE_HOME"] = str(SCRATCH / "state")
DATA = SCRATCH / "data"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MARK = re.compile(r"--- data [0-9a-f]{16} ")
RENAMED = [(b"birchworks", b"lindenworks"), (b"Birchworks", b"Lindenworks"), (b"Tenant Migrator", b"Tenant Mover"), (b"Provisioning Robot", b"Provisioning Droid")]
ERAS = (MODERN, LEGACY)
ACTIONS = ("start_scan", "snooze_finding", "dismiss_finding", "remediate_finding", "set_app_policy", "trigger_sync")
# The fixed credentials of the simulator, which work nowhere else.
OKTA_TOKEN = "simulated-api-token"
M365_CLIENT, M365_SECRET = "5e1f0000-0000-4000-8000-00000000c11e", "simulated-client-secret"


class Renaming(http.server.BaseHTTPRequestHandler):
    """A proxy to the simulator that restores the original names in requests and renames them in answers."""

    protocol_version = "HTTP/1.1"
    upstream = None  # Set once the address of the demo's vendors is known.

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        own = f"http://127.0.0.1:{self.server.server_address[1]}".encode()

        def there(content):
            for ours, theirs in RENAMED:
                content = content.replace(theirs, ours)
            # The scope of a token request also contains the address, URL-encoded.
            for spelled in (lambda text: text, lambda text: quote(text, safe="").encode()):
                content = content.replace(spelled(own), spelled(self.upstream))
            return content

        def back(content):
            for ours, theirs in RENAMED:
                content = content.replace(ours, theirs)
            return content.replace(self.upstream, own)

        skipped = ("host", "content-length", "accept-encoding", "connection")
        headers = {name: there(value.encode("latin-1")).decode("latin-1") for name, value in self.headers.items() if name.lower() not in skipped}
        parts = urlsplit(self.upstream.decode())
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        connection.request(self.command, there(self.path.encode()).decode(), there(body) or None, headers)
        answer = connection.getresponse()
        content = back(answer.read())
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                self.send_header(name, back(value.encode("latin-1")).decode("latin-1"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_GET = do_POST = forward

    def log_message(self, *_):
        pass


class Comparable(Answer):
    """An answer that can be compared with another one."""

    def without(self, argument):
        """The status, and the body without the echoed argument and the random marks."""
        plain = json.dumps(argument)[1:-1]
        twice = json.dumps(plain)[1:-1]
        body = self.body.replace(twice, "ARGUMENT").replace(plain, "ARGUMENT").replace(argument, "ARGUMENT")
        return self.status, MARK.sub("--- data MARK ", body)


def connect(url, key, era=MODERN):
    return HttpClient(url, key, "tenancy", era, Comparable)


def cli(*words, workspace=None, stdin=None, ok=True, env=None):
    chosen = ["--workspace", workspace] if workspace else []
    done = subprocess.run(
        [BIN / "watchpost", "--data-dir", DATA, *chosen, *words],
        input=stdin, stdin=subprocess.DEVNULL if stdin is None else None, capture_output=True, text=True, timeout=60, env={**os.environ, **(env or {})},
    )
    if ok and done.returncode != 0:
        raise SystemExit(f"watchpost {' '.join(map(str, words))} exited with code {done.returncode}: {done.stderr}{done.stdout}")
    return done


def rows(sql, *values):
    connection = sqlite3.connect(f"file:{DATA / 'watchpost.db'}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


class Workspace:
    """One workspace: its keys, and the data that the other one must not see."""

    def __init__(self, name, url, read, write, domain, app_name):
        self.name, self.url, self.keys, self.domain, self.app_name = name, url, {"read": read, "write": write}, domain, app_name

    def look_around(self):
        own = connect(self.url, self.keys["write"])
        first = own.call("list_findings", limit=2).structured
        found = own.call("list_findings", limit=100).structured["findings"]
        person = next(row["subject"] for row in found if row["subject"].get("email", "").endswith("@" + self.domain))
        app = own.call("check_app_policy", app=self.app_name).structured
        app_id = next(row["subject"]["id"] for row in found if row["subject"]["type"] == "app" and row["subject"]["name"] == self.app_name)
        assert app_id in json.dumps(app)
        integration = own.call("get_integrations").structured["integrations"][0]["id"]
        self.things = {
            "finding": found[0]["id"],
            "identity": person["id"],
            "email": person["email"],
            "app": app_id,
            "app name": self.app_name,
            "integration": integration,
            "cursor": first["next_cursor"],
        }
        scans = own.call("list_scans", limit=1).structured["scans"]
        self.things |= {"scan": scan["scan_id"] for scan in scans}
        self.number = rows("SELECT workspace_id FROM workspaces WHERE name = ?", self.name)[0][0]
        self.ids = set()
        for table, sql in rows("SELECT name, sql FROM sqlite_master WHERE type = 'table'"):
            if sql and "workspace_id" in sql and re.search(r"^\s+id BLOB", sql, re.M):
                self.ids |= {str(uuid.UUID(bytes=row[0])) for row in rows(f"SELECT id FROM {table} WHERE workspace_id = ?", self.number) if len(row[0]) == 16}
        assert len(self.ids) > 1000, "the workspace's ids were not read"
        assert all(self.things[kind] in self.ids for kind in ("finding", "identity", "app", "integration"))

    def state(self):
        """Everything that a foreign call could change."""
        generation = rows("SELECT generation, key_generation FROM workspaces WHERE workspace_id = ?", self.number)
        own = connect(self.url, self.keys["read"])
        listed, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = own.call("list_findings", limit=100, status=["open", "in_progress", "resolved", "dismissed", "snoozed"], **more).structured
            listed += page["findings"]
            cursor = page.get("next_cursor")
            if not cursor:
                return generation, listed, cli("apps", "list", "--json", workspace=self.name).stdout, cli("remediations", "list", "--json", workspace=self.name).stdout


def unknown(kind, thing):
    """A value of the same form that doesn't exist in any workspace."""
    if kind in ("finding", "identity", "app", "integration", "scan"):
        return thing[:-12] + secrets.token_hex(6)
    if kind == "email":
        name, domain = thing.split("@")
        return f"{secrets.token_hex(len(name))[:len(name)]}@{domain}"
    if kind == "cursor":
        return thing[:20] + secrets.token_urlsafe(9)[:12].replace("=", "A") + thing[32:]
    return "Nobodys " + secrets.token_hex(4)


def calls(tool, schema, probe):
    """Yields the probe as each argument that accepts a string, and as an argument that doesn't exist."""
    fill = {"days": 3, "reason": "false_positive", "policy": "blocked", "finding_id": str(uuid.UUID(int=7)), "app": "Nobodys App", "scan_type": "compliance", "email": "nobody@nowhere.example"}
    required = {name: fill[name] for name in schema.get("required", [])}
    for name, form in schema["properties"].items():
        # An idempotency key is chosen by the caller, so two workspaces can use the same one.
        if form["type"] != "integer" and name != "idempotency_key":
            yield name, {**required, name: probe}
            if form["type"] == "array":
                yield name + "[]", {**required, name: [probe]}
    yield "workspace", {**required, "workspace": probe}
    if re.fullmatch(r"[\w-]+", probe):  # In other names, the answer replaces characters.
        yield "(name)", {**required, probe: "x"}


def no_trace(of, answer, argument, what):
    """Checks that an answer contains nothing that only the other workspace has."""
    _, body = answer.without(argument)
    leaked = of.ids.intersection(UUID.findall(body))
    assert not leaked, f"{what}: ids of `{of.name}` in an answer: {sorted(leaked)[:3]}"
    assert of.domain not in body and of.app_name not in body, f"{what}: names of `{of.name}` in an answer: {body[:300]}"


def foreign_calls(own, other, tools):
    """Calls every tool with every key of `own` and all data of `other`. Returns the number of calls, and how many of them have a result for `other`."""
    made = with_result = 0
    for scope, key in own.keys.items():
        for era in ERAS:
            client = connect(own.url, key, era)
            holder = connect(other.url, other.keys["write"], era)
            for kind, thing in other.things.items():
                for tool, schema in tools.items():
                    action = tool in ACTIONS
                    nothing = unknown(kind, thing)
                    for (place, foreign), (_, made_up) in zip(calls(tool, schema, thing), calls(tool, schema, nothing)):
                        what = f"{own.name}'s {scope} key, {era}, {tool} {place}={kind}"
                        known = None if action else holder.call(tool, **foreign)
                        answer = client.call(tool, **foreign)
                        expected = client.call(tool, **made_up)
                        assert answer.status == 200, f"{what}: {answer.status} {answer.body[:300]}"
                        assert answer.without(thing) == expected.without(nothing), f"{what}:\n{answer.without(thing)}\n{expected.without(nothing)}"
                        no_trace(other, answer, thing, what)
                        made += 1
                        if known and known.without(thing) != answer.without(thing) and not known.result.get("isError"):
                            with_result += 1
            for tool in ("get_risk_score", "get_posture_summary", "get_integrations", "list_rules", "list_findings"):
                arguments = {"limit": 100} if tool == "list_findings" else {}
                while True:
                    answer = client.call(tool, **arguments)
                    no_trace(other, answer, "\0", f"{own.name}: {tool}")
                    if not answer.structured.get("next_cursor"):
                        break
                    arguments["cursor"] = answer.structured["next_cursor"]
            for row in client.call("list_findings", limit=100).structured["findings"]:
                subject = row["subject"]
                if subject.get("email"):
                    no_trace(other, client.call("lookup_identity", email=subject["email"]), "\0", "lookup_identity")
                elif subject["type"] == "app":
                    no_trace(other, client.call("check_app_policy", app=subject["id"]), "\0", "check_app_policy")
    assert with_result > 0, "none of the calls has a result in the other workspace"
    return made, with_result


def main():
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Renaming)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    through = f"http://127.0.0.1:{proxy.server_address[1]}"
    reach = {"WATCHPOST_OUTBOUND_ALLOW": through, "WATCHPOST_LIMITS_REQUESTS_PER_HOUR": "0"}
    log = open(SCRATCH / "log", "w")
    info_file = SCRATCH / "info.json"
    server = subprocess.Popen(
        [BIN / "watchpost-http", "--demo", "--listen", "127.0.0.1:0", "--data-dir", DATA, "--demo-info", info_file],
        stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, **reach},
    )
    try:
        wait_until("the demo", lambda: info_file.exists() or (server.poll() is not None and sys.exit("the demo ended early: " + (SCRATCH / "log").read_text()[-2000:])))
        info = json.loads(info_file.read_text())
        url = info["mcp_url"]
        Renaming.upstream = re.search(r'http://127\.0\.0\.1:\d+', (DATA / "watchpost.toml").read_text())[0].encode()
        cli("init", "--add", "other")
        tenant = json.loads(cli("integrations", "list", "--json", workspace="default").stdout)["integrations"]
        tenant = next(row["config"]["tenant_id"] for row in tenant if row["platform"] == "m365")
        cli("integrations", "add", "okta", "--set", f"org_url={through}/okta", "--secret-stdin", "api_token", workspace="other", stdin=OKTA_TOKEN, env=reach)
        fields = {"tenant_id": tenant, "client_id": M365_CLIENT, "login_url": f"{through}/login", "graph_url": f"{through}/graph"}
        settings = [word for name, value in fields.items() for word in ("--set", f"{name}={value}")]
        cli("integrations", "add", "m365", *settings, "--secret-stdin", "client_secret", workspace="other", stdin=M365_SECRET, env=reach)
        cli("sync", workspace="other", env=reach)
        keys = {scope: cli("keys", "create", "--label", scope, "--scope", scope, workspace="other").stdout.strip() for scope in ("read", "write")}
        first = Workspace("default", url, info["read_key"], info["write_key"], "birchworks.example", "Tenant Migrator")
        second = Workspace("other", url, keys["read"], keys["write"], "lindenworks.example", "Tenant Mover")
        # Queued syncs would change `as_of` between two answers.
        wait_until("all jobs", lambda: connect(url, keys["read"]).call("get_integrations").structured["connected_count"] == 2 and not rows("SELECT 1 FROM jobs WHERE state IN (0, 1) AND kind IN (0, 1) LIMIT 1"), 30)
        first.look_around()
        second.look_around()
        assert "scan" in first.things
        assert not first.ids & second.ids
        step(f"two workspaces in one file: {len(first.ids)} and {len(second.ids)} ids")

        tools = {tool["name"]: tool["inputSchema"] for tool in connect(url, first.keys["write"]).send("tools/list", {}).result["tools"]}
        assert {"get_risk_score", *ACTIONS} <= set(tools), sorted(tools)
        for own, other in ((first, second), (second, first)):
            before = other.state()
            made, with_result = foreign_calls(own, other, tools)
            assert other.state() == before, f"`{other.name}` changed"
            step(f"{made} calls with keys of `{own.name}` and data of `{other.name}`: answered like unknown data ({with_result} of them have a result for `{other.name}`); no data of `{other.name}` was shown or changed")

        for own, other in ((first, second), (second, first)):
            pipe = StdioClient([BIN / "watchpost-stdio", "--data-dir", DATA], "tenancy", env={"WATCHPOST_API_KEY": own.keys["write"]}, answer=Comparable)
            listed = pipe.call("list_findings", limit=100)
            assert listed.structured["total"] > 0
            no_trace(other, listed, "\0", "stdio")
            for tool, argument, kind in (("snooze_finding", "finding_id", "finding"), ("list_findings", "entity", "identity"), ("lookup_identity", "email", "email"), ("set_app_policy", "app", "app")):
                nothing = unknown(kind, other.things[kind])
                more = {"days": 3} if tool == "snooze_finding" else {"policy": "blocked"} if tool == "set_app_policy" else {}
                theirs, made_up = (pipe.call(tool, **{argument: thing}, **more) for thing in (other.things[kind], nothing))
                assert theirs.without(other.things[kind]) == made_up.without(nothing), theirs.body
            assert pipe.end() == 0
        bare = subprocess.run([BIN / "watchpost-stdio", "--data-dir", DATA], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, env={k: v for k, v in os.environ.items() if k != "WATCHPOST_API_KEY"})
        assert bare.returncode != 0 and "--workspace" in bare.stderr, f"{bare.returncode} {bare.stderr}"
        step("the same over stdio; without a key it requires --workspace")

        theirs, made_up = second.things["finding"], unknown("finding", second.things["finding"])
        for words in (("findings", "show"), ("findings", "reopen")):
            one, none = (cli(*words, thing, workspace="default", ok=False) for thing in (theirs, made_up))
            assert one.returncode == none.returncode != 0 and one.stderr.replace(theirs, "") == none.stderr.replace(made_up, ""), one.stderr
        listed = {name: json.loads(cli("keys", "list", "--json", workspace=name).stdout)["keys"] for name in ("default", "other")}
        assert all(len(found) == 2 for found in listed.values()), listed
        stolen = cli("keys", "revoke", next(row["id"] for row in listed["other"]), workspace="default", ok=False)
        assert stolen.returncode != 0, "a key was revoked from another workspace"
        for key in second.keys.values():
            assert connect(url, key).call("get_risk_score").status == 200
        gone = next(row["id"] for row in listed["default"] if first.keys["read"].startswith(row["prefix"]))
        cli("keys", "revoke", gone, workspace="default")
        wait_until("the revocation", lambda: revoked(url, first.keys["read"]), 2)
        for key in (first.keys["write"], *second.keys.values()):
            assert connect(url, key).call("get_risk_score").structured["score"] >= 0
        step("a key revoked in one workspace doesn't affect the other keys; no workspace can revoke a key of another")

        # The same actions work in the workspace that has the data.
        own = connect(url, first.keys["write"])
        before = second.state()
        assert own.call("snooze_finding", finding_id=first.things["finding"], days=3).structured["changed"]
        assert own.call("set_app_policy", app=first.things["app"], policy="blocked").structured["changed"]
        no_trace(second, own.call("trigger_sync"), "\0", "trigger_sync")
        assert second.state() == before, "an action in one workspace changed the other"
        for name in ("default", "other"):
            verdict = cli("audit", "verify", workspace=name)
            step(f"audit verify, {name}: {verdict.stdout.strip()}")
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=30)
        log.close()
        proxy.shutdown()
    assert code == 0, f"the server exited with code {code}"
    shutil.rmtree(SCRATCH)
    print("two workspaces: passed")


def revoked(url, key):
    return connect(url, key).post("{}", {"Content-Type": "application/json", "X-Api-Key": key}).status == 401


main()
