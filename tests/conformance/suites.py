"""Runs both conformance suites, judges every check that they wrote down, and keeps the table of counts."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "mcp-conformance.md"
BEGIN, END = "<!-- counts: written by tests/conformance/run -->", "<!-- end of counts -->"
# A run that takes longer hangs: the longest needs less than a minute.
SECONDS_PER_RUN = 300
# (heading, folder of the suite, arguments, successes that must be there at least)
RUNS = [
    ("0.1.16", "stable", ["--suite", "all"], 46),
    ("2025-06-18", "next", ["--suite", "all", "--spec-version", "2025-06-18"], 56),
    ("2025-11-25", "next", ["--requirements", "2025-11-25"], 83),
    ("2026-07-28", "next", ["--requirements", "2026-07-28"], 196),
]
# What a check may say. Anything else, known or not, is a failure here.
PASSED, SILENT = "SUCCESS", {"INFO", "SKIPPED"}
FOLDER = re.compile(r"^server-(?P<scenario>.+)-\d{4}-\d{2}-\d{2}T[\dA-Za-z-]+$")


def start():
    server = subprocess.Popen(
        [os.environ["CONFORMANCE_SERVER"], "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
    )
    url = server.stdout.readline().strip()
    if not url.startswith("http://127.0.0.1:"):
        stop(server)
        sys.exit(f"the server didn't say where it listens: {url!r}")
    return server, url


def stop(server):
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def judge(folder, arguments, url, out):
    """Runs one suite. Returns the statuses of each scenario's checks, and what is wrong."""
    command = ["npx", "--no-install", "conformance", "server", "--url", url, *arguments, "-o", str(out)]
    suite = subprocess.Popen(
        command, cwd=HERE / folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        said, _ = suite.communicate(timeout=SECONDS_PER_RUN)
    except subprocess.TimeoutExpired:
        os.killpg(suite.pid, signal.SIGKILL)
        said, _ = suite.communicate()
        return {}, [f"not done within {SECONDS_PER_RUN} s; it said last:\n{said[-2000:]}"]
    counts, wrong = defaultdict(Counter), []
    for path in sorted(out.glob("*/checks.json")):
        name = FOLDER.match(path.parent.name)
        if not name:
            wrong.append(f"a folder of another form: {path.parent.name}")
            continue
        scenario = name["scenario"]
        for check in json.loads(path.read_text()):
            status = check["status"]
            counts[scenario][status] += 1
            if status != PASSED and status not in SILENT:
                why = check.get("errorMessage") or json.dumps(check.get("details"))
                wrong.append(f"{scenario}: {status} {check['id']}: {why}")
    if not counts or (suite.returncode != 0 and not wrong):
        wrong.append(f"the suite ended with {suite.returncode}; it said last:\n{said[-2000:]}")
    return counts, wrong


def table(counted):
    """Successes per scenario and run; a dash where a scenario isn't in a run."""
    scenarios = sorted({scenario for counts in counted.values() for scenario in counts})
    headings = [heading for heading, *_ in RUNS]
    rows = [["Scenario", *headings], ["---", *("---:" for _ in headings)]]
    for scenario in scenarios:
        cells = [counted[heading].get(scenario) for heading in headings]
        rows.append([f"`{scenario}`", *("–" if cell is None else str(cell[PASSED]) for cell in cells)])

    def total(wanted):
        return [str(sum(counts[status] for counts in counted[heading].values() for status in wanted)) for heading in headings]

    rows.append(["**passed**", *total([PASSED])])
    rows.append(["not applicable or for information", *total(SILENT)])
    rows.append(["required at least", *(str(minimum) for *_, minimum in RUNS)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def keep(text):
    """Writes the table into the page, or, when CI is set, says whether the page has it."""
    page = PAGE.read_text()
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        return [f"{PAGE.name} needs the two marks of the table once each"]
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    new = f"{before}{BEGIN}\n{text}\n{END}{after}"
    if new == page:
        return []
    if os.environ.get("CI"):
        return [f"the table in {PAGE.name} isn't what was counted; run tests/conformance/run and check it in:\n{text}"]
    PAGE.write_text(new)
    return []


def main():
    counted, wrong = {}, []
    server, url = start()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            for heading, folder, arguments, minimum in RUNS:
                counts, complaints = judge(folder, arguments, url, Path(scratch) / heading)
                counted[heading] = counts
                passed = sum(count[PASSED] for count in counts.values())
                if passed < minimum:
                    complaints.append(f"{passed} checks passed, at least {minimum} must")
                if server.poll() is not None:
                    complaints.append(f"the server ended with {server.returncode}")
                wrong += [f"{heading}: {complaint}" for complaint in complaints]
                print(f"conformance {heading}: {passed} passed in {len(counts)} scenarios, {len(complaints)} complaints")
    finally:
        stop(server)
    # A table of a bad run would only hide that it was bad.
    wrong += [] if wrong else keep(table(counted))
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
