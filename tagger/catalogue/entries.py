"""The catalogue: what `corpora.toml` and `files.tsv` say of each corpus. Reading it needs no network.

A file has the same path in the catalogue, in a data folder and in the recipes.
"""

import csv
import posixpath
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from urllib.parse import quote

from tagger.errors import RecipeError

RAW = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class Source:
    """What is downloaded at once: one file, or an archive of several.

    Args:
        url: Where it is.
        max_bytes: The most that may be downloaded.
        sha256: The hash of what is downloaded; None if only the hashes of its files are known.
    """

    url: str
    max_bytes: int
    sha256: str | None = None


@dataclass(frozen=True)
class File:
    """One file of a corpus.

    Args:
        path: Its place in a data folder.
        num_bytes: Its size; for a gzip file the size of its content.
        sha256: Its hash; for a gzip file the hash of its content.
        checked: Whether the hash is that of the pinned source, not only that of a copy.
        source: Where it comes from.
        members: The ends of the paths in the archive of what the file is made of; none if the source is the file.
        conversion: How the members become the file, a key of `CONVERSIONS`; empty if they are the file.
    """

    path: str
    num_bytes: int
    sha256: str
    checked: bool
    source: Source
    members: tuple[str, ...] = ()
    conversion: str = ""


@dataclass(frozen=True)
class Entry:
    """A corpus, or a file of word vectors.

    Args:
        name: Its name on the command line.
        title: What it is.
        task: What it is annotated with.
        language: Its language; `-` if it is no language.
        contents: How large it is, in words.
        licence: The name of its licence.
        licence_url: Where the licence is.
        authors: Who made it, and when.
        source: A page about it.
        changes: How its files differ from those of the authors; empty if they do not.
        files: Its files.
    """

    name: str
    title: str
    task: str
    language: str
    contents: str
    licence: str
    licence_url: str
    authors: str
    source: str
    changes: str
    files: tuple[File, ...]

    @property
    def num_bytes(self) -> int:
        """The size of all files, unpacked."""
        return sum(file.num_bytes for file in self.files)

    @property
    def checked(self) -> str:
        """Whether the hashes of all files are those of their pinned sources."""
        return "hash known" if all(file.checked for file in self.files) else "not checked"

    @property
    def folder(self) -> str:
        """The folder that all its files are in, relative to the data folder."""
        return posixpath.commonpath([posixpath.dirname(file.path) for file in self.files])


@cache
def catalogue() -> dict[str, Entry]:
    """Return all entries by name."""
    room = files("tagger.catalogue")
    facts = tomllib.loads(room.joinpath("corpora.toml").read_text(encoding="utf-8"))
    rows = csv.DictReader(
        room.joinpath("files.tsv").read_text(encoding="utf-8").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE
    )
    archives = {
        name: Source(archive["url"], archive["bytes"], archive.get("sha256"))
        for name, archive in facts["archives"].items()
    }
    listed: dict[str, list[File]] = {name: [] for name in facts["corpora"]}
    for row in rows:
        listed[row["corpus"]].append(_file(row, archives))
    return {
        name: Entry(
            name=name,
            licence_url=facts["licences"][given["licence"]],
            files=tuple(listed[name]),
            **{"changes": "", **given},
        )
        for name, given in facts["corpora"].items()
    }


def _file(row: dict[str, str], archives: dict[str, Source]) -> File:
    """Return the file of one row; its source is `OWNER/REPOSITORY@COMMIT` or the name of an archive."""
    size, archive = int(row["bytes"]), archives.get(row["source"])
    url = f"{RAW}/{row['source'].replace('@', '/')}/{quote(row['file'])}"
    return File(
        path=inside(row["path"]),
        num_bytes=size,
        sha256=row["sha256"],
        checked=row["checked"] == "hash known",
        source=archive or Source(url, size, row["sha256"]),
        members=tuple(row["file"].split("|")) if archive else (),
        conversion=row["conversion"],
    )


def inside(path: str) -> str:
    """Return a path that cannot leave the folder that it is relative to.

    Raises:
        ValueError: It can.
    """
    if not path or "\\" in path or ":" in path or path.startswith("/") or ".." in PurePosixPath(path).parts:
        raise ValueError(f"a path of the catalogue must stay in the data folder, got {path!r}")
    return path


def entry(name: str) -> Entry:
    """Return the entry of a name.

    Raises:
        RecipeError: There is no such entry.
    """
    known = catalogue()
    if name not in known:
        near = get_close_matches(name.lower(), known, n=1)
        advice = f"did you mean `{near[0]}`?" if near else "see `tagger data list`"
        raise RecipeError(f"{name}: no such corpus; {advice}")
    return known[name]


def names_for(paths: Iterable[str]) -> list[str]:
    """Return the names of the entries that hold these files and folders of a data folder; other paths are ignored."""
    files = [(f"{file.path}/", one.name) for one in catalogue().values() for file in one.files]
    wanted = [f"{PurePosixPath(path).as_posix()}/" for path in paths]
    return list(dict.fromkeys(name for path in wanted for file, name in files if file.startswith(path)))
