"""The processes of a service: one, or several that share a port."""

import gc
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from errno import EACCES, EADDRINUSE
from multiprocessing import parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from tagger.errors import ModelError, RecipeError
from tagger.inference.loading import fast_backend
from tagger.model.folder.opening import model_path
from tagger.model.hub.address import address_of
from tagger.serving.app import create_app
from tagger.serving.limits import Limits
from tagger.tagging import Tagger, load

if TYPE_CHECKING:
    from fastapi import FastAPI

SETTINGS, KEY = "TAGGER_SERVE", "TAGGER_API_KEY"  # variables; a key in the command could be seen by all users
COLLECTED_AFTER = 700  # new objects; with the larger number of the command, memory grew by 1 MB per 1,000 requests
PATIENCE = 30  # seconds that requests have to end when the service stops


def named_models(models: Iterable[str]) -> dict[str, str]:
    """Return the folders of models by their names in the service: `NAME=FOLDER`, or the name of the folder.

    A model of the Hugging Face hub has the name of its repository.

    Raises:
        ModelError: Two have the same name.
    """
    found: dict[str, str] = {}
    for given in models:
        name, _, folder = given.rpartition("=") if "=" in given and not Path(given).exists() else ("", "", given)
        address = address_of(folder)
        path = Path(folder if address is None else address.repo)
        name = name or (path.resolve().parent.name if path.name == "model" else path.name or path.resolve().name)
        if name in found:
            raise ModelError(f"{given}: two models must have different names, got `{name}` twice; write NAME={folder}")
        found[name] = folder
    return found


def serve(
    models: Mapping[str, str],
    *,
    host: str,
    port: int,
    workers: int,
    limits: Limits,
    log_texts: bool = False,
    **loading: Any,
) -> None:
    """Serve models until a signal ends it; requests that were taken are finished first.

    Args:
        models: Their folders by name.
        host: The address to listen at.
        port: The port.
        workers: Number of processes, each with its own copy of the models.
        limits: What a request may have.
        log_texts: Whether the log has the texts.
        loading: Arguments of `tagger.load`.

    Raises:
        ModelError: A model cannot be loaded.
        RecipeError: The port is in use.
    """
    check_address(host, port)
    settings = {"models": dict(models), "limits": asdict(limits), "log_texts": log_texts, "loading": loading}
    os.environ[SETTINGS] = json.dumps(settings)
    shown = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    sys.stderr.write(f"{', '.join(models)} at {shown} (Ctrl-C stops the service)\n")
    if workers == 1:
        application: Any = application_of(settings)
    else:
        loaded(settings)  # so that a mistake ends in one sentence here, and not in each process
        application = "tagger.serving.run:application"
    uvicorn.run(
        application,
        host=host,
        port=port,
        workers=workers,
        factory=workers > 1,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=PATIENCE,
        timeout_worker_healthcheck=PATIENCE,  # a process that starts on a busy machine is no process that hangs
        server_header=False,
    )


def check_address(host: str, port: int) -> None:
    """Raise RecipeError if a host is not known, or a port is in use or may not be used; a server says all else."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:  # the latter for names such as `a..b`
        raise RecipeError(
            f"--host: expected a name or an address of this machine, got {host!r}: {error}; use 127.0.0.1 for this "
            "machine alone, or 0.0.0.0 for all of its addresses"
        ) from None
    for family, kind, protocol, _, address in addresses:
        try:
            with socket.socket(family, kind, protocol) as probe:
                if sys.platform != "win32":  # as servers do, because a port of a server that ended is free
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            if error.errno in (EADDRINUSE, EACCES):
                raise RecipeError(
                    f"--port: expected a free port at {host}, got {port}: {error.strerror}; choose another one"
                ) from None


def application() -> "FastAPI":
    """Return the service of a process, by the settings of the process that began it and with which it ends."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return application_of(json.loads(os.environ[SETTINGS]))


def _end_with_parent() -> None:
    """End this process after the one that began it, which may be killed: what is left would keep the port."""
    if (parent := parent_process()) is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def application_of(settings: Mapping[str, Any]) -> "FastAPI":
    """Return the service with these settings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger("tagger.serving")
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)
    key = os.environ.get(KEY) or None
    limits = Limits(**settings["limits"])
    app = create_app(loaded(settings), limits=limits, key=key, log_texts=settings["log_texts"])
    gc.collect()
    gc.freeze()  # models stay, so looking for garbage among them would only take time
    gc.set_threshold(COLLECTED_AFTER)
    return app


def loaded(settings: Mapping[str, Any]) -> dict[str, Tagger]:
    """Return the models by name."""
    found = {}
    for name, folder in settings["models"].items():
        loading = dict(settings["loading"])
        if loading.get("backend") == "auto" and loading.get("device") == "cpu":
            loading["backend"] = fast_backend(model_path(folder))  # few texts at a time are faster without torch
        found[name] = load(folder, **loading)
    return found
