"""The command `serve`."""

from typing import Annotated

import typer

from tagger.cli.arguments import BackendOption, DeviceOption, ThreadsOption


def serve(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            help="Folders of runs or models, `english`, or hf://owner/name; NAME=FOLDER gives a name.",
        ),
    ],
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Number of processes, each with all models.")] = 1,
    max_body: Annotated[int, typer.Option(min=1, help="Largest size of a request, in bytes.")] = 10_000_000,
    max_text: Annotated[int, typer.Option(min=1, help="Largest length of a text, in characters.")] = 1_000_000,
    max_waiting: Annotated[int, typer.Option(min=1, help="Largest number of waiting texts.")] = 20_000,
    timeout: Annotated[float, typer.Option(min=0.001, help="Longest time for a request, in seconds.")] = 60.0,
    log_texts: Annotated[bool, typer.Option("--log-texts", help="Write the texts of requests to the log.")] = False,
    backend: BackendOption = "auto",
    device: DeviceOption = "cpu",
    threads: ThreadsOption = None,
) -> None:
    """Serve models over HTTP, with a page to try them. Needs the extra `serve`.

    POST /tag takes {"text": ...} or {"texts": [...]}, POST /tag/stream a text per line; GET /info, /health, /ready,
    /metrics (Prometheus), /openapi.json. Texts of several requests are tagged together. The log on standard error has
    one JSON line per request, without its texts.

    If the variable TAGGER_API_KEY is set, clients must send it as X-API-Key or Authorization: Bearer.
    """
    from tagger.serving.limits import Limits
    from tagger.serving.run import named_models
    from tagger.serving.run import serve as run

    limits = Limits(body=max_body, text=max_text, waiting=max_waiting, seconds=timeout)
    run(
        named_models(models),
        host=host,
        port=port,
        workers=workers,
        limits=limits,
        log_texts=log_texts,
        backend=backend,
        device=device,
        threads=threads,
    )
