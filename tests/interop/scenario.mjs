// The scenario that every client must pass, with any SDK, era and transport.
import assert from "node:assert/strict";

export const QUERIES = [
  "check_app_policy", "compare_scans", "generate_report", "get_finding", "get_integrations", "get_posture_summary", "get_risk_score", "get_scan",
  "get_score_trend", "list_check_results", "list_findings", "list_rules", "list_scans", "lookup_identity", "start_scan",
];
export const ACTIONS = ["dismiss_finding", "remediate_finding", "set_app_policy", "snooze_finding", "trigger_sync"];

const NOBODY = "00000000-0000-7000-8000-000000000000";

// `api` has list() → [tool names] and call(name, args) → the raw result.
export async function driveWithWriteKey(api) {
  assert.deepEqual((await api.list()).sort(), [...QUERIES, ...ACTIONS].sort());
  const called = new Set();
  const call = async (name, args = {}) => {
    called.add(name);
    const result = await api.call(name, args);
    const text = result.content?.find((block) => block.type === "text")?.text ?? "";
    assert.ok(!result.isError, `${name} failed: ${text}`);
    assert.ok(text.length > 0, `${name} has no text`);
    // Revisions before 2025-06-18 have no structured content: the text has the same JSON on a line.
    const data = result.structuredContent ?? JSON.parse(text.split("\n").find((line) => line.startsWith("{")));
    return data;
  };

  const risk = await call("get_risk_score");
  assert.ok(risk.score >= 0 && risk.score <= 100);
  assert.equal(risk.direction, "higher_is_worse");
  for (const severity of ["critical", "high", "medium", "low", "info"]) {
    const page = await call("list_findings", { severity, limit: 1 });
    assert.equal(page.total, risk.severity_counts[severity], severity);
  }
  const page = await call("list_findings", { severity: ["critical", "high"], limit: 100 });
  assert.equal(page.returned, page.findings.length);
  const person = page.findings.find((finding) => finding.subject.email);
  const details = await call("get_finding", { finding_id: person.id });
  assert.deepEqual([details.id, details.first_seen_at], [person.id, person.first_seen_at]);
  assert.ok(details.rule.remediation.length > 0 && details.evidence.length > 0);
  const identity = await call("lookup_identity", { email: person.subject.email.toUpperCase() });
  assert.ok(JSON.stringify(identity).includes(person.id), "the answer lacks an open finding of the person");
  const integrations = await call("get_integrations");
  assert.deepEqual(integrations.integrations.map((row) => row.platform).sort(), ["m365", "okta"]);
  const posture = await call("get_posture_summary");
  assert.ok(JSON.stringify(posture).length > 100);
  const rules = await call("list_rules");
  assert.ok(rules.total >= 20 && rules.rules.length > 0);
  const missing = await call("check_app_policy", { app: "an app that nobody has seen" });
  assert.deepEqual([missing.policy, missing.seen], ["none", false]);

  const scan = await call("get_scan");
  assert.equal(scan.scan.status, "completed");
  const failing = await call("list_check_results", { result: ["failed"], limit: 100 });
  assert.equal(failing.total, scan.scan.failed);
  assert.ok((await call("list_scans", { scan_type: "compliance" })).total >= 3);
  assert.ok((await call("get_score_trend")).points.length >= 3);
  assert.ok((await call("compare_scans")).unchanged > 0);
  assert.ok((await call("generate_report", { kind: "framework", framework: ["cis"] })).markdown.length > 500);
  assert.ok(["started", "already_running", "just_completed"].includes((await call("start_scan", { scan_type: "exposure", platform: "okta" })).outcome));

  const actionable = new Set(rules.rules.filter((rule) => rule.action).map((rule) => rule.id));
  const all = [];
  let cursor;
  do {
    const more = await call("list_findings", { limit: 100, ...(cursor ? { cursor } : {}) });
    all.push(...more.findings);
    cursor = more.next_cursor;
  } while (cursor);
  assert.equal(new Set(all.map((finding) => finding.id)).size, all.length, "a finding is on two pages");
  const fixable = all.find((finding) => actionable.has(finding.rule_id));
  const app = all.find((finding) => finding.subject.type === "app");
  const [snoozed, dismissed] = all.filter((finding) => finding !== fixable && finding !== app).slice(-2);

  const remediation = await call("remediate_finding", { finding_id: fixable.id });
  assert.equal(remediation.status, "pending_approval");
  await call("snooze_finding", { finding_id: snoozed.id, days: 7 });
  await call("snooze_finding", { finding_id: snoozed.id, days: 7 });
  await call("dismiss_finding", { finding_id: dismissed.id, reason: "accepted_risk", note: "agreed with the owner" });
  const left = await call("list_findings", { entity: snoozed.subject.id, limit: 100 });
  assert.ok(!left.findings.some((finding) => finding.id === snoozed.id), "the list still has a snoozed finding");
  await call("set_app_policy", { app: app.subject.id, policy: "sanctioned" });
  assert.equal((await call("check_app_policy", { app: app.subject.id })).policy, "sanctioned");
  await call("set_app_policy", { app: app.subject.id, policy: "clear" });
  const sync = await call("trigger_sync");
  assert.ok(["triggered", "already_running"].includes(sync.status));
  assert.deepEqual([...called].sort(), [...QUERIES, ...ACTIONS].sort());

  const nobody = await api.call("lookup_identity", { email: "nobody@nowhere.example" });
  assert.ok(nobody.isError && JSON.stringify(nobody.content).includes("not found"));
}

export async function driveWithReadKey(api) {
  assert.deepEqual((await api.list()).sort(), QUERIES);
  const risk = await api.call("get_risk_score", {});
  assert.ok(!risk.isError);
  const args = {
    dismiss_finding: { finding_id: NOBODY, reason: "accepted_risk" },
    remediate_finding: { finding_id: NOBODY },
    set_app_policy: { app: "x", policy: "blocked" },
    snooze_finding: { finding_id: NOBODY, days: 1 },
    trigger_sync: {},
  };
  for (const name of ACTIONS) {
    const rejected = await api.call(name, args[name]);
    assert.ok(rejected.isError, `${name} must be rejected`);
    assert.ok(JSON.stringify(rejected.content).includes("Write scope required"), `${name}: ${JSON.stringify(rejected.content)}`);
  }
}

// Checks that an attempt fails with an error that has one of the words.
export async function rejectsEverything(attempt, words) {
  await assert.rejects(attempt, (error) => {
    const text = `${error?.message ?? error} ${error?.code ?? ""} ${JSON.stringify(error?.data ?? "")} ${error?.cause?.message ?? ""}`;
    assert.ok(words.some((word) => text.includes(word)), `the error has none of ${words}: ${text}`);
    return true;
  });
}
