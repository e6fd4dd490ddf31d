"""The command `info`."""

import sys
from collections.abc import Iterator

from tagger.cli.arguments import (
    JsonOption,
    ModelArgument,
    print_json,
)


def info(model: ModelArgument, as_json: JsonOption = False) -> None:
    """Describe a model: what it predicts, how it was trained, which backends can run it, and its scores."""
    from tagger.files.holding import is_charlm

    if is_charlm(model):
        from tagger.pretraining.folder import describe_charlm

        facts = describe_charlm(model)
    else:
        from tagger.running.description import describe_model

        facts = describe_model(model)
    if as_json:
        print_json(facts)
    else:
        sys.stdout.writelines(f"{line}\n" for line in _indented(facts))


def _indented(facts: object, depth: int = 0) -> Iterator[str]:
    """Yield nested facts as indented lines."""
    for key, value in facts.items() if isinstance(facts, dict) else ():
        if isinstance(value, dict):
            yield f"{'  ' * depth}{key}:"
            yield from _indented(value, depth + 1)
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            yield f"{'  ' * depth}{key}: {shown}"
