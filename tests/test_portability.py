"""Nothing in the source needs a POSIX system: no shell, no fork, no separator, no encoding of the machine's own."""

import ast
import functools
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

import soundviews
from soundviews.audio import store
from soundviews.audio.corpus import Corpus
from soundviews.audio.joining import join
from soundviews.audio.loader import training_loader
from soundviews.datasets.opening import open_corpus

SOURCE = Path(soundviews.__file__).parent
POSIX_MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog"}
POSIX_NAMES = {
    "fork", "forkpty", "getuid", "geteuid", "killpg", "setsid", "statvfs", "uname", "mkfifo", "system", "popen",
    "pread", "pwrite", "sched_getaffinity", "posix_fallocate", "SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM",
}  # fmt: skip
TEXT = {"read_text": 0, "write_text": 1}  # position of the encoding


@functools.cache
def statements() -> list[tuple[str, ast.AST]]:
    """Every node of the source, with its file and line."""
    return [
        (f"{path.relative_to(SOURCE).as_posix()}:{getattr(node, 'lineno', 0)}", node)
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]


def test_no_module_of_posix_alone_is_imported() -> None:
    guarded = {"core/locks.py"}  # behind a look at sys.platform, with what Windows has beside it
    found = [
        where
        for where, node in statements()
        if (isinstance(node, ast.Import) and {name.name for name in node.names} & POSIX_MODULES)
        or (isinstance(node, ast.ImportFrom) and node.module in POSIX_MODULES)
    ]
    assert [where for where in found if where.rpartition(":")[0] not in guarded] == []


def test_what_posix_alone_has_is_asked_for_first() -> None:
    """`os.pread` only in a file that says `hasattr(os, "pread")`, and no shell at all."""
    found = []
    for where, node in statements():
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("os", "signal"):
            guard = f'hasattr({node.value.id}, "{node.attr}")'
            if node.attr in POSIX_NAMES and guard not in (SOURCE / where.rpartition(":")[0]).read_text(
                encoding="utf-8"
            ):
                found.append(where)
        if isinstance(node, ast.keyword) and node.arg == "shell":
            found.append(where)
    assert found == []


def test_text_is_read_and_written_in_one_encoding() -> None:
    found = []
    for where, node in statements():
        if not isinstance(node, ast.Call) or any(keyword.arg == "encoding" for keyword in node.keywords):
            continue
        if isinstance(node.func, ast.Attribute) and len(node.args) <= TEXT.get(node.func.attr, -1):
            found.append(where)
        if isinstance(node.func, ast.Name) and node.func.id == "open":
            mode = node.args[1] if len(node.args) > 1 else ast.Constant("r")
            if not (isinstance(mode, ast.Constant) and "b" in str(mode.value)):
                found.append(where)
    assert found == []


@pytest.fixture
def recordings(write_audio: Callable[..., Path], tmp_path: Path) -> Path:
    for index in range(4):
        write_audio(f"recordings/{'ab'[index % 2]}/{index}.wav", seconds=0.3, seed=index)
    return tmp_path / "recordings"


def test_a_loader_can_be_sent_to_a_process_that_was_not_forked(recordings: Path) -> None:
    loader = training_loader(open_corpus(recordings), 16_000, batch_size=2, seed=0, start_step=0, steps=2)
    dataset, worker_init = pickle.loads(pickle.dumps((loader.dataset, loader.worker_init_fn)))
    assert (dataset[1].samples == loader.dataset[1].samples).all() and callable(worker_init)


def test_a_store_where_files_cannot_be_read_at_a_position(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = open_corpus(recordings)
    first = [store.ClipStore(corpus, 16_000)[index] for index in range(len(corpus))]
    monkeypatch.delattr(os, "pread")
    monkeypatch.delattr(os, "pwrite")
    written = [store.ClipStore(corpus, 8_000)[index] for index in range(len(corpus))]
    monkeypatch.setattr(Corpus, "read", None)  # what is kept is not decoded again
    for rate, expected in ((16_000, first), (8_000, written)):
        kept = store.ClipStore(corpus, rate)
        assert all((kept[index] == samples).all() for index, samples in enumerate(expected))


def test_paths_in_a_corpus_have_one_separator(recordings: Path) -> None:
    corpus = open_corpus(recordings)
    assert corpus.table["path"].to_pylist() == ["a/0.wav", "a/2.wav", "b/1.wav", "b/3.wav"]
    joined = join([open_corpus(recordings / "a"), open_corpus(recordings / "b")])
    assert [Path(path).name for path in joined.table["path"].to_pylist()] == ["0.wav", "2.wav", "1.wav", "3.wav"]
    assert all(Path(joined.clip(row).path).is_file() for row in range(4))
