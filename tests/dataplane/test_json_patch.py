"""RFC 6902, by its own examples and by what must not be done."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazulite.core.errors import ArmError
from lazulite.dataplane.json_patch import patched, read_patch

DONE = [
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    ({"a": [1, 3]}, [{"op": "add", "path": "/a/1", "value": 2}], {"a": [1, 2, 3]}),
    ({"a": [1]}, [{"op": "add", "path": "/a/-", "value": [2]}], {"a": [1, [2]]}),
    ({"a": 1, "b": 2}, [{"op": "remove", "path": "/a"}], {"b": 2}),
    ({"a": [1, 2, 3]}, [{"op": "remove", "path": "/a/1"}], {"a": [1, 3]}),
    ({"a": 1}, [{"op": "replace", "path": "/a", "value": None}], {"a": None}),
    ({"a": {"x": 1}, "b": {}}, [{"op": "move", "from": "/a/x", "path": "/b/y"}],
     {"a": {}, "b": {"y": 1}}),
    ({"a": [1, 2, 3]}, [{"op": "move", "from": "/a/0", "path": "/a/2"}], {"a": [2, 3, 1]}),
    ({"a": {"x": 1}}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": {"x": 1}, "b": {"x": 1}}),
    ({"a/b": 1, "m~n": 2}, [{"op": "test", "path": "/a~1b", "value": 1},
                            {"op": "replace", "path": "/m~0n", "value": 3}], {"a/b": 1, "m~n": 3}),
    ({"a": 1}, [{"op": "replace", "path": "", "value": {"b": 1}}], {"b": 1}),
    ({}, [{"OP": "Add", "Path": "/a", "Value": 1}], {"a": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("document", "patch", "expected"), DONE)
def test_an_operation_does_what_the_standard_says(document, patch, expected):
    before = copy.deepcopy(document)
    assert patched(document, read_patch(patch)) == expected
    assert document == before


REFUSED = [
    ([{"op": "remove", "path": "/none"}], 400),
    ([{"op": "replace", "path": "/none", "value": 1}], 400),
    ([{"op": "add", "path": "/none/x", "value": 1}], 400),
    ([{"op": "add", "path": "/list/01", "value": 1}], 400),
    ([{"op": "add", "path": "/list/9", "value": 1}], 400),
    ([{"op": "add", "path": "/text/x", "value": 1}], 400),
    ([{"op": "move", "from": "/list", "path": "/list/0"}], 400),
    ([{"op": "move", "path": "/list"}], 400),
    ([{"op": "add", "path": "text", "value": 1}], 400),
    ([{"op": "burn", "path": "/text"}], 400),
    ([{"path": "/text"}], 400),
    ([{"op": "test", "path": "/text", "value": "other"}], 412),
    ({"op": "add", "path": "/a"}, 400),
    (["add"], 400),
]


@pytest.mark.parametrize(("patch", "status"), REFUSED)
def test_what_cannot_be_done_is_refused(patch, status):
    with pytest.raises(ArmError) as refused:
        patched({"text": "a", "list": [1]}, read_patch(patch))
    assert refused.value.status == status


@given(st.dictionaries(st.text(max_size=4), st.integers()), st.text(max_size=4), st.integers())
def test_what_is_added_can_be_tested_and_removed(document, key, value):
    path = "/" + key.replace("~", "~0").replace("/", "~1")
    add = {"op": "add", "path": path, "value": value}
    test = {"op": "test", "path": path, "value": value}
    changed = patched(document, read_patch([add, test, {"op": "remove", "path": path}]))
    assert changed == {name: item for name, item in document.items() if name != key}
