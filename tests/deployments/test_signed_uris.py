"""What is shown of URIs that carry a credential."""

from lazulite.deployments.signed_uris import unsigned


def test_signed_queries_are_left_out_wherever_they_are():
    signed = "https://a.blob.core.windows.net/c/x?sv=2021-08-06&sp=rl&sig=c2VjcmV0%3D"
    plain = signed.partition("?")[0]
    assert unsigned({"i": {"uri": signed}, "more": [signed, 1, None]}) == {
        "i": {"uri": plain},
        "more": [plain, 1, None],
    }


def test_other_queries_stay():
    uri = "https://example.com/x?version=3&design=1"
    assert unsigned(uri) == uri
