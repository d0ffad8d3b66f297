// Tests the features besides tools with the official clients in both eras: resources, prompts, completion, subscriptions to changes by
// another process, elicitation that is declined or accepted, and tasks.
import assert from "node:assert/strict";
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from "@modelcontextprotocol/client";
import { StdioClientTransport as ModernStdio } from "@modelcontextprotocol/client/stdio";
import { createTaskSessionFromClient, resultFromTaskOutcome } from "@modelcontextprotocol/ext-tasks/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport as LegacyStdio } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as LegacyHttp } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema, ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";

const { mcp_url, sse_url, read_key, write_key, stdio, data_dir } = JSON.parse(process.env.INTEROP);
const REVISION = "2026-07-28";
const INFO = { name: "interop", version: "1" };
const PATIENCE = 20_000;
const PROMPTS = ["investigate_person", "offboarding_proof", "posture_review", "review_app", "triage_critical_findings", "what_changed_this_week"];

const keyed = { requestInit: { headers: { "X-Api-Key": write_key } } };
const pipe = { command: stdio, args: ["--data-dir", data_dir], env: { ...process.env, WATCHPOST_API_KEY: write_key }, stderr: "ignore" };
const sse = {
  ...keyed,
  eventSourceInit: { fetch: (url, init) => fetch(url, { ...init, headers: { ...init?.headers, Accept: "text/event-stream", "X-Api-Key": write_key } }) },
};

// Returns a connected client with the parts that differ between the two packages: elicitation and subscriptions.
async function modern(transport) {
  const person = { says: undefined, asked: [] };
  const client = new ModernClient(INFO, { versionNegotiation: { mode: { pin: REVISION } }, capabilities: { elicitation: {} } });
  client.setRequestHandler("elicitation/create", (request) => answer(person, request));
  const heard = waiter();
  client.setNotificationHandler("notifications/resources/updated", (note) => heard.add(note.params.uri));
  await client.connect(transport);
  const watch = async (uri) => {
    const subscription = await client.listen({ resourceSubscriptions: [uri] });
    assert.deepEqual(subscription.honoredFilter.resourceSubscriptions, [uri]);
    return () => subscription.close();
  };
  return { client, person, heard, watch, unknown: -32602 };
}

async function legacy(transport) {
  const person = { says: undefined, asked: [] };
  const client = new LegacyClient(INFO, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, (request) => answer(person, request));
  const heard = waiter();
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, (note) => heard.add(note.params.uri));
  await client.connect(transport);
  const watch = async (uri) => {
    await client.subscribeResource({ uri });
    return () => client.unsubscribeResource({ uri });
  };
  return { client, person, heard, watch, unknown: -32002 };
}

function answer(person, request) {
  person.asked.push(request.params.message);
  assert.equal(request.params.requestedSchema.properties.confirm.type, "boolean");
  return person.says;
}

// Stores the addresses of changed resources, and waits for an address.
function waiter() {
  const changed = [];
  let wake = () => {};
  return {
    add: (uri) => (changed.push(uri), wake()),
    forget: () => changed.splice(0),
    async until(uri) {
      const end = Date.now() + PATIENCE;
      while (!changed.includes(uri)) {
        const left = end - Date.now();
        assert.ok(left > 0, `no notification for ${uri}, only for ${changed}`);
        await new Promise((done) => {
          wake = done;
          setTimeout(done, left);
        });
      }
    },
  };
}

async function call(client, name, args = {}) {
  const result = await client.callTool({ name, arguments: args });
  return { ...result, text: result.content[0].text };
}

async function resources({ client, unknown }) {
  const listed = (await client.listResources()).resources.map((resource) => resource.uri);
  for (const uri of ["watchpost://posture", "watchpost://integrations"]) assert.ok(listed.includes(uri), `${uri} of ${listed}`);
  const templates = (await client.listResourceTemplates()).resourceTemplates.map((template) => template.uriTemplate);
  assert.ok(templates.includes("watchpost://findings/{id}"), templates);
  const [posture] = (await client.readResource({ uri: "watchpost://posture" })).contents;
  assert.equal(posture.mimeType, "application/json");
  const tool = await call(client, "get_posture_summary");
  assert.deepEqual(Object.keys(JSON.parse(posture.text)).sort(), Object.keys(tool.structuredContent).sort());
  await assert.rejects(client.readResource({ uri: "watchpost://findings/00000000-0000-7000-8000-000000000000" }), { code: unknown });
}

async function prompts({ client }) {
  assert.deepEqual((await client.listPrompts()).prompts.map((prompt) => prompt.name).sort(), PROMPTS);
  const filled = await client.getPrompt({ name: "review_app", arguments: { app: "Plumline" } });
  assert.ok(filled.messages[0].content.text.includes("check_app_policy"), JSON.stringify(filled));
  await assert.rejects(client.getPrompt({ name: "review_app" }), { code: -32602 });
}

async function completion({ client }, person) {
  const complete = async (value) => {
    const ref = { type: "ref/prompt", name: "investigate_person" };
    return (await client.complete({ ref, argument: { name: "email", value } })).completion.values;
  };
  assert.deepEqual(await complete(person.slice(0, 2)), [], "two letters must not be completed to a person");
  assert.ok((await complete(person.slice(0, 5))).includes(person));
}

// One client asks a person and then makes a change. That client and a client of another process get a notification.
async function changes(mine, other, app) {
  const uri = `watchpost://apps/${app}`;
  const stops = [await mine.watch(uri), await other.watch(uri)];
  const block = () => call(mine.client, "set_app_policy", { app, policy: "blocked" });
  const policy = async () => (await call(mine.client, "check_app_policy", { app })).structuredContent.policy;
  for (const says of [{ action: "decline" }, { action: "cancel" }, { action: "accept", content: { confirm: false } }]) {
    mine.person.says = says;
    const refused = await block();
    assert.ok(refused.isError && refused.text.startsWith("Nothing was changed"), refused.text);
    assert.equal(await policy(), "none");
  }
  mine.person.says = { action: "accept", content: { confirm: true } };
  const done = await block();
  assert.ok(!done.isError, done.text);
  assert.equal(await policy(), "blocked");
  assert.equal(mine.person.asked.length, 4);
  await Promise.all([mine.heard.until(uri), other.heard.until(uri)]);
  for (const stop of stops) await stop();
  const cleared = await call(mine.client, "set_app_policy", { app, policy: "none" });
  assert.ok(!cleared.isError, cleared.text);
  assert.equal(mine.person.asked.length, 4, "the removal of a block needs no confirmation");
}

// Runs a scan as a task, with the client of the extension. TKX-09: the task is unknown to another key of the workspace.
async function tasks(client) {
  const clientCapabilities = { extensions: { "io.modelcontextprotocol/tasks": {} } };
  let id = 0;
  const dispatch = (key) => async (request, options) => {
    const named = request.params.taskId ?? request.params.name;
    const response = await fetch(mcp_url, {
      method: "POST",
      signal: options?.signal,
      headers: {
        "X-Api-Key": key,
        "Content-Type": "application/json",
        Accept: "application/json, text/event-stream",
        "MCP-Protocol-Version": REVISION,
        "Mcp-Method": request.method,
        ...(named === undefined ? {} : { "Mcp-Name": named }),
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: ++id, ...request }),
    });
    const said = await response.text();
    const events = said.split("\n").filter((line) => line.startsWith("data: {"));
    const { result, error } = JSON.parse(events.length > 0 ? events.at(-1).slice("data: ".length) : said);
    return error ? { kind: "error", error } : { kind: "result", result };
  };
  const session = createTaskSessionFromClient(client, {
    endpointId: "watchpost",
    rawDispatch: dispatch(write_key),
    v2RequestFraming: { protocolVersion: REVISION, clientInfo: INFO, clientCapabilities },
  });
  try {
    const execution = await session.callTool("start_scan", { scan_type: "exposure", platform: "m365" });
    assert.equal(execution.kind, "task");
    const { outcome } = await execution.settle();
    const result = resultFromTaskOutcome(outcome);
    assert.ok(!result.isError, JSON.stringify(result));
    assert.ok(JSON.stringify(result.content).includes("scan"), JSON.stringify(result));
    const _meta = { "io.modelcontextprotocol/protocolVersion": REVISION, "io.modelcontextprotocol/clientCapabilities": clientCapabilities };
    const look = { method: "tasks/get", params: { taskId: outcome.task.taskId, _meta } };
    assert.equal((await dispatch(write_key)(look)).result.status, "completed");
    assert.equal((await dispatch(read_key)(look)).error.code, -32602);
  } finally {
    await session.close();
  }
}

const watcher = await modern(new ModernStdio(pipe));
const findings = (await call(watcher.client, "list_findings", { limit: 100 })).structuredContent.findings;
const email = findings.find((finding) => finding.subject.email).subject.email;
const app = findings.find((finding) => finding.subject.type === "app").subject.id;

for (const [name, open] of [
  ["modern, http", () => modern(new ModernHttp(new URL(mcp_url), keyed))],
  ["modern, stdio", () => modern(new ModernStdio(pipe))],
  ["legacy, http", () => legacy(new LegacyHttp(new URL(mcp_url), keyed))],
  ["legacy, http+sse", () => legacy(new SSEClientTransport(new URL(sse_url), sse))],
  ["legacy, stdio", () => legacy(new LegacyStdio(pipe))],
]) {
  const mine = await open();
  await resources(mine);
  await prompts(mine);
  await completion(mine, email);
  watcher.heard.forget();
  await changes(mine, watcher, app);
  if (name === "modern, http") await tasks(mine.client);
  await mine.client.close();
  console.log(`offers: ${name}`);
}
await watcher.client.close();
