"""Names of parts of the library or of extensions, and sections whose class depends on their key `kind`."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import AfterValidator, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from tagger.config.section import Section
from tagger.extensions import E, Extension, Feature, Head, find, must_be, names_of

NO_KIND = "no_kind"  # type of the error of a `kind`; its message is what follows the key
Kinds = Mapping[str, type[Section]]


def known(kind: type[Extension]) -> AfterValidator:
    """Return the check of a field that names a part of a kind, which the library or an extension has."""

    def check(name: str) -> str:
        if name not in kind.built_in and find(kind, name) is None:
            raise ValueError(must_be(kind, name))
        return name

    return AfterValidator(check)


def section_of(kind: str, built_in: Kinds, extensions: type[Head] | type[Feature]) -> type[Section] | None:
    """Return the class of a kind of section; None if there is none."""
    if kind in built_in:
        return built_in[kind]
    found = find(extensions, kind)
    section: type[Section] | None = None if found is None else found.section
    return section


S = TypeVar("S", bound=Section)


def bound(section: S, name: str, kind: type[Extension]) -> S:
    """Return a section that keeps the extension of a name that is known now, also when a later one replaces it.

    A section whose part the library has, or whose extension is unknown, is returned as it is.
    """
    found = None if name in kind.built_in else find(kind, name)
    if found is None:
        return section
    copy = section.model_copy()
    copy._extension = found
    return copy


def extension_of(section: Section, name: str, kind: type[E]) -> E | None:
    """Return the extension that a section keeps, or else the one that has the name now; None if the library has it."""
    if name in kind.built_in:
        return None
    kept = section._extension
    return kept if isinstance(kept, kind) else find(kind, name)


def by_kind(built_in: Kinds, extensions: type[Head] | type[Feature]) -> Callable[[object], object]:
    """Return what makes a section of a table, by the class of its `kind`, for a field of a section.

    Errors are those of the class, with the kind behind the name of the section, as in a tagged union of pydantic.
    """

    def made(value: object) -> object:
        if not isinstance(value, dict):
            return value
        kind = value.get("kind")
        if kind is None:
            advice = " or ".join(map(repr, names_of(extensions)))
            raise _error(_of_kind("", f"is missing; choose {advice}", value))
        section = section_of(kind, built_in, extensions) if isinstance(kind, str) else None
        if section is None:
            raise _error(_of_kind(str(kind), must_be(extensions, kind), value))
        if not (isinstance(section, type) and issubclass(section, Section)):
            base = f"tagger.config.Any{extensions.__name__}Config"
            raise _error(_of_kind(str(kind), f"must have a subclass of {base} as `section`, got {section!r}", value))
        try:
            return section.model_validate(value)
        except ValidationError as error:
            raise _error(*(_inside(str(kind), dict(each)) for each in error.errors())) from None

    return made


def _of_kind(kind: str, message: str, value: object) -> InitErrorDetails:
    """Return the error of a `kind` that is missing or unknown."""
    return InitErrorDetails(
        type=PydanticCustomError(NO_KIND, "{rest}", {"rest": message}), loc=(kind, "kind"), input=value
    )


def _inside(kind: str, found: Mapping[str, Any]) -> InitErrorDetails:
    """Return an error of a section as one of the table that holds it."""
    place = (kind, *found["loc"])
    return InitErrorDetails(type=found["type"], loc=place, input=found["input"], ctx=found.get("ctx", {}))


def _error(*details: InitErrorDetails) -> ValidationError:
    return ValidationError.from_exception_data("section", list(details))
