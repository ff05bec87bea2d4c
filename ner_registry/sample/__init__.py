"""A small corpus of invented news in the CoNLL-2003 format, and the script that makes it."""
