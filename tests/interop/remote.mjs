// Lists the tools through the third-party bridge `mcp-remote`, over /sse with a Bearer header.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import assert from "node:assert/strict";

const { sse_url, read_key, scratch } = JSON.parse(process.env.INTEROP);
const client = new Client({ name: "interop", version: "1" });
await client.connect(
  new StdioClientTransport({
    command: process.execPath,
    args: ["node_modules/mcp-remote/dist/proxy.js", sse_url, "--transport", "sse-only", "--allow-http", "--header", "Authorization:${AUTH}"],
    env: { ...process.env, AUTH: `Bearer ${read_key}`, MCP_REMOTE_CONFIG_DIR: scratch },
    stderr: "ignore",
  }),
);
assert.equal((await client.listTools()).tools.length, 15);
await client.close();
console.log("mcp-remote: lists tools over /sse");
