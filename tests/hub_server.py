"""A local stand-in of the Hugging Face hub: the part of its HTTP API that models need."""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha1
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote, urlsplit

import huggingface_hub
import pytest
from file_server import running
from huggingface_hub import constants

MISSING: dict[str, str] = {}  # what an answer without content says


class Hub:
    """Repositories, and what was asked for.

    commits: for each commit its files. branches: for each repository its branches, and the commit of each. private,
    gated: repositories that need a token, or more than that. sizes: what the hub says of the size of a file, if that is
    not its own. refused: an HTTP status for all requests. says: the answer to all requests, such as a login page.
    asked: the method and path of each request. tokens: what came with them.
    """

    def __init__(self) -> None:
        self.commits: dict[str, dict[str, bytes]] = {}
        self.branches: dict[str, dict[str, str]] = {}
        self.private: set[str] = set()
        self.gated: set[str] = set()
        self.sizes: dict[str, int] = {}
        self.refused: int | None = None
        self.says: bytes | None = None
        self.asked: list[tuple[str, str]] = []
        self.tokens: set[str | None] = set()
        self.endpoint = ""

    def commit(self, repo: str, files: Mapping[str, bytes], branch: str = "main") -> str:
        """Add files to those of a branch, and return the new commit."""
        branches = self.branches.setdefault(repo, {})
        before = self.commits.get(branches.get(branch, branches.get("main", "")), {})
        commit = sha1(f"{repo} {branch} {len(self.commits)}".encode()).hexdigest()
        self.commits[commit] = {**before, **files}
        branches[branch] = commit
        return commit

    def files(self, repo: str, revision: str = "main") -> dict[str, bytes]:
        return self.commits[self.branches[repo].get(revision, revision)]

    def downloads(self) -> list[str]:
        """The names of the files whose content was asked for."""
        return sorted(
            {path.rpartition("/")[2] for method, path in self.asked if method == "GET" and "/resolve/" in path}
        )


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.answer()

        def do_HEAD(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def answer(self, body: bytes = b"") -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append((self.command, path))
            hub.tokens.add(self.headers.get("Authorization"))
            if hub.refused is not None:
                return self.send(hub.refused)
            if hub.says is not None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(hub.says)))
                self.end_headers()
                self.wfile.write(hub.says)
                return None
            match path.strip("/").split("/"):
                case ["api", "repos", "create"]:
                    return self.create(json.loads(body))
                case ["api", "validate-yaml"]:
                    return self.send(200, {"errors": [], "warnings": []})
                case ["api", "models", owner, name, *rest] if self.may(f"{owner}/{name}"):
                    return self.model(f"{owner}/{name}", rest, body)
                case [owner, name, "resolve", *rest] if self.may(f"{owner}/{name}"):
                    return self.resolve(f"{owner}/{name}", "/".join(rest[:-1]), rest[-1])
                case [owner, name, *_] if f"{owner}/{name}" in hub.gated or "models" in path:
                    gated = any(repo in path for repo in hub.gated)
                    return self.send(403 if gated else 401, error="GatedRepo" if gated else "RepoNotFound")
            return self.send(404, error="RepoNotFound")

        def may(self, repo: str) -> bool:
            token = self.headers.get("Authorization")
            return repo in hub.branches and repo not in hub.gated and not (repo in hub.private and token is None)

        def create(self, asked: dict[str, str]) -> None:
            repo = f"{asked.get('organization') or 'somebody'}/{asked['name']}"
            known = repo in hub.branches
            if not known:
                hub.commit(repo, {".gitattributes": b"*.safetensors filter=lfs\n"})
                hub.private |= {repo} if asked.get("visibility") == "private" else set()
            self.send(409 if known else 200, {"url": f"{hub.endpoint}/{repo}", "name": repo})

        def model(self, repo: str, rest: list[str], body: bytes) -> None:
            kind, revision = (rest[0], "/".join(rest[1:])) if rest else ("revision", "main")
            if kind == "branch":
                known = revision in hub.branches[repo]
                hub.branches[repo].setdefault(revision, hub.branches[repo]["main"])
                return self.send(409 if known else 200, {})
            commit = self.commit_of(repo, revision)
            if commit is None:
                return self.send(404, error="RevisionNotFound")
            if kind == "preupload":
                files = [file["path"] for file in json.loads(body)["files"]]
                modes = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in files]
                return self.send(200, {"files": modes})
            if kind == "commit":
                lines = [json.loads(line) for line in body.splitlines()]
                new = {line["value"]["path"]: line["value"]["content"] for line in lines if line["key"] == "file"}
                made = hub.commit(repo, {path: b64decode(content) for path, content in new.items()}, revision)
                url = f"{hub.endpoint}/{repo}/commit/{made}"
                return self.send(200, {"success": True, "commitUrl": url, "commitOid": made})
            found = {path: hub.sizes.get(path, len(content)) for path, content in hub.commits[commit].items()}
            if kind == "tree":
                return self.send(200, [{"type": "file", "path": p, "size": n, "oid": p} for p, n in found.items()])
            siblings = [{"rfilename": path, "size": size, "blobId": path} for path, size in found.items()]
            return self.send(200, {"id": repo, "sha": commit, "siblings": siblings})

        def resolve(self, repo: str, revision: str, name: str) -> None:
            commit = self.commit_of(repo, revision)
            content = hub.commits[commit].get(name) if commit else None
            if content is None:
                self.send(404, error="EntryNotFound" if commit else "RevisionNotFound")
                return
            self.send_response(200)
            self.send_header("ETag", f'"{sha1(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", str(commit))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def commit_of(self, repo: str, revision: str) -> str | None:
            commit = hub.branches[repo].get(revision, revision)
            return commit if commit in hub.commits else None

        def send(self, status: int, value: object = MISSING, *, error: str | None = None) -> None:
            content = json.dumps(value).encode()
            self.send_response(status)
            if error is not None:
                self.send_header("X-Error-Code", error)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    return Handler


@contextmanager
def serving() -> Iterator[Hub]:
    """Serve until the context ends."""
    hub = Hub()
    with running(handler(hub)) as hub.endpoint:
        yield hub


@contextmanager
def reached(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Hub]:
    """Serve until the context ends, as the only hub that `huggingface_hub` knows, with its cache in a folder."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as hub:
        template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        for name, value in {
            "ENDPOINT": hub.endpoint,  # what HF_ENDPOINT sets
            "HUGGINGFACE_CO_URL_TEMPLATE": template,
            "HF_HUB_OFFLINE": False,
            "HF_HUB_CACHE": str(folder / "cache"),
            "HF_TOKEN_PATH": str(folder / "token"),
            "HF_HUB_DISABLE_XET": True,
        }.items():
            monkeypatch.setattr(constants, name, value)
        huggingface_hub.close_session()
        try:
            yield hub
        finally:
            huggingface_hub.close_session()
