"""A graph of another domain, which no part of training saw: pure chemical compounds.

    python -m tools.compounds.build PATH/TO/ChemSep8.32.xml

writes compounds.csv again from the data file of the Python package `chemicals` (1.5.2, in
chemicals/Misc). See SOURCES.md for the licence.
"""
