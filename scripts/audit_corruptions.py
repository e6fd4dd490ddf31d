"""Measure how many artificial label errors `tagger audit` finds.

    python scripts/audit_corruptions.py --data DIR [--recipe recipes/ner-bc5cdr.toml] [--layer ner] [--share 0.05]
        [--seeds 1,2,3] [--folds 5] [--set KEY=VALUE ...] [--threads N] [--json FILE]

For each seed, a share of the entities of train is corrupted, in equal parts: removed, given another type, or with one
boundary moved by one token. Of the suspects of an audit, as many are taken as there are corruptions, the likeliest
first. A corruption is found if one of them shares a token with it. The corpus also has errors of its own, so not every
other suspect is wrong.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any, NamedTuple

from arguments import (
    MOST_THREADS,
    different_seeds,
    existing_folder,
    run_script,
    whole_number,
    writable_file,
    write_json,
)
from progress import Progress

import tagger
from tagger import DataError, Sentence

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "ner-bc5cdr.toml"
KINDS = ("removed", "retyped", "moved")


class Entity(NamedTuple):
    """The type of an entity, its first token and the one after its last."""

    type: str
    start: int
    end: int


class Corruption(NamedTuple):
    """An entity that was changed: the number of its sentence, what was done, and the entity before and after."""

    sentence: int
    kind: str
    before: Entity
    after: Entity | None


def corrupt(
    sentences: Sequence[Sentence], layer: str, *, share: float, seed: int
) -> tuple[list[Sentence], list[Corruption]]:
    """Return the sentences with a share of their entities changed, and the changes.

    An entity whose boundaries cannot move, because it has one token and no room, is left as it is.
    """
    random = Random(seed)
    spans = {
        i: {Entity(span.type, span.start, span.end) for span in sentence.spans(layer)}
        for i, sentence in enumerate(sentences)
        if layer in sentence.layers
    }
    places = [(i, span) for i, found in spans.items() for span in sorted(found, key=lambda span: span.start)]
    types = sorted({span.type for _, span in places})
    done = []
    for number, (i, span) in enumerate(random.sample(places, round(share * len(places)))):
        kind, others = KINDS[number % len(KINDS)], spans[i] - {span}
        choices = _changed(span, kind, types, others, len(sentences[i]))
        if choices:
            after = random.choice(choices)
            spans[i] = others | ({after} if after is not None else set())
            done.append(Corruption(i, kind, span, after))
    changed = {change.sentence for change in done}
    return [_with_spans(s, layer, spans[i]) if i in changed else s for i, s in enumerate(sentences)], done


def _changed(span: Entity, kind: str, types: Sequence[str], others: set[Entity], length: int) -> list[Entity | None]:
    """Return what an entity may become."""
    if kind == "removed":
        return [None]
    if kind == "retyped":
        return [span._replace(type=name) for name in types if name != span.type]
    moved = [span._replace(start=span.start + step) for step in (-1, 1)]
    moved += [span._replace(end=span.end + step) for step in (-1, 1)]
    free = [not any(one.start < other.end and other.start < one.end for other in others) for one in moved]
    return [one for one, fits in zip(moved, free, strict=True) if fits and 0 <= one.start < one.end <= length]


def _with_spans(sentence: Sentence, layer: str, spans: set[Entity]) -> Sentence:
    """Return the sentence with other entities.

    Raises:
        DataError: Its tags are not IOB2.
    """
    found = sentence.tag_layer(layer)
    if found.scheme != "iob2":
        raise DataError(f"layer `{layer}` must be in IOB2 to be corrupted, got {found.scheme}; convert its files")
    tags = ["O"] * len(sentence)
    for entity_type, start, end in spans:
        tags[start:end] = [f"B-{entity_type}", *[f"I-{entity_type}"] * (end - start - 1)]
    return replace(sentence, layers={**sentence.layers, layer: replace(found, tags=tuple(tags))})


def found_among(corruptions: Sequence[Corruption], train: Sequence[Sentence], suspects: Sequence[Any]) -> set[int]:
    """Return the numbers of the corruptions that share a token with a suspect."""
    suspected = {_place(suspect.sentence, token) for suspect in suspects for token in range(*suspect.tokens)}
    return {
        number
        for number, each in enumerate(corruptions)
        if any(_place(train[each.sentence], token) in suspected for token in _tokens(each))
    }


def _place(sentence: Sentence, token: int) -> str:
    return sentence.origin.at(token) if sentence.origin is not None else f"{sentence.text} {token}"


def _tokens(corruption: Corruption) -> range:
    both = [span for span in (corruption.before, corruption.after) if span is not None]
    return range(min(span.start for span in both), max(span.end for span in both))


def measure(options: argparse.Namespace, seed: int, listener: Progress) -> dict[str, Any]:
    """Return how many corruptions an audit finds, for one seed of the corruptions."""
    started = time.perf_counter()
    recipe = tagger.load_recipe(options.recipe, options.set)
    corpora = tagger.load_corpora(recipe, data=options.data)
    name = next(name for name, corpus in corpora.items() if any(options.layer in s.layers for s in corpus.train))
    corpus = corpora[name]
    train, corruptions = corrupt(corpus.train, options.layer, share=options.share, seed=seed)
    corpora = {**corpora, name: replace(corpus, train=train)}
    audit = tagger.audit(
        recipe, corpus=corpora, data=options.data, folds=options.folds, threads=options.threads, listener=listener
    )
    suspects = audit.suspects[options.layer]
    found = found_among(corruptions, train, suspects.ranked[: len(corruptions)])
    total, kinds = Counter(each.kind for each in corruptions), Counter(corruptions[i].kind for i in found)
    return {
        "seed": seed,
        "corruptions": len(corruptions),
        "found": len(found) / len(corruptions),
        "kinds": {kind: kinds[kind] / total[kind] for kind in KINDS if total[kind]},
        "suspects": suspects.number,
        "found_among_suspects": len(found_among(corruptions, train, suspects.likely)) / len(corruptions),
        "seconds": round(time.perf_counter() - started),
    }


def describe(result: Mapping[str, Any]) -> str:
    """Return the result of a seed as a line."""
    kinds = ", ".join(f"{kind} {share:.3f}" for kind, share in result["kinds"].items())
    return (
        f"seed {result['seed']}: found {result['found']:.3f} of {result['corruptions']} corruptions among as many "
        f"suspects ({kinds}); confident learning lists {result['suspects']} suspects, which have "
        f"{result['found_among_suspects']:.3f} of the corruptions; {result['seconds']} s"
    )


def main() -> None:
    """Measure each seed, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=existing_folder, required=True, help="folder of the recipe's data files")
    parser.add_argument("--recipe", type=Path, default=RECIPE, help="recipe to audit")
    parser.add_argument("--layer", default="ner", help="layer of entities to corrupt")
    parser.add_argument("--share", type=float, default=0.05, help="share of the entities to corrupt")
    parser.add_argument("--seeds", type=different_seeds, default=[1, 2, 3], help="seeds of the corruptions")
    parser.add_argument("--folds", type=whole_number(2, 1000), default=5, help="number of folds")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="override a value of the recipe"
    )
    parser.add_argument("--threads", type=whole_number(1, MOST_THREADS), help="CPU threads")
    parser.add_argument("--json", type=writable_file, help="file for the figures")
    options = parser.parse_args()
    results = []
    with Progress(len(options.seeds), trainings=options.folds) as progress:
        for seed in options.seeds:
            progress.begin(f"seed {seed}")
            results.append(measure(options, seed, progress))
            progress.end(f"found {results[-1]['found']:.3f}")
    sys.stdout.writelines(f"{describe(result)}\n" for result in results)
    sys.stdout.write(f"mean: found {fmean(result['found'] for result in results):.3f}\n")
    if options.json:
        write_json(options.json, results)


if __name__ == "__main__":
    run_script(main)
