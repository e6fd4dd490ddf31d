"""Checks sentences after reading: detects the scheme of each layer, validates every tag, and edits.

Nothing is edited unless the recipe says so; `edits.py` does it. Notes report what was found and done.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

from tagger.config import ReadingConfig
from tagger.corpus.edits import Done, changed, check_seen, divided, edit_notes, prefixed
from tagger.corpus.splitting import Splits
from tagger.errors import DataError, Problems
from tagger.hub.lazy import is_lazy, packed_of, telling
from tagger.text.schemes import (
    RULES,
    Scheme,
    describe,
    detect_scheme,
    has_scheme,
    invalid_positions,
    is_tag,
    split_tag,
)
from tagger.text.sentence import Sentence, TagLayer, place_of
from tagger.text.tag_survey import pairs_of, said_of_rival, widest_scheme

BLANK = "tokens that are empty or white space"


class Finished(NamedTuple):
    """Sentences by split, the scheme of each tag layer, and notes on what was found and done."""

    splits: Splits
    schemes: Mapping[str, Scheme | None]
    notes: tuple[str, ...]


def finish(splits: Splits, config: ReadingConfig, said: Sequence[str], *, whole: bool, firm: bool = True) -> Finished:
    """Detect schemes, validate tags, and edit sentences as the recipe says.

    A lazy split stays in its file. Its tags are checked in a few sentences that have every pair of neighbouring tags.
    A mistake is then reported once for each such pair.

    Args:
        splits: The sentences.
        config: The reading settings of the recipe.
        said: The notes of the readers.
        whole: Whether this is a whole corpus, in which every type to rename or drop must occur.
        firm: Whether the scheme that the recipe names applies to all layers; otherwise a layer with prefixes such as
            `B-` is not read as IO.

    Raises:
        DataError: Tags are invalid, or the recipe names a layer, scheme, type or class that does not occur.
    """
    splits, bare = prefixed(splits) if config.scheme == "io" else (splits, [])
    shown = {name: telling(part) for name, part in splits.items()}
    layers = list(dict.fromkeys(n for part in shown.values() for s in part for n in s.layers))
    counted = not any(map(is_lazy, splits.values()))
    notes = [*said, *_blank_tokens(splits, counted=counted), *bare]
    schemes: dict[str, Scheme | None] = {}
    for layer in layers:
        if any(isinstance(s.layers.get(layer), TagLayer) for part in shown.values() for s in part):
            strange = [] if firm or config.scheme != "io" else _strange_to_io(layer, shown)
            named = None if strange else config.scheme
            schemes[layer] = _scheme_of(layer, shown, named, notes, counted=counted)
            if strange:
                notes[-1] += f", not as IO like the training files, because it has `{strange[0]}-`"
    if whole:
        _check_named(layers, schemes, config)
    _check_tags(shown, schemes, options=not whole)
    if config.invalid == "error":
        _check_sequences(shown, schemes, options=not whole)
    for layer in [name for name, scheme in schemes.items() if scheme == "io"]:
        splits, schemes[layer] = divided(splits, layer), "iob2"
        notes.append(f"layer `{layer}` is in IO, where neighbours of one type are one entity, and is converted to IOB2")
    done = Done()
    out = {name: changed(part, schemes, config, done, split=name) for name, part in splits.items()}
    if whole:
        check_seen(done, config)
    return Finished(out, schemes, (*notes, *edit_notes(done, config, whole=whole)))


def _tags(splits: Splits, layer: str) -> Iterator[tuple[str, ...]]:
    """Yield the tags of a layer in every sentence that has it."""
    for part in splits.values():
        for sentence in part:
            found = sentence.layers.get(layer)
            if isinstance(found, TagLayer):
                yield found.tags


def _strange_to_io(layer: str, splits: Splits) -> list[str]:
    """Return the prefixes of a layer that another scheme has, but not IO."""
    distinct = {tag for tags in _tags(splits, layer) for tag in tags if not is_tag(tag, "io")}
    return sorted({split_tag(tag)[0] for tag in distinct if any(is_tag(tag, scheme) for scheme in RULES)})


def _scheme_of(layer: str, splits: Splits, named: Scheme | None, notes: list[str], *, counted: bool) -> Scheme | None:
    """Return the scheme of a layer: `named`, or detected in all splits.

    The note on a detected scheme also reports tags of a rival scheme if all tags are `counted`.
    """
    distinct = {tag for tags in _tags(splits, layer) for tag in tags}
    if not has_scheme(distinct):
        return None
    if named is not None:
        return named
    scheme = detect_scheme(_tags(splits, layer))
    rival = said_of_rival(pairs_of(_tags(splits, layer)), scheme) if counted else ""
    notes.append(said_of_scheme(layer, scheme, distinct) + rival)
    return scheme


def said_of_scheme(layer: str, scheme: Scheme, distinct: Collection[str]) -> str:
    """Return a note on the scheme in which a layer with these tags is read."""
    prefixes = {split_tag(tag)[0] for tag in distinct} - {""}
    if not prefixes:
        return f"layer `{layer}` has no entities and reads as {scheme.upper()}"
    why = ""
    if scheme == "io":
        why = ", where neighbours of one type are one entity"
    elif scheme == "iob1" and "B" not in prefixes:
        why = ", because it never uses `B-`"
    return f"layer `{layer}` reads as {scheme.upper()}{why}"


def _blank_tokens(splits: Splits, *, counted: bool) -> list[str]:
    """Return a note on tokens without a visible character, which some published corpora have."""
    if not (count := sum(packed_of(part, ()).num_blank() for part in splits.values())):
        return []
    if not counted:
        return [f"kept {count} {BLANK}"]
    places = (place_of(s, i) for part in splits.values() for s in part for i, t in enumerate(s.tokens) if not t.strip())
    return [f"kept {count} {BLANK}, the first at {next(places)}"]


def _check_named(layers: Sequence[str], schemes: Mapping[str, Scheme | None], config: ReadingConfig) -> None:
    """Refuse a layer or scheme that the recipe names but the data do not have."""
    for layer, source in (config.layers or {}).items():
        if layer not in layers:
            raise DataError(
                f"`layers` must name layers of the data, but no sentence has `{layer}` (from `{source}`); "
                f"the data have {', '.join(layers) or 'none'}"
            )
    if config.scheme is not None and not any(schemes.values()):
        raise DataError(
            f"`scheme` is {config.scheme}, but no layer has tags such as {RULES[config.scheme].prefixes[0]}-PER; "
            f"fix the tags, or remove `scheme` if they have no spans (layers: {', '.join(layers) or 'none'})"
        )


def _check_tags(splits: Splits, schemes: Mapping[str, Scheme | None], *, options: bool) -> None:
    """Check that every tag is in the scheme of its layer.

    With `options`, an error names an option of the command line as its fix, otherwise a key of the recipe.
    """
    problems: defaultdict[str, Problems] = defaultdict(Problems)
    widest = cache(lambda layer, scheme: widest_scheme(pairs_of(_tags(splits, layer)), but=scheme))
    for sentence in chain.from_iterable(splits.values()):
        for layer, scheme in schemes.items():
            found = sentence.layers.get(layer)
            if scheme is None or not isinstance(found, TagLayer):
                continue
            for i, tag in enumerate(found.tags):
                if not is_tag(tag, scheme):
                    advice = _advice(tag, widest(layer, scheme), options=options)
                    problem = f"{place_of(sentence, i)}: tag {tag!r} is not a valid {describe(scheme)}; {advice}"
                    problems[_file(sentence)].append(problem)
    if problems:
        raise _of_files(problems)


def _advice(tag: str, scheme: Scheme, *, options: bool) -> str:
    """Return how to fix a tag that is not in its scheme; `scheme` is the other scheme that fits its layer best."""
    if not is_tag(tag, scheme):
        return "fix the tag"
    option = f"--scheme {scheme}" if options else f'scheme="{scheme}"'
    return f"pass {option} if the file uses it"


def _file(sentence: Sentence) -> str:
    """Return the file that a sentence was read from; empty if there is none."""
    return sentence.origin.path if sentence.origin else ""


def _of_files(problems: Mapping[str, Problems]) -> DataError:
    """Return one error with the first problems of each file, so that many in one file do not hide those of others."""
    return DataError.of([str(DataError.of(found)) for found in problems.values()], "such file")


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
                    f"{place_of(sentence, i)}: tag {layer.tags[i]!r} {before} is not valid {scheme.upper()} in layer "
                    f"`{name}`; fix it, or repair it by conlleval's rule with {choice}"
                )
    if problems:
        raise _of_files(problems)
