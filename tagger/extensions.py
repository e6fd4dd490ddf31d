"""Your own parts for recipes: features, heads, cells of the encoder, readers of files, and metrics.

Each is registered under a name, by which a recipe asks for it and a model folder remembers it:

    tagger.extensions.register(tagger.extensions.Cell("minimal", MinimalCell))

`tagger.train(recipe, extensions=[...])` and `tagger.load(folder, extensions=[...])` register them too. An installed
package offers them as entry points: in its `pyproject.toml`, under `[project.entry-points."tagger.cells"]`, a line
`minimal = "package.module:NAME"` names an object such as the `Cell` above. It is imported when a recipe or a model asks
for the name. `docs/extensions.md` has an example of each kind.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args

from tagger.errors import RecipeError, TaggerError
from tagger.text.choices import FileFormat
from tagger.wording import shorten


@dataclass(frozen=True, slots=True)
class Extension:
    """A part of a kind; see its subclasses.

    Args:
        name: What recipes call it.

    Attributes:
        group: The entry points of its kind.
        built_in: The names that the library has itself.
    """

    group: ClassVar[str] = ""
    built_in: ClassVar[tuple[str, ...]] = ()

    name: str


@dataclass(frozen=True, slots=True)
class Cell(Extension):
    """A recurrence for `encoder.cell`.

    Args:
        name: The value of `encoder.cell`.
        module: A subclass of `torch.nn.Module`. It is made with (input_size, hidden_size) once for each direction of
            each layer, and maps vectors (batch, tokens, input) to states (batch, tokens, hidden). It reads from left to
            right: a state depends on its token and those before it alone. Its static method `shapes` takes the same
            two sizes and returns the shape of each of its parameters by name.
    """

    group: ClassVar[str] = "tagger.cells"
    built_in: ClassVar[tuple[str, ...]] = ("lstm", "gru", "rnn")

    module: Any


@dataclass(frozen=True, slots=True)
class Feature(Extension):
    """A feature of words or sentences for `[features.NAME]`.

    Args:
        name: The value of its `kind`.
        section: Its keys in the recipe: a subclass of `tagger.config.AnyFeatureConfig`, or of `AnyTokenFeatureConfig`
            for a feature of sentences.
        feature: A subclass of `TypeFeature` or `TokenFeature` of `tagger.features.feature`.
    """

    group: ClassVar[str] = "tagger.features"
    built_in: ClassVar[tuple[str, ...]] = (
        "shape",
        "affixes",
        "gazetteer",
        "charlm",
        "transformer",
        "frames",
        "position",
    )

    section: Any
    feature: Any


@dataclass(frozen=True, slots=True)
class Head(Extension):
    """A kind of head for `[heads.NAME]`.

    Args:
        name: The value of its `kind`.
        section: Its keys in the recipe: a subclass of `tagger.config.AnyHeadConfig`.
        head: A subclass of `tagger.heads.head.Head`.
    """

    group: ClassVar[str] = "tagger.heads"
    built_in: ClassVar[tuple[str, ...]] = ("tokens", "sentence", "values")

    section: Any
    head: Any


@dataclass(frozen=True, slots=True)
class Reader(Extension):
    """A file format for `[data] format`.

    Args:
        name: The value of `format`.
        read: Takes the path of a file and yields its `Sentence`s. An error that is a `ValueError` names the line, and
            is shown to the user after the path.
    """

    group: ClassVar[str] = "tagger.readers"
    built_in: ClassVar[tuple[str, ...]] = (*get_args(FileFormat), "text", "synthetic")

    read: Callable[[Path], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class Metric(Extension):
    """A score of a layer for `heads.NAME.metrics`, which reports show beside the others.

    Args:
        name: What the recipe and the report call it.
        score: Takes the sentences with gold layers, the same ones with predicted layers, and the name of the layer, and
            returns a number; None if it is not defined.
    """

    group: ClassVar[str] = "tagger.metrics"
    built_in: ClassVar[tuple[str, ...]] = ("Q3", "segment_f1", "segment_f1_50")

    score: Callable[[Any, Any, str], float | None]


__all__ = ["Cell", "Extension", "Feature", "Head", "Metric", "Reader", "register"]
NO_EXTENSION = "no extension has that name"  # the end of an error about a name
KINDS: tuple[type[Extension], ...] = (Cell, Feature, Head, Reader, Metric)
E = TypeVar("E", bound=Extension)
_KNOWN: dict[tuple[type[Extension], str], Extension] = {}


def register(*extensions: Extension) -> None:
    """Let recipes and models use these extensions; one with the name of an earlier one of its kind replaces it.

    Raises:
        TypeError: One is none, or has a part that is no class or function.
        ValueError: Its name is empty or the library has it itself.
    """
    for extension in extensions:
        if not isinstance(extension, KINDS):
            kinds = ", ".join(kind.__name__ for kind in KINDS)
            raise TypeError(f"an extension must be one of {kinds} of tagger.extensions, got {shorten(extension)}")
        kind = type(extension).__name__.lower()
        for part in fields(extension)[1:]:
            if not callable(value := getattr(extension, part.name)):
                raise TypeError(
                    f"the {kind} {extension.name!r} must have a class or function as `{part.name}`, got "
                    f"{shorten(value)}; pass the class itself"
                )
        if not isinstance(extension.name, str) or not extension.name or extension.name in extension.built_in:
            raise ValueError(
                f"a {kind} must have a name that tagger does not use itself, got {extension.name!r}; choose another"
            )
    for extension in extensions:
        _KNOWN[type(extension), extension.name] = extension


def find(kind: type[E], name: str) -> E | None:
    """Return the extension of a kind with a name; None if there is none.

    Raises:
        RecipeError: An installed package offers it, but it cannot be imported or is something else, or several do.
    """
    if (kind, name) not in _KNOWN and (entries := entry_points(group=kind.group, name=name)):
        packages = {entry.value: entry.dist.name if entry.dist else "a package" for entry in entries}
        if len(packages) > 1:
            raise RecipeError(
                f"the extension `{name}` must come from one package, got {' and '.join(packages.values())}; uninstall "
                "all but one"
            )
        entry = next(iter(entries))
        where = f"the extension `{name}` ({entry.value})"
        try:
            offered = entry.load()
        except (Exception, SystemExit) as error:  # the code of another package
            why = f"{type(error).__name__}: {error}"
            raise RecipeError(f"{where} cannot be imported: {why}; install its package again") from error
        if not isinstance(offered, kind) or offered.name != name:
            raise RecipeError(
                f'{where} must be a tagger.extensions.{kind.__name__} named "{name}", got '
                f"{shorten(offered)}; correct the entry point of its package"
            )
        register(offered)
    found = _KNOWN.get((kind, name))
    return found if isinstance(found, kind) else None


@contextmanager
def running(
    what: str, error: type[TaggerError] = RecipeError, *, known: tuple[type[Exception], ...] = (TaggerError,)
) -> Iterator[None]:
    """Name an extension in whatever its code raises, in one sentence.

    Args:
        what: Where the recipe names it, and what it is: ``encoder.cell: the cell `own` ``.
        error: The type of the error.
        known: Errors that say enough themselves.
    """
    try:
        yield
    except known:
        raise
    except Exception as problem:  # the code of a user
        why = shorten(" ".join(str(problem).split()), 200)[1:-1]
        raise error(f"{what} raised {type(problem).__name__}{why and ': '}{why}; correct its code") from problem


def names_of(kind: type[Extension]) -> list[str]:
    """Return the names of a kind: those of the library, then the registered ones."""
    return [*kind.built_in, *(name for found, name in _KNOWN if found is kind)]


def must_be(kind: type[Extension], got: object) -> str:
    """Return, as the rest of an error after the key, which names a kind has and that the one given is none of them."""
    *names, last = map(repr, names_of(kind))
    return f"must be {', '.join(names)} or {last}, got {shorten(got)}; {NO_EXTENSION}"
