"""Runs both conformance suites, evaluates the checks that they report, and updates the table of counts."""

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
# The longest run takes less than a minute, so a run that takes this long hangs.
SECONDS_PER_RUN = 300
# (heading, folder of the suite, arguments, minimum number of successes)
RUNS = [
    ("0.1.16", "stable", ["--suite", "all"], 46),
    ("2025-06-18", "next", ["--suite", "all", "--spec-version", "2025-06-18"], 56),
    ("2025-11-25", "next", ["--requirements", "2025-11-25"], 83),
    ("2026-07-28", "next", ["--requirements", "2026-07-28"], 196),
]
# The accepted statuses of a check. Any other status is a failure.
PASSED, SILENT = "SUCCESS", {"INFO", "SKIPPED"}
FOLDER = re.compile(r"^server-(?P<scenario>.+)-\d{4}-\d{2}-\d{2}T[\dA-Za-z-]+$")


def start():
    server = subprocess.Popen(
        [os.environ["CONFORMANCE_SERVER"], "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
    )
    url = server.stdout.readline().strip()
    if not url.startswith("http://127.0.0.1:"):
        stop(server)
        sys.exit(f"the server didn't print its address: {url!r}")
    return server, url


def stop(server):
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def judge(folder, arguments, url, out):
    """Runs one suite. Returns the number of checks per scenario and status, and a list of problems."""
    command = ["npx", "--no-install", "conformance", "server", "--url", url, *arguments, "-o", str(out)]
    suite = subprocess.Popen(
        command, cwd=HERE / folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        output, _ = suite.communicate(timeout=SECONDS_PER_RUN)
    except subprocess.TimeoutExpired:
        os.killpg(suite.pid, signal.SIGKILL)
        output, _ = suite.communicate()
        return {}, [f"not finished within {SECONDS_PER_RUN} s; the end of its output:\n{output[-2000:]}"]
    counts, problems = defaultdict(Counter), []
    for path in sorted(out.glob("*/checks.json")):
        name = FOLDER.match(path.parent.name)
        if not name:
            problems.append(f"unexpected name of a folder: {path.parent.name}")
            continue
        scenario = name["scenario"]
        for check in json.loads(path.read_text()):
            status = check["status"]
            counts[scenario][status] += 1
            if status != PASSED and status not in SILENT:
                why = check.get("errorMessage") or json.dumps(check.get("details"))
                problems.append(f"{scenario}: {status} {check['id']}: {why}")
    if not counts or (suite.returncode != 0 and not problems):
        problems.append(f"the suite exited with code {suite.returncode}; the end of its output:\n{output[-2000:]}")
    return counts, problems


def table(counted):
    """The number of successes per scenario and run; a dash if the run doesn't have the scenario."""
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


def update(text):
    """Writes the table to the page. If CI is set, compares it with the page instead. Returns a list of problems."""
    page = PAGE.read_text()
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        return [f"{PAGE.name} must have each of the two marks of the table once"]
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    new = f"{before}{BEGIN}\n{text}\n{END}{after}"
    if new == page:
        return []
    if os.environ.get("CI"):
        return [f"the table in {PAGE.name} is out of date; run tests/conformance/run and commit it:\n{text}"]
    PAGE.write_text(new)
    return []


def main():
    counted, problems = {}, []
    server, url = start()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            for heading, folder, arguments, minimum in RUNS:
                counts, found = judge(folder, arguments, url, Path(scratch) / heading)
                counted[heading] = counts
                passed = sum(count[PASSED] for count in counts.values())
                if passed < minimum:
                    found.append(f"only {passed} checks passed; at least {minimum} must pass")
                if server.poll() is not None:
                    found.append(f"the server exited with code {server.returncode}")
                problems += [f"{heading}: {problem}" for problem in found]
                print(f"conformance {heading}: {passed} passed in {len(counts)} scenarios, {len(found)} problems")
    finally:
        stop(server)
    # The table is only updated after a run without problems.
    problems += [] if problems else update(table(counted))
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
