"""Tests the client of FastMCP, over streamable HTTP, HTTP+SSE and stdio: tools, resources, prompts, completion, elicitation, and
notifications of changed resources."""

import asyncio
import json
import sys
import warnings
from pathlib import Path

from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.messages import MessageHandler
from fastmcp.client.transports import SSETransport, StdioTransport, StreamableHttpTransport
from fastmcp.exceptions import ToolError
from mcp import MCPDeprecationWarning

from scenario import CONFIG, REFERENCE, Answer, check_answers, check_change, check_errors, check_refusals, check_tools, check_wrong_key

PATIENCE = 20
# The SDK warns of methods that only the legacy era has.
warnings.filterwarnings("ignore", category=MCPDeprecationWarning)


def http(key):
    return StreamableHttpTransport(CONFIG["mcp_url"], headers={"X-Api-Key": key})


def http_slash(key):
    return StreamableHttpTransport(CONFIG["mcp_url"] + "/", auth=key)


def sse(key):
    return SSETransport(CONFIG["sse_url"], headers={"X-Api-Key": key})


def sse_slash(key):
    return SSETransport(CONFIG["sse_url"] + "/", auth=key)


def stdio(key):
    return StdioTransport(CONFIG["stdio"], ["--data-dir", CONFIG["data_dir"]], env={"WATCHPOST_API_KEY": key}, log_file=Path(CONFIG["scratch"], "stdio.log"))


class Heard(MessageHandler):
    def __init__(self):
        self.changed = asyncio.Queue()

    async def on_resource_updated(self, message):
        self.changed.put_nowait(str(message.params.uri))


def caller(client):
    async def call(name, arguments):
        try:
            result = await client.call_tool(name, arguments)
        except ToolError as error:
            return Answer(True, str(error))
        return Answer(False, "".join(block.text for block in result.content if block.type == "text"), result.structured_content)

    return call


async def schemas(client):
    return {tool.name: tool.input_schema for tool in await client.list_tools()}


async def offers(client):
    assert "watchpost://posture" in [str(resource.uri) for resource in await client.list_resources()]
    assert "watchpost://findings/{id}" in [template.uri_template for template in await client.list_resource_templates()]
    assert json.loads((await client.read_resource("watchpost://posture"))[0].text)
    filled = await client.get_prompt("investigate_person", {"email": REFERENCE["email"]})
    assert "lookup_identity" in filled.messages[0].content.text
    assert "posture_review" in [prompt.name for prompt in await client.list_prompts()]


async def asks_a_person(client, says, asked):
    """A change that needs a confirmation: declined, then confirmed."""
    app = REFERENCE["app"]
    for answer, blocked in ((ElicitResult(action="decline"), False), (ElicitResult(action="accept", content={"confirm": True}), True)):
        says[:] = [answer]
        told = await caller(client)("set_app_policy", {"app": app, "policy": "blocked"})
        assert told.error is not blocked, told.text
        assert blocked or told.text.startswith("Nothing was changed"), told.text
        assert (await caller(client)("check_app_policy", {"app": app})).content()["policy"] == ("blocked" if blocked else "none")
    assert len(asked) == 2, asked


async def questions(open_transport, mode):
    async with Client(open_transport(CONFIG["write_key"]), mode=mode) as client:
        check_tools(await schemas(client), "write")
        await check_answers(caller(client))
        await check_errors(caller(client))
        await offers(client)
    async with Client(open_transport(CONFIG["read_key"]), mode=mode) as client:
        check_tools(await schemas(client), "read")
        await check_refusals(caller(client))

    async def wrong():
        async with Client(open_transport(CONFIG["bad_key"]), mode=mode) as client:
            await client.list_tools()

    # The server counts invalid keys per minute, so only one spelling of an address is tried with one.
    if open_transport not in (http_slash, sse_slash):
        await check_wrong_key(wrong())


async def changes(open_transport, mode):
    heard, says, asked = Heard(), [], []

    async def person(message, _type, _params, _context):
        asked.append(message)
        return says[0]

    async with Client(open_transport(CONFIG["write_key"]), mode=mode) as client:
        await check_change(caller(client))
    async with Client(open_transport(CONFIG["write_key"]), mode=mode, message_handler=heard, elicitation_handler=person) as client:
        # This client has no method for subscriptions of 2026-07-28.
        legacy = not client.protocol_version.startswith("2026")
        uri = f"watchpost://apps/{REFERENCE['app']}"
        if legacy:
            await client.session.subscribe_resource(uri)
        await asks_a_person(client, says, asked)
        while legacy and await asyncio.wait_for(heard.changed.get(), PATIENCE) != uri:
            pass
        assert not (await caller(client)("set_app_policy", {"app": REFERENCE["app"], "policy": "none"})).error


async def main(part):
    for name, open_transport, mode in [
        ("http", http, "2026-07-28"),
        ("http with a slash", http_slash, "auto"),
        ("http", http, "legacy"),
        ("http+sse", sse, "auto"),
        ("http+sse with a slash", sse_slash, "legacy"),
        ("stdio", stdio, "auto"),
        ("stdio", stdio, "legacy"),
    ]:
        await {"questions": questions, "changes": changes}[part](open_transport, mode)
        print(f"fastmcp, {part}: {name}, {mode}", flush=True)


asyncio.run(main(sys.argv[1]))
