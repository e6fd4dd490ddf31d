"""Rasa's training data in YAML: examples of what users say, with their intent and entities.

```yaml
nlu:
- intent: fly
  examples: |
    - fly to [Oslo](city)
    - from [Rome]{"entity": "city", "role": "from"}
```

The intent is the label `intent`, and `[words](type)` an entity; its role, group and value are counted and ignored, and
so are other parts of the file, such as synonyms and stories. Rasa's JSON is read in `tools/corpora.py`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.columns.fields import Sample
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.standoff.sentences import check_scheme
from tagger.formats.tally import Tally
from tagger.formats.tools.annotated import Annotated
from tagger.formats.tools.layers import Found, annotated_texts
from tagger.text.sentence import Sentence
from tagger.wording import quoted, shorten

NLU = re.compile(r"nlu:\s*(?:#.*)?")
ENTITY = re.compile(r"\[([^\[\]]+)\](?:\(([^()]+)\)|(\{[^{}]*\}))")
EXAMPLE = re.compile(r"\s*-\s?(.*)")
OTHER = "ignored {} part|parts of the training data that is|are no example|examples of a user"
DETAIL = "ignored the role, group or value of {} entity|entities"


def looks_like_rasa(sample: Sample) -> bool:
    """Whether lines are YAML with a key `nlu`."""
    return any(NLU.fullmatch(line) for line in sample.lines)


def read_rasa(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a file of training data.

    Raises:
        DataError: The file is no YAML, or the scheme is none for character spans.
    """
    check_scheme(config, source.where)
    found = [_found(line, text, intent, source.where, tally) for line, text, intent in _examples(source, tally)]
    if not found:
        faults.add("form", source.where, "the file must hold an example under `nlu`, got none")
    yield from annotated_texts(found, config, tally, faults, where=source.where)


def _found(line: int, text: str, intent: str, where: str, tally: Tally) -> Found:
    place = f"{where}:{line}"
    try:
        return Found(line, place, _annotated(text, intent, place, tally))
    except DataError as error:
        return Found(line, place, error)


def _annotated(marked: str, intent: str, place: str, tally: Tally) -> Annotated:
    """Return an example without its marks, with its entities and its intent."""
    text, spans, end = "", [], 0
    for found in ENTITY.finditer(marked):
        text += marked[end : found.start()]
        type_ = found[2] or _type_of(found[3], place, tally)
        spans.append([len(text), len(text) + len(found[1]), type_.partition(":")[0].strip()])
        text, end = text + found[1], found.end()
    return Annotated(text=text + marked[end:], spans={"entities": spans}, labels={"intent": intent}, whole=True)


def _type_of(details: str, place: str, tally: Tally) -> str:
    """Return the type in the details of an entity, which are JSON."""
    try:
        values = json.loads(details)
    except ValueError:
        values = None
    if not isinstance(values, dict) or not isinstance(values.get("entity"), str):
        raise DataError(f'the details of an entity must be JSON with "entity", got {shorten(details)}; fix them')
    if len(values) > 1:
        tally.count(DETAIL, f"at {place}")
    return str(values["entity"])


def _examples(source: Source, tally: Tally) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the text and the intent of each example."""
    root = _yaml(source)
    for key, value in _pairs(root):
        if key.value == "version":
            continue
        if key.value != "nlu" or value.id != "sequence":
            tally.count(OTHER, f"{quoted([str(key.value)[:60]])} at {_place(key, source.where)}")
            continue
        for part in value.value:
            pairs = {name.value: inner for name, inner in _pairs(part) if name.id == "scalar"}
            if "intent" not in pairs or "examples" not in pairs or not isinstance(pairs["intent"].value, str):
                tally.count(OTHER, f"{quoted(map(str, pairs))} at {_place(part, source.where)}")
                continue
            for line, text in _texts(pairs["examples"]):
                yield line, text, pairs["intent"].value


def _texts(examples: Any) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each example: of a block of lines, or of a list."""
    line = examples.start_mark.line + 1
    if examples.id == "scalar":
        first = line + 1 if examples.style in ("|", ">") else line
        for number, text in enumerate(examples.value.split("\n"), first):
            if text.strip():
                found = EXAMPLE.fullmatch(text)
                yield number, found[1] if found else text
    elif examples.id == "sequence":
        for node in examples.value:
            inner = next((value for name, value in _pairs(node) if name.value == "text"), node)
            if inner.id == "scalar":
                yield inner.start_mark.line + 1, inner.value.strip().removeprefix("- ")


def _pairs(node: Any) -> list[tuple[Any, Any]]:
    """Return the keys and values of a mapping; none of another node."""
    return list(node.value) if node is not None and node.id == "mapping" else []


def _place(node: Any, where: str) -> str:
    return f"{where}:{node.start_mark.line + 1}"


def _yaml(source: Source) -> Any:
    """Return the tree of a file of YAML.

    Raises:
        DataError: It is none.
    """
    import yaml  # no other format needs it

    try:
        return yaml.compose("\n".join(source.lines()), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DataError(f"{source.where}:{line}: must be YAML, but {error.problem}; fix it") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = str(error).split("\n")[0] or type(error).__name__
        raise DataError(f"{source.where}: must be YAML, but {shorten(reason)}; fix it") from None
