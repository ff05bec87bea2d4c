"""``python -m ner_registry`` is ``ner-run``."""

import sys

from ner_registry.cli import main

sys.exit(main())
