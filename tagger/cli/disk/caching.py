"""The command `cache`."""

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli.arguments import JsonOption, print_json
from tagger.errors import DataError, RecipeError
from tagger.wording import counted, shown_bytes, table_lines, visible

if TYPE_CHECKING:
    from tagger.features.stores import Kept

DAY = 86400.0  # seconds
HEADING = ("feature", "passages", "tokens", "MB", "last used")


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove everything.")] = False,
    older_than: Annotated[
        float | None, typer.Option(min=0, metavar="DAYS", help="Remove stores that were last used more than DAYS ago.")
    ] = None,
    keep: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="GB", help="Remove the least recently used stores until at most GB gigabytes remain."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the features of sentences that training keeps on disk, or remove them.

    There is one store for each model and its settings. A store that a run is using stays, and the exit code is then 1.
    Training itself removes the least recently used stores when all have more than TAGGER_CACHE_GB gigabytes (default:
    20, or half of the free disk). The folder is TAGGER_CACHE (default: `tagger` in the user's cache folder).
    """
    from tagger.features.stores import stores_of_user

    if (stores := stores_of_user()) is None:
        raise DataError("the cache needs a folder, but the user has no home; set TAGGER_CACHE to one")
    if sum((clear, older_than is not None, keep is not None)) > 1:
        raise RecipeError("give only one of --clear, --older-than and --keep")
    kept = stores.kept()
    chosen = _chosen(kept, clear=clear, older_than=older_than, keep=keep)
    used = stores.remove(chosen) if chosen else []
    removed = [store for store in chosen if store not in used]
    kept = [store for store in kept if store not in removed]
    if as_json:
        print_json([store.to_dict() for store in kept])
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(kept))
        sys.stdout.write(f"{stores.root}: {counted(len(kept), 'store')}, {shown_bytes(_size(kept))}\n")
    if clear or older_than is not None or keep is not None:
        sys.stderr.write(f"removed {counted(len(removed), 'store')}, {shown_bytes(_size(removed))}\n")
    if used:
        raise DataError(f"{counted(len(used), 'store')} stayed, because a run uses what is in it; wait for its end")


def _chosen(kept: Sequence["Kept"], *, clear: bool, older_than: float | None, keep: float | None) -> list["Kept"]:
    """Return the stores to remove; the given ones are in the order of their last use."""
    if older_than is not None:
        return [store for store in kept if store.used < time.time() - older_than * DAY]
    if keep is not None:
        sizes = [sum(store.bytes for store in kept[i:]) for i in range(len(kept))]
        return [store for store, size in zip(kept, sizes, strict=True) if size > keep * 1e9]
    return list(kept) if clear else []


def _size(stores: Sequence["Kept"]) -> int:
    """Return the size of stores in bytes."""
    return sum(store.bytes for store in stores)


def _lines(kept: Sequence["Kept"]) -> list[str]:
    """Return the stores as a table, the last used first."""
    rows = []
    for store in reversed(kept):
        facts = store.to_dict()
        passages, tokens = ("-" if facts[key] is None else f"{facts[key]:,}" for key in ("passages", "tokens"))
        used = "now" if store.in_use else time.strftime("%Y-%m-%d %H:%M", time.localtime(store.used))
        settings = [f"{key}={value}" for key, value in store.about.items() if key != "kind"]
        name = visible(" ".join([str(store.about.get("kind", "damaged")), *settings]))
        rows.append((name, passages, tokens, f"{store.bytes / 1e6:,.1f}", used))
    return table_lines([HEADING, *rows]) if rows else []
