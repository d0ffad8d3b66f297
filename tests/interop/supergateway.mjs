// Tests the third-party bridge `supergateway`: in front of watchpost-stdio for clients of HTTP+SSE and streamable HTTP, and in front of watchpost-http
// for clients of stdio.
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema, ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { checkAnswers, checkChange, checkErrors, checkRefusals, checkTools, CONFIG, data, REFERENCE } from "./cases.mjs";
import { rejectsEverything } from "./scenario.mjs";

const { mcp_url, sse_url, read_key, write_key, bad_key, stdio, data_dir } = CONFIG;
const GATEWAY = "node_modules/supergateway/dist/index.js";
const INFO = { name: "interop", version: "1" };
const PATIENCE = 20_000;

const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

// Starts a gateway to watchpost-stdio, calls `use` with its address, and stops it.
async function withGateway(key, flags, use) {
  const port = await freePort();
  const served = `'${stdio}' --data-dir '${data_dir}' --log error`;
  const gateway = spawn(process.execPath, [GATEWAY, "--stdio", served, "--port", port, ...flags], {
    env: { ...process.env, WATCHPOST_API_KEY: key },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise((done) => gateway.once("exit", done));
  try {
    await new Promise((done, fail) => {
      gateway.stdout.on("data", (chunk) => String(chunk).includes("Listening on port") && done());
      void ended.then(() => fail(new Error("the gateway ended")));
      setTimeout(() => fail(new Error("the gateway did not start in time")), PATIENCE).unref();
    });
    await use(`http://127.0.0.1:${port}`);
  } finally {
    gateway.kill();
    await ended;
  }
}

const sse = (key, use) => withGateway(key, [], (url) => use(() => new SSEClientTransport(new URL(`${url}/sse`))));
const stateful = (key, use) =>
  withGateway(key, ["--outputTransport", "streamableHttp", "--stateful"], (url) => use(() => new StreamableHTTPClientTransport(new URL(`${url}/mcp`))));
const stateless = (key, use) =>
  withGateway(key, ["--outputTransport", "streamableHttp"], (url) => use(() => new StreamableHTTPClientTransport(new URL(`${url}/mcp`))));
const modern = (key, use) => withGateway(key, ["--outputTransport", "streamableHttp"], (url) => use(() => new ModernHttp(new URL(`${url}/mcp`))));
// What the gateways to stdio wrote to standard error.
let log = "";
const remote = (flag, url, header) => (key, use) => {
  const args = [GATEWAY, flag, url, ...header(key)];
  return use(() => {
    const transport = new StdioClientTransport({ command: process.execPath, args, stderr: "pipe" });
    log = "";
    transport.stderr.on("data", (chunk) => (log += chunk));
    return transport;
  });
};
const asHeader = (key) => ["--header", `X-Api-Key: ${key}`];
const asBearer = (key) => ["--oauth2Bearer", key];

// These gateways end when the server refuses the key, and say why in their log.
const TO_STDIO = { refusal: ["Connection closed", "Invalid API key", "401"], logged: ["Invalid API key", "401"] };
// A gateway without sessions starts a process for every request: `few` calls are enough there, and for another spelling of an address.
const GATEWAYS = {
  "stdio to http+sse": { open: sse, talks: true },
  "stdio to http, with sessions": { open: stateful, talks: true },
  "stdio to http, without sessions": { open: stateless, few: true },
  "stdio to http, 2026-07-28": {
    open: modern,
    few: true,
    create: () => new ModernClient(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } }),
    // The client discards the error of its first request.
    refusal: ["did not offer pinned protocol version"],
  },
  "http to stdio": { open: remote("--streamableHttp", mcp_url, asHeader), ...TO_STDIO },
  "http with a slash to stdio": { open: remote("--streamableHttp", `${mcp_url}/`, asBearer), few: true, ...TO_STDIO },
  "http+sse to stdio": { open: remote("--sse", sse_url, asHeader), ...TO_STDIO },
  "http+sse with a slash to stdio": { open: remote("--sse", `${sse_url}/`, asBearer), few: true, ...TO_STDIO },
};

async function withClient(create, transport, use) {
  const client = create();
  await client.connect(transport);
  try {
    return await use(client, (name, args) => client.callTool({ name, arguments: args }));
  } finally {
    await client.close();
  }
}

async function questions({ open, few, refusal = ["Invalid API key", "401"], logged, create = () => new Client(INFO) }) {
  await open(write_key, async (transport) => {
    await withClient(create, transport(), async (client, call) => {
      checkTools((await client.listTools()).tools, "write");
      if (few) {
        const integrations = await call("get_integrations", {});
        assert.deepEqual(data(integrations), REFERENCE.same.find((one) => one.tool === "get_integrations").answer);
      } else {
        await checkAnswers(call);
      }
      await checkErrors(call, few ? REFERENCE.errors.slice(0, 1) : undefined);
      assert.ok(JSON.parse((await client.readResource({ uri: "watchpost://posture" })).contents[0].text));
      assert.ok((await client.listPrompts()).prompts.some((prompt) => prompt.name === "posture_review"));
    });
    // A gateway to http+sse has one process for all clients: each starts its session there.
    await withClient(create, transport(), async (client) => checkTools((await client.listTools()).tools, "write"));
  });
  await open(read_key, (transport) =>
    withClient(create, transport(), async (client, call) => {
      checkTools((await client.listTools()).tools, "read");
      await checkRefusals(call, few ? REFERENCE.refused.slice(0, 1) : undefined);
    }),
  );
  // The server counts invalid keys per minute, so only one spelling of an address is tried with one.
  if (logged && few) return;
  await open(bad_key, (transport) => rejectsEverything(withClient(create, transport(), (client) => client.listTools()), refusal));
  if (logged) assert.ok(logged.some((word) => log.includes(word)), log);
}

async function changes({ open, talks, create = () => new Client(INFO) }) {
  await open(write_key, async (transport) => {
    await withClient(create, transport(), (_, call) => checkChange(call));
    if (!talks) return;
    // These gateways forward what the server sends of its own accord: the question to a person, and the notification of a change.
    const says = [{ action: "decline" }, { action: "accept", content: { confirm: true } }];
    const asking = new Client(INFO, { capabilities: { elicitation: {} } });
    asking.setRequestHandler(ElicitRequestSchema, () => says.shift());
    const uri = `watchpost://apps/${REFERENCE.app}`;
    const changed = new Promise((done, fail) => {
      asking.setNotificationHandler(ResourceUpdatedNotificationSchema, (note) => note.params.uri === uri && done());
      setTimeout(() => fail(new Error(`no notification for ${uri}`)), PATIENCE).unref();
    });
    await withClient(() => asking, transport(), async (client, call) => {
      await client.subscribeResource({ uri });
      const declined = await call("set_app_policy", { app: REFERENCE.app, policy: "blocked" });
      assert.ok(declined.isError && declined.content[0].text.startsWith("Nothing was changed"), JSON.stringify(declined));
      assert.ok(!(await call("set_app_policy", { app: REFERENCE.app, policy: "blocked" })).isError);
      await changed;
      assert.equal(says.length, 0);
      assert.ok(!(await call("set_app_policy", { app: REFERENCE.app, policy: "none" })).isError);
    });
  });
}

const part = process.argv[2];
for (const [name, gateway] of Object.entries(GATEWAYS)) {
  if (part === "changes" && gateway.few) continue;
  await { questions, changes }[part](gateway);
  console.log(`supergateway, ${part}: ${name}`);
}
