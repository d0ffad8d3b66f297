"""Tests the MCP adapters of LangChain, over streamable HTTP, HTTP+SSE and stdio, with the older official Python SDK that they need: tools with
content and artifact, errors as messages for the model, resources, prompts, and elicitation."""

import asyncio
import json
import sys

from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from mcp.types import ElicitResult

from scenario import CONFIG, REFERENCE, Answer, check_answers, check_change, check_errors, check_refusals, check_tools, check_wrong_key


def http(key):
    return {"transport": "streamable_http", "url": CONFIG["mcp_url"], "headers": {"X-Api-Key": key}}


def http_slash(key):
    return {"transport": "http", "url": CONFIG["mcp_url"] + "/", "headers": {"Authorization": f"Bearer {key}"}}


def sse(key):
    return {"transport": "sse", "url": CONFIG["sse_url"], "headers": {"X-Api-Key": key}}


def sse_slash(key):
    return {"transport": "sse", "url": CONFIG["sse_url"] + "/", "headers": {"Authorization": f"Bearer {key}"}}


def stdio(key):
    arguments = ["--data-dir", CONFIG["data_dir"], "--log", "error"]
    return {"transport": "stdio", "command": CONFIG["stdio"], "args": arguments, "env": {"WATCHPOST_API_KEY": key}}


def caller(tools):
    """Calls tools as an agent does; the answer is the message that its model gets."""
    by_name = {tool.name: tool for tool in tools}

    async def call(name, arguments):
        message = await by_name[name].ainvoke({"type": "tool_call", "id": "call", "name": name, "args": arguments})
        text = "".join(block["text"] for block in message.content if block["type"] == "text")
        return Answer(message.status == "error", text, message.artifact["structured_content"] if message.artifact else None)

    return call


async def questions(connection):
    client = MultiServerMCPClient({"watchpost": connection(CONFIG["write_key"])})
    # Without a session of its own, each call of a tool opens one.
    async with client.session("watchpost") as session:
        tools = await load_mcp_tools(session)
        check_tools({tool.name: tool.args_schema for tool in tools}, "write")
        await check_answers(caller(tools))
        await check_errors(caller(tools))
    await check_errors(caller(await client.get_tools()))
    resources = await client.get_resources("watchpost", uris=["watchpost://posture"])
    assert json.loads(resources[0].data)
    [filled] = await client.get_prompt("watchpost", "investigate_person", arguments={"email": REFERENCE["email"]})
    assert "lookup_identity" in filled.content

    reader = MultiServerMCPClient({"watchpost": connection(CONFIG["read_key"])}, tool_name_prefix=True)
    assert sorted(tool.name for tool in await reader.get_tools()) == sorted(f"watchpost_{tool['name']}" for tool in REFERENCE["tools"]["read"])
    async with reader.session("watchpost") as session:

        async def call(name, arguments):
            result = await session.call_tool(name, arguments)
            return Answer(result.isError, "".join(block.text for block in result.content), result.structuredContent)

        await check_refusals(call)
    # The server counts invalid keys per minute, so only one spelling of an address is tried with one.
    if connection not in (http_slash, sse_slash):
        await check_wrong_key(MultiServerMCPClient({"watchpost": connection(CONFIG["bad_key"])}).get_tools())


async def changes(connection):
    asked = []
    says = ElicitResult(action="decline")

    async def person(_context, params, _callback):
        asked.append(params.message)
        return says

    client = MultiServerMCPClient({"watchpost": connection(CONFIG["write_key"])}, callbacks=Callbacks(on_elicitation=person))
    call = caller(await client.get_tools())
    await check_change(call)
    declined = await call("set_app_policy", {"app": REFERENCE["app"], "policy": "blocked"})
    assert declined.error and declined.text.startswith("Nothing was changed"), declined
    says = ElicitResult(action="accept", content={"confirm": True})
    for policy, count in (("blocked", 2), ("none", 2)):
        done = await call("set_app_policy", {"app": REFERENCE["app"], "policy": policy})
        assert not done.error and len(asked) == count, done


async def main(part):
    for name, connection in [("http", http), ("http with a slash", http_slash), ("http+sse", sse), ("http+sse with a slash", sse_slash), ("stdio", stdio)]:
        await {"questions": questions, "changes": changes}[part](connection)
        print(f"langchain adapters, {part}: {name}", flush=True)


asyncio.run(main(sys.argv[1]))
