"""Fetch a model of the hub into the cache of `huggingface_hub`.

Nothing of a repository is trusted. Its `config.json` names the other files and their SHA-256. Only names that end in
`.json` and `.safetensors` are accepted, the sizes that the hub lists are checked before anything is downloaded, and the
hashes are compared afterwards. No other file of the repository is downloaded, apart from texts for people.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import file_digest
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.errors import ModelError, missing_package
from tagger.files.hashes import CONFIG, CONFIG_BYTES, HASHES
from tagger.model.hub.address import Address
from tagger.wording import shorten

if TYPE_CHECKING:
    from huggingface_hub import HfApi

NOTICES = ("README.md", "ATTRIBUTION.md", "LICENSE", "NOTICE")  # texts for people; all others are not downloaded
NOTICE_BYTES, JSON_BYTES, TENSOR_BYTES = 1_000_000, 2**30, 2**33  # that a file of each kind may have at most
ALL_BYTES = 2**34  # the same for all files together
SHOWN_AFTER = 2.0  # seconds that a download takes before its bar appears
STRANGE = (ValueError, LookupError, TypeError, AttributeError)  # what reading an answer raises that is no hub's
_NAME = re.compile(r"\w[\w.-]*\.(json|safetensors)")
_COMMIT = re.compile(r"[0-9a-f]{40}")

logger = logging.getLogger(__name__)


def downloaded(address: Address) -> Path:
    """Return the folder in the cache with a model of the hub, after fetching the files that are missing there.

    Without a connection, or with `HF_HUB_OFFLINE=1`, it is the copy that the cache holds of this revision.

    Raises:
        ModelError: There is no such model, it cannot be reached, it is too large, or a file has another name or another
            SHA-256 than is allowed.
        MissingExtraError: huggingface_hub is not installed.
    """
    try:
        import huggingface_hub as hub  # takes a moment, and only models of the hub need it
    except ModuleNotFoundError as error:
        raise missing_package(str(address), error) from None
    if address.revision and _COMMIT.fullmatch(address.revision) and (kept := _kept(address)):
        return kept  # a commit never changes
    with explained(address):
        failures: tuple[type[Exception], ...] = (*unreachable(), *STRANGE)
        try:
            info = api().model_info(address.repo, revision=address.revision, files_metadata=True)
        except failures as error:
            if not _is_outage(error) or (kept := _kept(address)) is None:
                raise
            if not hub.is_offline_mode():
                logger.warning("%s: the hub cannot be reached, so the copy in the cache is used", address)
            return kept
        return _fetched(address, str(info.sha), {file.rfilename: file.size for file in info.siblings or ()})


def _fetched(address: Address, commit: str, sizes: Mapping[str, int | None]) -> Path:
    """Return the folder of a commit, given the size of each of its files."""
    from huggingface_hub import hf_hub_download, snapshot_download

    where = str(address)
    if CONFIG not in sizes:
        raise ModelError(f"{where}: must be a repository with a model of tagger, got one without {CONFIG}")
    check_sizes(where, {CONFIG: sizes[CONFIG]})
    # By its own name, not by the commit: so the cache knows the commit of a branch when there is no connection.
    config = Path(hf_hub_download(address.repo, CONFIG, revision=address.revision, tqdm_class=_bar()))
    folder = config.parent
    if folder.name != commit:
        raise ModelError(f"{where}: the repository was changed while it was read; load the model again")
    hashes = hashes_in(where, config.read_bytes(), again(folder))
    if missing := sorted(hashes.keys() - sizes.keys()):
        raise ModelError(
            f"{where}: must hold each file that its {CONFIG} names, got no {shorten(', '.join(missing))}; ask its "
            "owner to upload the whole folder"
        )
    names = [*hashes, *(name for name in NOTICES if name in sizes)]
    check_sizes(where, {name: sizes[name] for name in names})
    old = {name for name in hashes if (folder / name).is_file()}
    snapshot_download(address.repo, revision=commit, allow_patterns=names, tqdm_class=_bar())
    for name, expected in hashes.items():
        _check_hash(where, folder / name, expected, old=name in old)
    return folder


def again(folder: Path) -> str:
    """Return the advice for a damaged copy of a model, given its folder in the cache."""
    return f"if the copy is damaged, delete {folder.parents[1]} and load the model again"


def hashes_in(where: str, content: bytes, advice: str = "") -> dict[str, str]:
    """Return the SHA-256 of each file beside a `config.json`, which is all that a model of the hub consists of.

    `advice` is more advice for an error.

    Raises:
        ModelError: It names none, or files that are neither JSON nor safetensors.
    """
    try:
        values = json.loads(content)
        hashes = {str(name): str(value) for name, value in values[HASHES].items() if name != CONFIG}
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise ModelError(
            f"{where}: must be a model of tagger, got a {CONFIG} without the SHA-256 of its files; check the name"
            f"{advice and '; '}{advice}"
        ) from None
    if odd := [name for name in hashes if not _NAME.fullmatch(name)]:
        advice = "give the trained model, and export it where you use it" if "model.onnx" in odd else "check the name"
        raise ModelError(
            f"{where}: a model on the hub must consist of files .json and .safetensors alone, got "
            f"{shorten(', '.join(odd))}; {advice}"
        )
    return hashes


def _kept(address: Address) -> Path | None:
    """Return the folder in the cache that has all files of a revision; None if there is none."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(address.repo, CONFIG, revision=address.revision)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    hashes = hashes_in(str(address), Path(config).read_bytes(), again(folder))
    if not all((folder / name).is_file() for name in hashes):
        return None
    for name, expected in hashes.items():
        _check_hash(str(address), folder / name, expected, old=True)
    return folder


def check_sizes(where: str, sizes: Mapping[str, int | None], otherwise: str = "it was not downloaded") -> None:
    """Refuse files that are too large, or whose size the hub does not say; `otherwise` ends the error."""
    known = {name: size if isinstance(size, int) else -1 for name, size in sizes.items()}
    for name, size in known.items():
        if not 0 <= size <= (limit := _limit(name)):
            got = f"{size:,}" if size >= 0 else "no size"
            raise ModelError(f"{where}: {name} must have at most {limit:,} bytes, got {got}; {otherwise}")
    if (size := sum(known.values())) > ALL_BYTES:
        raise ModelError(f"{where}: must have at most {ALL_BYTES:,} bytes, got {size:,}; {otherwise}")


def _limit(name: str) -> int:
    if name in (CONFIG, *NOTICES):
        return CONFIG_BYTES if name == CONFIG else NOTICE_BYTES
    return TENSOR_BYTES if name.endswith(".safetensors") else JSON_BYTES


def _check_hash(where: str, path: Path, expected: str, *, old: bool) -> None:
    """Refuse a file with another SHA-256; `old` says whether it was in the cache before."""
    with path.open("rb") as stream:
        found = file_digest(stream, "sha256").hexdigest()
    if found != expected:
        raise ModelError(
            f"{where}: {path.name} must have the SHA-256 that {CONFIG} names, {shorten(expected[:12])}, got "
            f"{found[:12]}: it is from another model, or was changed; "
            f"{again(path.parent) if old else 'load another revision, or ask the owner'}"
        )


def api(token: str | None = None) -> "HfApi":
    """Return a client of the hub, which is at `HF_ENDPOINT` if that is set."""
    from huggingface_hub import HfApi

    return HfApi(token=token, library_name="tagger", library_version=version("tagger-bilstm"))


def unreachable() -> tuple[type[Exception], ...]:
    """Return the errors of a network that fails."""
    from huggingface_hub.errors import HfHubHTTPError

    return OSError, HfHubHTTPError.__bases__[0]  # that of the HTTP library, which depends on the version


@contextmanager
def explained(address: Address) -> Iterator[None]:
    """Turn an error of `huggingface_hub` into one sentence.

    Raises:
        ModelError: There was one.
    """
    try:
        from huggingface_hub import constants, errors
    except ValueError as error:  # it reads the variable
        raise ModelError(
            f"{address}: HF_ENDPOINT must be the URL of a hub, got one with: {error}; correct it"
        ) from None

    login = "log in with `hf auth login`, or set HF_TOKEN"
    try:
        yield
        return
    except errors.GatedRepoError:
        problem = f"its owner must permit the download; ask for it on the page of the model, and {login}"
    except errors.RepositoryNotFoundError:
        problem = f"the Hugging Face hub has no such model, or it is private; check the name, or {login}"
    except errors.RevisionNotFoundError:
        revision = address.revision or "main"
        problem = f"the model has no branch, tag or commit {shorten(revision)}; see the history on its page"
    except errors.HFValidationError as error:
        problem = f"must be the name of a repository, owner/name: {shorten(str(error))}"
    except errors.OfflineModeIsEnabled:
        problem = "the cache does not hold this model, and HF_HUB_OFFLINE is set; unset it, or load the model once"
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        reason = shorten(" ".join((error.server_message or error.response.reason_phrase).split()))
        advice = f"check your permissions, and {login}" if status in (401, 403) else "try again later"
        problem = f"the Hugging Face hub must accept the request, got HTTP {status} ({reason}); {advice}"
    except unreachable() as error:
        reason = shorten(next(iter(str(error).splitlines()), "") or type(error).__name__)
        problem = (
            f"the Hugging Face hub ({constants.ENDPOINT}) cannot be reached, or the cache cannot be written to: "
            f"{reason}; check the network and the disk, and try again"
        )
    except STRANGE as error:
        found = f"{type(error).__name__}: {shorten(next(iter(str(error).splitlines()), ''))}"
        problem = (
            f"the Hugging Face hub ({constants.ENDPOINT}) must answer as one, got something else ({found}); check "
            "HF_ENDPOINT, and whether a proxy or a login page answers in its place"
        )
    raise ModelError(f"{address}: {problem}")


def _is_outage(error: Exception) -> bool:
    """Whether there was no answer, or none of a hub, or one that says that the hub itself has a problem."""
    from huggingface_hub.errors import HFValidationError

    if isinstance(error, HFValidationError):
        return False
    response = getattr(error, "response", None)
    return response is None or response.status_code >= 500


def _bar() -> type[Any]:
    """Return the bar of a long download, which is shown on a terminal alone and removed at the end."""
    from huggingface_hub.utils.tqdm import tqdm

    class Bar(tqdm):
        def __init__(self, *args: Any, **settings: Any) -> None:
            hidden = settings.pop("disable", None) or not sys.stderr.isatty()
            settings |= {"disable": hidden, "leave": False, "delay": SHOWN_AFTER}
            super().__init__(*args, **settings)  # type: ignore[no-untyped-call]

        def display(self, *args: Any, **settings: Any) -> None:  # `refresh` does not wait for the delay
            if time.time() - self.start_t >= SHOWN_AFTER:
                super().display(*args, **settings)

    return Bar
