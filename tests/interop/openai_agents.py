"""Tests the MCP servers of the OpenAI Agents SDK, over streamable HTTP, HTTP+SSE and stdio: each tool becomes a function with a strict
schema, in which all parameters are required, and is called as a model would call it."""

import asyncio
import json
import sys

from agents import set_tracing_disabled
from agents.mcp import MCPServerSse, MCPServerStdio, MCPServerStreamableHttp, MCPUtil
from agents.tool_context import ToolContext

from scenario import CONFIG, REFERENCE, Answer, check_answers, check_change, check_errors, check_refusals, check_tools, check_wrong_key

set_tracing_disabled(True)
# A model must name every parameter of a strict schema. It names the ones that it doesn't need with an empty value.
EMPTY = {"string": "", "array": [], "integer": 0, "boolean": False}
NEEDED = {
    "check_app_policy": {"app": REFERENCE["app"]},
    "get_score_trend": {"days": 30},
    "lookup_identity": {"email": REFERENCE["email"]},
}
TIMEOUT = 60


def http(key, suffix=""):
    return MCPServerStreamableHttp(
        {"url": CONFIG["mcp_url"] + suffix, "headers": {"X-Api-Key": key}}, cache_tools_list=True, client_session_timeout_seconds=TIMEOUT
    )


def http_slash(key):
    return http(key, "/")


def sse(key, suffix=""):
    return MCPServerSse({"url": CONFIG["sse_url"] + suffix, "headers": {"Authorization": f"Bearer {key}"}}, client_session_timeout_seconds=TIMEOUT)


def sse_slash(key):
    return sse(key, "/")


def stdio(key):
    return MCPServerStdio(
        {"command": CONFIG["stdio"], "args": ["--data-dir", CONFIG["data_dir"], "--log", "error"], "env": {"WATCHPOST_API_KEY": key}},
        use_structured_content=True,
        client_session_timeout_seconds=TIMEOUT,
    )


def function_caller(functions):
    """Calls tools as the runner of this SDK does; the answer is what the model sees."""

    async def call(name, arguments):
        given = json.dumps(arguments)
        context = ToolContext(context=None, tool_name=name, tool_call_id="call", tool_arguments=given)
        output = await functions[name].on_invoke_tool(context, given)
        texts = output if isinstance(output, list) else [output]
        text = "\n".join(one if isinstance(one, str) else one["text"] for one in texts)
        # The model does not see whether the text is an error.
        return Answer(not any(line.startswith("{") for line in text.splitlines()), text)

    return call


def direct_caller(server):
    async def call(name, arguments):
        result = await server.call_tool(name, arguments)
        return Answer(result.is_error, "".join(block.text for block in result.content if block.type == "text"), result.structured_content)

    return call


def named_all(needed, schema):
    """Arguments as a strict schema demands them: each parameter is named. `needed` are those that can't be empty."""
    given = {}
    for key, parameter in schema["properties"].items():
        value = parameter.get("default", parameter["enum"][0] if "enum" in parameter else EMPTY[parameter["type"]])
        given[key] = needed.get(key, value)
    return given


async def check_strict(server, tools):
    functions = {tool.name: MCPUtil.to_function_tool(tool, server, convert_schemas_to_strict=True) for tool in tools}
    for name, function in functions.items():
        schema = function.params_json_schema
        # A tool without parameters stays as it is: this SDK wants `additionalProperties: false` in its schema, which Google's converter can't read.
        assert function.strict_json_schema is bool(schema["properties"]), f"{name}: {schema}"
        if not function.strict_json_schema:
            continue
        assert schema["additionalProperties"] is False and sorted(schema.get("required", [])) == sorted(schema["properties"]), schema
    call = function_caller(functions)
    listed = await server.call_tool("list_findings", {"limit": 1})
    needed = {**NEEDED, "get_finding": {"finding_id": listed.structured_content["findings"][0]["id"]}}
    for tool in REFERENCE["tools"]["read"]:
        if tool["name"] == "start_scan":
            continue
        arguments = named_all(needed.get(tool["name"], {}), functions[tool["name"]].params_json_schema)
        answer = await call(tool["name"], arguments)
        assert not answer.error, f"{tool['name']} {arguments}: {answer.text}"
    return call


async def questions(open_server):
    async with open_server(CONFIG["write_key"]) as server:
        tools = await server.list_tools()
        check_tools({tool.name: tool.input_schema for tool in tools}, "write")
        call = await check_strict(server, tools)
        await check_answers(call)
        await check_errors(call)
        await check_answers(direct_caller(server))
        filled = await server.get_prompt("investigate_person", {"email": REFERENCE["email"]})
        assert "lookup_identity" in filled.messages[0].content.text
        assert "watchpost://posture" in [str(resource.uri) for resource in (await server.list_resources()).resources]
        assert json.loads((await server.read_resource("watchpost://posture")).contents[0].text)
    async with open_server(CONFIG["read_key"]) as server:
        check_tools({tool.name: tool.input_schema for tool in await server.list_tools()}, "read")
        await check_refusals(direct_caller(server))
        await check_refusals(function_caller({tool.name: MCPUtil.to_function_tool(tool, server, True) for tool in tools}))

    async def wrong():
        async with open_server(CONFIG["bad_key"]) as server:
            await server.list_tools()

    # The server counts invalid keys per minute, so only one spelling of an address is tried with one.
    if open_server not in (http_slash, sse_slash):
        await check_wrong_key(wrong())


async def changes(open_server):
    async with open_server(CONFIG["write_key"]) as server:
        await check_change(function_caller({tool.name: MCPUtil.to_function_tool(tool, server, True) for tool in await server.list_tools()}))


async def main(part):
    for name, open_server in [("http", http), ("http with a slash", http_slash), ("http+sse", sse), ("http+sse with a slash", sse_slash), ("stdio", stdio)]:
        await {"questions": questions, "changes": changes}[part](open_server)
        print(f"openai agents, {part}: {name}", flush=True)


asyncio.run(main(sys.argv[1]))
