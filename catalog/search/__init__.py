"""Finding what exists (目录检索): one index in memory over entries, columns, elements and departments, renewed with the catalogue.

In memory because SQLite and PostgreSQL share no full-text search that knows Chinese words and pinyin, and because a district's catalogue
is small: see docs/measured.md for what 1,083 entries with 12,706 columns cost.
"""
