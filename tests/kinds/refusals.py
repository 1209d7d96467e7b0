"""What a refused request was told."""


def refused(answer, status):
    """The message of an error, with those of its details."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"]
    return " ".join([error["message"], *(item["message"] for item in error.get("details", ()))])
