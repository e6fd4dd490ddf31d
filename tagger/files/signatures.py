"""Files that are no text, recognised by their first bytes, with what to do with them."""

from tagger.errors import DataError

OFFICE = {  # by the name of a part in the archive
    b"word/": ("a Word document", "save it as plain text in UTF-8"),
    b"xl/": ("an Excel workbook", "save the sheet as CSV in UTF-8"),
    b"mimetypeapplication/vnd.oasis": ("an OpenDocument file", "save it as plain text or CSV in UTF-8"),
}
SIGNATURES = {
    b"%PDF-": ("a PDF", "extract its text first, such as with pdftotext"),
    b"PAR1": ("a Parquet file", 'read it as a dataset: `dataset = "parquet"` with `data_files`, or pass its folder'),
    b"ARROW1": ("an Arrow file", "pass the folder of its dataset"),
    b"\xd0\xcf\x11\xe0": ("an old Word or Excel file", "save it as plain text or CSV in UTF-8"),
    b"SQLite format 3": ("an SQLite database", "export its table as CSV"),
    b"\x93NUMPY": ("a NumPy array", "write its contents as JSON lines"),
    b"\x80\x02": ("a pickle", "load it in Python and write JSON lines"),
    b"\x80\x03": ("a pickle", "load it in Python and write JSON lines"),
    b"\x80\x04": ("a pickle", "load it in Python and write JSON lines"),
    b"\x80\x05": ("a pickle", "load it in Python and write JSON lines"),
    b"PK\x03\x04": ("a zip archive", "unpack it and name a file in it"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "unpack it and name a file in it"),
    b"BZh": ("a bzip2 file", "unpack it with bunzip2"),
    b"\xfd7zXZ": ("an xz file", "unpack it with unxz"),
    b"\x28\xb5\x2f\xfd": ("a zstd file", "unpack it with unzstd"),  # standard input, or a file that is packed twice
    b"\x1f\x8b": ("a gzip file", "unpack it with gunzip"),
    b"{\\rtf": ("an RTF document", "save it as plain text in UTF-8"),
}


def refuse_known_binary(start: bytes, where: str) -> None:
    """Refuse the first line of a file that shows a kind of file which is no text.

    Raises:
        DataError: It is such a file.
    """
    for signature, (name, advice) in SIGNATURES.items():
        if start.startswith(signature):
            if signature == b"PK\x03\x04":
                name, advice = next((said for part, said in OFFICE.items() if part in start), (name, advice))
            raise DataError(f"{where}: looks like {name}, which tagger does not read as text; {advice}")
