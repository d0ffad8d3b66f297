"""The scenario that every Python client must pass, with any era and transport. It has two parts, since a change is followed by an analysis,
after which answers differ: `questions` compares what a client gets with what the official TypeScript client got (reference.mjs), `changes`
changes something."""

import dataclasses
import json
import os
import re

CONFIG = json.loads(os.environ["INTEROP"])
with open(CONFIG["reference"], encoding="utf-8") as file:
    REFERENCE = json.load(file)
# What differs between two answers to the same question: random ids of pages, the time of a report, and warnings of ignored arguments.
VOLATILE = {"next_cursor", "warnings"}
GENERATED = re.compile("^- Generated: .*$", re.MULTILINE)


@dataclasses.dataclass
class Answer:
    """What a client gives its model: `data` is None if the client passes on only the text."""

    error: bool
    text: str
    data: dict | None = None

    def content(self):
        if self.data is not None:
            return self.data
        return json.loads(next(line for line in self.text.splitlines() if line.startswith("{")))


def stable(value):
    if isinstance(value, str):
        return GENERATED.sub("", value)
    if isinstance(value, dict):
        return {key: stable(inner) for key, inner in value.items() if key not in VOLATILE}
    return [stable(inner) for inner in value] if isinstance(value, list) else value


def check_tools(schemas, key):
    """`schemas` has the input schema of each tool by name."""
    expected = {tool["name"]: tool["inputSchema"] for tool in REFERENCE["tools"][key]}
    assert sorted(schemas) == sorted(expected), sorted(schemas)
    for name, schema in schemas.items():
        assert schema == expected[name], f"{name}: {schema}"


async def check_answers(call):
    """`call(name, arguments)` returns an `Answer`."""
    for case in REFERENCE["same"]:
        for arguments in [case["means"], *case["given"]]:
            answer = await call(case["tool"], arguments)
            told = f"{case['tool']} {arguments}: {answer.text[:500]}"
            assert not answer.error, told
            assert stable(answer.content()) == stable(case["answer"]), told
            if arguments is not case["means"] and "ignored" in case:
                assert case["ignored"] in answer.text.splitlines()[0], told


async def check_errors(call):
    for case in REFERENCE["errors"]:
        answer = await call(case["tool"], case["arguments"])
        told = f"{case['tool']} {case['arguments']}: {answer.text[:500]}"
        assert answer.error, told
        assert all(word in answer.text for word in case["words"]), told


async def check_refusals(call):
    """`call` uses the read key."""
    for case in REFERENCE["refused"]:
        answer = await call(case["tool"], case["arguments"])
        assert answer.error and "Write scope required" in answer.text, f"{case['tool']}: {answer.text}"


async def check_change(call):
    app = REFERENCE["app"]
    for policy in ("sanctioned", "none"):
        answer = await call("set_app_policy", {"app": app, "policy": policy})
        assert not answer.error, answer.text
        now = await call("check_app_policy", {"app": app})
        assert now.content()["policy"] == policy, now.text
    started = (await call("start_scan", {"scan_type": "exposure", "platform": "OKTA", "read_settings": "true"})).content()
    done = await call("get_scan", {"scan_id": started["scan_id"], "wait_seconds": 50})
    assert done.content()["scan"]["status"] == "completed", done.text


def causes(error):
    """Returns the error and everything that led to it."""
    found, left = [], [error]
    while left:
        inner = left.pop()
        if inner is not None and all(inner is not known for known in found):
            found.append(inner)
            left += [*getattr(inner, "exceptions", ()), inner.__cause__, inner.__context__]
    return found


async def check_wrong_key(attempt, words=("Invalid API key", "401", "Server returned an error response")):
    """`attempt` is an awaitable that connects with a wrong key. Over HTTP the official SDK reports only that there was an error; the status is
    checked by official_python.py."""
    try:
        await attempt
    except BaseException as error:  # noqa: BLE001: groups of errors are no Exception
        said = " ".join(f"{inner!r} {inner}" for inner in causes(error))
        assert any(word in said for word in words), f"the error has none of {words}: {said}"
        return
    raise AssertionError("a wrong key was accepted")
