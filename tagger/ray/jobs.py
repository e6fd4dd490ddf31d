"""Start and watch the work: `tag` for a dataset of Ray Data, `tag_files` for files that a later run can continue."""

import json
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tagger.errors import DataError, ModelError, RecipeError, TaggerError, missing_package
from tagger.integrations.tables import tag_dataframe
from tagger.ray.blocks import BYTES, Block, blocks_of, common_schema, files_of
from tagger.ray.workers import Work, Worker, Writer
from tagger.wording import counted

if TYPE_CHECKING:
    import ray.data

PARTS = "part-*.parquet"  # the files of an output
LOCAL = "local"  # the address of a Ray of this machine alone
ATTEMPTS = re.compile(r"\s+Failed to .* after \d+/\d+ attempts")  # what Ray appends to the message of an error
Watch = Callable[[Iterable[int], int], Iterable[int]]


class Tagged(NamedTuple):
    """What `tag_files` has done.

    Attributes:
        blocks: Number of blocks that were tagged.
        rows: Number of their rows.
        before: Number of blocks that an earlier run had tagged.
    """

    blocks: int
    rows: int
    before: int


def tag(
    dataset: "ray.data.Dataset",
    model: str | Path,
    *,
    text: str = "text",
    prefix: str = "",
    actors: int | None = None,
    threads: int = 1,
    **loading: Any,
) -> "ray.data.Dataset":
    """Return a dataset of Ray Data with columns for what the model finds in each text.

    All columns are kept; the new ones are those of `Tagger.map_batch`. Like every dataset of Ray, it is computed when
    it is read or written, block by block. Each process holds one model, and tags about a million characters at once, in
    batches by tokens. What a lost process has not finished is tagged again, with the same result.

    Args:
        dataset: The dataset, such as `ray.data.read_text("texts/")`.
        model: The model, as for `tagger.load`; the same folder on every machine.
        text: The column of texts. A text that is missing has no value in any new column.
        prefix: Begins the names of the new columns.
        actors: Largest number of processes. Default: as many as the cluster has cores for.
        threads: Number of threads, and so of cores, of a process.
        loading: Other keyword arguments of `tagger.load`, such as `backend`, but not `device`: work is for CPUs.

    Raises:
        MissingExtraError: Ray is not installed.
        ModelError: The model cannot be loaded here.
    """
    _ray()
    work = Work(str(model), {**loading, "threads": threads}, text, prefix)
    # Reading the dataset needs cores too, so the first process is alone, and Ray adds others where cores are free.
    return _mapped(dataset, Worker, (work, _hash_of(work)), actors=actors, threads=threads)


def tag_files(
    path: str | Path,
    model: str | Path,
    output: str | Path,
    *,
    resume: bool = False,
    text: str = "text",
    prefix: str = "",
    actors: int | None = None,
    threads: int = 1,
    block_bytes: int = BYTES,
    watch: Watch = lambda rows, total: rows,
    **loading: Any,
) -> Tagged:
    """Tag the rows of files on a cluster of Ray, and write a Parquet file per block.

    A row is a line of text, which is the column `text`, a record of JSON lines (`.jsonl`), or a row of Parquet
    (`.parquet`). All columns are kept; the new ones are those of `Tagger.map_batch`. The files of the output, in the
    order of their names, have the rows in the order of the input. Each appears when it is whole, and its name has a
    hash of its block, of the model and of the options, so a run that is stopped or killed can be continued.

    Input and output must have the same paths on every machine.

    Args:
        path: A file, or a folder of files of one format.
        model: As for `tag`.
        output: The folder to write, which is created if missing.
        resume: Whether to continue an output: blocks whose files are there are skipped.
        text: The column of texts.
        prefix: As for `tag`.
        actors: As for `tag`.
        threads: As for `tag`.
        block_bytes: Size of a block of text or JSON lines. A row group of Parquet is a block, and so is a packed file.
        watch: Passes on the number of rows of each block when its file is written, and may show how many are done; it
            also gets the number of blocks to tag.
        loading: Other keyword arguments of `tagger.load`, as for `tag`; values must be plain, such as strings.

    Raises:
        MissingExtraError: Ray is not installed.
        ModelError: The model cannot be loaded, or processes of Ray cannot be kept alive.
        DataError: A file cannot be read or written, or is not in its format; there is no column of texts, a new column
            exists already, or the folder has files of another run.
    """
    ray = _ray()
    work = Work(str(model), {**loading, "threads": threads}, text, prefix)
    given, folder = Path(path).absolute(), Path(output).absolute()
    files = files_of(given)
    blocks = [block for file in files for block in blocks_of(file, block_bytes)]
    schema = common_schema(blocks)
    tagger = work.load()
    tag_dataframe(tagger, schema.empty_table(), text=text, prefix=prefix)  # refuses wrong columns before all work
    source = tagger.model.source
    facts = {"model": source.sha256 if source else None, "text": text, "prefix": prefix, **loading}
    names = [_name_of(number, block, facts) for number, block in enumerate(blocks)]
    done = _names_in(folder, names, resume=resume)
    jobs = [
        {**block._asdict(), "output": str(folder / name)}
        for name, block in zip(names, blocks, strict=True)
        if name not in done
    ]
    rows = 0
    if jobs:
        found = _mapped(
            ray.data.from_items(jobs, override_num_blocks=len(jobs)),
            Writer,
            (work, facts["model"], schema),
            actors=min(actors or len(jobs), len(jobs)),
            threads=threads,
            at_once=True,
        )
        with _plain_errors(), closing(iter(found.iter_rows())) as results:  # to close them ends the processes
            rows = sum(watch((row["rows"] for row in results), len(jobs)))
    return Tagged(len(jobs), rows, len(done))


@contextmanager
def cluster(address: str) -> Iterator[None]:
    """Connect to a Ray, and disconnect at the end of the context.

    Args:
        address: The address of a cluster, such as `HOST:6379`, `auto` for the one of this machine, or `local` to start
            one here, which ends with the context.

    Raises:
        MissingExtraError: Ray is not installed.
        RecipeError: There is no Ray at this address.
    """
    os.environ.setdefault("RAY_DATA_LOG_LEVEL", "CRITICAL")  # errors are raised, and the caller shows the progress
    if address == LOCAL:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to anybody
    ray = _ray()
    own = {"include_dashboard": False} if address == LOCAL else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (ConnectionError, ValueError, RuntimeError) as error:
        why = str(error).partition("\n")[0]
        raise RecipeError(
            f"--ray {address}: must be the address of a running Ray, such as HOST:6379, or `local` to start one here; "
            f"got none there ({why})"
        ) from None
    ray.data.DataContext.get_current().enable_progress_bars = False  # the caller shows the blocks
    try:
        yield
    finally:
        ray.shutdown()


def _ray() -> Any:
    """Return the package `ray`."""
    try:
        import ray.data
    except ModuleNotFoundError as error:
        raise missing_package("tagger.ray", error) from None
    return ray


def _mapped(
    dataset: "ray.data.Dataset",
    kind: type[Worker],
    arguments: Sequence[Any],
    *,
    actors: int | None,
    threads: int,
    at_once: bool = False,
) -> "ray.data.Dataset":
    """Return a dataset whose blocks go through workers, each a process; all start `at_once`, or by need."""
    ray = _ray()
    most = max(int(ray.cluster_resources().get("CPU", 1) // threads), 1)
    most = most if actors is None else min(most, actors)
    return dataset.map_batches(
        kind,
        fn_constructor_args=arguments,
        batch_size=None,
        batch_format="pyarrow",
        num_cpus=threads,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most, initial_size=most if at_once else 1),
    )


def _hash_of(work: Work) -> str | None:
    source = work.load().model.source
    return source.sha256 if source else None


def _name_of(number: int, block: Block, facts: Mapping[str, Any]) -> str:
    """Return the name of the file of a block, with a hash of all that its content depends on."""
    known = json.dumps([block, facts, version("tagger-bilstm")], sort_keys=True)
    return f"part-{number:06d}-{sha256(known.encode()).hexdigest()[:16]}.parquet"


def _names_in(folder: Path, names: Sequence[str], *, resume: bool) -> frozenset[str]:
    """Return which files of an output are there already; create its folder.

    Raises:
        DataError: There are files of another run, or of this one and it is not to be continued.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: must be a folder to write: {error.strerror or error}") from None
    found = frozenset(path.name for path in folder.glob(PARTS))
    if found and not resume:
        raise DataError(
            f"{folder}: must be empty or new, got {counted(len(found), 'file')} of a run; continue it with resume, or "
            "name another folder"
        )
    if others := sorted(found.difference(names)):
        raise DataError(
            f"{folder}: must have files of the same input, model and options, got {counted(len(others), 'other')} such "
            f"as {others[0]}; name another folder"
        )
    return found


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Raise the error of a worker as it was raised there, and what else ends a job as one sentence."""
    ray = _ray()
    try:
        yield
    except (ray.exceptions.RayError, TaggerError) as error:
        chain: list[BaseException] = [error]
        while (deeper := getattr(chain[-1], "cause", None) or chain[-1].__cause__) is not None:
            chain.append(deeper)
        if own := [found for found in chain if isinstance(found, TaggerError)]:
            # Ray may have raised a class of its own, derived from ours.
            kind = next(kind for kind in type(own[-1]).__mro__ if kind.__module__ == TaggerError.__module__)
            raise kind(ATTEMPTS.split(str(own[-1]), maxsplit=1)[0].rstrip()) from None
        why = " ".join(str(error).split())
        raise ModelError(
            f"Ray: the processes must be able to work, but one has failed: {why[-300:]}; see the logs of Ray, and "
            "continue with resume"
        ) from error
