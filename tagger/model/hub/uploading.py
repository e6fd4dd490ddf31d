"""Publish a model on the hub: the files of its folder, and its card with a head for the hub."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.errors import ModelError, missing_package
from tagger.files.hashes import CONFIG, CONFIG_BYTES
from tagger.files.writing import newest
from tagger.model.folder.opening import CARD, read_file
from tagger.model.hub.address import Address
from tagger.model.hub.card import card_for_hub
from tagger.model.hub.downloading import NOTICES, api, check_sizes, explained, hashes_in
from tagger.model.model import Model, Source

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd

NO_CARD = "# A sequence tagger\n"


def upload(
    model: Model,
    repo: str,
    *,
    private: bool,
    revision: str | None,
    token: str | None,
    message: str,
    licence: str | None,
    languages: Sequence[str] | None,
) -> str:
    """Upload the folder of a model in one commit, and return the URL of the commit.

    Args:
        model: The model, loaded from a folder.
        repo: The repository, `owner/name` or only `name`; it is created if missing.
        private: Whether to create the repository as private.
        revision: The branch, which is created if missing; None for the main branch.
        token: A token with the right to write. Default: that of `hf auth login` or `HF_TOKEN`.
        message: The message of the commit.
        licence: The licence of the weights, by its id on the hub.
        languages: Codes of the languages of the texts.

    Raises:
        ModelError: The folder cannot be uploaded, or the hub refuses it.
        MissingExtraError: huggingface_hub is not installed.
    """
    address = Address(repo, revision)
    try:
        with explained(address):
            from huggingface_hub import CommitOperationAdd
    except ModuleNotFoundError as error:
        raise missing_package("push_to_hub", error) from None
    if not message.strip():
        raise ValueError("commit_message must be a text, got an empty one")
    additions = _additions(model.source)
    card = read_card(model.source.folder / CARD if model.source else Path(CARD))
    given: Any = {"licence": licence, "languages": languages}
    sizes = {addition.path_in_repo: addition.upload_info.size for addition in additions}
    sizes[CARD] = len(card_for_hub(model, card, repo, **given).encode())
    check_sizes(f"hf://{repo}", sizes, "nothing was uploaded; make it smaller")
    with explained(address):
        client = api(token)
        full = client.create_repo(repo, private=private, exist_ok=True).repo_id
        additions.append(CommitOperationAdd(CARD, card_for_hub(model, card, full, **given).encode()))
        if revision is not None:
            client.create_branch(full, branch=revision, exist_ok=True)
        found = client.create_commit(full, additions, commit_message=message, revision=revision)
        return str(found.commit_url)


def read_card(readme: Path) -> str:
    """Return the text of a README.

    Raises:
        ModelError: It is not UTF-8.
    """
    try:
        return readme.read_text(encoding="utf-8-sig") if readme.is_file() else NO_CARD
    except UnicodeDecodeError as error:
        raise ModelError(
            f"{readme}: must be UTF-8, got the byte 0x{error.object[error.start]:02x} at {error.start:,}; save it "
            "as UTF-8"
        ) from None


def _additions(source: Source | None) -> "list[CommitOperationAdd]":
    """Return the files to upload, but for the card.

    Raises:
        ModelError: The model has no folder, or that holds another model now, or an exported one.
    """
    from huggingface_hub import CommitOperationAdd

    if source is None:
        raise ModelError(
            "push_to_hub: the model must be loaded from a folder, which has its card and scores, got one from memory; "
            "load it with tagger.load(RUN), where RUN is the folder of its run"
        )
    folder = source.folder
    config = read_file(folder / CONFIG, CONFIG_BYTES)
    hashes = hashes_in(str(folder), config)
    paths = {name: newest(folder / name) for name in hashes}
    additions = [CommitOperationAdd(name, str(path)) for name, path in paths.items() if path.is_file()]
    found = {addition.path_in_repo: addition.upload_info.sha256.hex() for addition in additions}
    if sha256(config).hexdigest() != source.sha256 or found != hashes:
        raise ModelError(f"{folder}: must hold the model that was loaded, but holds another one now; load it again")
    notices = [name for name in NOTICES if name != CARD and (folder / name).is_file()]
    additions += [CommitOperationAdd(name, str(folder / name)) for name in notices]
    return [CommitOperationAdd(CONFIG, config), *additions]
