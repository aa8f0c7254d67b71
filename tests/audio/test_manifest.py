"""Manifests: every dialect that spreadsheets write, and errors that name the line."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.datasets.opening import open_corpus


@pytest.fixture
def audio(write_audio):
    for name in ("a.wav", "sub/b c.wav", "d,e.wav"):
        write_audio(name)


def write(tmp_path, text, name="m.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def test_all_columns(tmp_path, audio):
    text = 'path,label,fold,split,start,end,other\na.wav,dog;cat,1,train,0.25,0.75,x\n"d,e.wav",,,,,,\n'
    corpus = open_corpus(write(tmp_path, text))
    assert corpus.vocabulary == ["cat", "dog"]
    assert corpus.clip(0) == (str(tmp_path / "a.wav"), 0.25, 0.75, (0, 1), 1, "train")
    assert corpus.clip(1) == (str(tmp_path / "d,e.wav"), 0.0, None, (), None, None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_dialects(tmp_path, audio, encoding, delimiter):
    text = "Path,Labels,Fold\r\nsub/b c.wav,Vögel,2.0\r\n\r\na.wav,Hund,1\r\n".replace(",", delimiter)
    corpus = open_corpus(write(tmp_path, text, encoding=encoding))
    assert corpus.vocabulary == ["Hund", "Vögel"]
    assert corpus.clip(0) == (str(tmp_path / "sub/b c.wav"), 0.0, None, (1,), 2, None)


def test_labels_separated_by_semicolons_in_a_semicolon_table(tmp_path, audio):
    corpus = open_corpus(write(tmp_path, 'path;label;start\na.wav;"x;y";0,5\n'))
    assert corpus.vocabulary == ["x", "y"]
    assert corpus.clip(0).start == 0.5


def test_tsv_and_a_newline_in_a_name(tmp_path, write_audio):
    write_audio("new\nline.wav")
    corpus = open_corpus(write(tmp_path, 'filename\tfold\n"new\nline.wav"\t3\n', "m.tsv"))
    assert corpus.clip(0) == (str(tmp_path / "new\nline.wav"), 0.0, None, (), 3, None)


@pytest.mark.parametrize(
    "text",
    [
        "path,label\ra.wav,dog\rd.wav,cat\r",
        "sep=;\r\npath;label\r\na.wav;dog\r\nd.wav;cat\r\n",
        "\n\npath,label\n\na.wav,dog\n , \nd.wav,cat",
        "path,label,\na.wav,dog,\nd.wav,cat,,\n",
        '"path","label"\n"a.wav","dog"\n"d.wav", cat \n',
        'path;"label, as heard";label\na.wav;1,2;dog\nd.wav;3,4;cat\n',
        "path,label\n.\\a.wav,dog\nd.wav ,cat\n",
        ",path,label\n0,a.wav,dog\n1,d.wav,cat\n",
    ],
    ids=["CR", "sep=", "empty lines", "trailing", "quoted", "other delimiter in a name", "backslash", "index column"],
)
def test_what_people_export(tmp_path, write_audio, text):
    for name in ("a.wav", "d.wav"):
        write_audio(name)
    corpus = open_corpus(write(tmp_path, text))
    assert [corpus.vocabulary[target] for target in corpus.targets()] == ["dog", "cat"] and not corpus.skipped


def test_letters_of_windows_that_latin_1_lacks(tmp_path, write_audio):
    write_audio("l’été – 5 €.wav")
    assert open_corpus(write(tmp_path, "path,label\nl’été – 5 €.wav,“x”\n", encoding="cp1252")).vocabulary == ["“x”"]


def test_a_broken_encoding_names_the_file(tmp_path, audio):
    path = write(tmp_path, "path,label\na.wav,x\n", encoding="utf-16")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SoundviewsError, match=r"cannot read .*m\.csv"):
        open_corpus(path)


def test_a_row_twice_counts_once_and_is_named(tmp_path, audio):
    path = write(tmp_path, "path,label,start,end\na.wav,x,0,0.5\nsub/b c.wav,y,,\n\na.wav,x,,0.5\na.wav,y,0.5,1\n")
    corpus = open_corpus(path)
    assert [corpus.clip(i).start for i in range(len(corpus))] == [0.0, 0.0, 0.5]
    assert corpus.skipped == [(f"{path}, line 5", "says no more than line 2")]


def test_rows_of_one_clip_with_a_label_each_are_one_clip_with_all_of_them(tmp_path, audio):
    text = "path,label,fold\na.wav,y,1\nsub/b c.wav,x,2\na.wav,x,1\na.wav,,1\na.wav,z;y,1\nsub/b c.wav,x,2\n"
    path = write(tmp_path, text)
    corpus = open_corpus(path)
    assert corpus.vocabulary == ["x", "y", "z"] and corpus.column("fold").tolist() == [1, 2]
    assert corpus.label_matrix().tolist() == [[True, True, True], [True, False, False]]
    joined, same = "its labels join those of line", "says no more than line"
    reasons = {4: f"{joined} 2", 5: f"{same} 2", 6: f"{joined} 2", 7: f"{same} 3"}
    assert sorted(corpus.skipped) == [(f"{path}, line {line}", reason) for line, reason in reasons.items()]


def test_events_become_the_labels_of_their_clip(tmp_path, audio):
    text = "filename\tonset\toffset\tevent_label\na.wav\t0\t0.5\tDog\na.wav\t0.2\t0.9\tCat\nsub/b c.wav\t\t\t\n"
    (tmp_path / "events.tsv").write_text(text)
    corpus = open_corpus(tmp_path / "events.tsv")
    assert corpus.vocabulary == ["Cat", "Dog"]
    assert corpus.label_matrix().tolist() == [[True, True], [False, False]]


@pytest.mark.parametrize(("columns", "values"), [("fold", "12"), ("split", "ab")])
def test_rows_that_contradict_each_other_are_named(tmp_path, audio, columns, values):
    path = write(tmp_path, f"path,{columns}\n\na.wav,{values[0]}\nsub/b c.wav,{values[0]}\na.wav,{values[1]}\n")
    with pytest.raises(SoundviewsError, match=rf"m\.csv, lines 3 and 5: both are a\.wav, with different {columns}"):
        open_corpus(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('path,label\na.wav,"x\nsub/b c.wav,y\n', "line 2: labels goes on in the next line; is a quote left open"),
        ("path,label\na.wav\n", "line 2: 1 fields, the header has 2"),
        ("path,label\na.wav,x,y\n", "line 2: 3 fields, the header has 2"),
        ("\n\nfile_path,label\na.wav,x\n", "line 3: no column 'path'"),
        ("file_path,label\na.wav,x\n", r"m\.csv, line 1: no column 'path' \(did you mean 'file_path'"),
        ("", r"m\.csv, line 1: no column 'path'"),
        ("path,start\na.wav,0\na.wav,abc\n", r"m\.csv, line 3: start must be seconds, 0 or more, it is 'abc'"),
        ("path,start\na.wav,-1\n", "line 2: start must be seconds"),
        ("path,end\na.wav,nan\n", "line 2: end must be seconds"),
        ("path,start,end\n\na.wav,2,1\n", "line 3: the end, 1 s, is not after the start, 2 s"),
        ("path,fold\na.wav,1.5\n", "line 2: fold must be a whole number"),
        ("path,fold\na.wav,1\n ,1\n", "line 3: path must not be empty"),
        ("path\na.wav\na\0.wav\n", "line (3: path must not|2: line contains NUL)"),  # the latter in Python 3.10
        ("path,fold\na.wav,inf\n", "line 2: fold must be a whole number"),
        ("path,fold\na.wav,1e30\n", "line 2: fold must be a whole number"),
        ("path,fold\na.wav,3000000000\n", "line 2: fold must be a whole number"),
        ("path,fold\na.wav,nan\n", "line 2: fold must be a whole number"),
        ("path,fold\na.wav," + "9" * 100_000 + "\n", "line 2: fold must be .{,400}$"),
        ("path,label\na.wav," + "x" * 200_000 + "\n", "field larger than field limit"),
        ("path,label\nd,e.wav,x\n", "line 2: 3 fields, the header has 2"),
        ("path,label\n", "lists no clips"),
        ("path\nx.wav\ny.wav\n", r"none of the 2 recordings .* first looked for is .*x\.wav"),
    ],
)
def test_errors_name_file_and_line(tmp_path, audio, text, message):
    with pytest.raises(SoundviewsError, match=message):
        open_corpus(write(tmp_path, text))


def test_missing_recordings_are_skipped_and_named(tmp_path, audio):
    path = write(tmp_path, "path,label\nno.wav,x\na.wav,y\n")
    corpus = open_corpus(path)
    assert len(corpus) == 1
    assert corpus.skipped == [(str(tmp_path / "no.wav"), "no such file")]
    with pytest.raises(SoundviewsError, match=r"no\.wav: no such file"):
        open_corpus(path, strict=True)


def test_parquet(tmp_path, audio):
    table = pa.table(
        {
            "path": ["a.wav", "sub/b c.wav", "d,e.wav"],
            "labels": [["x", "y"], [], None],
            "fold": [1.0, None, 2.0],
            "start": pa.array([None, 0.5, 0.0], pa.float32()),
        }
    )
    pq.write_table(table, tmp_path / "m.parquet")
    corpus = open_corpus(tmp_path / "m.parquet")
    assert corpus.label_matrix().tolist() == [[True, True], [False, False], [False, False]]
    assert [corpus.clip(i).fold for i in range(3)] == [1, None, 2]
    assert corpus.clip(1).start == 0.5
    pq.write_table(pa.table({"path": ["a.wav"], "label": ["p;q"], "fold": ["x"]}), tmp_path / "bad.parquet")
    with pytest.raises(SoundviewsError, match=r"bad\.parquet, row 1: fold must be a whole number"):
        open_corpus(tmp_path / "bad.parquet")
    pq.write_table(pa.table({"path": ["a\0.wav"]}), tmp_path / "nul.parquet")
    with pytest.raises(SoundviewsError, match=r"nul\.parquet, row 1: path must not be empty, nor have a NUL"):
        open_corpus(tmp_path / "nul.parquet")
    names = pa.array([b"a.wav", b"\xff.wav"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"path": names}), tmp_path / "bytes.parquet")
    with pytest.raises(SoundviewsError, match=r"bytes\.parquet is damaged after row 0: .*utf-8"):
        open_corpus(tmp_path / "bytes.parquet")
    (tmp_path / "text.parquet").write_text("words")
    with pytest.raises(SoundviewsError, match="not a Parquet file"):
        open_corpus(tmp_path / "text.parquet")


def test_a_large_manifest_is_read_once(tmp_path, audio, monkeypatch):
    monkeypatch.setattr("soundviews.audio.manifest._WORTH_KEEPING", 3)
    path = write(tmp_path, 'path,label\na.wav,x\nsub/b c.wav,y\n"d,e.wav",y\n')
    first = open_corpus(path)

    def refuse(_path):
        raise AssertionError("read again")

    with monkeypatch.context() as patch:
        patch.setattr("soundviews.audio.manifest._text_blocks", refuse)
        again = open_corpus(path)
    assert again.table.equals(first.table)
    assert again.vocabulary == ["x", "y"]
    path.write_text("path,label\na.wav,z\n")
    assert open_corpus(path).vocabulary == ["z"]


def test_a_manifest_worth_keeping_is_read_again_where_what_was_kept_is_damaged(write_audio, tmp_path, monkeypatch):
    monkeypatch.setattr("soundviews.audio.manifest._WORTH_KEEPING", 1)
    monkeypatch.setenv("SOUNDVIEWS_CACHE", str(tmp_path / "cache"))
    write_audio("a.wav")
    (tmp_path / "clips.csv").write_text("path,label\na.wav,x\n")
    expected = open_corpus(tmp_path / "clips.csv").table.to_pylist()  # the file that is damaged is no longer mapped
    (kept,) = (tmp_path / "cache" / "manifests").iterdir()
    for damaged in (b"", kept.read_bytes()[:200]):
        kept.write_bytes(damaged)
        with pytest.warns(UserWarning, match=f"{kept.name} is damaged"):
            assert open_corpus(tmp_path / "clips.csv").table.to_pylist() == expected
    (tmp_path / "file").touch()
    monkeypatch.setenv("SOUNDVIEWS_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="SOUNDVIEWS_CACHE"):
        assert open_corpus(tmp_path / "clips.csv").table.to_pylist() == expected
