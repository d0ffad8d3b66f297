"""Changes to the generated requests, each with its reason."""

import itertools

import schemathesis

numbers = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    number = next(numbers)
    # A client address of its own for each request: after twenty wrong keys a minute from one address, the server answers 429.
    case.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    # A position is an authenticated text that only the server can make, so a generated one is never valid although it fits the
    # schema. tests/it/rest/lists.rs tests real and changed positions.
    if case.meta and case.meta.generation.mode.is_positive and case.query:
        case.query.pop("after", None)
