// Tests the official TypeScript SDK of 2025-11-25 and older, over streamable HTTP, HTTP+SSE and stdio.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { driveWithReadKey, driveWithWriteKey, rejectsEverything } from "./scenario.mjs";

const { mcp_url, sse_url, read_key, write_key, bad_key, stdio, data_dir } = JSON.parse(process.env.INTEROP);

const headers = (key) => ({ requestInit: { headers: { Authorization: `Bearer ${key}` } } });
const transports = {
  http: (key) => new StreamableHTTPClientTransport(new URL(mcp_url), headers(key)),
  sse: (key) =>
    new SSEClientTransport(new URL(sse_url), {
      ...headers(key),
      eventSourceInit: { fetch: (url, init) => fetch(url, { ...init, headers: { ...init?.headers, Accept: "text/event-stream", Authorization: `Bearer ${key}` } }) },
    }),
  stdio: (key) => new StdioClientTransport({ command: stdio, args: ["--data-dir", data_dir], env: { ...process.env, WATCHPOST_API_KEY: key }, stderr: "ignore" }),
};

async function withClient(transport, use) {
  const client = new Client({ name: "interop", version: "1" });
  await client.connect(transport);
  try {
    await use({
      list: async () => (await client.listTools()).tools.map((tool) => tool.name),
      call: (name, args) => client.callTool({ name, arguments: args }),
    });
  } finally {
    await client.close();
  }
}

for (const [name, open] of Object.entries(transports)) {
  await withClient(open(write_key), driveWithWriteKey);
  await withClient(open(read_key), driveWithReadKey);
  const words = name === "stdio" ? ["Invalid API key"] : ["Invalid API key", "401", "Unauthorized"];
  await rejectsEverything(withClient(open(bad_key), (api) => api.list()), words);
  console.log(`typescript sdk: ${name}`);
}

// Requests each older revision without the SDK, and checks that the server uses it.
for (const version of ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]) {
  const post = (body, session) =>
    fetch(mcp_url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream", "X-Api-Key": read_key, ...(session ? { "Mcp-Session-Id": session } : {}) },
      body: JSON.stringify(body),
    });
  const opened = await post({ jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: version, capabilities: {}, clientInfo: { name: "interop", version: "1" } } });
  const session = opened.headers.get("mcp-session-id");
  const hello = await opened.json();
  if (hello.result?.protocolVersion !== version || !session) throw new Error(`${version}: ${JSON.stringify(hello)}`);
  await post({ jsonrpc: "2.0", method: "notifications/initialized" }, session);
  const listed = await (await post({ jsonrpc: "2.0", id: 2, method: "tools/list" }, session)).json();
  if (listed.result?.tools?.length !== 15) throw new Error(`${version}: ${JSON.stringify(listed).slice(0, 300)}`);
  console.log(`revision ${version}: handshake and list`);
}
