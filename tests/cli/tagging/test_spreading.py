"""`tagger tag --ray`: what it refuses before a cluster is started. tests/integrations/test_ray.py has the rest."""

from collections.abc import Callable
from pathlib import Path

import pytest

Call = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ([], "--ray needs --output FOLDER"),
        (["--output", "out", "--nbest", "2"], "--nbest is not for --ray"),
        (["--output", "out", "--output-format", "jsonl"], "--output-format is not for --ray"),
        (["--output", "out", "--device", "cpu"], "--device is not for --ray"),
        (
            ["--output", "out", "--resume", "--text", "body"],
            "--ray needs a file or a folder that all machines can read",
        ),
    ],
)
def test_what_has_no_effect_on_a_cluster_is_refused(call: Call, model: Path, options: list[str], error: str) -> None:
    code, out, err = call("tag", model, "-", "--ray", "local", *options)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {error}")
