"""What each key of a recipe means: the docstring below its field in the config class, read from the source."""

import ast
import inspect
from itertools import pairwise

from pydantic import BaseModel


def meanings(section: type[BaseModel]) -> dict[str, str]:
    """Return the docstring below each field of a section, by key, in the order of the fields.

    A field that a subclass declares again without a docstring keeps the docstring of its base class.

    Raises:
        KeyError: A field has no docstring.
    """
    found: dict[str, str] = {}
    for kind in reversed(section.__mro__):
        if not issubclass(kind, BaseModel):
            continue
        for field, below in pairwise(ast.parse(inspect.getsource(kind)).body[0].body):  # type: ignore[attr-defined]
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=key)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[key] = inspect.cleandoc(text)
    return {key: found[key] for key in section.model_fields}
