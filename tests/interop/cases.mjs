// The part of the scenario that compares what a client gets with what the official TypeScript client got (reference.mjs), and a change.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export const CONFIG = JSON.parse(process.env.INTEROP);
export const REFERENCE = JSON.parse(readFileSync(CONFIG.reference, "utf8"));
// What differs between two answers to the same question: random ids of pages, the time of a report, and warnings of ignored arguments.
const VOLATILE = ["next_cursor", "warnings"];
const GENERATED = /^- Generated: .*$/gm;

const stable = (value) => JSON.parse(JSON.stringify(value), function (key, inner) {
  if (VOLATILE.includes(key) && !Array.isArray(this)) return undefined;
  return typeof inner === "string" ? inner.replace(GENERATED, "") : inner;
});

const text = (result) => result.content.filter((block) => block.type === "text").map((block) => block.text).join("\n");
// Revisions before 2025-06-18 have no structured content: the text has the same JSON on a line.
export const data = (result) => result.structuredContent ?? JSON.parse(text(result).split("\n").find((line) => line.startsWith("{")));

export function checkTools(tools, key) {
  const schemas = (list) => Object.fromEntries(list.map((tool) => [tool.name, tool.inputSchema]));
  assert.deepEqual(schemas(tools), schemas(REFERENCE.tools[key]));
}

// `call(name, args)` returns the raw result.
export async function checkAnswers(call) {
  for (const one of REFERENCE.same) {
    for (const args of [one.means, ...one.given]) {
      const result = await call(one.tool, args);
      const told = `${one.tool} ${JSON.stringify(args)}: ${text(result).slice(0, 500)}`;
      assert.ok(!result.isError, told);
      assert.deepEqual(stable(data(result)), stable(one.answer), told);
      if (args !== one.means && one.ignored) assert.ok(text(result).split("\n")[0].includes(one.ignored), told);
    }
  }
}

export async function checkErrors(call, cases = REFERENCE.errors) {
  for (const one of cases) {
    const result = await call(one.tool, one.arguments);
    const told = `${one.tool} ${JSON.stringify(one.arguments)}: ${text(result).slice(0, 500)}`;
    assert.ok(result.isError && one.words.every((word) => text(result).includes(word)), told);
  }
}

// `call` uses the read key.
export async function checkRefusals(call, cases = REFERENCE.refused) {
  for (const one of cases) {
    const result = await call(one.tool, one.arguments);
    assert.ok(result.isError && text(result).includes("Write scope required"), `${one.tool}: ${text(result)}`);
  }
}

export async function checkChange(call) {
  const app = REFERENCE.app;
  for (const policy of ["sanctioned", "none"]) {
    const result = await call("set_app_policy", { app, policy });
    assert.ok(!result.isError, text(result));
    assert.equal(data(await call("check_app_policy", { app })).policy, policy);
  }
  const started = await call("start_scan", { scan_type: "exposure", platform: "OKTA", read_settings: "true" });
  assert.ok(!started.isError, text(started));
  const done = data(await call("get_scan", { scan_id: data(started).scan_id, wait_seconds: 50 }));
  assert.equal(done.scan.status, "completed");
}
