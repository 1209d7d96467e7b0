from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazulite.arm.json_reader import read_json
from lazulite.core.errors import ArmError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)
FORMS = st.fixed_dictionaries(
    {"indent": st.sampled_from([None, 0, 2, "\t"]), "ensure_ascii": st.booleans()}
)


@given(VALUES, FORMS)
def test_valid_json_reads_as_the_standard_library_reads_it(
    value: Any, form: dict[str, Any]
) -> None:
    text = json.dumps(value, **form)

    assert repr(read_json(text.encode())) == repr(json.loads(text))


@given(st.text(alphabet='{}[]",:\\ \n\ttruefalsnu019.eE+-x\x00é', max_size=40))
@settings(max_examples=400)
def test_any_text_is_read_or_refused_and_what_both_accept_is_the_same(text: str) -> None:
    found, refusal = attempt(lambda: read_json(text.encode()), ArmError)
    expected, invalid = attempt(lambda: json.loads(text, parse_constant=int), ValueError)

    if refusal is None and invalid is None:
        assert repr(found) == repr(expected)
    elif refusal is not None:
        assert refusal.status == 400
        beyond_json = ("twice", "double can hold", "64 bits", "surrogate")
        assert invalid is not None or any(said in refusal.message for said in beyond_json)


def attempt(read: Callable[[], Any], refusal: type[Exception]) -> tuple[Any, Any]:
    try:
        return read(), None
    except refusal as error:
        return None, error


@given(VALUES)
def test_trailing_commas_and_raw_newlines_change_nothing(value: Any) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=False)
    lenient = "\n".join(
        line + "," if line.rstrip().endswith(('"', "l", "e", "]", "}", *"0123456789")) else line
        for line in text.split("\n")[:-1]
    )
    lenient = lenient.replace("\\n", "\n").replace("\\t", "\t") + "\n" + text.split("\n")[-1]
    if "\\\n" in lenient or "\\\t" in lenient:
        return  # the backslash was itself escaped: the replacement broke the text, not the reader

    assert repr(read_json(lenient.encode())) == repr(json.loads(text))


ACCEPTED = [
    ('{"a": 1,}', {"a": 1}),
    ('{"a": [1, 2 , ] , }', {"a": [1, 2]}),
    ('{"path": "model/x.pkl",\n }', {"path": "model/x.pkl"}),
    (
        '{"conda": "name: x\ndependencies:\n\t- python=3.7\r\n"}',
        {"conda": "name: x\ndependencies:\n\t- python=3.7\r\n"},
    ),
    ('["a,]", "b,}", "\\",]"]', ["a,]", "b,}", '",]']),
    ("\ufeff{}", {}),
    (" \t\r\n[] \n", []),
    ('"\\u00e9\\ud83d\\ude00\\/"', "é😀/"),
    ('"raw \x01\x7f and \\n escape"', "raw \x01\x7f and \n escape"),
    ("-0", 0),
    ("1E+2", 100.0),
    ("9223372036854775807", 2**63 - 1),
    ('// a\n{ /* b */ "c": /**/ 1, // d\r\n}', {"c": 1}),
    ('"// no /* comment */"', "// no /* comment */"),
    ("1e-999", 0.0),
    ('{"a": {"a": {"a": 1}}}', {"a": {"a": {"a": 1}}}),
    ("[" * 64 + "]" * 64, json.loads("[" * 64 + "]" * 64)),
    ('{"": 0}', {"": 0}),
    ('{"a": 1, "A": 2}', {"a": 1, "A": 2}),
]


@pytest.mark.parametrize(("text", "value"), ACCEPTED)
def test_what_published_scripts_send_is_accepted(text: str, value: Any) -> None:
    assert read_json(text.encode()) == value


REFUSED = [
    ("", 1, 1, "expected a value, found the end of the text"),
    ("  \n ", 2, 2, "expected a value, found the end of the text"),
    ("{", 1, 2, "expected a property name in double quotes, or '}', found the end"),
    ('{\n  "a": 1\n  "b": 2}', 3, 3, "expected ',' or '}', found '\"'"),
    ("[1 2]", 1, 4, "expected ',' or ']', found '2'"),
    ("[,]", 1, 2, "expected a value, found ','"),
    ("{,}", 1, 2, "expected a property name"),
    ("[1,,2]", 1, 4, "expected a value, found ','"),
    ('{"a": 1,,}', 1, 9, "expected a property name"),
    ('{"a": ,}', 1, 7, "expected a value"),
    ("{a: 1}", 1, 2, "expected a property name in double quotes, or '}', found 'a'"),
    ("{'a': 1}", 1, 2, "expected a property name"),
    ('{"a" 1}', 1, 6, "expected ':', found '1'"),
    ('{"a": 1]', 1, 8, "expected ',' or '}', found ']'"),
    ("[1}", 1, 3, "expected ',' or ']', found '}'"),
    ("{} x", 1, 4, "expected the end of the text, found 'x'"),
    ("{},", 1, 3, "expected the end of the text, found ','"),
    ("[NaN]", 1, 2, "found 'NaN'"),
    ("[Infinity]", 1, 2, "found 'Infinity'"),
    ("[-Infinity]", 1, 2, "expected a number, found '-Infinity'"),
    ("[nan, null]", 1, 2, "found 'nan'"),
    ("[1e999]", 1, 2, "larger than a double can hold"),
    ("[-1e400]", 1, 2, "larger than a double can hold"),
    ("9223372036854775808", 1, 1, "more than 64 bits"),
    ("-9223372036854775809", 1, 1, "more than 64 bits"),
    ("1" * 401, 1, 1, "more than 400 characters"),
    ("01", 1, 2, "expected the end of the text"),
    ("+1", 1, 1, "expected a value, found '+1'"),
    (".5", 1, 1, "expected a value, found '.5'"),
    ("1.", 1, 2, "expected the end of the text"),
    ("0x10", 1, 2, "found 'x10'"),
    ("\u0661", 1, 1, "expected a number"),
    ("True", 1, 1, "found 'True'"),
    ("nulll", 1, 1, "found 'nulll'"),
    ("/* comment {}", 1, 1, "expected a value, found '/'"),
    ("/ comment\n{}", 1, 1, "expected a value, found '/'"),
    ("# comment\n{}", 1, 1, "expected a value, found '#'"),
    ('"abc', 1, 1, "no closing double quote"),
    ('{\n"a": "b}', 2, 6, "no closing double quote"),
    ('"abc\\', 1, 1, "no closing double quote"),
    ('"abc\\"', 1, 1, "no closing double quote"),
    ('["\\q"]', 1, 3, "expected an escape such as"),
    ('["\\u12"]', 1, 3, "expected an escape such as"),
    ('"\\ud800"', 1, 1, "half of a surrogate pair"),
    ('"\\udc00\\ud800"', 1, 1, "half of a surrogate pair"),
    ('{"a": 1,\n "a": 2}', 2, 2, "the property 'a' stands there twice"),
    ('{"a": 1, "\\u0061": 2}', 1, 10, "the property 'a' stands there twice"),
    ("[" * 65 + "]" * 65, 1, 65, "more than 64 levels"),
    ('{"a":' * 100_000, 1, 321, "more than 64 levels"),
    ("\x00", 1, 1, "expected a value"),
    ("\u00a0{}", 1, 1, "expected a value"),
]


@pytest.mark.parametrize(("text", "line", "column", "said"), REFUSED)
def test_what_is_wrong_is_refused_with_its_place(text, line, column, said) -> None:
    with pytest.raises(ArmError) as caught:
        read_json(text.encode())

    error = caught.value
    assert (error.status, error.code) == (400, "InvalidRequestContent")
    assert f"'Line {line}, column {column}: " in error.message
    assert said in error.message
    assert error.message.startswith("The request content was invalid and could not be deserialized")
    assert len(error.message) < 300


@pytest.mark.parametrize(
    "body", [b"\xff", b'{}\n"\xc3("', "{}".encode("utf-16"), b'"\xed\xa0\x80"']
)
def test_other_encodings_than_utf8_are_refused(body: bytes) -> None:
    with pytest.raises(ArmError, match=r"not UTF-8|expected") as caught:
        read_json(body)
    assert caught.value.status == 400


def test_body_over_the_limit_is_refused_before_it_is_read() -> None:
    assert read_json(b"[1]", largest=3) == [1]
    with pytest.raises(ArmError) as caught:
        read_json(b"[1] ", largest=3)
    assert (caught.value.status, caught.value.code) == (413, "RequestEntityTooLarge")
    assert "has 4 bytes; at most 3" in caught.value.message


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * 1_000_000,
        b'"\\' * 1_000_000,
        b"[" + b" " * 3_000_000,
        b'["' + b"\\u" * 1_000_000,
        b"1" * 3_000_000,
        b"-" * 3_000_000,
        b"a" * 3_000_000,
        b'"' * 3_000_000,
        b"/*" * 1_500_000,
        b"/**/" * 700_000,
        b"//\n" * 1_000_000,
    ],
    ids=[
        "escaped quotes",
        "quotes",
        "spaces",
        "escapes",
        "digits",
        "minus",
        "letters",
        "empty",
        "open comments",
        "comments",
        "lines of comments",
    ],
)
def test_hostile_texts_take_linear_time(body: bytes) -> None:
    """Were any of them quadratic, the suite's time limit would end it."""
    with pytest.raises(ArmError):
        read_json(body)


def test_largest_and_smallest_doubles_are_read() -> None:
    assert read_json(b"[1.7976931348623157e308, 5e-324]") == [1.7976931348623157e308, 5e-324]
    assert math.copysign(1, read_json(b"-0.0")) == -1
