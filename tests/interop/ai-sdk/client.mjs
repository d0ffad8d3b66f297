// Tests the MCP client of the AI SDK, over streamable HTTP, HTTP+SSE and stdio, with and without the discovery of 2026-07-28: tools as its models
// call them and as they see the results, resources, prompts, completion, and elicitation.
import { createMCPClient, ElicitationRequestSchema } from "@ai-sdk/mcp";
import { Experimental_StdioMCPTransport as StdioTransport } from "@ai-sdk/mcp/mcp-stdio";
import assert from "node:assert/strict";
import { checkAnswers, checkChange, checkErrors, checkRefusals, checkTools, CONFIG, REFERENCE } from "../cases.mjs";
import { rejectsEverything } from "../scenario.mjs";

const { mcp_url, sse_url, read_key, write_key, bad_key, stdio, data_dir } = CONFIG;
const transports = {
  http: (key) => ({ type: "http", url: mcp_url, headers: { "X-Api-Key": key } }),
  "http with a slash": (key) => ({ type: "http", url: `${mcp_url}/`, headers: { Authorization: `Bearer ${key}` } }),
  "http+sse": (key) => ({ type: "sse", url: sse_url, headers: { "X-Api-Key": key } }),
  "http+sse with a slash": (key) => ({ type: "sse", url: `${sse_url}/`, headers: { Authorization: `Bearer ${key}` } }),
  stdio: (key) => new StdioTransport({ command: stdio, args: ["--data-dir", data_dir], env: { WATCHPOST_API_KEY: key }, stderr: "ignore" }),
};

async function withClient(config, use) {
  const client = await createMCPClient(config);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

// Calls tools as the SDK does for a model.
const executor = (tools) => async (name, args) => {
  const output = await tools[name].execute(args, { toolCallId: "call", messages: [] });
  const seen = await tools[name].toModelOutput({ toolCallId: "call", input: args, output });
  assert.equal(seen.type, "content");
  assert.deepEqual(seen.value.filter((part) => part.type === "text")[0].text, output.content[0].text);
  return output;
};
const direct = (client) => (name, args) => client.callTool({ name, arguments: args });

async function questions(open, protocolVersionDiscovery) {
  await withClient({ transport: open(write_key), protocolVersionDiscovery }, async (client) => {
    assert.equal(client.initializeResult.protocolVersion, protocolVersionDiscovery ? "2026-07-28" : "2025-11-25");
    const listed = await client.listTools({ params: { cursor: null } });
    checkTools(listed.tools, "write");
    const call = executor(await client.tools());
    await checkAnswers(call);
    await checkErrors(call);
    // This client sends a null as it is.
    for (const args of [null, undefined]) {
      const nothing = await client.callTool({ name: "get_integrations", arguments: args });
      assert.ok(!nothing.isError && nothing.content[0].text.length > 0, JSON.stringify(nothing));
    }
    assert.ok((await client.listResources()).resources.some((resource) => resource.uri === "watchpost://posture"));
    assert.ok((await client.listResourceTemplates()).resourceTemplates.some((one) => one.uriTemplate === "watchpost://findings/{id}"));
    assert.ok(JSON.parse((await client.readResource({ uri: "watchpost://posture" })).contents[0].text));
    assert.ok((await client.listPrompts()).prompts.some((prompt) => prompt.name === "posture_review"));
    const filled = await client.getPrompt({ name: "investigate_person", arguments: { email: REFERENCE.email } });
    assert.ok(filled.messages[0].content.text.includes("lookup_identity"));
    const ref = { type: "ref/prompt", name: "investigate_person" };
    const complete = await client.complete({ ref, argument: { name: "email", value: REFERENCE.email.slice(0, 5) } });
    assert.ok(complete.completion.values.includes(REFERENCE.email), JSON.stringify(complete));
  });
  await withClient({ transport: open(read_key), protocolVersionDiscovery }, async (client) => {
    const listed = await client.listTools();
    checkTools(listed.tools, "read");
    await checkRefusals(direct(client));
    await checkRefusals(executor(client.toolsFromDefinitions({ ...listed, tools: REFERENCE.tools.write })));
  });
  // The server counts invalid keys per minute, so only one spelling of an address is tried with one.
  if (open !== transports.http && open !== transports["http+sse"] && open !== transports.stdio) return;
  const wrong = withClient({ transport: open(bad_key), protocolVersionDiscovery }, (client) => client.listTools());
  await rejectsEverything(wrong, ["Invalid API key", "401", "Unauthorized"]);
}

async function changes(open, protocolVersionDiscovery) {
  await withClient({ transport: open(write_key), protocolVersionDiscovery }, async (client) => checkChange(executor(await client.tools())));
  const capabilities = { elicitation: {} };
  await withClient({ transport: open(write_key), protocolVersionDiscovery, capabilities }, async (client) => {
    let says;
    let asked = 0;
    client.onElicitationRequest(ElicitationRequestSchema, (request) => {
      assert.equal(request.params.requestedSchema.properties.confirm.type, "boolean");
      asked += 1;
      return says;
    });
    const block = () => direct(client)("set_app_policy", { app: REFERENCE.app, policy: "blocked" });
    says = { action: "decline" };
    const declined = await block();
    assert.ok(declined.isError && declined.content[0].text.startsWith("Nothing was changed"), JSON.stringify(declined));
    says = { action: "accept", content: { confirm: true } };
    const done = await block();
    assert.ok(!done.isError && asked === 2, JSON.stringify(done));
    assert.ok(!(await direct(client)("set_app_policy", { app: REFERENCE.app, policy: "none" })).isError);
  });
}

const part = process.argv[2];
for (const [name, open] of Object.entries(transports)) {
  for (const discovery of name.startsWith("http+sse") ? [false] : [true, false]) {
    await { questions, changes }[part](open, discovery);
    console.log(`ai sdk, ${part}: ${name}${discovery ? ", with discovery" : ""}`);
  }
}
