// Prints what other clients must get, according to the official TypeScript client: the tools of both keys, and the answer to each case
// of cases.json, with real names in place of those that start with a dollar sign.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { ACTIONS, QUERIES } from "./scenario.mjs";

const { mcp_url, read_key, write_key } = JSON.parse(process.env.INTEROP);

async function connect(key) {
  const client = new Client({ name: "interop", version: "1" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  await client.connect(new StreamableHTTPClientTransport(new URL(mcp_url), { requestInit: { headers: { "X-Api-Key": key } } }));
  return client;
}

const [reader, writer] = [await connect(read_key), await connect(write_key)];
const tools = { read: (await reader.listTools()).tools, write: (await writer.listTools()).tools };
assert.deepEqual(tools.read.map((tool) => tool.name).sort(), QUERIES);
assert.deepEqual(tools.write.map((tool) => tool.name).sort(), [...QUERIES, ...ACTIONS].sort());

async function call(tool, args) {
  const result = await writer.callTool({ name: tool, arguments: args });
  assert.ok(!result.isError, `${tool} ${JSON.stringify(args)}: ${JSON.stringify(result.content)}`);
  return result.structuredContent;
}

const { findings } = await call("list_findings", { limit: 100 });
const email = findings.find((finding) => finding.subject.email).subject.email;
const app = findings.find((finding) => finding.subject.type === "app").subject.id;
const names = { $email: email, $EMAIL: email.toUpperCase(), $app: app, $nobody: "00000000-0000-7000-8000-000000000000" };
const cases = JSON.parse(readFileSync("cases.json", "utf8"), (_, value) =>
  typeof value === "string" ? value.replace(/\$\w+/g, (name) => names[name] ?? assert.fail(name)) : value,
);
for (const one of cases.same) one.answer = await call(one.tool, one.means);
await reader.close();
await writer.close();
console.log(JSON.stringify({ tools, email, app, ...cases }));
