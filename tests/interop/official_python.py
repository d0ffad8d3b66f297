"""Tests the official Python SDK in both eras, over streamable HTTP, HTTP+SSE and stdio."""

import asyncio
import json
import os

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

CONFIG = json.loads(os.environ["INTEROP"])
QUERIES = [
    "check_app_policy", "compare_scans", "generate_report", "get_finding", "get_integrations", "get_posture_summary", "get_risk_score", "get_scan",
    "get_score_trend", "list_check_results", "list_findings", "list_rules", "list_scans", "lookup_identity", "start_scan",
]
ACTIONS = ["dismiss_finding", "remediate_finding", "set_app_policy", "snooze_finding", "trigger_sync"]
NOBODY = "00000000-0000-7000-8000-000000000000"


async def names(client):
    return sorted(tool.name for tool in (await client.list_tools()).tools)


def text_of(result):
    return "".join(block.text for block in result.content if block.type == "text")


async def call(client, name, **args):
    result = await client.call_tool(name, args)
    assert not result.is_error, f"{name}: {text_of(result)}"
    return result.structured_content or json.loads(next(line for line in text_of(result).splitlines() if line.startswith("{")))


async def drive_with_write_key(client):
    assert await names(client) == sorted(QUERIES + ACTIONS)
    risk = await call(client, "get_risk_score")
    assert 0 <= risk["score"] <= 100
    page = await call(client, "list_findings", severity=["critical", "high"], limit=100)
    assert page["returned"] == len(page["findings"])
    person = next(row for row in page["findings"] if row["subject"].get("email"))
    details = await call(client, "get_finding", finding_id=person["id"])
    assert details["id"] == person["id"] and details["rule"]["remediation"] and details["evidence"]
    identity = await call(client, "lookup_identity", email=person["subject"]["email"])
    assert person["id"] in json.dumps(identity)
    assert len((await call(client, "get_integrations"))["integrations"]) == 2
    await call(client, "get_posture_summary")
    rules = await call(client, "list_rules")
    actionable = {rule["id"] for rule in rules["rules"] if rule.get("action")}
    assert (await call(client, "check_app_policy", app="an app that nobody has seen"))["seen"] is False
    fixable = next(row for row in page["findings"] if row["rule_id"] in actionable)
    low = (await call(client, "list_findings", severity=["low", "medium"], limit=100))["findings"]
    apps = [row for row in low + page["findings"] if row["subject"]["type"] == "app"]
    others = [row for row in low if row["subject"]["type"] != "app"]
    assert (await call(client, "remediate_finding", finding_id=fixable["id"]))["status"] == "pending_approval"
    await call(client, "snooze_finding", finding_id=others[0]["id"], days=3)
    await call(client, "dismiss_finding", finding_id=others[1]["id"], reason="false_positive")
    await call(client, "set_app_policy", app=apps[0]["subject"]["id"], policy="unauthorized")
    await call(client, "set_app_policy", app=apps[0]["subject"]["id"], policy="none")
    assert (await call(client, "trigger_sync"))["status"] in ("triggered", "already_running")


async def drive_with_read_key(client):
    assert await names(client) == QUERIES
    await call(client, "get_risk_score")
    arguments = {
        "dismiss_finding": {"finding_id": NOBODY, "reason": "accepted_risk"},
        "remediate_finding": {"finding_id": NOBODY},
        "set_app_policy": {"app": "x", "policy": "blocked"},
        "snooze_finding": {"finding_id": NOBODY, "days": 1},
        "trigger_sync": {},
    }
    for name in ACTIONS:
        refused = await client.call_tool(name, arguments[name])
        assert refused.is_error and "Write scope required" in text_of(refused), f"{name}: {text_of(refused)}"


def causes(error):
    yield error
    for inner in getattr(error, "exceptions", ()):
        yield from causes(inner)
    for inner in (error.__cause__, error.__context__):
        if inner is not None:
            yield from causes(inner)


async def rejects_everything(server, mode, words):
    try:
        async with Client(server, mode=mode) as client:
            await client.list_tools()
    except BaseException as error:  # noqa: BLE001: groups of errors are no Exception
        said = " ".join(f"{inner!r} {inner}" for inner in causes(error))
        assert any(word in said for word in words), f"the error has none of {words}: {said}"
        return
    raise AssertionError("a wrong key was accepted")


def http(key):
    return streamable_http_client(CONFIG["mcp_url"], http_client=httpx2.AsyncClient(headers={"X-Api-Key": key}, timeout=30))


def sse(key):
    return sse_client(CONFIG["sse_url"], headers={"Authorization": f"Bearer {key}"})


def stdio(key):
    return StdioServerParameters(command=CONFIG["stdio"], args=["--data-dir", CONFIG["data_dir"]], env={"WATCHPOST_API_KEY": key})


async def main():
    for name, mode, open_server in [
        ("http", "2026-07-28", http),
        ("http", "auto", http),
        ("http", "legacy", http),
        ("sse", "legacy", sse),
        ("stdio", "auto", stdio),
        ("stdio", "legacy", stdio),
    ]:
        async with Client(open_server(CONFIG["write_key"]), mode=mode) as client:
            await drive_with_write_key(client)
        async with Client(open_server(CONFIG["read_key"]), mode=mode) as client:
            await drive_with_read_key(client)
        # Over HTTP this client reports only that there was an error; the status is checked below.
        words = ["Invalid API key"] if name == "stdio" else ["Invalid API key", "401", "Server returned an error response"]
        await rejects_everything(open_server(CONFIG["bad_key"]), mode, words)
        print(f"python sdk: {name}, {mode}", flush=True)


    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {CONFIG['bad_key']}"}) as client:
        for answer in (await client.post(CONFIG["mcp_url"], json={}), await client.get(CONFIG["sse_url"])):
            assert answer.status_code == 401 and answer.json() == {"error": "Invalid API key"}, answer.text


asyncio.run(main())
