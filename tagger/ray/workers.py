"""What runs in the processes of Ray: each loads the model once, and tags the tables or the blocks that it is given."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.errors import ModelError
from tagger.files.writing import replaced
from tagger.integrations.tables import tag_dataframe
from tagger.ray.blocks import Block, slices, tables_of
from tagger.tagging import Tagger, load

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True, slots=True)
class Work:
    """What to do with each text.

    Args:
        model: The name or the folder of the model.
        loading: Keyword arguments of `tagger.load`.
        text: The column of texts.
        prefix: Begins the names of the new columns.
    """

    model: str
    loading: Mapping[str, Any]
    text: str
    prefix: str

    def load(self) -> Tagger:
        """Return the model."""
        return load(self.model, **self.loading)


class Worker:
    """Tags the tables of a dataset.

    Args:
        work: What to do.
        sha256: The SHA-256 of the model, which must be the same on every machine.
    """

    def __init__(self, work: Work, sha256: str | None) -> None:
        self._work, self._model = work, work.load()
        source = self._model.model.source
        found = source.sha256 if source else None
        if found != sha256:
            raise ModelError(
                f"{work.model}: must be the same model on every machine, got {sha256} where the job was started and "
                f"{found} on another; copy the folder to all of them"
            )

    def __call__(self, table: "pyarrow.Table") -> "Iterator[pyarrow.Table]":
        """Yield the rows of a table with what the model finds in their texts.

        The result of a slice depends on its texts alone, so that a table that is tagged again gets the same bits.
        """
        for part in slices(table, self._work.text):
            self._model.backend.forget()
            yield tag_dataframe(self._model, part, text=self._work.text, prefix=self._work.prefix)


class Writer(Worker):
    """Tags blocks of files, and writes each as a Parquet file, whole or not at all.

    Args:
        work: What to do.
        sha256: As for `Worker`.
        schema: The columns of the blocks.
    """

    def __init__(self, work: Work, sha256: str | None, schema: "pyarrow.Schema") -> None:
        super().__init__(work, sha256)
        self._schema = schema

    def __call__(self, jobs: "pyarrow.Table") -> "Iterator[pyarrow.Table]":
        """Yield the number of rows of each block when its file, `output`, is written."""
        import pyarrow

        for job in jobs.to_pylist():
            output = Path(job.pop("output"))
            yield pyarrow.table({"rows": [self._write(Block(**job), output)]})

    def _write(self, block: Block, output: Path) -> int:
        from pyarrow import parquet

        rows = 0
        with replaced(output) as stream:
            writer = None
            for table in tables_of(block, self._schema):
                for tagged in super().__call__(table):
                    writer = writer or parquet.ParquetWriter(stream, tagged.schema)
                    writer.write_table(tagged)
                    rows += tagged.num_rows
            if writer is not None:
                writer.close()
        return rows
