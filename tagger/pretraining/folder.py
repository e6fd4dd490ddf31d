"""The folder of a character language model: who may write to it, its README, and what `tagger info` says of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tagger.errors import ModelError
from tagger.files.exclusive import writing_to
from tagger.files.hashes import CONFIG
from tagger.files.holding import check_kind
from tagger.pretraining.model import CharLM, read_charlm
from tagger.pretraining.plan import Round
from tagger.wording import counted

CHECKPOINT, LOG = "checkpoint.safetensors", "log.jsonl"


@contextmanager
def open_folder(folder: Path, *, overwrite: bool, resume: bool) -> Iterator[None]:
    """Lock the folder of a model within the context. If it did not exist and nothing was kept, it is deleted again.

    Raises:
        ModelError: The folder cannot be written to or another training writes to it, or it holds a model and may not be
            replaced, or something else, or nothing to be continued.
    """
    with writing_to(folder, of="a model", by="training"):
        _check_held(folder, overwrite=overwrite, resume=resume)
        yield


def _check_held(folder: Path, *, overwrite: bool, resume: bool) -> None:
    check_kind(folder, "charlm")
    unfinished, held = (folder / CHECKPOINT).is_file(), (folder / CONFIG).is_file()
    if resume and not unfinished:
        found = "a finished model" if held else "none"
        advice = "replace it with --overwrite" if held else "start without --resume"
        raise ModelError(f"{folder}: --resume needs the checkpoint of a training, got {found}; {advice}")
    if (held or unfinished) and not (overwrite or resume):
        what = "a training that was stopped" if unfinished else "a model"
        more = ", continue it with --resume" if unfinished else ""
        raise ModelError(
            f"{folder}: the folder already holds {what}; use another one{more}, or replace it with --overwrite"
        )


def describe_charlm(folder: Path) -> dict[str, Any]:
    """Return what `tagger info` says of a folder with a character language model, as values of JSON.

    Raises:
        ModelError: The folder cannot be read.
    """
    model = read_charlm(folder)
    use = f'a recipe uses it as [features.NAME] with kind = "charlm" and model = "{folder}"'
    return {
        "kind": f"character language model: it tags nothing itself; {use}",
        **model.sizes.model_dump(),
        "trained_parameters": sum(parameter.numel() for parameter in model.network.parameters()),
        **dict(model.facts),
    }


def card(model: CharLM, last: Round, *, finished: bool) -> str:
    """Return the text of the README, in Markdown."""
    state = "" if finished else "Training has not finished; `tagger pretrain --resume` continues it.\n\n"
    facts = model.facts
    files = "\n".join(f"- `{Path(file).name}`" for file in facts["files"])
    return f"""# A character language model

{state}Written by tagger {version("tagger-bilstm")}. It predicts the next character of a text, from the left and from
the right. A tagger uses its states as a feature of each word:

```toml
[features.characters]
kind = "charlm"
model = "this folder"
```

## Text

{facts["characters"]:,} characters, {counted(facts["known_characters"], "different one")}, of these files:

{files}

Ask the authors of these texts for their licence.

## Perplexity of a character on {facts["dev_characters"]:,} held-out characters

| from the left | from the right | both | bits per character |
|---|---|---|---|
| {last.dev_rightward:.3f} | {last.dev_leftward:.3f} | {last.dev_perplexity:.3f} | {last.dev_bits:.3f} |
"""
