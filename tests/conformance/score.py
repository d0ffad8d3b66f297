"""Runs mcpscore against the demo and compares what it finds with the accepted losses in docs/mcp-conformance.md."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "mcp-conformance.md"
BEGIN, END = "<!-- lost points: compared by tests/conformance/score -->", "<!-- end of lost points -->"
ROW = re.compile(r"^\| `(?P<rule>[a-z0-9_]+)` \| (?P<points>\d+) \| (?P<reason>\S.*) \|$", re.MULTILINE)
REQUIRED = 220
# The tools that it can call without knowing anything of the company, twice each, and one unknown tool.
SMOKE_PASSED = 20
# A list of tools is read by a model in each conversation.
TOKENS_MAX = 9000
REVISION = "2026-07-28"
COUNT = "const { encode } = require('gpt-tokenizer/encoding/o200k_base'); console.log(encode(require('fs').readFileSync(0, 'utf8')).length)"
SECONDS_TO_START, SECONDS_TO_SCORE = 60, 120


def start(scratch):
    """Starts the demo. Returns its process and what it says about itself."""
    info = scratch / "info.json"
    log = (scratch / "log").open("w")
    command = [
        f"{os.environ['BIN_DIR']}/watchpost-http", "--demo", "--listen", "127.0.0.1:0",
        "--data-dir", str(scratch / "data"), "--demo-info", str(info),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
    for _ in range(SECONDS_TO_START * 10):
        if info.exists():
            return server, json.loads(info.read_text())
        if server.poll() is not None:
            break
        time.sleep(0.1)
    stop(server)
    sys.exit(f"the demo was not ready within {SECONDS_TO_START} s:\n{(scratch / 'log').read_text()[-2000:]}")


def stop(server):
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def audit(info, scratch):
    """The report of mcpscore, with the smoke checks, which call the tools that read. Returns it and a list of problems."""
    command = [str(Path(sys.executable).with_name("mcpscore")), info["mcp_url"], "--no-config", "--smoke", "--json"]
    # Scored in an empty folder, so that no configuration changes the rules.
    run = subprocess.run(
        command, cwd=scratch, env=os.environ | {"MCPSCORE_TOKEN": info["read_key"]},
        capture_output=True, text=True, timeout=SECONDS_TO_SCORE,
    )
    # 4: a smoke check failed.
    if run.returncode not in (0, 4):
        sys.exit(f"mcpscore exited with code {run.returncode}:\n{run.stderr[-2000:]}")
    report = json.loads(run.stdout)
    smoke = report["smoke"]
    problems = [f"smoke check: {check}" for check in smoke["checks"] if check["verdict"] == "fail"]
    passed = smoke["summary"]["passed"]
    print(f"smoke checks: {passed} passed, {len(problems)} failed")
    if passed < SMOKE_PASSED or (run.returncode == 4) != bool(problems):
        problems.append(f"at least {SMOKE_PASSED} smoke checks must pass: {smoke['summary']}, {smoke['reason']}")
    return report, problems


def accepted():
    """The lost points with a reason, by rule."""
    page = PAGE.read_text()
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        sys.exit(f"{PAGE.name} must have each of the two marks of the lost points once")
    table = page.split(BEGIN)[1].split(END)[0]
    return {row["rule"]: int(row["points"]) for row in ROW.finditer(table)}


def judge(report):
    """Prints the lost points. Returns a list of problems."""
    # The rules of the newest revision are listed apart.
    ready = report["readiness"]
    counted = report["results"] + (ready["results"] if ready["counted_in_main"] else [])
    lost = {result["rule_id"]: result for result in counted if not result["passed"]}
    known, problems = accepted(), []
    score, best = report["score"], report["max_score"]
    if score < REQUIRED:
        problems.append(f"the score is {score}; at least {REQUIRED} are required")
    if report["partial"] or report["incomplete_listings"] or not report["authenticated"]:
        problems.append("the server was not judged completely")
    points = sum(result["severity_value"] for result in lost.values())
    if points != best - score:
        problems.append(f"{best - score} points are lost, but the failed rules have {points}")
    for rule, result in sorted(lost.items()):
        print(f"  lost {result['severity_value']}: {rule}")
        if known.get(rule) != result["severity_value"]:
            problems.append(f"not accepted: {rule} ({result['severity_value']}): {result['message'].strip('❌ ')}")
    problems += [f"{rule} passed; remove it from {PAGE.name}" for rule in sorted(known.keys() - lost.keys())]
    print(f"score: {score} of {best} (mcpscore {report['mcpscore_version']}), {len(problems)} problems")
    return problems


def list_of_tools(info):
    """The array of tools as a client with a write key gets it, in the revision with the most fields."""
    envelope = {"io.modelcontextprotocol/protocolVersion": REVISION, "io.modelcontextprotocol/clientCapabilities": {}}
    request = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": envelope}}
    headers = {
        "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
        "X-Api-Key": info["write_key"], "MCP-Protocol-Version": REVISION, "Mcp-Method": "tools/list",
    }
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(info["mcp_url"], json.dumps(request).encode(), headers), timeout=30) as answer:
        result = json.load(answer)["result"]
    assert "nextCursor" not in result, "the list has several pages"
    return json.dumps(result["tools"], separators=(",", ":"), ensure_ascii=False)


def count(tools):
    """Counts the tokens of the list. Returns a list of problems."""
    run = subprocess.run(
        ["node", "-e", COUNT], cwd=HERE / "tokens", input=tools, capture_output=True, text=True, check=True, timeout=60
    )
    tokens = int(run.stdout)
    print(f"tools/list: {len(tools.encode())} bytes, {tokens} tokens (gpt-tokenizer, o200k_base)")
    return [] if tokens < TOKENS_MAX else [f"the list of tools has {tokens} tokens; it must have fewer than {TOKENS_MAX}"]


def main():
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        server, info = start(scratch)
        try:
            report, problems = audit(info, scratch)
            problems += judge(report) + count(list_of_tools(info))
        finally:
            stop(server)
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
