"""What becomes of sentences that were read: schemes are found and held against every tag.

Nothing is repaired, renamed or dropped unless the recipe says so, which `changing.py` does, and what is done is told in
notes.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from tagger.config import ReadingConfig
from tagger.data.changing import Done, changed, check_seen, divided, told
from tagger.data.lazy import LazySentences, telling
from tagger.data.schemes import (
    RULES,
    Scheme,
    describe,
    detect_scheme,
    has_scheme,
    invalid_positions,
    is_tag,
    split_tag,
)
from tagger.data.sentence import Sentence, TagLayer
from tagger.data.splitting import Splits
from tagger.errors import DataError, Problems

BLANK = "tokens that are empty or white space"


class Finished(NamedTuple):
    """Sentences by split, the scheme of each tag layer, and what was found out or done, a sentence each."""

    splits: Splits
    schemes: Mapping[str, Scheme | None]
    notes: tuple[str, ...]


def finish(splits: Splits, config: ReadingConfig, said: Sequence[str], *, whole: bool) -> Finished:
    """The sentences of raw splits: schemes found and held against the tags, types renamed and dropped.

    A lazy split stays in its file. What is said of its tags is said of few sentences that have all that stand side by
    side, so a mistake that many make is told once for each pair of tags that makes it.

    Args:
        splits: The sentences.
        config: What the recipe says.
        said: The notes of the readers.
        whole: Whether every type that is to be renamed or dropped must be there; some sentences of a corpus need not
            have it.
    """
    shown = {name: telling(part) for name, part in splits.items()}
    layers = list(dict.fromkeys(n for part in shown.values() for s in part for n in s.layers))
    notes = [*said, *_blank_tokens(splits)]
    schemes: dict[str, Scheme | None] = {}
    for layer in layers:
        if any(isinstance(s.layers.get(layer), TagLayer) for part in shown.values() for s in part):
            schemes[layer] = _scheme_of(layer, shown, config, notes)
    if whole:
        _check_named(layers, schemes, config)
    _check_tags(shown, schemes, options=not whole)
    if config.invalid == "error":
        _check_sequences(shown, schemes, options=not whole)
    for layer in [name for name, scheme in schemes.items() if scheme == "io"]:
        splits, schemes[layer] = divided(splits, layer), "iob2"
        notes.append(f"layer `{layer}` is in IO, where neighbours of one type are one entity, and goes on as IOB2")
    done = Done()
    out = {name: changed(part, schemes, config, done) for name, part in splits.items()}
    if whole:
        check_seen(done, config)
    return Finished(out, schemes, (*notes, *told(done, config)))


def _tags(splits: Splits, layer: str) -> Iterator[tuple[str, ...]]:
    """The tags of a layer in every sentence that has it."""
    for part in splits.values():
        for sentence in part:
            found = sentence.layers.get(layer)
            if isinstance(found, TagLayer):
                yield found.tags


def _scheme_of(layer: str, splits: Splits, config: ReadingConfig, notes: list[str]) -> Scheme | None:
    """The scheme of a layer: as named by the recipe, or as all splits together show it."""
    distinct = {tag for tags in _tags(splits, layer) for tag in tags}
    if not has_scheme(distinct):
        return None
    if config.scheme is not None:
        return config.scheme
    scheme = detect_scheme(_tags(splits, layer))
    prefixes = {split_tag(tag)[0] for tag in distinct} - {""}
    why = ", for it has no `B-` at all" if scheme == "iob1" and "B" not in prefixes else ""
    notes.append(f"layer `{layer}` reads as {scheme.upper()}{why}")
    return scheme


def _blank_tokens(splits: Splits) -> list[str]:
    """What is to be said of tokens without a visible character, which some published corpora have."""
    lazy = [part.packed.num_blank() for part in splits.values() if isinstance(part, LazySentences)]
    whole = [part for part in splits.values() if not isinstance(part, LazySentences)]
    blank = [(s, i) for part in whole for s in part for i, t in enumerate(s.tokens) if not t.strip()]
    if lazy:
        return [f"kept {count} {BLANK}"] if (count := sum(lazy) + len(blank)) else []
    return [f"kept {len(blank)} {BLANK}, the first at {_place(*blank[0])}"] if blank else []


def _check_named(layers: Sequence[str], schemes: Mapping[str, Scheme | None], config: ReadingConfig) -> None:
    """Refuse a layer or a scheme that the recipe names and the data do not have."""
    for layer, source in (config.layers or {}).items():
        if layer not in layers:
            raise DataError(
                f"`layers` must name what stands in the data, but no sentence has `{layer}` (from `{source}`); "
                f"the layers read are {', '.join(layers) or 'none'}"
            )
    if config.scheme is not None and not any(schemes.values()):
        raise DataError(
            f"`scheme` is {config.scheme}, but no layer has its tags, such as {RULES[config.scheme].prefixes[0]}-PER; "
            f"mend the tags, or leave out `scheme` if they have no spans (layers read: {', '.join(layers) or 'none'})"
        )


def _check_tags(splits: Splits, schemes: Mapping[str, Scheme | None], *, options: bool) -> None:
    """Hold every tag against the scheme of its layer; `options` names another in the words of the command line."""
    problems: defaultdict[str, Problems] = defaultdict(Problems)
    for sentence in chain.from_iterable(splits.values()):
        for layer, scheme in schemes.items():
            found = sentence.layers.get(layer)
            if scheme is None or not isinstance(found, TagLayer):
                continue
            for i, tag in enumerate(found.tags):
                if not is_tag(tag, scheme):
                    fits = [name for name in RULES if is_tag(tag, name)]
                    named = f"--scheme {fits[0]}" if options and fits else f'scheme="{fits[0]}"' if fits else ""
                    advice = f"pass {named} if the file uses it" if fits else "mend the tag"
                    problem = f"{_place(sentence, i)}: tag {tag!r} is no {describe(scheme)}; {advice}"
                    problems[_file(sentence)].append(problem)
    if problems:
        raise _of_files(problems)


def _file(sentence: Sentence) -> str:
    """The file that a sentence was read from; empty if it came from none."""
    return sentence.origin.path if sentence.origin else ""


def _of_files(problems: Mapping[str, Problems]) -> DataError:
    """One error for the problems of each file, so that many in one do not hide those of another."""
    return DataError.of([str(DataError.of(found)) for found in problems.values()], "such file")


def _place(sentence: Sentence, token: int) -> str:
    return sentence.origin.at(token) if sentence.origin else f"sentence {sentence.text[:40]!r}, token {token + 1}"


def _check_sequences(splits: Splits, schemes: Mapping[str, Scheme | None], *, options: bool) -> None:
    """Refuse invalid sequences of tags."""
    choice = "--invalid repair" if options else 'invalid = "repair"'
    problems: defaultdict[str, Problems] = defaultdict(Problems)
    for sentence in chain.from_iterable(splits.values()):
        for name, layer in sentence.layers.items():
            if not isinstance(layer, TagLayer) or (scheme := schemes.get(name)) is None:
                continue
            for i in invalid_positions(layer.tags, scheme):
                before = f"after {layer.tags[i - 1]!r}" if i else "at the start of a sentence"
                problems[_file(sentence)].append(
                    f"{_place(sentence, i)}: tag {layer.tags[i]!r} {before} is not valid {scheme.upper()} in layer "
                    f"`{name}`; mend it, or repair it by conlleval's rule with {choice}"
                )
    if problems:
        raise _of_files(problems)
