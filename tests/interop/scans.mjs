// A session about scans with the official TypeScript client, as an assistant would have it: starts a scan, waits for it, reads the new
// failures, compares it with the previous scan and reads the report; once for compliance and once for exposure. A setting of the simulated
// tenant changes between the two scans.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const { mcp_url, read_key, data_dir } = JSON.parse(process.env.INTEROP);
const [vendors] = /http:\/\/127\.0\.0\.1:\d+/.exec(readFileSync(`${data_dir}/watchpost.toml`, "utf8"));

async function drift(path, pointer, value) {
  const answer = await fetch(`${vendors}/_simulator/orders`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ change: { set_setting: { path, pointer, value } } }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

// A read key is sufficient, since a scan changes nothing on the platform.
const client = new Client({ name: "interop", version: "1" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
await client.connect(new StreamableHTTPClientTransport(new URL(mcp_url), { requestInit: { headers: { "X-Api-Key": read_key } } }));

async function call(name, args = {}) {
  const result = await client.callTool({ name, arguments: args });
  const text = result.content?.find((block) => block.type === "text")?.text ?? "";
  assert.ok(!result.isError, `${name} failed: ${text}`);
  return { ...result.structuredContent, content: result.content, sentence: text.split("\n")[0] };
}

async function session({ type, path, pointer, value, check, framework, service }) {
  const before = await call("get_scan", { scan_type: type });
  assert.equal(before.scan.status, "completed");
  const known = await call("list_check_results", { scan_type: type, check_id: check });
  assert.equal(known.results[0].result, "passed", `${check} passes at first`);

  await drift(path, pointer, value);
  const started = await call("start_scan", { scan_type: type, platform: "m365" });
  assert.equal(started.outcome, "started");
  const again = await call("start_scan", { scan_type: type, platform: "m365" });
  assert.deepEqual([again.outcome, again.scan_id], ["already_running", started.scan_id], "one scan at a time");
  let scan;
  for (let round = 0; round < 6; round++) {
    scan = await call("get_scan", { scan_id: started.scan_id, wait_seconds: 50, ...(framework ? { framework } : {}), service });
    if (!["queued", "in_progress"].includes(scan.scan.status)) break;
  }
  assert.equal(scan.scan.status, "completed", JSON.stringify(scan.scan));
  assert.equal(scan.previous_scan_id, before.scan.scan_id);
  assert.deepEqual(scan.new_failures.map((row) => row.check_id), [check]);
  assert.equal(scan.unread, undefined, JSON.stringify(scan.unread));

  const failing = await call("list_check_results", { scan_type: type, result: ["failed"], ...(framework ? { framework } : {}), service });
  assert.ok(failing.results.some((row) => row.check_id === check));
  const one = await call("list_check_results", { scan_type: type, check_id: check });
  assert.equal(one.results[0].result, "failed");
  const detail = one.detail;
  assert.ok(detail.evidence.length > 0 && detail.remediation.length > 0, JSON.stringify(detail));

  const usual = await call("compare_scans", { scan_type: type });
  assert.deepEqual([usual.scan_id, usual.compared_with], [started.scan_id, "last_scan_of_another_day"]);
  assert.notEqual(usual.before_scan_id, before.scan.scan_id, "the scan before is of the same day");
  const compared = await call("compare_scans", { scan_type: type, before_scan_id: before.scan.scan_id });
  assert.deepEqual([compared.before_scan_id, compared.scan_id], [before.scan.scan_id, started.scan_id]);
  const change = compared.new_failures.find((row) => row.check_id === check);
  assert.deepEqual([change.before.result, change.after.result], ["passed", "failed"]);
  const moved = change.settings.flatMap((setting) => setting.values);
  assert.ok(moved.some((one) => JSON.stringify(one.after) === JSON.stringify(value)), JSON.stringify(change));

  const trend = await call("get_score_trend", { scan_type: type });
  assert.equal(trend.points.at(-1).scan_id, started.scan_id);
  const report = await call("generate_report", { kind: "executive", scan_type: type });
  assert.ok(report.markdown.length > 500);
  const link = report.content.find((block) => block.type === "resource_link");
  const page = (await client.readResource({ uri: link.uri })).contents[0].text;
  assert.ok(page.startsWith("<!doctype html") && page.includes("Birchworks"), page.slice(0, 200));
  console.log(`scans, ${type}: ${scan.sentence}`);
}

await session({
  type: "compliance",
  path: "exchange/TransportConfig",
  pointer: "/value/0/SmtpClientAuthenticationDisabled",
  value: false,
  check: "exo.smtp_auth_off",
  framework: ["scuba"],
  service: ["Exchange Online"],
});
await session({
  type: "exposure",
  path: "policies/authorizationPolicy",
  pointer: "/allowInvitesFrom",
  value: "everyone",
  check: "exp.guest_open_invites",
  service: ["entra"],
});
await client.close();
