"""Requests (申请): a department asks for data, its own head, the bureau and the provider decide in time, the grant is used and ended
(law.md L-14…L-27, §7.3-3). What may be done in which state, and by whom, is the table in `moves`.
"""
