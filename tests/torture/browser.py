"""Opens the reports whose every foreign name is an injection in Chromium: no script runs, and nothing is loaded. The tests of the runtime write the
reports (`injections_appear_only_as_data`) into the build folder."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN_DIR = Path(os.environ["BIN_DIR"])
FULL = "--full" in sys.argv[1:]
# A dialog leaves no trace, a request does. Without a quotation mark or a space, which an attribute may not hold.
DIALOG, REQUEST = b"alert(", b"fetch(`//ran.example/`)&&("


class Site(ThreadingHTTPServer):
    """Answers for every host, and records what is asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Page)
        self.pages, self.asked = {}, []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        page = self.server.pages.get(self.path) if self.headers["Host"] == "reports.example" else None
        if page is None and self.path != "/favicon.ico":
            self.server.asked.append(f"{self.headers['Host']}{self.path}")
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page or b"")

    do_POST = do_GET

    def send_error(self, *_):
        # The beginning of an encrypted connection.
        self.server.asked.append("a host over TLS")

    def log_message(self, *_):
        pass


def browse(site, path):
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [
                BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", f"--user-data-dir={profile}",
                "--disable-component-update", "--no-first-run",
                # The browser's own services are unreachable; every other host is the site.
                f"--host-resolver-rules=MAP *.google.com ~NOTFOUND, MAP *.googleapis.com ~NOTFOUND, MAP *.gvt1.com ~NOTFOUND, MAP * 127.0.0.1:{site.server_port}", "--virtual-time-budget=3000", "--dump-dom", f"http://reports.example{path}",
            ],
            capture_output=True, timeout=120,
        )
    assert done.returncode == 0, done.stderr.decode()[-1000:]
    return done.stdout


def main():
    reports = sorted((BIN_DIR.parent / "tmp").glob("injected-*.html"))
    assert reports, "there are no reports: run the tests of the runtime first, such as `cargo test -p watchpost-runtime --test it injections`"
    texts = json.loads((ROOT / "fixtures/injections.json").read_text(encoding="utf-8"))
    site = Site()
    # The browser and this script notice what isn't escaped.
    for number, text in enumerate(("<script>alert('a')</script>", "<img src=x onerror=alert('b')>", "<svg/onload=alert('c')>", '<iframe src="https://evil.example/frame/x"></iframe>')):
        site.pages[f"/{number}"] = f"<!DOCTYPE html><title>x</title><p>{text}</p>".encode().replace(DIALOG, REQUEST)
        browse(site, f"/{number}")
        assert site.asked, f"{text} went unnoticed: {site.asked}"
        site.asked.clear()
    shown = set()
    for report in reports:
        words = html.unescape(report.read_text(encoding="utf-8"))
        shown |= {text for text in texts if text.strip()[:24] in words}
    assert len(shown) >= 40, f"only {len(shown)} injections are in the reports"
    if not FULL:
        reports = sorted(reports, key=lambda report: report.stat().st_size)[-6:]
    for report in reports:
        page = report.read_bytes().replace(DIALOG, REQUEST)
        # The escaping must hold without the policy as well.
        bare = re.sub(rb'<meta http-equiv="Content-Security-Policy"[^>]*>', b"", page, flags=re.I)
        assert bare != page, f"{report.name} has no policy"
        for path, content in ((f"/{report.stem}", page), (f"/{report.stem}-bare", bare)):
            site.pages[path] = content
            dom = browse(site, path)
            assert not site.asked, f"{path}: {site.asked}"
            assert b"</html>" in dom
    sizes = sum(report.stat().st_size for report in reports)
    print(f"- {len(shown)} of {len(texts)} injections in the reports, {len(reports)} of them ({sizes / 1024:.0f} KiB) opened with and without its policy: no script ran, nothing was loaded")


BROWSER = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if not BROWSER:
    if os.environ.get("CI"):
        sys.exit("Chromium is missing: install it, for example with `apt-get install chromium`")
    print("- not tested, because Chromium isn't installed")
else:
    main()
