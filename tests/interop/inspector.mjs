// Uses the command line of the official inspector: lists and calls tools over HTTP and stdio, in both eras.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { QUERIES } from "./scenario.mjs";

const { mcp_url, read_key, stdio, data_dir, scratch } = JSON.parse(process.env.INTEROP);
const NODE = "../node/node_modules/.bin/node";
const INSPECTOR = "inspector/node_modules/.bin/mcp-inspector";

const servers = {
  http: [mcp_url, "--header", `X-Api-Key: ${read_key}`],
  stdio: [stdio, "-e", `WATCHPOST_API_KEY=${read_key}`, "-e", `WATCHPOST_DATA_DIR=${data_dir}`],
};

async function inspect(transport, era, ...asked) {
  const command = [INSPECTOR, "--cli", ...servers[transport], "--protocol-era", era, "--format", "json", "--quiet", ...asked];
  const options = { env: { ...process.env, HOME: scratch }, timeout: 60_000, maxBuffer: 16 << 20 };
  const { stdout } = await promisify(execFile)(NODE, command, options);
  const said = JSON.parse(stdout);
  return said.result ?? said;
}

for (const transport of ["http", "stdio"]) {
  for (const era of ["legacy", "modern"]) {
    // `--strict` fails on schemas that some clients don't support.
    const listed = await inspect(transport, era, "--method", "tools/list", "--strict");
    assert.deepEqual(listed.tools.map((tool) => tool.name).sort(), QUERIES);
    const called = await inspect(transport, era, "--method", "tools/call", "--tool-name", "get_risk_score");
    assert.ok(!called.isError && called.structuredContent.score <= 100, JSON.stringify(called).slice(0, 300));
    const templates = await inspect(transport, era, "--method", "resources/templates/list");
    assert.ok(templates.resourceTemplates.length > 0);
    const read = await inspect(transport, era, "--method", "resources/read", "--uri", "watchpost://posture");
    assert.equal(read.contents[0].mimeType, "application/json");
    const prompts = await inspect(transport, era, "--method", "prompts/list");
    assert.ok(prompts.prompts.some((prompt) => prompt.name === "posture_review"), JSON.stringify(prompts));
  }
  console.log(`inspector: ${transport}, both eras`);
}
