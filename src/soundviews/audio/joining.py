"""Several corpora as one, and single recordings as a corpus."""

import os
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from soundviews.audio.corpus import SCHEMA, Corpus, Skipped, to_schema
from soundviews.audio.known import look_at
from soundviews.audio.repeats import first_rows

ABSOLUTE = r"^([A-Za-z]:)?[\\/]" if os.name == "nt" else "^/"


def join(corpora: Sequence[Corpus]) -> Corpus:
    """The clips of all corpora in their order, under the deepest folder above them.

    A clip that several of them hold is there once, as the first of them has it. The classes are those of all.
    """
    root = os.path.commonpath([os.path.abspath(corpus.root) for corpus in corpora])
    vocabulary = sorted({name for corpus in corpora for name in corpus.vocabulary})
    table = pa.concat_tables([_moved(corpus, root, vocabulary) for corpus in corpora])
    skipped = [entry for corpus in corpora for entry in corpus.skipped]
    if table.num_rows:
        table = table.filter(pa.array(first_rows(table) == np.arange(table.num_rows)))
    return Corpus(root, table, vocabulary, list(dict.fromkeys(skipped)))


def corpus_of_files(
    paths: Sequence[str], strict: bool = False, workers: int | None = None, progress: bool = True
) -> Corpus:
    """A clip for each recording, in their order; those that cannot be read are skipped.

    Args:
        paths: At least one file.
        strict: Stop at the first that cannot be read.
    """
    root = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths])
    skipped = [Skipped(repr(os.fsencode(path)), "its name is not valid UTF-8") for path in paths if not is_text(path)]
    names = [os.path.abspath(path) for path in paths if is_text(path)]
    names = list(dict.fromkeys(names))
    relative = pa.array([os.path.relpath(name, root) for name in names], pa.string())
    opened = look_at(root, relative, None, True, workers, progress, strict)
    skipped += [Skipped(names[index], reason) for index, reason in opened.reasons.items()]
    kept = np.flatnonzero(~np.isnan(opened.seconds))
    columns = {
        "path": relative.take(pa.array(kept)),
        "start": np.zeros(len(kept)),
        "duration": opened.seconds[kept],
        "labels": [[] for _ in kept],
        "content": opened.contents[kept],
    }
    return Corpus(root, to_schema(columns, len(kept)), [], skipped)


def _moved(corpus: Corpus, root: str, vocabulary: list[str]) -> pa.Table:
    """The table of a corpus with paths from another root and the labels of another vocabulary."""
    table = corpus.table
    prefix = os.path.relpath(os.path.abspath(corpus.root), root)
    if prefix != os.curdir:
        below = pc.binary_join_element_wise(prefix, table["path"], os.sep)
        paths = pc.if_else(pc.match_substring_regex(table["path"], ABSOLUTE), table["path"], below)
        table = table.set_column(SCHEMA.get_field_index("path"), SCHEMA.field("path"), paths)
    if corpus.vocabulary and corpus.vocabulary != vocabulary:
        index = {name: number for number, name in enumerate(vocabulary)}
        numbers = pa.array([index[name] for name in corpus.vocabulary], pa.int32())
        lists = table["labels"].combine_chunks()
        counts = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        labels = pa.ListArray.from_arrays(offsets, numbers.take(pc.list_flatten(lists)))
        table = table.set_column(SCHEMA.get_field_index("labels"), SCHEMA.field("labels"), labels)
    return table.cast(SCHEMA)


def is_text(path: str) -> bool:
    """Whether a path can be kept in a table, which a name in another encoding than UTF-8 cannot."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
