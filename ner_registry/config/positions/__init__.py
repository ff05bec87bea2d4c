"""Where in the Jsonnet files a value of the config was written.

Jsonnet's own parser isn't reachable from Python, and what it evaluates to has lost where it was
written. So a file is read here once more, in steps:

- ``lexer``: text to tokens; ``cursor`` and ``parser``: tokens to the tree of ``syntax``
- ``files``: the main file and its imports
- ``resolver``: from an expression to a key of it, in terms of ``values``
- ``written_keys``: the keys that the text alone shows, for a guess
- ``unused``: the keys of locals that nothing reads
- ``find``: all of it together
"""

from ner_registry.config.positions.files import Position
from ner_registry.config.positions.find import Positions

__all__ = ["Position", "Positions"]
