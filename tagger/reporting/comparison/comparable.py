"""Whether scores of several systems can be compared: on the same gold sentences, computed by the same rule."""

from collections.abc import Hashable, Sequence
from dataclasses import replace

from tagger.errors import DataError
from tagger.metrics.layer import ScoredLayer
from tagger.reporting.report import Report
from tagger.reporting.signature import Signature
from tagger.text.sentence import Label, Sentence, Values, numbers_as_text, place_of
from tagger.wording import quoted, shorten


def common_layers(reports: Sequence[Report]) -> list[str]:
    """Return the layers that all reports have, in the order of the first.

    Raises:
        DataError: There is none.
    """
    found = [name for name in reports[0].layers if all(name in report.layers for report in reports)]
    if not found:
        known = "; ".join(dict.fromkeys(quoted(report.layers) or "none" for report in reports))
        raise DataError(f"systems must have a layer in common to be compared; their layers are: {known}")
    return found


def check_same_gold(names: tuple[str, str], one: ScoredLayer, two: ScoredLayer) -> None:
    """Raise if two systems were not scored on the same gold sentences; names their first difference.

    Args:
        names: How a message calls the two systems; one name twice for two runs of a group.
        one: A layer of the first.
        two: The same layer of the second.

    Raises:
        DataError: The gold sentences differ.
    """
    who, advice = f"{names[0]} and {names[1]}", "Score both on the same file, such as with --on FILE."
    if names[0] == names[1]:
        who = f"all runs of {names[0]}"
        advice = "Runs of one recipe with several seeds are a group; the folds of a cross-validation are none."
    start = f"{who} must have the same gold sentences of layer `{one.name}`, but"
    if one.kind != two.kind:
        raise DataError(f"{start} these are {one.kind} and {two.kind}. {advice}")
    for number, (left, right) in enumerate(zip(one.gold, two.gold, strict=False), 1):
        if left.tokens != right.tokens:
            found = f"{shorten(' '.join(left.tokens))} and {shorten(' '.join(right.tokens))}"
            raise DataError(f"{start} sentence {number} differs: {found} ({_places(left, right)}). {advice}")
        if _gold(left, one.name) != _gold(right, two.name):
            found = f"{shorten(' '.join(left.tokens))}: {_shown(left, one.name)} and {_shown(right, two.name)}"
            raise DataError(
                f"{start} sentence {number} is annotated differently: {found} ({_places(left, right)}). {advice}"
            )
    if len(one.gold) != len(two.gold):
        raise DataError(f"{start} there are {len(one.gold)} and {len(two.gold)}. {advice}")


def warnings_of(names: Sequence[str], reports: Sequence[Report]) -> list[str]:
    """Return in words what makes reports on the same gold sentences not comparable with the first, or not entirely.

    That models and seeds differ is natural and gives no warning.
    """
    common = common_layers(reports)
    lacking: dict[str, list[str]] = {}  # the systems that lack a layer
    for layer in dict.fromkeys(layer for report in reports for layer in report.layers):
        without = (name for name, report in zip(names, reports, strict=True) if layer not in report.layers)
        lacking[layer] = list(dict.fromkeys(without))
    others = [
        f"layer `{layer}` is not compared, because {' and '.join(found)} {'lacks' if len(found) == 1 else 'lack'} it"
        for layer, found in lacking.items()
        if found
    ]
    first = _restricted(reports[0], common)
    for name, report in zip(names[1:], reports[1:], strict=True):
        if found := first.differences(_restricted(report, common)):
            others.append(f"{names[0]} and {name} were not scored in the same way: {'; '.join(found)}")
    return list(dict.fromkeys(others))


def _restricted(report: Report, names: Sequence[str]) -> Signature:
    """Return the signature of a report without what other layers have, and without gold, which is compared itself."""
    return replace(report.signature, layers={name: report.signature.layers[name] for name in names}, gold="")


def _gold(sentence: Sentence, name: str) -> Hashable:
    """Return all that matters of the gold version of a layer."""
    layer = sentence.layers[name]
    if isinstance(layer, Label):
        return layer.value, layer.types
    if isinstance(layer, Values):
        return layer.values, layer.whole
    if layer.scheme is None:
        return layer.tags
    unknown = tuple([i for i, tag in enumerate(layer.tags) if tag is None])
    return frozenset(sentence.boundaries(name)), frozenset(layer.unaligned), unknown, layer.types


def _shown(sentence: Sentence, name: str) -> str:
    sentence = numbers_as_text(sentence)
    layer = sentence.layers[name]
    return shorten(layer.value if isinstance(layer, Label) else " ".join(str(tag) for tag in sentence.tags(name)))


def _places(one: Sentence, two: Sentence) -> str:
    return f"{place_of(one)} and {place_of(two)}"
