"""Imports result files as an operator would. Checks the counts of third-party files, and that files that are truncated, wrongly encoded, of
another tenant, of an unknown format, too large, compressed bombs or imported twice are handled as documented and leave nothing behind.
Needs only Python."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import tempfile
import zipfile
from pathlib import Path

BIN = Path(os.environ["BIN_DIR"])
FIXTURES = Path("crates/watchpost-connectors/tests/it/import/fixtures")
SCRATCH = Path(tempfile.mkdtemp())
# Checkpoints of the audit trail go here and not to the folder of the user.
os.environ["XDG_STATE_HOME"] = str(SCRATCH / "state")
BIRCHWORKS = "c0ffee00-1111-4222-8333-444444444444"
COUNTS = ("rows", "rows_ok", "rows_skipped", "rows_not_run")
# The limits of the reader.
DOCUMENT_MIB, ROWS = 128, 200_000


class Folder:
    """A separate data folder."""

    def __init__(self, name):
        self.path = SCRATCH / name
        self.run("init")

    def run(self, *words, given=None, code=0):
        command = [BIN / "watchpost", "--data-dir", self.path, *words]
        done = subprocess.run(command, input=given, capture_output=True, timeout=120)
        assert done.returncode == code, f"watchpost {words}: {done.returncode}, expected {code}\n{done.stdout!r}\n{done.stderr!r}"
        return done

    def json(self, *words, **more):
        return json.loads(self.run(*words, "--json", **more).stdout)

    def take(self, content, *words):
        """Imports a file, or bytes over standard input."""
        if isinstance(content, Path):
            return self.json("import", content, *words)
        return self.json("import", "-", *words, given=content)

    def reject(self, content, says, code=2, words=()):
        """Checks that an import fails with a reason, prints no result, and changes nothing."""
        before = self.state()
        given = None if isinstance(content, Path) else content
        done = self.run("import", content if given is None else "-", *words, "--json", given=given, code=code)
        text = done.stderr.decode()
        assert says in text and len(text) < 1_000, f"{says!r} is not in {text!r}"
        assert not done.stdout, done.stdout
        assert self.state() == before, "the failed import left something behind"

    def state(self):
        batches = self.json("imports", "list")
        return batches["total"], len(self.json("integrations", "list")["integrations"]), self.json("scan", "list")["total"]


def counts(batch):
    return tuple(batch[name] for name in COUNTS)


def show(name, answer):
    for batch in answer["batches"]:
        results = " ".join(f"{word}={count}" for word, count in batch["results"].items() if count)
        numbers = " ".join(f"{word}={batch[word]}" for word in COUNTS)
        extra = f" settings={batch['settings']} scans={len(batch['scans'])}" if batch["settings"] else ""
        print(f"  {name}: {batch['tool']} {numbers}{extra} {results}".rstrip())
        assert batch["rows"] == batch["rows_ok"] + batch["rows_skipped"] + batch["rows_not_run"]


def third_party_files():
    shared = os.environ["SHARED_DIR"]
    data = Path(shared) / "data"
    if not shared or not data.is_dir():
        assert not os.environ.get("CI"), "CI requires the third-party result files (SHARED_DIR)"
        print("- skipped: there are no third-party result files (SHARED_DIR)")
        return
    folder = Folder("others")
    print("- third-party result files")
    answer = folder.take(data / "prowler" / "example_output_aws.ocsf.json")
    show("prowler/example_output_aws.ocsf.json", answer)
    assert counts(answer["batches"][0]) == (5, 5, 0, 0) and answer["batches"][0]["integration_is_new"]
    export = data / "scubagear" / "ProviderSettingsExport.older.json"
    answer = folder.take(export)
    show("scubagear/ProviderSettingsExport.older.json", answer)
    batch = answer["batches"][0]
    assert counts(batch) == (0, 0, 0, 0) and batch["settings"] > 40 and batch["scans"], batch
    for scan in batch["scans"]:
        status = folder.json("scan", "status", "--scan", scan)
        print(f"    scan {status['scan_type']}: passed={status['passed']} failed={status['failed']} skipped={status['skipped']} errors={status['errors']}")
    assert folder.take(export)["already_imported"]
    for cases in sorted((data / "scuba-cases").glob("*.jsonl.gz")):
        # Cases for `policy eval --batch`, not results of a run.
        folder.reject(cases, "the file is not valid JSON")
        print(f"  scuba-cases/{cases.name}: not a result file, rejected with exit code 2")
    folder.run("audit", "verify")


def valid_files():
    folder = Folder("good")
    print("- one file of each format")
    # The tool, and the counts of each batch.
    expected = {
        "scuba_results.json": ("scubagear", [(10, 9, 1, 0)]),
        "aad_report.json": ("scubagear", [(3, 3, 0, 0)]),
        "goggles_results.json": ("scubagoggles", [(1, 1, 0, 0)]),
        "provider_settings.json": ("scubagear", [(0, 0, 0, 0)]),
        "test_results.json": ("scubagear", [(4, 3, 1, 0)]),
        "prowler.ocsf.json": ("prowler", [(5, 4, 1, 0), (1, 1, 0, 0)]),
        "compliance.ocsf.jsonl": ("watchpost", [(5, 5, 0, 0)]),
        "maester.json": ("maester", [(10, 7, 2, 1)]),
        "maester_merged.json": ("maester", [(1, 1, 0, 0), (1, 1, 0, 0)]),
    }
    files = sorted(FIXTURES.iterdir())
    assert {file.name for file in files} == set(expected), "a format has no expectation here"
    for file in files:
        answer = folder.take(file)
        show(file.name, answer)
        tool, batches = expected[file.name]
        assert [batch["tool"] for batch in answer["batches"]] == [tool] * len(batches)
        assert [counts(batch) for batch in answer["batches"]] == batches
        again = folder.take(file)
        assert again["already_imported"] and [b["id"] for b in again["batches"]] == [b["id"] for b in answer["batches"]]
        assert all(batch["file"] == file.name for batch in again["batches"])
    tenants = [row["name"] for row in folder.json("integrations", "list")["integrations"]]
    assert "Birchworks" in tenants and "Fernhill" in tenants and "ScubaGear results" in tenants, tenants
    batches = folder.json("imports", "list")
    assert batches["total"] == sum(len(found) for _, found in expected.values()) and not batches["more"]
    maester = folder.json("imports", "list", "--tool", "maester")["batches"]
    assert len(maester) == 3
    text = folder.run("import", FIXTURES / "maester.json").stdout.decode()
    assert "already imported" in text and "{" not in text, text

    prowler = folder.json("imports", "list", "--tool", "prowler")["batches"][-1]
    page = folder.json("imports", "results", prowler["id"], "--result", "failed", "--limit", "1")
    row = page["results"][0]
    assert row["result"] == "failed" and row["entity"]["name"] and row["check_id"] == "entra.users_mfa_capable", row
    folder.run("imports", "results", "00000000-0000-7000-8000-000000000000", code=3)
    print("  lists, results, the same file again: as expected")

    answer = folder.json("imports", "disagreements")
    rows = [(row, place["name"]) for place in answer["integrations"] for row in place["disagreements"]]
    assert rows, answer
    for row, name in rows:
        assert row["ours"]["reason"] and row["ours"]["result"] != row["theirs"]["result"]
    print(f"  disagreements: {sum(place['compared'] for place in answer['integrations'])} verdicts compared, {len(rows)} differ, for example")
    row = rows[0][0]
    print(f"    {row['check_id']}: ours {row['ours']['result']}, {row['theirs']['tool']} {row['theirs']['control']} {row['theirs']['result']}")
    assert folder.run("imports", "disagreements").stdout
    folder.run("doctor", code=6)  # No platform is connected, so there is no score yet.
    folder.run("audit", "verify")

    # The removal of an integration deletes its imports, after which the file can be imported again.
    merged = next(row for row in folder.json("integrations", "list")["integrations"] if row["name"] == "Fernhill")
    folder.run("integrations", "remove", merged["id"], "--yes")
    assert folder.json("imports", "list")["total"] == batches["total"] - 1
    assert not folder.take(FIXTURES / "maester_merged.json")["already_imported"]
    print("  removed with its integration, and imported again")


def invalid_files():
    folder = Folder("bad")
    print("- invalid files")
    results = (FIXTURES / "scuba_results.json").read_bytes()
    prowler = (FIXTURES / "prowler.ocsf.json").read_bytes()
    plain = folder.take(results)["batches"][0]

    for at in (1, len(results) // 3, len(results) - 5):
        folder.reject(results[:at], "the file ends too early")
    folder.reject(results[:100] + b"\x00" + results[100:], "not valid JSON")
    folder.reject(results[:100] + b"\xff" + results[100:], "neither UTF-8 nor UTF-16")
    cut = folder.take(prowler.rstrip().rstrip(b"]").rstrip() + b",")["batches"][0]
    assert cut["partial"] and cut["rows_ok"] > 0, cut
    cut = folder.take(prowler[:-60])["batches"][0]
    assert cut["partial"] and cut["rows_skipped"] == 2 and "ends within it" in cut["errors"][-1]["reason"], cut
    print("  truncated files: single documents rejected; complete rows of lists imported and marked partial")
    rows = json.loads(prowler)[:2]
    for glued in (f"[{json.dumps(rows[0])}][{json.dumps(rows[1])}]", f"[{json.dumps(rows[0])}]{json.dumps(rows[1])}]"):
        both = folder.take(glued.encode())["batches"][0]
        assert both["partial"] and counts(both) == (2, 2, 0, 0) and "glued" in both["errors"][0]["reason"], both
    text = folder.run("import", "-", given=f"[{json.dumps(rows[1])}][{json.dumps(rows[0])}]".encode()).stdout.decode()
    assert "row 1: it is glued" in text and "rows may be missing" in text, text
    print("  lists glued together: the rows of all imported and marked partial")

    wide = folder.take(b"\xff\xfe" + results.decode().encode("utf-16-le"))["batches"][0]
    assert counts(wide) == counts(plain) and wide["integration_id"] == plain["integration_id"] and not wide["partial"]
    marked = folder.take(b"\xef\xbb\xbf" + results)["batches"][0]
    assert counts(marked) == counts(plain)
    packed = folder.take(gzip.compress(results))["batches"][0]
    assert counts(packed) == counts(plain)
    print("  UTF-16 and UTF-8 with a byte order mark, gzip: the same counts")

    document = json.loads(results)
    group = document["Results"]["AAD"][0]
    group["Controls"] = group["Controls"][0]
    document["Results"] = {"AAD": group, "EXO": None, "Teams": [None], "SharePoint": {}, "Power BI": ""}
    bent = folder.take(json.dumps(document).encode())["batches"][0]
    assert counts(bent) == (1, 1, 0, 0), bent
    settings = json.loads((FIXTURES / "provider_settings.json").read_bytes())
    settings |= {"remote_domains": settings["remote_domains"][0], "accepted_domains": None, "dkim_config": [None], "conn_filter": {}, "SPO_tenant": ""}
    bent = folder.take(json.dumps(settings).encode())["batches"][0]
    assert bent["settings"] > 0 and counts(bent) == (0, 0, 0, 0), bent
    print("  an object instead of a list with one element, null instead of a list: read as lists")

    other = json.loads(results)
    other["MetaData"]["TenantId"] = "c0ffee00-1111-4222-8333-999999999999"
    foreign = json.dumps(other).encode()
    where = ("--integration", plain["integration_id"])
    folder.reject(foreign, "another tenant", code=4, words=where)
    folder.reject(foreign, "integration not found", code=3, words=("--integration", "00000000-0000-7000-8000-000000000000"))
    forced = folder.take(foreign, *where, "--other-tenant")["batches"][0]
    assert forced["integration_id"] == plain["integration_id"]
    print("  another tenant's file: rejected without --other-tenant")

    folder.reject(b'{"hello": 1, "world": 2}', "`hello`")
    folder.reject(b"<html></html>", "unknown format")
    folder.reject(b'{"version": "2.1.0", "runs": []}', "SARIF is not supported")
    folder.reject(b"", "no results")
    folder.reject(b"[]", "no results")
    folder.reject(b"[" * 100_000, "levels deep")
    folder.reject(b'[{"class_uid": 2004, "category_uid": 2}]', "none of 1 rows could be read")
    folder.reject(SCRATCH / "nothing.json", "nothing.json", code=3)
    (SCRATCH / "empty").mkdir()
    folder.reject(SCRATCH / "empty", "is a folder")
    print("  unknown formats, empty files, deep nesting, no readable row, no file: rejected with the next step")

    folder.reject(b'{"MetaData": ' + b" " * (DOCUMENT_MIB << 20), "bytes once unpacked")
    row = json.loads(prowler)[0]
    line = json.dumps({key: row[key] for key in ("metadata", "status_code", "finding_info", "cloud", "class_uid", "category_uid")})
    folder.reject(((line + "\n") * (ROWS + 1)).encode(), f"more than {ROWS} rows")
    folder.reject(gzip.compress(b" " * (300 << 20), 6), "unpacks to far more")
    with zipfile.ZipFile(SCRATCH / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("ScubaResults.json", b" " * (300 << 20))
    folder.reject(SCRATCH / "bomb.zip", "unpacks to far more")
    print("  large documents, too many rows, gzip and zip bombs: rejected")

    with zipfile.ZipFile(SCRATCH / "run.zip", "w", zipfile.ZIP_DEFLATED) as run:
        run.writestr("ScubaResults_1.json", results)
        run.writestr("ActionPlan.csv", "a,b")
        run.writestr("../../outside.json", "{}")
    answer = folder.take(SCRATCH / "run.zip")
    assert counts(answer["batches"][0]) == counts(plain) and len(answer["ignored"]) == 2, answer
    print("  a zip file of a run: its results are imported, and the other files are ignored and listed")

    run = SCRATCH / "run"
    (run / "IndividualReports").mkdir(parents=True)
    report = (FIXTURES / "aad_report.json").read_bytes()
    (run / "IndividualReports" / "AADReport.json").write_bytes(b"\xff\xfe" + report.decode().encode("utf-16-le"))
    (run / "ProviderSettingsExport.json").write_bytes((FIXTURES / "provider_settings.json").read_bytes())
    (run / "BaselineReports.html").write_bytes(b"<html></html>")
    answer = folder.take(run)
    assert [batch["rows"] for batch in answer["batches"]] == [0, 3] and not answer["ignored"], answer
    assert {batch["tenant"] for batch in answer["batches"]} == {BIRCHWORKS}, answer
    assert folder.take(run)["already_imported"]
    (run / "ScubaResults_1.json").write_bytes(results[:-100])
    answer = folder.take(run)
    assert answer["batches"][1]["partial"] and "ends too early" in answer["ignored"][0]["reason"], answer
    (run / "ScubaResults_1.json").write_bytes(results + b" \n")
    answer = folder.take(run)
    assert [counts(batch) for batch in answer["batches"]] == [counts(plain)] and len(answer["ignored"]) == 2, answer
    print("  a folder of a run: the reports on its products, in place of damaged results; counted once next to whole ones")

    before = folder.state()
    command = [BIN / "watchpost", "--data-dir", folder.path, "import", "-"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process.stdin.write(((line + "\n") * 20_000).encode())
    process.stdin.flush()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert folder.state() == before, "a killed import left something behind"
    assert not folder.take(((line + "\n") * 3).encode())["already_imported"]
    folder.run("audit", "verify")
    print("  a killed import leaves nothing behind")


def main():
    third_party_files()
    valid_files()
    invalid_files()
    shutil.rmtree(SCRATCH)
    print("imports: passed")


main()
