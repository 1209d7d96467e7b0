"""From run()'s result to output rows."""

import pytest

from lazulite_worker.batch_rows import render


class Frame:
    """What render() needs of a pandas DataFrame."""

    def __init__(self, rows):
        self._rows = rows

    def __len__(self):
        return len(self._rows)

    def to_csv(self, file, sep, header, index):
        assert (sep, header, index) == (" ", False, False)
        file.write("".join(sep.join(row) + "\n" for row in self._rows))


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (["a", 1, 2.5], b"a\n1\n2.5\n"),
        (("a",), b"a\n"),
        ([], b""),
        ([("f.txt", 3)], b"('f.txt', 3)\n"),
        (["two\nlines"], b"two\nlines\n"),
        (["\udcff é"], b"\xff \xc3\xa9\n"),
    ],
)
def test_each_element_becomes_a_line(result, text):
    rendered, rows, _ = render(result, 10)
    assert (rendered, rows) == (text, len(result))


def test_a_generator_will_do():
    assert render((True for _ in range(3)), 3) == (b"True\nTrue\nTrue\n", 3, 3)


def test_an_element_that_prints_on_several_lines_stays_one_row():
    class Array:
        def __str__(self):
            return "[1 2\n 3 4]"

    assert render([Array()], 1) == (b"[1 2 3 4]\n", 1, 1)


def test_a_frame_is_written_without_header_and_index():
    assert render(Frame([("a", "1"), ("b", "2")]), 2) == (b"a 1\nb 2\n", 2, 2)


def test_success_is_the_number_of_elements_up_to_the_number_of_files():
    assert render(["a"], 3)[2] == 1
    assert render(["a"] * 7, 3)[1:] == (7, 3)


@pytest.mark.parametrize("result", [None, "text", b"bytes", {"a": 1}, 5])
def test_what_is_no_list_of_results_is_refused(result):
    with pytest.raises(
        TypeError, match=f"run\\(\\) returned {type(result).__name__}; it must return"
    ):
        render(result, 1)


def test_an_error_inside_a_users_generator_is_the_users():
    def results():
        yield 1 + "a"

    with pytest.raises(TypeError, match="unsupported operand"):
        render(results(), 1)
