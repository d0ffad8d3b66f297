// Tests the official TypeScript client of 2026-07-28, over streamable HTTP and stdio, in both of its eras.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { driveWithReadKey, driveWithWriteKey, rejectsEverything } from "./scenario.mjs";

const { mcp_url, read_key, write_key, bad_key, stdio, data_dir } = JSON.parse(process.env.INTEROP);

const http = (key, header) => () =>
  new StreamableHTTPClientTransport(new URL(mcp_url), {
    requestInit: { headers: header === "bearer" ? { Authorization: `Bearer ${key}` } : { "X-Api-Key": key } },
  });
const pipe = (key) => () =>
  new StdioClientTransport({ command: stdio, args: ["--data-dir", data_dir], env: { ...process.env, WATCHPOST_API_KEY: key }, stderr: "ignore" });

async function withClient(transport, mode, use) {
  const client = new Client({ name: "interop", version: "1" }, { versionNegotiation: { mode } });
  await client.connect(transport());
  try {
    await use({
      list: async () => (await client.listTools()).tools.map((tool) => tool.name),
      call: (name, args) => client.callTool({ name, arguments: args }),
    });
  } finally {
    await client.close();
  }
}

for (const mode of [{ pin: "2026-07-28" }, "auto", "legacy"]) {
  const name = mode.pin ?? mode;
  await withClient(http(write_key, "key"), mode, driveWithWriteKey);
  await withClient(http(read_key, "bearer"), mode, driveWithReadKey);
  await rejectsEverything(withClient(http(bad_key, "bearer"), mode, (api) => api.list()), ["Invalid API key", "401", "Unauthorized"]);
  await withClient(pipe(write_key), mode, driveWithWriteKey);
  await withClient(pipe(read_key), mode, driveWithReadKey);
  // A pinned client doesn't report the message of a rejected probe.
  const words = mode.pin ? ["Invalid API key", "ERA_NEGOTIATION_FAILED"] : ["Invalid API key"];
  await rejectsEverything(withClient(pipe(bad_key), mode, (api) => api.list()), words);
  console.log(`typescript client, ${name}: http and stdio`);
}
