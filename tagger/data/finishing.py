"""What becomes of sentences that were read: schemes are found and held against every tag, types renamed and dropped.

Nothing is repaired, renamed or dropped unless the recipe says so, and what is done is told in notes.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from tagger.config import ReadingConfig
from tagger.data.schemes import (
    RULES,
    Scheme,
    describe,
    detect_scheme,
    has_scheme,
    invalid_positions,
    is_tag,
    repair_tags,
    spans_to_tags,
    split_tag,
    tags_to_spans,
)
from tagger.data.sentence import Label, Sentence, TagLayer, with_schemes
from tagger.data.splitting import Splits, joined
from tagger.errors import DataError, Problems

BLANK = "tokens that are empty or white space"


class Finished(NamedTuple):
    """Sentences by split, the scheme of each tag layer, and what was found out or done, a sentence each."""

    splits: Splits
    schemes: Mapping[str, Scheme | None]
    notes: tuple[str, ...]


def finish(splits: Splits, config: ReadingConfig, said: Sequence[str], *, whole: bool) -> Finished:
    """The sentences of raw splits: schemes found and held against the tags, types renamed and dropped.

    `said` are the notes of the readers. A whole corpus must have every type that is to be renamed or dropped; some of
    its sentences need not.
    """
    layers = list(dict.fromkeys(n for part in splits.values() for s in part for n in s.layers))
    notes = [*said, *_blank_tokens(splits)]
    schemes: dict[str, Scheme | None] = {}
    for layer in layers:
        if any(isinstance(s.layers.get(layer), TagLayer) for part in splits.values() for s in part):
            schemes[layer] = _scheme_of(layer, splits, config, notes)
    if whole:
        _check_named(layers, schemes, config)
    _check_tags(splits, schemes)
    splits = {name: [with_schemes(s, schemes) for s in part] for name, part in splits.items()}
    splits = _repaired(splits, config, notes)
    splits = _renamed(splits, config, notes, whole=whole)
    return Finished(splits, schemes, tuple(notes))


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
    blank = [(s, i) for part in splits.values() for s in part for i, t in enumerate(s.tokens) if not t.strip()]
    if not blank:
        return []
    return [f"kept {len(blank)} {BLANK}, the first at {_place(*blank[0])}"]


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


def _check_tags(splits: Splits, schemes: Mapping[str, Scheme | None]) -> None:
    """Hold every tag against the scheme of its layer."""
    problems: defaultdict[str, Problems] = defaultdict(Problems)
    for sentence in joined(splits.values()):
        for layer, scheme in schemes.items():
            found = sentence.layers.get(layer)
            if scheme is None or not isinstance(found, TagLayer):
                continue
            for i, tag in enumerate(found.tags):
                if not is_tag(tag, scheme):
                    fits = [name for name in RULES if is_tag(tag, name)]
                    advice = f'pass scheme="{fits[0]}" if the file uses it' if fits else "mend the tag"
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


def _mapped(sentence: Sentence, change: Callable[[str, TagLayer], TagLayer]) -> Sentence:
    """The sentence with each of its tag layers changed."""
    layers = {n: change(n, layer) if isinstance(layer, TagLayer) else layer for n, layer in sentence.layers.items()}
    return replace(sentence, layers=layers)


def _repaired(splits: Splits, config: ReadingConfig, notes: list[str]) -> Splits:
    """Refuse invalid sequences of tags, or repair and count them where the recipe says so."""
    problems: defaultdict[str, Problems] = defaultdict(Problems)

    def repair(name: str, layer: TagLayer, sentence: Sentence) -> TagLayer:
        if layer.scheme is None or not (wrong := invalid_positions(layer.tags, layer.scheme)):
            return layer
        for i in wrong:
            before = f"after {layer.tags[i - 1]!r}" if i else "at the start of a sentence"
            problems[_file(sentence)].append(
                f"{_place(sentence, i)}: tag {layer.tags[i]!r} {before} is not valid {layer.scheme.upper()} in layer "
                f'`{name}`; mend it, or repair it by conlleval\'s rule with invalid = "repair"'
            )
        return replace(layer, tags=tuple(repair_tags(layer.tags, layer.scheme)))

    out = {name: [_mapped(s, partial(repair, sentence=s)) for s in part] for name, part in splits.items()}
    if problems and config.invalid == "error":
        raise _of_files(problems)
    if problems:
        notes.append(f"repaired {sum(map(len, problems.values()))} invalid tags by conlleval's rule")
    return out


def _renamed(splits: Splits, config: ReadingConfig, notes: list[str], *, whole: bool) -> Splits:
    """Rename and drop entity types and classes as the recipe says; a sentence whose class is dropped goes with it."""
    if not config.rename and not config.drop:
        return splits
    seen: Counter[str] = Counter()

    def rename(name: str, layer: TagLayer) -> TagLayer:
        if layer.scheme is None:
            return layer
        spans = tags_to_spans(layer.tags, layer.scheme)
        seen.update(span.type for span in spans)
        kept = [span._replace(type=config.rename.get(span.type, span.type)) for span in spans if span.type not in drop]
        return replace(layer, tags=tuple(spans_to_tags(kept, len(layer.tags), layer.scheme)))

    drop = set(config.drop)
    out: Splits = {}
    for split, part in splits.items():
        out[split] = []
        for sentence in part:
            labels = {n: label for n, label in sentence.layers.items() if isinstance(label, Label)}
            seen.update(label.value for label in labels.values())
            if not any(label.value in drop for label in labels.values()):
                new = {n: replace(lb, value=config.rename.get(lb.value, lb.value)) for n, lb in labels.items()}
                renamed = _mapped(sentence, rename)
                out[split].append(replace(renamed, layers={**renamed.layers, **new}))
    for name in (*config.rename, *config.drop):
        if whole and name not in seen:
            found = ", ".join(sorted(seen))
            if not found:
                raise DataError(
                    f"`rename` and `drop` must name entity types or classes, got {name!r}, but the data have none; "
                    "leave it out, for tags without spans cannot be renamed"
                )
            raise DataError(f"`rename` and `drop` must name types or classes of the data, got {name!r}; it has {found}")
    notes += [f"renamed {seen[old]} times {old!r} to {new!r}" for old, new in config.rename.items()]
    notes += [f"dropped {seen[name]} times {name!r}" for name in config.drop]
    return out
