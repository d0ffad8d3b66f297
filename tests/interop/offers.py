"""Tests the features besides tools with the official Python SDK in both eras: resources, prompts, completion, a subscription, and elicitation
that is declined or accepted."""

import asyncio
import contextlib
import json
import os
import warnings

import httpx2
from mcp import Client, MCPDeprecationWarning, MCPError, StdioServerParameters, types
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

CONFIG = json.loads(os.environ["INTEROP"])
KEY = CONFIG["write_key"]
PROMPTS = ["investigate_person", "offboarding_proof", "posture_review", "review_app", "triage_critical_findings", "what_changed_this_week"]
PATIENCE = 20
SERVERS = {
    "http": lambda: streamable_http_client(CONFIG["mcp_url"], http_client=httpx2.AsyncClient(headers={"X-Api-Key": KEY}, timeout=30)),
    "http+sse": lambda: sse_client(CONFIG["sse_url"], headers={"X-Api-Key": KEY}),
    "stdio": lambda: StdioServerParameters(command=CONFIG["stdio"], args=["--data-dir", CONFIG["data_dir"]], env={"WATCHPOST_API_KEY": KEY}),
}


# The SDK warns of methods that only the legacy era has.
warnings.filterwarnings("ignore", category=MCPDeprecationWarning)


class Person:
    """Answers each elicitation with `says`."""

    def __init__(self):
        self.says = None
        self.asked = 0

    async def __call__(self, _context, params):
        self.asked += 1
        assert params.requested_schema["properties"]["confirm"]["type"] == "boolean"
        return self.says


class Heard:
    """The addresses in notifications of changed resources."""

    def __init__(self):
        self.queue = asyncio.Queue()

    async def __call__(self, message):
        message = getattr(message, "root", message)
        if getattr(message, "method", None) == "notifications/resources/updated":
            self.queue.put_nowait(str(message.params.uri))


async def call(client, name, **args):
    result = await client.call_tool(name, args)
    return result, "".join(block.text for block in result.content if block.type == "text")


async def refused(awaited, code):
    try:
        await awaited
    except MCPError as error:
        assert error.error.code == code, error
        return
    raise AssertionError("the request did not fail")


async def reads(client, era, email):
    listed = [str(resource.uri) for resource in (await client.list_resources()).resources]
    assert {"watchpost://posture", "watchpost://integrations"} <= set(listed), listed
    templates = [template.uri_template for template in (await client.list_resource_templates()).resource_templates]
    assert "watchpost://findings/{id}" in templates, templates
    posture = (await client.read_resource("watchpost://posture")).contents[0]
    assert json.loads(posture.text)
    await refused(client.read_resource("watchpost://nothing"), -32602 if era == "modern" else -32002)
    assert sorted(prompt.name for prompt in (await client.list_prompts()).prompts) == PROMPTS
    filled = await client.get_prompt("investigate_person", {"email": email})
    assert "lookup_identity" in filled.messages[0].content.text
    await refused(client.get_prompt("investigate_person"), -32602)
    ref = types.PromptReference(type="ref/prompt", name="investigate_person")
    for typed, found in ((email[:2], False), (email[:5], True)):
        values = (await client.complete(ref, {"name": "email", "value": typed})).completion.values
        assert (email in values) is found, (typed, values)


@contextlib.asynccontextmanager
async def watching(client, era, heard, uri):
    """Yields a function that waits for a notification that the resource changed."""
    if era == "modern":
        async with client.listen(resource_subscriptions=[uri]) as subscription:
            yield lambda: anext(subscription)
        return
    await client.subscribe_resource(uri)

    async def until():
        while await heard.queue.get() != uri:
            pass

    yield until
    await client.unsubscribe_resource(uri)


async def changes(client, era, person, heard, app):
    async def policy():
        return (await call(client, "check_app_policy", app=app))[0].structured_content["policy"]

    async with watching(client, era, heard, f"watchpost://apps/{app}") as until:
        for says in (types.ElicitResult(action="decline"), types.ElicitResult(action="accept", content={"confirm": False})):
            person.says = says
            result, text = await call(client, "set_app_policy", app=app, policy="blocked")
            assert result.is_error and text.startswith("Nothing was changed"), text
            assert await policy() == "none"
        person.says = types.ElicitResult(action="accept", content={"confirm": True})
        result, text = await call(client, "set_app_policy", app=app, policy="blocked")
        assert not result.is_error, text
        assert (await policy(), person.asked) == ("blocked", 3)
        await asyncio.wait_for(until(), PATIENCE)
    result, text = await call(client, "set_app_policy", app=app, policy="none")
    assert not result.is_error, text


async def main():
    for name, era, mode in [
        ("http", "modern", "2026-07-28"),
        ("stdio", "modern", "2026-07-28"),
        ("http", "legacy", "legacy"),
        ("http+sse", "legacy", "legacy"),
        ("stdio", "legacy", "legacy"),
    ]:
        person, heard = Person(), Heard()
        async with Client(SERVERS[name](), mode=mode, elicitation_callback=person, message_handler=heard) as client:
            result, text = await call(client, "list_findings", limit=100)
            assert not result.is_error, text
            findings = result.structured_content["findings"]
            email = next(row["subject"]["email"] for row in findings if row["subject"].get("email"))
            app = next(row["subject"]["id"] for row in findings if row["subject"]["type"] == "app")
            await reads(client, era, email)
            await changes(client, era, person, heard, app)
        print(f"python offers: {name}, {era}", flush=True)


asyncio.run(main())
