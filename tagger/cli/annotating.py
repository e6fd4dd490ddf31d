"""The command `annotate`, and `annotations` to export and merge projects."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tagger.cli.arguments import (
    ColumnsOption,
    EncodingOption,
    InputOption,
    JsonOption,
    TextOption,
    input_lines,
    names_of,
    print_json,
    settings_of_form,
    split_columns,
)
from tagger.errors import RecipeError
from tagger.text.choices import MOST_SEED, InputFormat
from tagger.wording import counted, visible

if TYPE_CHECKING:
    from tagger.annotation import Project
    from tagger.tagging import Tagger
    from tagger.text.document import Document
    from tagger.text.sentence import Sentence

PROJECT, SIGNATURE = ".sqlite", b"SQLite format 3"
REOPENING = {"person", "host", "port"}  # options for a project that is opened again
Form = tuple[InputFormat | None, str | None, str | None, str | None]  # format, columns, key of the text, encoding
ProjectArgument = Annotated[Path, typer.Argument(metavar="FILE.sqlite", help="Project of tagger annotate.")]


def annotate(
    context: typer.Context,
    texts: Annotated[
        list[str],
        typer.Argument(metavar="TEXTS...", help="Files of texts, as for tagger tag; or a project, to open it again."),
    ],
    types: Annotated[str | None, typer.Option(help="Types of entities, such as PER,ORG.")] = None,
    start: Annotated[
        str, typer.Option(metavar="MODEL", help="Model that trainings start from, and that suggests types it knows.")
    ] = "english",
    output: Annotated[
        Path | None, typer.Option(help="Project to make. Default: the name of the first file, with .sqlite.")
    ] = None,
    dev: Annotated[
        Path | None,
        typer.Option(help="File with gold entities to score the model on. Default: a fifth of the texts is held out."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of the order of texts and of trainings.")] = 1,
    person: Annotated[str | None, typer.Option(help="Name to save with judgements. Default: your user name.")] = None,
    input_format: InputOption = None,
    columns: ColumnsOption = None,
    text: TextOption = None,
    encoding: EncodingOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Annotate entities on a page of your own machine, with a model that learns beside you. Needs the extra `serve`.

    Everything is in one file, the project: texts, judgements and settings. Each judgement is on the disk before the
    page goes on. After every 20 judgements a model is trained, which suggests entities and chooses the next texts.
    """
    import uvicorn

    from tagger.annotation.app import create_app
    from tagger.annotation.project import Project
    from tagger.serving.run import check_address

    check_address(host, port)
    if len(texts) == 1 and _is_project(texts[0]):
        _check_options(context, texts[0])
        project = Project(texts[0], person=person)
    else:
        form = (input_format, columns, text, encoding)
        project = _made(texts, types, start, output, dev, seed, person, form)
    shown = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    found = project.progress()
    counts = f"{counted(found['texts'], 'text')}, {counted(found['judgements'], 'judgement')}"
    sys.stderr.write(f"{visible(f'{project.store.path}: {counts}')}\n")
    sys.stderr.write(f"annotate at {shown} (Ctrl-C ends; tagger annotate {visible(str(project.store.path))} goes on)\n")
    try:
        uvicorn.run(create_app(project), host=host, port=port, log_level="warning", server_header=False)
    finally:
        project.close()


def _is_project(file: str) -> bool:
    """Whether a file has the name of a project, or is a database."""
    with suppress(OSError), Path(file).open("rb") as stream:
        if stream.read(len(SIGNATURE)) == SIGNATURE:
            return True
    return Path(file).suffix.lower() == PROJECT


def _check_options(context: typer.Context, file: str) -> None:
    """Raise RecipeError if there are options that only a new project needs."""
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.param_type_name == "option" and parameter.name not in REOPENING
        if (source := context.get_parameter_source(parameter.name or "")) and source.name == "COMMANDLINE"
    ]
    if given:
        raise RecipeError(
            f"{file}: a project has its own settings, got options for a new one: {', '.join(given)}; remove them"
        )


def _made(
    texts: list[str],
    types: str | None,
    start: str,
    output: Path | None,
    dev: Path | None,
    seed: int,
    person: str | None,
    form: Form,
) -> "Project":
    """Return a new project."""
    from tagger.annotation.checking import checked_types
    from tagger.annotation.project import Project
    from tagger.tagging import load

    if types is None:
        raise RecipeError("--types must name the types of entities, such as --types PER,ORG, got none")
    names = checked_types(names_of(types))
    tagger = load(start, backend="auto")
    path = output or Path(texts[0]).with_suffix(PROJECT)
    gold = _gold(dev) if dev is not None else ()
    return Project.create(
        path, _documents(tagger, texts, *form), types=names, start=start, gold=gold, seed=seed, person=person
    )


def _documents(
    tagger: "Tagger",
    files: list[str],
    input_format: InputFormat | None,
    columns: str | None,
    text: str | None,
    encoding: str | None,
) -> Iterator["Document"]:
    """Yield the documents of files, as `tagger tag` reads them."""
    from tagger.cli.tagging.inputs import format_of_input, shown_columns
    from tagger.tagging import read_documents

    for file in files:
        format = input_format or format_of_input(file, tagger.model)
        form = settings_of_form(format, text=text, encoding=encoding)
        with ExitStack() as stack:
            lines = stack.enter_context(input_lines(file)) if format not in ("brat", "docbin") else ()
            yield from read_documents(
                tagger,
                lines,
                format=format,
                columns=split_columns(columns, format) or shown_columns(file, format),
                where="standard input" if file == "-" else file,
                form=form,
            )


def _gold(path: Path) -> list["Sentence"]:
    """Return the sentences of a file with gold entities, whose format and columns it shows."""
    from tagger.corpus.corpus import load_corpus
    from tagger.formats.detection import detect_reading
    from tagger.formats.source import source_of

    format, columns = detect_reading(list(source_of(path).lines()), where=str(path))
    read = load_corpus(train=str(path), dev=str(path), format=format, **({"columns": columns} if columns else {}))
    return list(read.dev)


annotations = typer.Typer(
    help="Export and merge the projects of tagger annotate.",
    epilog="Example: tagger annotations export notes.sqlite --output notes.jsonl",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@annotations.command("export", epilog="Example: tagger annotations export notes.sqlite --output notes.jsonl")
def export_annotations(
    project: ProjectArgument,
    output: Annotated[Path, typer.Option(help="File to write.")],
    format: Annotated[
        str | None,
        typer.Option(help="Format: conll, csv, docbin, doccano, jsonl, labelstudio or spacy. Default: by name."),
    ] = None,
    only_whole: Annotated[
        bool, typer.Option("--only-whole", help="Write only sentences all of whose tokens are judged.")
    ] = False,
) -> None:
    """Write the judged sentences of a project; tokens that nobody judged stay unknown where the format can say so."""
    from tagger.annotation.exporting import export, format_of_name
    from tagger.annotation.store.store import Store

    store = Store(project)
    try:
        said = export(store, format or format_of_name(output), output, only_whole=only_whole)
    finally:
        store.close()
    sys.stderr.write(f"{visible(said)}\n")


@annotations.command("merge", epilog="Example: tagger annotations merge mine.sqlite hers.sqlite --output both.sqlite")
def merge_annotations(
    one: Annotated[Path, typer.Argument(metavar="A.sqlite", help="Project of tagger annotate.")],
    other: Annotated[Path, typer.Argument(metavar="B.sqlite", help="Project of another person on the same texts.")],
    output: Annotated[Path, typer.Option(help="Project to make.")],
    prefer: Annotated[
        Literal["A", "B"] | None,
        typer.Option(help="Whose judgements hold where both conflict. Default: nobody's; the tokens become unknown."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a project with the judgements of two people, and print how far they agree: kappa, F1 and conflicts."""
    from tagger.annotation import merge

    agreement = merge(one, other, output, prefer=prefer)
    if as_json:
        print_json(agreement.to_dict())
    else:
        sys.stdout.write(f"{visible(str(agreement))}\n")
