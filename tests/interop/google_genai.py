"""Tests the client of Google's Gen AI SDK: the conversion of the tools' schemas, and sessions of the official Python SDK that a request hands to
it. A local server stands in for the model, and answers with calls of functions."""

import asyncio
import http.server
import json
import logging
import sys
import threading

import httpx2
from google import genai
from google.genai import types
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from scenario import CONFIG, REFERENCE, Answer, check_answers, check_change, check_errors, check_refusals

TYPES = {"string": types.Type.STRING, "array": types.Type.ARRAY, "integer": types.Type.INTEGER, "boolean": types.Type.BOOLEAN}
# It warns of each call that it makes itself.
logging.getLogger("google_genai").setLevel(logging.ERROR)


class Model(http.server.BaseHTTPRequestHandler):
    """Answers the first request of a conversation with `wants`, and the second, which has the function's answer, with a text."""

    wants = ("", {})
    declared = []
    answered = None

    def do_POST(self):  # noqa: N802: the name is the library's
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answers = [part["functionResponse"] for content in asked["contents"] for part in content["parts"] if "functionResponse" in part]
        if answers:
            Model.answered = answers[-1]
            part = {"text": "done"}
        else:
            Model.declared = [one for tool in asked["tools"] for one in tool["functionDeclarations"]]
            part = {"functionCall": {"name": Model.wants[0], "args": Model.wants[1]}}
        said = json.dumps({"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass


def caller(gemini, session):
    """Calls tools by a conversation; the answer is what the model gets."""

    async def call(name, arguments):
        Model.wants, Model.answered = (name, arguments), None
        # The SDK copies a config that is no dictionary, and can't copy a session of the official SDK's current version.
        reply = await gemini.aio.models.generate_content(model="gemini", contents="question", config={"tools": [session]})
        assert reply.text == "done", reply
        assert Model.answered["name"] == name, Model.answered
        response = Model.answered["response"]
        result = response.get("result") or response["error"]
        text = "".join(block["text"] for block in result["content"] if block["type"] == "text")
        return Answer("error" in response, text, result.get("structuredContent", result.get("structured_content")))

    return call


def check_declarations(key):
    """The declarations that the model got have what the schemas say."""
    expected = {tool["name"]: tool for tool in REFERENCE["tools"][key]}
    assert sorted(one["name"] for one in Model.declared) == sorted(expected)
    for one in Model.declared:
        tool = expected[one["name"]]
        assert one["description"] == tool["description"]
        schema = tool["inputSchema"]
        parameters = one["parameters"]
        assert sorted(parameters.get("properties", {})) == sorted(schema["properties"]), one
        assert sorted(parameters.get("required", [])) == sorted(schema.get("required", [])), one
        for name, parameter in schema["properties"].items():
            got = parameters["properties"][name]
            assert got["type"] == TYPES[parameter["type"]] and got["description"] == parameter["description"], got
            assert got.get("enum") == parameter.get("enum"), got
            assert got.get("items", {}).get("enum") == parameter.get("items", {}).get("enum"), got
            # This SDK drops the lengths of texts.
            for limit in ("minimum", "maximum"):
                assert got.get(limit) == parameter.get(limit), got


def check_public_conversion():
    for tool in REFERENCE["tools"]["write"]:
        converted = types.Schema.from_json_schema(json_schema=types.JSONSchema(**tool["inputSchema"]))
        assert converted.type == types.Type.OBJECT
        assert sorted(converted.properties or {}) == sorted(tool["inputSchema"]["properties"]), tool["name"]
        types.FunctionDeclaration(name=tool["name"], description=tool["description"], parameters=converted)


def http_url(url):
    return lambda key: streamable_http_client(url, http_client=httpx2.AsyncClient(headers={"X-Api-Key": key}, timeout=60))


def sse_url(url):
    return lambda key: sse_client(url, headers={"X-Api-Key": key})


def stdio(key):
    arguments = ["--data-dir", CONFIG["data_dir"], "--log", "error"]
    return StdioServerParameters(command=CONFIG["stdio"], args=arguments, env={"WATCHPOST_API_KEY": key})


SERVERS = [
    ("http", http_url(CONFIG["mcp_url"]), "2026-07-28"),
    ("http with a slash", http_url(CONFIG["mcp_url"] + "/"), "legacy"),
    ("http+sse", sse_url(CONFIG["sse_url"]), "legacy"),
    ("http+sse with a slash", sse_url(CONFIG["sse_url"] + "/"), "legacy"),
    ("stdio", stdio, "auto"),
]


async def main(part):
    check_public_conversion()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    gemini = genai.Client(api_key="none", vertexai=False, http_options=types.HttpOptions(base_url=f"http://127.0.0.1:{server.server_port}"))
    for name, open_server, mode in SERVERS:
        async with Client(open_server(CONFIG["write_key"]), mode=mode) as client:
            call = caller(gemini, client.session)
            if part == "changes":
                await check_change(call)
            else:
                await check_answers(call)
                check_declarations("write")
                await check_errors(call)
        if part == "questions":
            async with Client(open_server(CONFIG["read_key"]), mode=mode) as client:
                await caller(gemini, client.session)("get_risk_score", {})
                check_declarations("read")
        print(f"google genai, {part}: {name}, {mode}", flush=True)
    server.shutdown()


asyncio.run(main(sys.argv[1]))
