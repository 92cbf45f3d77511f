import gzip

import numpy as np
import pytest

from fctestbed.estimators import make_estimator, read_samples


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.arange(6.0).reshape(3, 2))
    np.savez("two.npz", x=np.arange(3), y=np.ones((3, 2)))
    np.savez("one.npz", only=np.arange(3))
    (tmp_path / "named.csv").write_text("a,b,label\n1,2.5,yes\n3,4.5,no\n")
    (tmp_path / "plain.csv").write_text("1,2\n3,4\n5,6\n")
    (tmp_path / "hole.csv").write_text("a,b\n1,\n2,3\n")
    (tmp_path / "x.txt").write_text("1")
    return tmp_path


def table(text, **how):
    with open("t.csv", "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return read_samples("t.csv", name="x", **how)


def refusal(text, key="", **how):
    with open("t.csv", "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match="expected") as found:
        read_samples("t.csv" + key, name="x", **how)
    assert "\n" not in str(found.value)
    return str(found.value)


def test_arrays_are_read_as_they_are(place):
    assert np.array_equal(read_samples("x.npy"), np.arange(6.0).reshape(3, 2))
    assert np.array_equal(read_samples("two.npz:y"), np.ones((3, 2)))
    assert np.array_equal(read_samples("one.npz"), np.arange(3))


def test_tables_are_read_with_or_without_a_header(place):
    assert np.array_equal(read_samples("plain.csv"), [[1, 2], [3, 4], [5, 6]])
    assert np.array_equal(read_samples("plain.csv:1"), [2, 4, 6])
    assert np.array_equal(read_samples("named.csv:b,a"), [[2.5, 1], [4.5, 3]])
    assert read_samples("named.csv:label").tolist() == ["yes", "no"]
    assert np.isnan(read_samples("hole.csv")).sum() == 1


def test_a_path_may_hold_a_colon(place):
    np.save("a:b.npy", np.arange(3))
    assert np.array_equal(read_samples("a:b.npy"), np.arange(3))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("t,x\n1,2,\n3,4,\n", "expected 2 cells in each row, as in the first, got 3 in line 2"),
        ("t,x\n1,2\n3,4,\n", "expected 2 cells in each row, as in the first, got 3 in line 3"),
        ("t,x\n1,5,2,5\n3,5,4,5\n", "expected 2 cells in each row, as in the first, got 4 in l"),
        ("1,2\n1,2,3\n", "expected 2 cells in each row, as in the first, got 3 in line 2"),
        ("t,x\n1,2\n3\n", "expected 2 cells in each row, as in the first, got 1 in line 3"),
        (
            't,x\n"1\n1",2\n3,4,5\n',
            "expected 2 cells in each row, as in the first, got 3 in line 4",
        ),
        ("t\n1\n3,4\n", "expected 1 cell in each row, as in the first, got 2 in line 3"),
        ("t\n1\n\n3\n", "expected a value in each line, got none in line 3"),
    ],
)
def test_rows_of_another_length_than_the_first_are_refused_by_their_line(place, text, line):
    assert refusal(text).startswith(f"x: t.csv: {line}")


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff1,2\r\n3,4\r\n",
        '"1","2"\n"3","4"\n',
        "\n1,2\n3,4\n",
        "1D0,2D0\n3D0,.4D+1\n",
        " 1, 2\n3,4\n",
        "1,2\n\n3,4\n\n",
        "1.,2e0\n3,4\n",
    ],
)
def test_a_first_row_of_numbers_is_data(place, text):
    assert np.array_equal(table(text), [[1, 2], [3, 4]])


@pytest.mark.parametrize("first", [",2", "NA,2", "nan,2", "null,2", '"",2', "\ufeff,2", ","])
def test_a_first_row_with_a_missing_number_is_data(place, first):
    read = table(f"{first}\n3,4\n5,6\n")
    assert read.shape == (3, 2)
    assert np.isnan(read[0, 0])
    with pytest.raises(ValueError, match="x: expected finite numbers, got NaN"):
        make_estimator("gaussian").estimate(read, read[:, 0])


def test_names_of_columns_are_known_behind_a_byte_order_mark(place):
    table("\ufeffa,b\n1,2\n")
    assert read_samples("t.csv:a").tolist() == [1]


def test_a_first_row_of_numbers_and_text_has_to_be_named(place):
    text = "yes,1\nno,2\n"
    assert refusal(text) == (
        "x: t.csv: expected a first row of names or of data (--header or --no-header says which), "
        "got '1' beside 'yes' in line 1"
    )
    assert table(text, header=False)[:, 0].tolist() == ["yes", "no"]
    assert table(text, header=True)[:, 1].tolist() == [2]
    assert read_samples("t.csv:1", header=True).tolist() == [2]
    assert table("a,b\nc,d\n", header=False).tolist() == [["a", "b"], ["c", "d"]]


def test_a_header_alone_is_a_table_without_rows(place):
    assert table("a,b\n").shape == (0, 2)
    assert read_samples("t.csv:b").shape == (0,)
    with pytest.raises(ValueError, match="x: expected at least 2 samples, got 0"):
        make_estimator("gaussian").estimate(table("a,b\n"), np.empty(0))


@pytest.mark.parametrize("word", ["NA", "None", "null", "nan", "N/A", "<NA>", "NULL"])
def test_a_category_may_be_called_as_pandas_calls_missing_values(place, word):
    assert table(f"k\n{word}\nlow\n{word}\n").tolist() == [word, "low", word]
    assert table(f"k\n{word}\n{word}\n").tolist() == [word, word]
    assert np.isnan(table(f"k\n{word}\n1\n")).tolist() == [True, False]


def test_text_next_to_numbers_is_read_column_by_column(place):
    read = table("s,i,b\nNA,1,True\nb,2,False\n")
    assert read.tolist() == [["NA", 1, True], ["b", 2, False]]
    assert table("i,b\n1,True\n2,False\n").dtype == np.int64
    assert read_samples("t.csv:b").dtype == bool
    assert table("i,f\n9007199254740993,0.5\n9007199254740992,0.5\n")[:, 0].tolist() == [
        2**53 + 1,
        2**53,
    ]


def test_an_empty_cell_of_text_is_refused_by_its_line(place):
    assert refusal('s,i\n"a\nb",1\n\n,2\n') == (
        "x: t.csv: expected a value in each row of column 's', got none in line 5"
    )
    assert refusal("b,i\nTrue,1\n,2\n", ":b").endswith("column 'b', got none in line 3")


def test_a_separator_can_be_named(place):
    text = "a;b\n1,5;2\n2,5;3\n"
    assert table(text, separator=";").tolist() == [["1,5", 2], ["2,5", 3]]
    assert np.array_equal(table("a\tb\n1\t2\n", separator="tab"), [[1, 2]])
    assert np.array_equal(table("a|b\n1|2\n", separator="|"), [[1, 2]])
    assert refusal("a;b\n1;2\n") == (
        "x: t.csv: expected commas between columns (separator names another one), got ';' in line 1"
    )
    assert refusal("1\t2\n").endswith("got tab in line 1")
    assert refusal(text, separator=";;") == "separator: expected one character or tab, got ';;'"


def test_an_encoding_can_be_named(place):
    text = "é,b\nü,1\nö,2\n".encode("latin-1")
    assert refusal(text).startswith("encoding: expected that of t.csv, got utf-8 (")
    assert table(text, encoding="latin-1")[:, 0].tolist() == ["ü", "ö"]
    assert read_samples("t.csv:é", encoding="latin-1").tolist() == ["ü", "ö"]
    assert np.array_equal(table("a,b\n1,2\n".encode("utf-16"), encoding="utf-16"), [[1, 2]])
    assert refusal(text, encoding="klingon") == (
        "encoding: expected one that Python knows, got 'klingon'"
    )
    assert "expected one that Python knows" in refusal(text, encoding="hex")


def test_compressed_tables_are_read(place):
    (place / "t.csv.gz").write_bytes(gzip.compress(b"\xef\xbb\xbfa,s\n1,x\n2,NA\n", mtime=0))
    assert read_samples("t.csv.gz:a").tolist() == [1, 2]
    assert read_samples("t.csv.gz:s").tolist() == ["x", "NA"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"noise", "x: expected a .csv.gz file that can be read, got t.csv.gz (Not a gzipped"),
        (
            gzip.compress(b"a\n" + b"1\n" * 999, mtime=0)[:-9],
            "x: expected a .csv file that can be read, got ",
        ),
        (gzip.compress(b"a,b\n1,2,3\n", mtime=0), "x: t.csv.gz: expected 2 cells in each row"),
    ],
    # Names of tests must not depend on the time: each process collects them by itself.
    ids=["no gzip", "cut off", "rows of other lengths"],
)
def test_compressed_tables_that_cannot_be_read_are_refused(place, content, message):
    (place / "t.csv.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"t\.csv\.gz") as found:
        read_samples("t.csv.gz", name="x")
    assert str(found.value).startswith(message)


def test_compressed_tables_that_unpack_to_too_much_are_refused(place, monkeypatch):
    (place / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 100_000))
    assert read_samples("t.csv.gz").shape == (100_000, 2)
    monkeypatch.setenv("FCTESTBED_MOST_BYTES", "100000")
    with pytest.raises(ValueError, match=r"expected at most 100,000 bytes .* got more"):
        read_samples("t.csv.gz")
    monkeypatch.setattr("fctestbed.estimators.tables._MOST_LINE", 1000)
    (place / "t.csv.gz").write_bytes(gzip.compress(b"1" * 5000, mtime=0))
    with pytest.raises(ValueError, match="expected lines of under 1,000 characters, got more"):
        read_samples("t.csv.gz")


def test_parquet_needs_pyarrow_and_says_so(place, monkeypatch):
    (place / "x.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ValueError, match=r"x: expected pyarrow to read x.parquet with, got none"):
        read_samples("x.parquet", name="x")


def test_parquet_is_read_where_pyarrow_is(place):
    pytest.importorskip("pyarrow")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "a": [1, 2],
            "b": [0.5, 1.5],
            "n": pandas.array([1, None], dtype="Int64"),
            "w": pandas.array([3, 4], dtype="Int64"),
            "s": ["NA", "x"],
            "c": pandas.Categorical(["u", "v"]),
            "t": [True, False],
        }
    )
    frame.to_parquet("t.parquet")
    assert np.array_equal(read_samples("t.parquet:b"), [0.5, 1.5])
    assert np.array_equal(read_samples("t.parquet:b,a"), [[0.5, 1], [1.5, 2]])
    assert read_samples("t.parquet:w,a").dtype == np.int64
    assert np.isnan(read_samples("t.parquet:n")).tolist() == [False, True]
    assert read_samples("t.parquet:s,c").tolist() == [["NA", "u"], ["x", "v"]]
    assert read_samples("t.parquet:c,t,a").tolist() == [["u", True, 1], ["v", False, 2]]
    frame.set_index("s")[["a", "b"]].to_parquet("indexed.parquet")
    assert np.array_equal(read_samples("indexed.parquet"), [[1, 0.5], [2, 1.5]])
    assert read_samples("indexed.parquet:s").tolist() == ["NA", "x"]


def test_parquet_that_is_no_table_of_samples_is_refused(place, monkeypatch):
    pandas = pytest.importorskip("pandas")
    (place / "bad.parquet").write_bytes(b"noise")
    pandas.DataFrame({"l": [[1], [2]], "s": ["a", None], "a": [1, 2]}).to_parquet("t.parquet")
    for source, message in {
        "bad.parquet": r"x: expected a \.parquet file that can be read",
        "t.parquet:l": "x: t.parquet: expected columns of numbers or text, got list",
        "t.parquet:s": "x: expected a value in each row of column 's', got nan in row 1",
        "t.parquet:q": "x: expected columns of t.parquet among l, s, a, got 'q'",
    }.items():
        with pytest.raises(ValueError, match=message):
            read_samples(source, name="x")
    pandas.DataFrame({"a": np.zeros(10**6)}).to_parquet("zeros.parquet")
    monkeypatch.setenv("FCTESTBED_MOST_BYTES", "7999999")
    with pytest.raises(ValueError, match=r"expected at most 7,999,999 .* got 8,000,000"):
        read_samples("zeros.parquet", name="x")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("none.npy", "x: expected a file that is there, got 'none.npy'"),
        ("x.txt", "x: expected a file of .npy, .npz, .csv, .csv.gz, .parquet, got 'x.txt'"),
        ("x.npy:key", "x: expected no key for an .npy file, got 'key'"),
        ("two.npz", "x: expected two.npz:KEY of x, y, got no key"),
        ("two.npz:z", "x: expected two.npz:KEY of x, y, got 'z'"),
        ("named.csv:c", "x: expected columns of named.csv among a, b, label, got 'c'"),
    ],
)
def test_files_that_hold_no_such_samples_are_refused(place, source, message):
    with pytest.raises(ValueError, match=r"^x: ") as found:
        read_samples(source, name="x")
    assert str(found.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x: t.csv: expected a table, got an empty file"),
        ("\n\n", "x: t.csv: expected a table, got an empty file"),
        ('a\n"b\n', "x: expected a .csv file that can be read, got t.csv (unexpected end of data)"),
        ('a\n"b"c\n', "x: expected a .csv file that can be read, got t.csv (',' expected after"),
    ],
)
def test_text_that_is_no_table_is_refused(place, text, message):
    assert refusal(text).startswith(message)


def test_a_name_of_two_columns_names_none(place):
    assert refusal("a,a\n1,2\n", ":a") == "x: expected columns of t.csv among a, a, got two of 'a'"
