"""Catalogue entries (目录): what a department says that it holds and how far it shares it, apart from the data sets that keep the promise.

An entry is content (`content`) with a code and a state; it is checked as reviewers would (`checks`), compared with what it was (`changes`),
and kept by `shelf`. A registered data set is a *resource*: `drafting` makes an entry of one, `attaching` compares one with its entry. Who
may move an entry stands in `casework.entries.moves`.
"""
