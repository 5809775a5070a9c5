"""Documents: files and addresses -> Markdown -> passages.

convert       many files, in parallel, none twice           chunking      a document -> chunks, with
fetching      addresses                                     blocks        what must stay whole
cache         where conversions are kept                    packing       what goes together
file_names    what a document's files are called            passages      chunks that others have cut
outlines      what a document is called                     chunk_folder  chunks for others
seeds         what a teacher is told of a document          sensitive     secrets, personal data, with
screening     what is done with them                        numbers       that name somebody
                                                            injection     orders to a model that reads
"""

from .convert import check_failures, convert, convert_each, document_row, reading, unconverted
from .screening import listed, notice, screen

__all__ = [
    "check_failures",
    "convert",
    "convert_each",
    "document_row",
    "listed",
    "notice",
    "reading",
    "screen",
    "unconverted",
]
