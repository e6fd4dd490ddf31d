"""The types of recipe keys in the reference: it says where one string may stand for a list of strings."""

from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter
from reference import CLASSES, SECTIONS, value_type


@pytest.mark.parametrize("name", SECTIONS.values())
def test_each_key_that_is_said_to_take_one_string_takes_it(name: str) -> None:
    section: Any = CLASSES[name]
    for key, schema in section.model_json_schema()["properties"].items():
        one = schema.get("items", {}).get("enum", ["x"])[0]  # some strings are one of a few
        for type_, given in (("string or list of strings", one), ("table of strings or lists of strings", {"a": "x"})):
            if type_ in value_type(schema):
                field = section.model_fields[key]
                taken = TypeAdapter(Annotated[field.annotation, None, *field.metadata]).validate_python(given)
                assert taken == ({"a": ("x",)} if isinstance(given, dict) else (one,)), key


def test_a_teacher_may_be_one_string_or_several() -> None:
    for name in ("TokensHeadConfig", "SentenceHeadConfig"):
        assert value_type(CLASSES[name].model_json_schema()["properties"]["teacher"]) == "string or list of strings"  # type: ignore[attr-defined]
