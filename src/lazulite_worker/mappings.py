"""Header fields, query arguments and form files as score.py knows them from Flask."""

import io
import shutil
from collections.abc import MutableMapping


class Headers(MutableMapping):
    """Header fields: any case finds them, the spelling given is kept, a name may repeat."""

    def __init__(self, fields=()):
        self._fields = []
        pairs = fields.items() if hasattr(fields, "items") else fields
        for name, value in pairs:
            self.add(name, value)

    def __getitem__(self, name):
        for known, value in self._fields:
            if known.lower() == name.lower():
                return value
        raise KeyError(name)

    def __setitem__(self, name, value):
        self.pop(name, None)
        self.add(name, value)

    def __delitem__(self, name):
        kept = [field for field in self._fields if field[0].lower() != name.lower()]
        if len(kept) == len(self._fields):
            raise KeyError(name)
        self._fields = kept

    def __iter__(self):
        return iter([name for name, _ in self._fields])

    def __len__(self):
        return len(self._fields)

    def __repr__(self):
        return "Headers(%r)" % (self._fields,)

    def add(self, name, value):
        """Add a field beside those of the same name."""
        self._fields.append((str(name), str(value)))

    def add_header(self, name, value):
        """The same as add()."""
        self.add(name, value)

    def remove(self, name):
        """Drop every field of that name; KeyError if there is none."""
        del self[name]

    def getlist(self, name):
        """Every value of a name, in order."""
        return [value for known, value in self._fields if known.lower() == name.lower()]

    def items(self):
        """(name, value) of every field, repeated names included, in order."""
        return list(self._fields)


class MultiDict(dict):
    """Names with one or more values; indexing and get() give the first."""

    def __init__(self, pairs=()):
        super().__init__()
        self._lists = {}
        for name, value in pairs:
            self._lists.setdefault(name, []).append(value)
            self.setdefault(name, value)

    def getlist(self, name):
        """Every value of a name, in order; empty for an unknown one."""
        return list(self._lists.get(name, ()))

    def to_dict(self, flat=True):
        """A plain dict of the first values, or (flat=False) of lists."""
        return dict(self) if flat else {name: list(values) for name, values in self._lists.items()}


class FormFile(object):
    """A file of a multipart form. It can be read like an open binary file."""

    def __init__(self, data, filename, content_type, name):
        self.stream = io.BytesIO(data)
        self.filename = filename
        self.content_type = content_type
        self.name = name

    def __getattr__(self, attribute):
        return getattr(self.stream, attribute)  # read, seek, tell, readline ...

    def __iter__(self):
        return iter(self.stream)

    @property
    def mimetype(self):
        """The content type without parameters, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()

    def save(self, dst):
        """Write the rest of the file to a path or an open binary file."""
        if hasattr(dst, "write"):
            shutil.copyfileobj(self.stream, dst)
            return
        with open(dst, "wb") as file:
            shutil.copyfileobj(self.stream, file)
