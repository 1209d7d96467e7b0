"""Cross-origin requests from the origins of AML_CORS_ORIGINS. Source: spec/ONLINE.md 5.2, 5.4."""


class Cors(object):
    """Gives the header fields that let pages of some origins call the service."""

    def __init__(self, origins):
        """origins: "*", or origins separated by commas."""
        self._origins = frozenset(origin.strip() for origin in origins.split(",") if origin.strip())

    def __call__(self, request):
        """Fields to add to the answer; none for another origin."""
        origin = request.headers.get("origin")
        if origin is None or not self._origins & {"*", origin}:
            return []
        fields = [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
        if request.method == "OPTIONS":
            fields.append(("Access-Control-Allow-Methods", "GET, POST"))
            asked = request.headers.get("access-control-request-headers")
            if asked is not None:
                fields.append(("Access-Control-Allow-Headers", asked))
        return fields
