"""The pytest plugin: a server for tests of code that speaks to Azure Machine Learning.

`Lazulite` is what the fixture `lazulite` gives a test.
"""

from lazulite.testing.handle import Lazulite

__all__ = ["Lazulite"]
