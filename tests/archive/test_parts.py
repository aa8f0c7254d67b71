"""Parts that are missing or damaged are made anew, and one process at a time writes an archive."""

import json
import os
import threading
from contextlib import contextmanager

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from soundviews.archive import embed as embed_module
from soundviews.archive import parts as parts_module
from soundviews.archive.embed import embed_files
from soundviews.archive.parts import METADATA_KEY, Parts
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus

from .conftest import FakeModel


@pytest.fixture
def corpus(tmp_path):
    """Two recordings of a minute, and one that is none."""
    (tmp_path / "data").mkdir()
    rng = np.random.default_rng(0)
    for name in "ab":
        soundfile.write(tmp_path / "data" / f"{name}.wav", 0.1 * rng.normal(size=60 * 4000), 4000)
    (tmp_path / "data" / "c.wav").write_text("text")
    return open_corpus(tmp_path / "data")


def embed(corpus, out, **options):
    return embed_files(FakeModel(), corpus, out, block_seconds=5.0, **options)


@pytest.fixture
def whole(corpus, tmp_path):
    return pq.read_table(embed(corpus, tmp_path / "whole.parquet").path)


@pytest.fixture
def broken_off(corpus, tmp_path, monkeypatch):
    """An archive whose parts, one for each 10 windows, are all there and not yet joined."""

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(parts_module, "PART_SECONDS", 0.0)
        patch.setattr("soundviews.archive.blocks.BLOCKS_AT_ONCE", 2)
        patch.setattr(Parts, "join", interrupted)
        embed(corpus, tmp_path / "out.parquet")
    return tmp_path / "out.parquet"


def parts_of(out):
    files = sorted((out.parent / "out.parquet.parts").glob("part-*.parquet"))
    assert len(files) == 12
    return files


def damage_a_page(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 255
    file.write_bytes(data)


DAMAGES = {
    "gone": os.unlink,
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "zeros": lambda file: file.write_bytes(bytes(file.stat().st_size)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("number", [0, 5, 11])
def test_a_part_that_is_missing_or_damaged_is_made_anew(corpus, whole, broken_off, damage, number, caplog):
    damage(parts_of(broken_off)[number])
    result = embed(corpus, broken_off)
    assert pq.read_table(result.path).equals(whole)
    assert [entry.path for entry in result.skipped] == ["c.wav"]
    # Whether the last part was ever there nobody can say.
    said = [record for record in caplog.records if f"after the first {number * 10} windows" in record.getMessage()]
    assert len(said) == (0 if damage is os.unlink and number == 11 else 1)
    assert not broken_off.with_name("out.parquet.parts").exists()


def test_a_page_that_is_damaged_shows_when_the_parts_are_joined(corpus, whole, broken_off, caplog):
    damage_a_page(parts_of(broken_off)[5])
    assert pq.read_table(embed(corpus, broken_off).path).equals(whole)
    assert "after the first 50 windows" in caplog.text


def test_a_disk_on_which_parts_are_always_damaged_ends_in_one_line(corpus, broken_off, monkeypatch):
    flush = Parts.flush

    def flush_and_damage(self):
        flush(self)
        damage_a_page(self.files[-1])

    damage_a_page(parts_of(broken_off)[5])
    monkeypatch.setattr(Parts, "flush", flush_and_damage)
    with pytest.raises(SoundviewsError, match=r"part-.*parquet: .* makes that part anew"):
        embed(corpus, broken_off)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"bundle": []}', '"bundle"'])
def test_parts_that_do_not_say_what_they_are_of_are_made_anew(corpus, whole, broken_off, text, caplog):
    (broken_off.parent / "out.parquet.parts" / "plan.json").write_text(text)
    assert pq.read_table(embed(corpus, broken_off).path).equals(whole)
    assert "does not say what its parts are of" in caplog.text


def test_parts_of_an_earlier_version_are_gone_on_with(corpus, whole, broken_off, caplog, monkeypatch):
    """They were numbered, and did not say where they begin."""
    for number, file in enumerate(parts_of(broken_off)):
        table = pq.read_table(file)
        page = json.loads(table.schema.metadata[METADATA_KEY])
        del page["begins"]
        pq.write_table(table.replace_schema_metadata({METADATA_KEY: json.dumps(page)}), file)
        file.rename(file.with_name(f"part-{number:06d}.parquet"))
    last = parts_of(broken_off)[-1]
    last.unlink()
    assert pq.read_table(embed(corpus, broken_off).path).equals(whole)
    assert not caplog.records


def test_one_process_at_a_time(corpus, whole, tmp_path, monkeypatch):
    """The second is told who writes, or waits and finds all of it done; nobody's windows are doubled."""
    out, begun, go_on = tmp_path / "out.parquet", threading.Event(), threading.Event()
    bar = embed_module.bar

    @contextmanager
    def waiting(*arguments, **options):
        begun.set()
        assert go_on.wait(30)
        with bar(*arguments, **options) as advance:
            yield advance

    monkeypatch.setattr(embed_module, "bar", waiting)
    first = threading.Thread(target=embed, args=(corpus, out))
    first.start()
    assert begun.wait(30)
    with pytest.raises(SoundviewsError, match=rf"another soundviews \(pid {os.getpid()} .* is writing {out}: .*wait"):
        embed(corpus, out)
    threading.Timer(0.2, go_on.set).start()
    assert embed(corpus, out, wait=True).already_complete
    first.join()
    assert pq.read_table(out).equals(whole)
    assert sorted(file.name for file in tmp_path.glob("*out*")) == ["out.parquet", "out.parquet.skipped.csv"]


def test_a_link_is_followed_and_a_name_that_is_too_long_is_refused_at_once(corpus, whole, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "out.parquet")
    embed(corpus, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert pq.read_table(tmp_path / "elsewhere" / "out.parquet").equals(whole)
    with pytest.raises(SoundviewsError, match="name another out="):
        embed(corpus, tmp_path / ("a" * 248))
    assert not list(tmp_path.glob("aaa*"))


@pytest.mark.parametrize("metadata", [b"{}", b"[]", b"{", b"", b'{"bundle": {}}'])
def test_a_file_that_is_no_archive_is_left_as_it_is(corpus, whole, tmp_path, metadata):
    other = tmp_path / "other.parquet"
    pq.write_table(whole.replace_schema_metadata({METADATA_KEY: metadata}), other)
    with pytest.raises(SoundviewsError, match=r"other\.parquet was not made by"):
        embed(corpus, other)
    pq.write_table(pq.read_table(tmp_path / "whole.parquet").rename_columns(["a", "start", "end", "vector"]), other)
    with pytest.raises(SoundviewsError, match=r"other\.parquet was not made by"):
        embed(corpus, other)
    pq.write_table(pq.read_table(tmp_path / "whole.parquet").slice(0, 0), other)
    with pytest.raises(SoundviewsError, match=r"other\.parquet has no rows"):
        embed(corpus, other)
