"""The rules by which spaCy splits a language into words, as plain data, read from its installed files.

Importing spaCy takes about two seconds. Only the modules of the language are executed here. What they import from the
rest of spaCy, apart from tables, is replaced by names without a meaning.

Source:
    Compared with the tokenizers of spaCy for all languages in tests/text/test_word_tables.py.
"""

import builtins
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tagger.errors import MissingExtraError
from tagger.text.splitting.word_rules import WordTable

_CODES = """
    af am ar az bg bn bo ca cs da de dsb el en es et eu fa fi fo fr ga gd grc gu he hi hr hsb ht hu hy id is it kmr kn
    ky la lb lg lij lt lv mk ml mr ms nb ne nl nn pl pt ro ru sa si sk sl sq sr sv ta te ti tl tn tr tt uk ur xx yo
"""
LANGUAGES = tuple(_CODES.split())  # those that spaCy has rules for
UNSPACED_LANGUAGES = ("ja", "ko", "th", "vi", "zh")  # it has other tokenisers for these, which are no rules

Special = list[dict[str, str]]


def source_name() -> str | None:
    """Return name and version of what tables are read from, such as `spacy 3.8.7`; None if it is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # slow to load, and a model has its own tables

    try:
        return f"spacy {version('spacy')}"
    except PackageNotFoundError:
        return None


def is_known(language: str, table: WordTable) -> bool:
    """Whether the rules of a language are those of a released spaCy, or those of the installed one."""
    released = Path(__file__).with_name("word_tables.sha256").read_text(encoding="ascii").split()
    if table.sha256 in released:
        return True
    return language in LANGUAGES and find_spec("spacy") is not None and table == installed_table(language)


def check_language(code: str) -> None:
    """Refuse a language without rules.

    Raises:
        ValueError: The language has none.
    """
    if code in UNSPACED_LANGUAGES:
        raise ValueError(f'must be a language with rules, got {code!r}; use "characters" or "blanks" for `tokenize`')
    if code not in LANGUAGES:
        raise ValueError(
            f"must be the code of a language with rules, got {code!r}; the codes are {' '.join(LANGUAGES)}"
        )


@cache
def installed_table(language: str) -> WordTable:
    """Return the rules of a language, from the files of the installed spaCy.

    Raises:
        MissingExtraError: spaCy is not installed.
    """
    spec = find_spec("spacy")
    if spec is None or spec.origin is None:
        raise MissingExtraError(
            "splitting text into words needs the rules of spaCy, which is not installed; run pip install spacy"
        )
    found = vars(_reader(Path(spec.origin).parent)(f"lang.{language}")).values()
    defaults = next(value.Defaults for value in found if getattr(value, "lang", None) == language)
    specials = {  # sorted, because some of the tables are sets, whose order differs from process to process
        chunk: tuple(word["ORTH"] for word in words)
        for chunk, words in sorted(defaults.tokenizer_exceptions.items())
        if not chunk.isspace()
    }
    return WordTable(
        specials,
        prefix="|".join("^" + piece for piece in _patterns(defaults.prefixes)),
        suffix="|".join(piece + "$" for piece in _patterns(defaults.suffixes)),
        infix="|".join(_patterns(defaults.infixes)),
        token=_pattern_of(defaults.token_match),
        url=_pattern_of(defaults.url_match),
    )


def _patterns(pieces: Iterable[str]) -> list[str]:
    return [piece for piece in pieces if piece.strip()]


def _pattern_of(match: Callable[[str], object] | None) -> str | None:
    """Return the pattern of a bound method `match`, with its flags in it."""
    if match is None:
        return None
    pattern: re.Pattern[str] = match.__self__  # type: ignore[attr-defined]
    return (
        f"(?i){pattern.pattern}" if pattern.flags & re.IGNORECASE and "(?i" not in pattern.pattern else pattern.pattern
    )


class _Nothing:
    """A module of which no table needs anything: its names are empty classes, or strings if they are capitals."""

    def __getattr__(self, name: str) -> Any:
        return name if name.isupper() else type(name, (), {})


class _Language:
    """The base class of languages, whose components are ignored."""

    @classmethod
    def factory(cls, *_: Any, **settings: Any) -> Callable[[Any], Any]:
        return lambda function: function


def _reader(root: Path) -> Callable[[str], SimpleNamespace]:
    """Return a function that executes a module in spaCy's folder `lang` without importing spaCy."""
    util = SimpleNamespace(update_exc=_merged)
    done: dict[str, Any] = {"util": util, "": SimpleNamespace(util=util, attrs=_Nothing())}

    def read(name: str) -> Any:
        if name == "language":
            defaults = _base_defaults(read)
            language = type("Language", (_Language,), {"Defaults": defaults})
            done[name] = SimpleNamespace(Language=language, BaseDefaults=defaults)
        elif name not in done:
            done[name] = execute(name) if name.startswith("lang.") else _Nothing()
        return done[name]

    def execute(name: str) -> SimpleNamespace:
        path = root.joinpath(*name.split("."))
        parts = name.split(".") if path.is_dir() else name.split(".")[:-1]
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")

        def load(module: str, *rest: Any) -> Any:
            level = rest[3] if len(rest) > 3 else 0
            if level:
                return read(".".join([*parts[: len(parts) - level + 1], *filter(None, [module])]))
            top, _, below = module.partition(".")
            if top == "spacy":
                return read(below)
            return builtins.__import__(module, *rest) if top in sys.stdlib_module_names else _Nothing()

        code = SourceFileLoader(name, str(path)).get_code(name)
        values: dict[str, Any] = {"__builtins__": {**vars(builtins), "__import__": load}, "__name__": name}
        assert code is not None
        exec(code, values)
        return SimpleNamespace(**values)

    return read


def _base_defaults(read: Callable[[str], Any]) -> type:
    """Return the rules of languages that have none of their own."""
    affixes, exceptions = read("lang.punctuation"), read("lang.tokenizer_exceptions")
    rules = {
        "lex_attr_getters": {},
        "tokenizer_exceptions": exceptions.BASE_EXCEPTIONS,
        "prefixes": affixes.TOKENIZER_PREFIXES,
        "suffixes": affixes.TOKENIZER_SUFFIXES,
        "infixes": affixes.TOKENIZER_INFIXES,
        "token_match": None,
        "url_match": exceptions.URL_MATCH,
    }
    return type("BaseDefaults", (), rules)


def _merged(base: Mapping[str, Special], *more: Mapping[str, Special]) -> dict[str, Special]:
    """Return the special cases of several tables, and copies with typographic apostrophes."""
    merged = {chunk: words for table in (base, *more) for chunk, words in table.items()}
    curly = {
        chunk.replace("'", "’"): [{**word, "ORTH": word["ORTH"].replace("'", "’")} for word in words]
        for chunk, words in merged.items()
        if "'" in chunk
    }
    return {**merged, **curly}
