"""Check sentences after reading: detect the scheme of each layer, validate every tag, and edit.

Nothing is edited unless the recipe says so; `edits.py` does it. Notes report what was found and done. The distinct
pairs of neighbouring tags show whether a layer has mistakes; only then its sentences are searched for them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from tagger.config import ReadingConfig
from tagger.corpus.doubts import doubts, says_header
from tagger.corpus.edits import Done, annotated, changed, check_seen, edit_notes
from tagger.corpus.respelling import divided, respelled
from tagger.corpus.splitting import Splits
from tagger.errors import DataError, Problems
from tagger.hub.lazy import is_lazy, packed_of, telling, words_of
from tagger.text.gaps import Tags, all_known, impossible_gaps, known_of
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
from tagger.text.tag_survey import Pairs, num_faults, pairs_of, said_of_rival, widest_scheme
from tagger.wording import counted

BLANK = "tokens that are empty or white space"


class Finished(NamedTuple):
    """Sentences by split, the scheme of each tag layer, and notes on what was found and done."""

    splits: Splits
    schemes: Mapping[str, Scheme | None]
    notes: tuple[str, ...]


def finish(
    splits: Splits,
    config: ReadingConfig,
    said: Sequence[str],
    *,
    whole: bool,
    scheme_given: bool = True,
    known: Mapping[str, Scheme | None] | None = None,
    sequences: bool = True,
) -> Finished:
    """Detect schemes, validate tags, and edit sentences as the recipe says.

    A lazy split stays in its file. Its tags are checked in a few sentences that have every pair of neighbouring tags.
    A mistake is then reported once for each such pair.

    Args:
        splits: The sentences.
        config: The reading settings of the recipe.
        said: The notes of the readers.
        whole: Whether this is a whole corpus, in which every type to rename or drop must occur.
        scheme_given: Whether the scheme of the settings was chosen for these files; otherwise it is that of the
            training files, and a layer with prefixes such as `B-` is not read as IO.
        known: Schemes of layers that are known from elsewhere and not detected; None for tags without spans.
        sequences: Whether invalid sequences of tags are an error or repaired; otherwise they stay as they are.

    Raises:
        DataError: Tags are invalid, or the recipe names a layer, scheme, type or class that does not occur.
    """
    splits, spelled, bare = respelled(splits, config.scheme)
    shown = {name: telling(part) for name, part in splits.items()}
    layers = list(dict.fromkeys(n for part in shown.values() for s in part for n in s.layers))
    in_memory = not any(map(is_lazy, splits.values()))
    notes = [*said, *_blank_tokens(splits, counted=in_memory), *spelled, *(unknown_notes(splits) if in_memory else ())]
    distinct = {layer: set(known_of(chain.from_iterable(_tags(shown, layer)))) for layer in layers}
    pairs = {layer: pairs_of(_tags(shown, layer)) for layer, tags in distinct.items() if has_scheme(tags)}
    schemes: dict[str, Scheme | None] = {layer: None for layer, tags in distinct.items() if tags}  # not those of labels
    schemes |= known or {}
    for layer, found in pairs.items():
        scheme: Scheme
        if layer in (known or {}):
            continue
        strange = _strange_to_io(distinct[layer]) if config.scheme == "io" and not scheme_given else []
        if layer in bare:
            scheme = "io"
        elif config.scheme is None or strange:
            scheme = detect_scheme(found)
            rival = said_of_rival(found, scheme) if in_memory else ""
            other = f", not as IO like the training files, because it has `{strange[0]}-`" if strange else ""
            notes.append(said_of_scheme(layer, scheme, distinct[layer]) + rival + other)
        else:
            scheme = config.scheme
        schemes[layer] = scheme
    if whole:
        _check_named(layers, schemes, config)
    pairs |= {layer: pairs_of(_tags(shown, layer)) for layer in known or {}}
    faulty = {layer: scheme for layer, scheme in schemes.items() if scheme and num_faults(pairs[layer], scheme)}
    _check_tags(shown, faulty, pairs, options=not whole)
    if config.invalid == "error" and sequences:
        _check_sequences(shown, faulty, options=not whole)
    if in_memory:
        notes += _doubts(splits, config.format, options=not whole)
    _check_gaps(shown, {layer: scheme for layer, scheme in schemes.items() if scheme})
    for layer in [name for name, scheme in schemes.items() if scheme == "io"]:
        splits, schemes[layer] = divided(splits, layer), "iob2"
        notes.append(f"layer `{layer}` is in IO, where neighbours of one type are one entity, and is converted to IOB2")
    done = Done()
    out = {name: changed(part, schemes, config, done, split=name) for name, part in splits.items()}
    if whole:
        check_seen(done, config)
    if config.types is not None:
        out, said_of_types = annotated(out, schemes, config.types, whole=whole)
        notes += said_of_types
    return Finished(out, schemes, (*notes, *edit_notes(done, config, whole=whole)))


def _doubts(splits: Splits, format: str | None, *, options: bool) -> Iterator[str]:
    """Yield a note on what is doubtful in each file."""
    files: defaultdict[str, list[Sentence]] = defaultdict(list)
    for sentence in chain.from_iterable(splits.values()):
        files[sentence.origin.path if sentence.origin else ""].append(sentence)
    for sentences in files.values():
        yield from (f"{doubt.place}: {doubt.message}" for doubt in doubts(sentences, format, options=options))


def unknown_notes(splits: Splits) -> list[str]:
    """Return a note on each layer with unknown tags."""
    unknown: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for sentence in chain.from_iterable(splits.values()):
        for name, layer in sentence.layers.items():
            if isinstance(layer, TagLayer):
                total[name] += len(layer.tags)
                unknown[name] += layer.tags.count(None)
    return [
        f"layer `{name}`: {number} of {counted(total[name], 'tag')} are unknown, which count in no score"
        for name, number in (+unknown).items()
    ]


def _tags(splits: Splits, layer: str) -> Iterator[Tags]:
    """Yield the tags of a layer in every sentence that has it."""
    for sentence in chain.from_iterable(splits.values()):
        found = sentence.layers.get(layer)
        if isinstance(found, TagLayer):
            yield found.tags


def _strange_to_io(distinct: Collection[str]) -> list[str]:
    """Return the prefixes of tags that another scheme has, but not IO."""
    others = {tag for tag in distinct if not is_tag(tag, "io") and any(is_tag(tag, scheme) for scheme in RULES)}
    return sorted({split_tag(tag)[0] for tag in others})


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
    words = set().union(*map(words_of, splits.values()))
    if all(map(str.strip, words)):
        return []
    count = sum(packed_of(part, ()).num_blank() for part in splits.values())
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


def _check_tags(splits: Splits, faulty: Mapping[str, Scheme], pairs: Mapping[str, Pairs], *, options: bool) -> None:
    """Check that every tag is in the scheme of its layer.

    With `options`, an error names an option of the command line as its fix, otherwise a key of the recipe.
    """
    widest = {layer: widest_scheme(pairs[layer], but=scheme) for layer, scheme in faulty.items()}
    _refuse(
        (
            sentence,
            i,
            f"tag {tag!r} is not a valid {describe(scheme)}; {_advice(tag, widest[layer], options=options)}"
            f"{says_header(sentence, i, tag, options=options)}",
        )
        for sentence, layer, tags, scheme in _tagged(splits, faulty)
        for i, tag in enumerate(tags)
        if tag is not None and not is_tag(tag, scheme)
    )


def _advice(tag: str, scheme: Scheme, *, options: bool) -> str:
    """Return how to fix a tag that is not in its scheme; `scheme` is the other scheme that fits its layer best."""
    if not is_tag(tag, scheme):
        return "fix the tag"
    option = f"--scheme {scheme}" if options else f'scheme="{scheme}"'
    return f"pass {option} if the file uses it"


def _check_sequences(splits: Splits, faulty: Mapping[str, Scheme], *, options: bool) -> None:
    """Refuse invalid sequences of tags."""
    choice = "--invalid repair" if options else 'invalid = "repair"'

    def problem(tags: Tags, i: int, layer: str, scheme: Scheme) -> str:
        before = f"after {tags[i - 1]!r}" if i else "at the start of a sentence"
        return (
            f"tag {tags[i]!r} {before} is not valid {scheme.upper()} in layer `{layer}`; fix it, or repair it by "
            f"conlleval's rule with {choice}"
        )

    _refuse(
        (sentence, i, problem(tags, i, layer, scheme))
        for sentence, layer, tags, scheme in _tagged(splits, faulty)
        for i in invalid_positions(tags, scheme)
    )


def _check_gaps(splits: Splits, schemes: Mapping[str, Scheme]) -> None:
    """Refuse an unknown tag between two tags that exclude each other."""
    _refuse(
        (
            sentence,
            i,
            f"an unknown tag between {tags[i - 1]!r} and {tags[i + 1]!r} has no possible value in {scheme.upper()}; "
            f"fix one of these tags in layer `{layer}`",
        )
        for sentence, layer, tags, scheme in _tagged(splits, schemes)
        if not all_known(tags)
        for i in impossible_gaps(tags, scheme)
    )


def _tagged(splits: Splits, schemes: Mapping[str, Scheme]) -> Iterator[tuple[Sentence, str, Tags, Scheme]]:
    """Yield the sentence, the layer, its tags and its scheme for each of these layers of each sentence."""
    for sentence in chain.from_iterable(splits.values()):
        for layer, scheme in schemes.items():
            found = sentence.layers.get(layer)
            if isinstance(found, TagLayer):
                yield sentence, layer, found.tags, scheme


def _refuse(problems: Iterable[tuple[Sentence, int, str]]) -> None:
    """Raise one error for problems, each with its sentence and token, if there are any.

    The error has the first problems of each file, so that many in one file do not hide those of others.
    """
    by_file: defaultdict[str, Problems] = defaultdict(Problems)
    for sentence, token, problem in problems:
        path = sentence.origin.path if sentence.origin else ""
        by_file[path].append(f"{place_of(sentence, token)}: {problem}")
    if by_file:
        raise DataError.of([str(DataError.of(found)) for found in by_file.values()], "such file")
