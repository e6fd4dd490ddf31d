"""What a file of tensors says of itself, read without torch: the metadata of the safetensors format."""

import json
from typing import Any

from tagger.errors import ModelError

LENGTH = 8  # bytes at the start that say how long the header is
KEY = "tagger"  # of the one value among the metadata: several would be written in any order


def described_of(content: bytes, where: str) -> dict[str, Any]:
    """Return the values of JSON that a file of tensors was written with.

    Args:
        content: Its bytes.
        where: Its path, for messages.

    Raises:
        ModelError: It is damaged.
    """
    size = int.from_bytes(content[:LENGTH], "little")
    try:
        described = json.loads(json.loads(content[LENGTH : LENGTH + size])["__metadata__"][KEY])
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise damaged(where, str(error) or type(error).__name__) from None
    if not isinstance(described, dict):
        raise damaged(where, "its description is no JSON object")
    return described


def damaged(where: str, problem: str) -> ModelError:
    """Return the error for a file that cannot be read as what it must be."""
    return ModelError(f"{where}: the file is damaged or incomplete ({problem}); copy it again, or train again")
