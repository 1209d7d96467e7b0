"""`python -m lazulite`."""

import sys

from lazulite.cli.main import main

sys.exit(main())
