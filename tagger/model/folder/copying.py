"""The files of a model as bytes, to be kept inside something else, such as a pipeline of spaCy."""

from hashlib import sha256

from tagger.errors import ModelError
from tagger.files.hashes import CONFIG, HASHES
from tagger.model.folder.feature_files import FEATURE_BYTES
from tagger.model.folder.opening import parse, read_file, read_of_one_save
from tagger.model.model import Source


def copied_files(source: Source) -> dict[str, bytes]:
    """Return the bytes of each file of the folder that a model was loaded from, with its card and licences.

    Raises:
        ModelError: A file cannot be read, or the folder holds another model by now.
    """
    folder = source.folder

    def read() -> dict[str, bytes]:
        names = [path.name for path in sorted(folder.glob("[!.]*")) if path.is_file()]
        return {name: read_file(folder / name, FEATURE_BYTES) for name in {CONFIG: None, **dict.fromkeys(names)}}

    files = read_of_one_save(folder, read)
    config = files[CONFIG]
    if HASHES in parse(folder / CONFIG, config) and sha256(config).hexdigest() != source.sha256:
        raise ModelError(
            f"{folder}: must hold the model that was loaded, but holds another one now; load this model and save that"
        )
    return files
